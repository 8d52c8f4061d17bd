"""The reader on DynamoDB Local, with the template's table."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.doubles.samples import establishment, pending
from tests.dynamodb_local import Tables
from tests.worker.doubles import ACME
from zendesk_oauth.adapters.dynamodb_connections import DynamoDBConnectionStore
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.adapters.dynamodb_token_reader import ATTRIBUTES, KEY, DynamoDBTokenReader, stored_token
from zendesk_oauth.errors import StoreError, StoreUnavailableError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
WHOLE: dict[str, Any] = {
    "status": {"S": "active"},
    "epoch": {"N": "2"},
    "generation": {"N": "7"},
    "commit_id": {"S": "commit-7"},
    "access_token": {"B": b"sealed"},
    "access_token_key": {"B": b"wrapped"},
    "scopes": {"L": [{"S": "tickets:read"}, {"S": "read"}]},
    "expires_at": {"N": str(int(AT.timestamp()) + 600)},
    "refresh_at": {"N": str(int(AT.timestamp()))},
}


def at(seconds: int = 0) -> dict[str, str]:
    """Return an instant as it is stored."""
    return {"N": str(int(AT.timestamp()) + seconds)}


@pytest.fixture
def reader(dynamodb: "DynamoDBClient", tables: Tables) -> DynamoDBTokenReader:
    """Return a reader of this test's own table."""
    return DynamoDBTokenReader(dynamodb, tables.connections)


def put(reader: DynamoDBTokenReader, **changes: Any) -> None:
    """Write a row; None takes an attribute away."""
    attributes = {name: value for name, value in (WHOLE | changes).items() if value is not None}
    reader.client.put_item(TableName=reader.table, Item={KEY: {"S": "default#acme"}} | attributes)


@pytest.mark.parametrize("consistent", [False, True])
def test_a_row_is_read_as_it_stands(reader: DynamoDBTokenReader, *, consistent: bool) -> None:
    """Every attribute in its own type."""
    put(reader)
    stored = reader.find("default", ACME, consistent=consistent)
    assert stored is not None
    assert (stored.grant, stored.subdomain, stored.status) == ("default", "acme", "active")
    assert (stored.epoch, stored.generation, stored.commit_id) == (2, 7, "commit-7")
    assert (stored.ciphertext, stored.wrapped_key) == (b"sealed", b"wrapped")
    assert stored.scopes == ("tickets:read", "read")
    assert (stored.refresh_at, (stored.expires_at - AT).total_seconds()) == (AT, 600)
    assert (stored.claimed_until, stored.reason, stored.since) == (None, None, None)


def test_there_may_be_no_row(reader: DynamoDBTokenReader) -> None:
    """Of this grant, or of any."""
    assert reader.find("default", ACME, consistent=False) is None
    put(reader)
    assert reader.find("reporting", ACME, consistent=True) is None


@pytest.mark.parametrize(
    ("changes", "claimed"),
    [
        ({"claim_state": {"S": "living"}, "claim_until": at(70)}, True),
        ({"claim_state": {"S": "unresolved"}, "claim_until": at(70)}, False),
        ({"claim_state": {"S": "living"}, "claim_until": at(-1)}, False),
        ({"claim_state": {"S": "living"}}, False),
    ],
)
def test_only_a_living_claim_is_waited_for(
    reader: DynamoDBTokenReader, changes: dict[str, Any], *, claimed: bool
) -> None:
    """One that is unresolved or over has nobody at work."""
    put(reader, **changes)
    stored = reader.find("default", ACME, consistent=True)
    assert stored is not None
    assert stored.is_claimed(AT) is claimed


ALL_SINCE = {"reconnect_since": at(1), "disconnecting_since": at(2), "disconnected_at": at(3)}


@pytest.mark.parametrize(
    ("status", "reason", "since"),
    [
        ("reconnect_required", "answer_lost", 1),
        ("disconnecting", None, 2),
        ("disconnected", None, 3),
        ("unheard of", None, None),
    ],
)
def test_a_row_that_is_not_active_says_why_and_since_when(
    reader: DynamoDBTokenReader, status: str, reason: str | None, since: int | None
) -> None:
    """By its own status, whatever an earlier one has left."""
    put(reader, status={"S": status}, reconnect_reason={"S": "answer_lost"}, **ALL_SINCE)
    stored = reader.find("default", ACME, consistent=True)
    assert stored is not None
    assert stored.reason == reason
    assert (stored.since and (stored.since - AT).total_seconds()) == since


