"""What lies in the rows themselves, and how many calls it took: the part that DynamoDB alone has."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.doubles.samples import (
    ACME,
    HANDLE,
    INSTALL_ID,
    allowed,
    denied,
    establishment,
    offered,
    pending,
    proof,
    start,
)
from tests.doubles.scripted import NOON
from tests.stores.seeing import DynamoDBStores
from zendesk_oauth.adapters.dynamodb_install_attributes import UNFINISHED_KEPT
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.adapters.dynamodb_replaced_rows import COPIED
from zendesk_oauth.models.connection import keep_alive_shard
from zendesk_oauth.models.install import CANDIDATE_LIFE, OUTCOME_KEPT, PENDING_LIFE

SEALED = {"access_token", "access_token_key", "refresh_token", "refresh_token_key"}
KEY = establishment().key


@pytest.fixture
def calls(dynamodb_stores: DynamoDBStores) -> Iterator[list[str]]:
    """Give the list that every call to DynamoDB is noted in while the test runs."""
    made: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        made.append(event_name.rpartition(".")[2])

    events = dynamodb_stores.client.meta.events
    events.register("before-call.dynamodb", note)
    yield made
    events.unregister("before-call.dynamodb", note)


def seconds(row: Any, name: str) -> int:
    """Return a number of a row."""
    return int(row[name]["N"])


def exchange(stores: DynamoDBStores, install_id: str = INSTALL_ID) -> None:
    """Bring an install as far as its exchange."""
    stores.installs.put_if_absent(replace(pending(), install_id=install_id))
    assert stores.installs.consume(replace(proof(), install_id=install_id), allowed(), NOON).made


def candidate(stores: DynamoDBStores) -> None:
    """Bring an invited install as far as its confirmation."""
    stores.installs.put_if_absent(offered())
    stores.installs.start_offered(start(), NOON)
    stores.installs.consume(proof(), allowed(), NOON)
    stores.installs.keep_candidate(INSTALL_ID, establishment(), HANDLE.fingerprint, NOON)


def test_every_step_of_an_install_is_one_call(dynamodb_stores: DynamoDBStores, calls: list[str]) -> None:
    """An invited install, confirmed: five writes of the flow, one read, one transaction."""
    candidate(dynamodb_stores)
    found = dynamodb_stores.installs.find_candidate(INSTALL_ID)
    assert found is not None
    dynamodb_stores.connections.confirm(found, NOON)
    assert calls == ["PutItem", "UpdateItem", "UpdateItem", "UpdateItem", "GetItem", "TransactWriteItems"]


def test_a_first_install_is_one_transaction(dynamodb_stores: DynamoDBStores, calls: list[str]) -> None:
    """The ordinary case pays nothing for the rare one."""
    exchange(dynamodb_stores)
    calls.clear()
    dynamodb_stores.connections.establish(establishment(), INSTALL_ID, NOON)
    assert calls == ["TransactWriteItems"]


def test_an_install_over_a_living_connection_is_two(
    dynamodb_stores: DynamoDBStores, calls: list[str]
) -> None:
    """The first finds that there is a pair, the second supersedes it."""
    exchange(dynamodb_stores)
    dynamodb_stores.connections.establish(establishment(), INSTALL_ID, NOON)
    exchange(dynamodb_stores, "B" * 22)
    calls.clear()
    dynamodb_stores.connections.establish(establishment("commit-2"), "B" * 22, NOON)
    assert calls == ["TransactWriteItems", "TransactWriteItems"]


def test_revoking_costs_one_call_for_a_candidate_and_two_for_a_failure(
    dynamodb_stores: DynamoDBStores, calls: list[str]
) -> None:
    """A lease is first tried as a candidate's, because only that competes with a confirmation."""
    candidate(dynamodb_stores)
    calls.clear()
    assert dynamodb_stores.installs.lease_revocation(INSTALL_ID, NOON + CANDIDATE_LIFE) is not None
    assert calls == ["UpdateItem"]
    assert dynamodb_stores.installs.lease_revocation(INSTALL_ID, NOON + CANDIDATE_LIFE * 2) is not None
    assert calls == ["UpdateItem"] * 3
    assert list(dynamodb_stores.installs.due_for_revocation(NOON)) == []
    dynamodb_stores.installs.close_revocation(INSTALL_ID, "revoked")
    assert calls == ["UpdateItem"] * 3 + ["Query", "UpdateItem"]


