"""Records of a stream: read as what changed, and nothing sealed of them is ever kept or quoted."""

import json
from typing import Any

import pytest

from tests.doubles.samples import INSTALL_ID, pending
from tests.doubles.scripted import NOON
from zendesk_oauth.adapters.dynamodb_changes import CONNECTION, INSTALL, DynamoDBChangeRecord
from zendesk_oauth.adapters.dynamodb_install_attributes import install_item
from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.models.event import ConnectionChange, InstallChange
from zendesk_oauth.models.install import InstallStatus

AT = int(NOON.timestamp())
SEALED = "c2VhbGVkIHRva2Vu"
ROW: dict[str, Any] = {
    "connection_key": {"S": "default#acme"},
    "grant": {"S": "default"},
    "subdomain": {"S": "acme"},
    "status": {"S": "active"},
    "epoch": {"N": "3"},
    "generation": {"N": "40"},
    "scopes": {"L": [{"S": "tickets:read"}]},
    "install_id": {"S": INSTALL_ID},
    "user_reference": {"S": "user-7"},
    "authorized_user_id": {"N": "987654321"},
    "authorized_user_role": {"S": "admin"},
    "access_token": {"B": SEALED},
    "refresh_token": {"B": SEALED},
}


def record(**parts: Any) -> DynamoDBChangeRecord:
    """Return the record of a connection's change, with other parts where the test has them."""
    keys = {"connection_key": {"S": "default#acme"}}
    return DynamoDBChangeRecord("100", {"ApproximateCreationDateTime": AT, "Keys": keys} | parts)


def test_a_connections_change_has_the_row_before_and_after() -> None:
    """Either can be missing, where the row came or went."""
    change = record(OldImage=ROW | {"generation": {"N": "39"}}, NewImage=ROW).read()
    assert isinstance(change, ConnectionChange)
    assert change.before is not None
    assert change.after is not None
    assert (change.before.generation, change.after.generation, change.changed_at) == (39, 40, NOON)
    assert change.after.install_id == INSTALL_ID
    assert record(NewImage=ROW).read()[0] is None
    assert record(OldImage=ROW).read()[1] is None


@pytest.mark.parametrize("images", [("NewImage",), ("OldImage", "NewImage"), ("OldImage",)])
def test_the_row_of_a_replaced_pair_is_no_connections(images: tuple[str, ...]) -> None:
    """Whatever becomes of it, also when DynamoDB deletes it, there is no connection before or after."""
    keys = {"connection_key": {"S": "~default#acme#commit-1"}}
    change = record(Keys=keys, **dict.fromkeys(images, ROW)).read()
    assert change == ConnectionChange(None, None, NOON)


def test_an_installs_change_has_the_row_before_and_after() -> None:
    """Told apart by the key of the row."""
    keys = {"install_id": {"S": INSTALL_ID}}
    item: Any = install_item(pending())
    denied = item | {"status": {"S": "denied"}, "reason": {"S": "access_denied"}}
    change = record(Keys=keys, OldImage=item, NewImage=denied).read()
    assert isinstance(change, InstallChange)
    assert change.before is not None
    assert change.after is not None
    assert (change.before.status, change.after.status) == (InstallStatus.PENDING, InstallStatus.DENIED)
    assert change.after.reason == "access_denied"


def test_nobody_and_nothing_secret_is_looked_at() -> None:
    """Neither who pressed Allow, nor what is sealed, nor a fingerprint."""
    names = {*INSTALL, *CONNECTION}
    assert not [name for name in names if "token" in name or "fingerprint" in name or "authorized" in name]
    change = record(NewImage=ROW).read()
    assert isinstance(change, ConnectionChange)
    assert change.after is not None
    assert change.after.authorized_user_id is None


def test_what_is_kept_can_be_read_again_and_holds_nothing_else() -> None:
    """The text of a record has only what is looked at, and reads as the same change."""
    kept = json.loads(record(OldImage=ROW, NewImage=ROW, SizeBytes=1).kept())
    assert DynamoDBChangeRecord("again", kept["record"]).read() == record(OldImage=ROW, NewImage=ROW).read()
    assert kept["format"] == 1
    assert "user-7" in str(kept)
    assert not [
        secret for secret in (SEALED, "access_token", "987654321", "SizeBytes") if secret in str(kept)
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"NewImage": {}},
        {"NewImage": ROW | {"epoch": {"S": "many"}}},
        {"NewImage": ROW | {"status": {"S": "asleep"}}},
        {"NewImage": []},
        {"Keys": {}},
        {"Keys": {"other": {"S": "x"}}, "NewImage": ROW},
        {"Keys": None},
        {"ApproximateCreationDateTime": "noon"},
        {"ApproximateCreationDateTime": 1e30},
    ],
)
def test_a_record_that_cannot_be_read_says_so_and_nothing_of_itself(broken: dict[str, Any]) -> None:
    """The error has no cause that would quote the row, and the record's repr is its place alone."""
    bad = record(**broken)
    with pytest.raises(MalformedRequestError) as raised:
        bad.read()
    assert raised.value.__cause__ is raised.value.__context__ is None
    assert repr(bad) == "DynamoDBChangeRecord('100')"


@pytest.mark.parametrize("keys", [{}, None, {"other": {"S": "x"}}])
def test_a_record_of_no_known_table_is_kept_without_its_images(keys: object) -> None:
    """What table it is of nobody knows, so nothing of its rows is known to be harmless."""
    kept = json.loads(record(Keys=keys, NewImage=ROW, OldImage="x").kept())
    assert SEALED not in str(kept)
    assert kept["record"]["NewImage"] == {}