def test_a_tombstone_has_no_token(reader: DynamoDBTokenReader) -> None:
    """Its token is over and opens to nothing."""
    gone = dict.fromkeys(
        ["access_token", "access_token_key", "expires_at", "refresh_at", "commit_id", "scopes"]
    )
    put(reader, status={"S": "disconnected"}, **gone)
    stored = reader.find("default", ACME, consistent=True)
    assert stored is not None
    assert (stored.ciphertext, stored.wrapped_key, stored.commit_id, stored.scopes) == (b"", b"", "", ())
    assert stored.expires_at == stored.refresh_at == datetime.fromtimestamp(0, UTC)


def test_a_read_asks_for_nothing_else() -> None:
    """The projection is the whole list and no more: nothing of a refresh token, nothing of a claim's owner."""
    seen: dict[str, Any] = {}
    dynamodb = boto3.client("dynamodb", region_name="us-east-1")
    with Stubber(dynamodb) as stub:
        dynamodb.meta.events.register(
            "provide-client-params.dynamodb.GetItem", lambda params, **_: seen.update(params)
        )
        stub.add_response("get_item", {})
        DynamoDBTokenReader(dynamodb, "t").find("default", ACME, consistent=False)
    names = seen["ExpressionAttributeNames"]
    assert [names[name.strip()] for name in seen["ProjectionExpression"].split(",")] == list(ATTRIBUTES)
    assert len(names) == len(set(ATTRIBUTES)) == len(ATTRIBUTES)
    assert set(seen) == {
        "TableName",
        "Key",
        "ConsistentRead",
        "ProjectionExpression",
        "ExpressionAttributeNames",
    }
    assert not {name for name in ATTRIBUTES if "refresh_token" in name or name == "claim_id"}


def test_what_an_install_writes_can_be_read(
    reader: DynamoDBTokenReader, dynamodb: "DynamoDBClient", tables: Tables
) -> None:
    """The writer's names are the reader's."""
    made = establishment()
    install = pending()
    DynamoDBInstallStore(dynamodb, tables.installs).put_if_absent(install)
    dynamodb.update_item(
        TableName=tables.installs,
        Key={"install_id": {"S": install.install_id}},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "exchanging"}},
    )
    store = DynamoDBConnectionStore(dynamodb, tables.installs, tables.connections)
    store.establish(made, install.install_id, made.established_at)
    stored = reader.find(made.grant, made.subdomain, consistent=True)
    assert stored is not None
    assert (stored.ciphertext, stored.wrapped_key) == tuple(vars_of(made.sealed.access_token))
    assert (stored.status, stored.commit_id) == ("active", made.sealed.commit_id)
    assert (stored.scopes, stored.expires_at) == (made.scopes, made.times.expires_at)
    assert stored.refresh_at == made.times.refresh_at


def vars_of(sealed: Any) -> list[bytes]:
    """Return both parts of a sealed token."""
    return [sealed.ciphertext, sealed.wrapped_key]


@pytest.mark.parametrize(
    ("code", "error"),
    [("ThrottlingException", StoreUnavailableError), ("AccessDeniedException", StoreError)],
)
def test_a_read_that_fails_is_an_error_of_ours(
    dynamodb: "DynamoDBClient", code: str, error: type[StoreError]
) -> None:
    """Busy is worth another try, forbidden is not."""
    with Stubber(dynamodb) as stub:
        stub.add_client_error("get_item", code, http_status_code=400)
        with pytest.raises(error) as caught:
            DynamoDBTokenReader(dynamodb, "t").find("default", ACME, consistent=False)
    assert caught.value.retryable is (error is StoreUnavailableError)


def test_the_whole_row_of_a_test_has_all_that_is_required() -> None:
    """A row without its optional attributes can be read too."""
    assert stored_token(WHOLE, "default", ACME).generation == 7