def test_an_unfinished_install_may_be_removed_after_an_hour(dynamodb_stores: DynamoDBStores) -> None:
    """DynamoDB may remove it only when its time is over and nobody can ask about it any more."""
    dynamodb_stores.installs.put_if_absent(offered())
    row = dynamodb_stores.install_row(INSTALL_ID)
    assert seconds(row, "delete_at") == int((offered().expires_at + UNFINISHED_KEPT).timestamp())
    dynamodb_stores.installs.start_offered(start(), NOON)
    row = dynamodb_stores.install_row(INSTALL_ID)
    assert seconds(row, "delete_at") == int((NOON + PENDING_LIFE + UNFINISHED_KEPT).timestamp())


def test_an_outcome_is_kept_for_a_week(dynamodb_stores: DynamoDBStores) -> None:
    """Support can look a denial up for seven days."""
    dynamodb_stores.installs.put_if_absent(pending())
    dynamodb_stores.installs.consume(proof(), denied(), NOON)
    row = dynamodb_stores.install_row(INSTALL_ID)
    assert seconds(row, "delete_at") == int((NOON + OUTCOME_KEPT).timestamp())
    assert seconds(row, "consumed_at") == int(NOON.timestamp())


def test_times_are_rounded_down(dynamodb_stores: DynamoDBStores) -> None:
    """Nothing lives a fraction of a second longer than it should."""
    late = replace(pending(), expires_at=NOON + timedelta(seconds=600, microseconds=999_999))
    dynamodb_stores.installs.put_if_absent(late)
    found = dynamodb_stores.installs.find(INSTALL_ID)
    assert found is not None
    assert found.expires_at == NOON + timedelta(seconds=600)


def test_a_confirmed_install_holds_no_ciphertext(dynamodb_stores: DynamoDBStores) -> None:
    """The pair has moved: one place, one thing to erase."""
    candidate(dynamodb_stores)
    assert set(dynamodb_stores.install_row(INSTALL_ID)) >= SEALED | {"revoke_shard", "revoke_at"}
    found = dynamodb_stores.installs.find_candidate(INSTALL_ID)
    assert found is not None
    dynamodb_stores.connections.confirm(found, NOON)
    row = dynamodb_stores.install_row(INSTALL_ID)
    assert not set(row) & (SEALED | {"revoke_shard", "revoke_at"})
    assert row["status"] == {"S": "connected"}


def test_a_closed_revocation_holds_no_ciphertext(dynamodb_stores: DynamoDBStores) -> None:
    """Erased, and out of the index."""
    candidate(dynamodb_stores)
    dynamodb_stores.installs.lease_revocation(INSTALL_ID, NOON + CANDIDATE_LIFE)
    dynamodb_stores.installs.close_revocation(INSTALL_ID, "revoked")
    assert not set(dynamodb_stores.install_row(INSTALL_ID)) & (SEALED | {"revoke_shard", "revoke_at"})


def test_a_first_connection_is_exactly_this_row(dynamodb_stores: DynamoDBStores) -> None:
    """Every attribute has its reason; nothing of a pair before, no NULL."""
    exchange(dynamodb_stores)
    made = establishment(user_reference="user-7")
    dynamodb_stores.connections.establish(made, INSTALL_ID, NOON)
    times = made.times
    assert dynamodb_stores.connection_row(KEY) == {
        "connection_key": {"S": "default#acme"},
        "status": {"S": "active"},
        "grant": {"S": "default"},
        "subdomain": {"S": ACME},
        "epoch": {"N": "1"},
        "generation": {"N": "1"},
        "commit_id": {"S": "commit-1"},
        "scopes": {"L": [{"S": "users:read"}]},
        "missing_scopes": {"L": [{"S": "tickets:read"}]},
        "access_token": {"B": b"access of commit-1"},
        "access_token_key": {"B": b"access key"},
        "refresh_token": {"B": b"refresh of commit-1"},
        "refresh_token_key": {"B": b"refresh key"},
        "issued_at": {"N": str(int(made.established_at.timestamp()))},
        "expires_at": {"N": str(int(times.expires_at.timestamp()))},
        "refresh_at": {"N": str(int(times.refresh_at.timestamp()))},
        "refresh_expires_at": {"N": str(int(times.refresh_expires_at.timestamp()))},
        "keep_alive_shard": {"S": keep_alive_shard(KEY)},
        "keep_alive_at": {"N": str(int(times.keep_alive_at.timestamp()))},
        "list_shard": {"S": keep_alive_shard(KEY)},
        "authorized_user_id": {"N": "7"},
        "authorized_user_role": {"S": "admin"},
        "user_reference": {"S": "user-7"},
        "install_id": {"S": INSTALL_ID},
        "established_at": {"N": str(int(NOON.timestamp()))},
        "connected_at": {"N": str(int(NOON.timestamp()))},
    }


def test_a_replaced_pair_keeps_all_that_its_disconnect_needs(dynamodb_stores: DynamoDBStores) -> None:
    """Its row has the pair, its version, scopes, times and install; it is due at once, and in no other index."""
    exchange(dynamodb_stores)
    dynamodb_stores.connections.establish(establishment(), INSTALL_ID, NOON)
    before = dynamodb_stores.connection_row(KEY)
    later = NOON + timedelta(hours=1)
    exchange(dynamodb_stores, "B" * 22)
    dynamodb_stores.connections.establish(establishment("commit-2"), "B" * 22, later)
    (row,) = dynamodb_stores.replaced_rows(KEY)
    at = {"N": str(int(later.timestamp()))}
    key = f"~{KEY}#commit-1"
    assert row == {name: before[name] for name in COPIED if name in before} | {
        "connection_key": {"S": key},
        "status": {"S": "disconnecting"},
        "disconnecting_since": at,
        "unfinished_shard": {"S": keep_alive_shard(key)},
        "unfinished_at": at,
    }
    assert set(row) > SEALED


def test_r34_the_row_of_a_connection_does_not_grow(dynamodb_stores: DynamoDBStores) -> None:
    """However often it is connected again: replaced pairs lie elsewhere, and each stays there."""
    names = set()
    for number in range(1, 8):
        exchange(dynamodb_stores, f"{number}" * 22)
        dynamodb_stores.connections.establish(establishment(f"commit-{number}"), f"{number}" * 22, NOON)
        names.add(frozenset(dynamodb_stores.connection_row(KEY)))
    assert len(names) == 1
    left = {row["commit_id"]["S"] for row in dynamodb_stores.replaced_rows(KEY)}
    assert left == {f"commit-{number}" for number in range(1, 7)}


def between(stores: DynamoDBStores, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the row change once, after the transaction that found a pair in it and before the one that replaces it."""
    send, changes = stores.client.transact_write_items, [change]

    def send_after(**asked: Any) -> Any:
        if len(asked["TransactItems"]) == 3 and changes:
            item = {**stores.connection_row(KEY), **changes.pop()}
            item = {name: value for name, value in item.items() if value is not None}
            stores.client.put_item(TableName=stores.tables.connections, Item=item)
        return send(**asked)

    monkeypatch.setattr(stores.client, "transact_write_items", send_after)


REFRESHED: dict[str, Any] = {"commit_id": {"S": "refreshed"}, "access_token": {"B": b"fresh"}}
CLAIMED: dict[str, Any] = {
    "claim_id": {"S": "theirs"},
    "claim_until": {"N": "1"},
    "claim_state": {"S": "unresolved"},
}
JUDGED: dict[str, Any] = {"status": {"S": "reconnect_required"}, "reconnect_reason": {"S": "answer_lost"}}


@pytest.mark.parametrize("change", [REFRESHED, CLAIMED, JUDGED], ids=["refreshed", "claimed", "judged"])
def test_r30_what_comes_between_the_look_and_the_write_goes_along(
    dynamodb_stores: DynamoDBStores, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    """A refresh in between is replaced, not overwritten; what may have been lost in between is not forgotten."""
    exchange(dynamodb_stores)
    dynamodb_stores.connections.establish(establishment(), INSTALL_ID, NOON)
    between(dynamodb_stores, change, monkeypatch)
    exchange(dynamodb_stores, "B" * 22)
    dynamodb_stores.connections.establish(establishment("commit-2"), "B" * 22, NOON)
    (row,) = dynamodb_stores.replaced_rows(KEY)
    assert row.items() >= {name: value for name, value in change.items() if name != "status"}.items()
    assert row["status"] == {"S": "disconnecting"}
    assert dynamodb_stores.connection_row(KEY)["commit_id"] == {"S": "commit-2"}


def test_a_claim_that_was_seen_may_go_in_between(
    dynamodb_stores: DynamoDBStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found out is better known than what was seen: the row is read once more."""
    exchange(dynamodb_stores)
    dynamodb_stores.connections.establish(establishment(), INSTALL_ID, NOON)
    item: dict[str, Any] = {**dynamodb_stores.connection_row(KEY), **CLAIMED}
    dynamodb_stores.client.put_item(TableName=dynamodb_stores.tables.connections, Item=item)
    between(dynamodb_stores, dict.fromkeys(CLAIMED), monkeypatch)
    exchange(dynamodb_stores, "B" * 22)
    dynamodb_stores.connections.establish(establishment("commit-2"), "B" * 22, NOON)
    (row,) = dynamodb_stores.replaced_rows(KEY)
    assert not row.keys() & CLAIMED.keys()


def test_a_row_that_is_erased_in_between_has_nothing_to_replace(
    dynamodb_stores: DynamoDBStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disconnect has ended the pair: the install is a first one again."""
    exchange(dynamodb_stores)
    dynamodb_stores.connections.establish(establishment(), INSTALL_ID, NOON)
    ended: dict[str, Any] = {"status": {"S": "disconnected"}, **dict.fromkeys(SEALED)}
    between(dynamodb_stores, ended, monkeypatch)
    exchange(dynamodb_stores, "B" * 22)
    dynamodb_stores.connections.establish(establishment("commit-2"), "B" * 22, NOON)
    assert dynamodb_stores.replaced_rows(KEY) == []
    assert dynamodb_stores.connection_row(KEY)["commit_id"] == {"S": "commit-2"}


def test_a_pair_that_has_its_row_already_is_not_moved_again(dynamodb_stores: DynamoDBStores) -> None:
    """A restore has brought it back beside its own row: that one stays as it is, and the install is made."""
    exchange(dynamodb_stores)
    dynamodb_stores.connections.establish(establishment(), INSTALL_ID, NOON)
    ended: dict[str, Any] = {"connection_key": {"S": f"~{KEY}#commit-1"}, "status": {"S": "disconnected"}}
    dynamodb_stores.client.put_item(TableName=dynamodb_stores.tables.connections, Item=ended)
    exchange(dynamodb_stores, "B" * 22)
    dynamodb_stores.connections.establish(establishment("commit-2"), "B" * 22, NOON)
    assert dynamodb_stores.replaced_rows(KEY) == [ended]
    assert dynamodb_stores.connection_row(KEY)["commit_id"] == {"S": "commit-2"}


def test_an_install_over_a_disconnect_takes_the_connection_out_of_the_index(
    dynamodb_stores: DynamoDBStores,
) -> None:
    """What is being disconnected is the pair before, in its own row."""
    exchange(dynamodb_stores)
    dynamodb_stores.connections.establish(establishment(), INSTALL_ID, NOON)
    store = DynamoDBRefreshStore(dynamodb_stores.client, dynamodb_stores.tables.connections)
    first = store.find("default", ACME)
    assert first is not None
    assert store.mark_disconnecting(first, NOON)
    exchange(dynamodb_stores, "B" * 22)
    dynamodb_stores.connections.establish(establishment("commit-2"), "B" * 22, NOON)
    assert not set(dynamodb_stores.connection_row(KEY)) & {"unfinished_shard", "unfinished_at"}
    (row,) = dynamodb_stores.replaced_rows(KEY)
    assert {"unfinished_shard", "unfinished_at"} < set(row)


def test_a_new_epoch_ends_claims_and_dead_statuses(dynamodb_stores: DynamoDBStores) -> None:
    """A reinstall is not blocked by a refresh that died, and the reason to reconnect is gone."""
    left = (
        *("claim_id", "claim_until", "claim_state", "retry_at", "reconnect_reason", "reconnect_since"),
        *("disconnecting_since", "disconnected_at", "revocation"),
    )
    dynamodb_stores.client.put_item(
        TableName=dynamodb_stores.tables.connections,
        Item={
            "connection_key": {"S": KEY},
            "status": {"S": "reconnect_required"},
            "epoch": {"N": "3"},
            "generation": {"N": "40"},
            **{name: {"S": "left behind"} for name in left},
        },
    )
    exchange(dynamodb_stores)
    dynamodb_stores.connections.establish(establishment(), INSTALL_ID, NOON)
    row = dynamodb_stores.connection_row(KEY)
    assert not set(row) & set(left)
    assert (row["status"], row["epoch"], row["generation"]) == ({"S": "active"}, {"N": "4"}, {"N": "41"})
    assert dynamodb_stores.replaced_rows(KEY) == []
