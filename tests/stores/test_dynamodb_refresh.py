"""What a refresh leaves in the row itself, what it takes in calls, and rows that older writes have left."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.doubles.samples import ACME, INSTALL_ID, allowed, establishment, pending, proof
from tests.doubles.scripted import NOON
from tests.dynamodb_local import Tables
from tests.stores.refreshing import (
    KEY,
    OURS,
    SHARD,
    DynamoDBRows,
    due,
    every_write_sent_twice,
    item_of,
    pair,
    renewal,
    renewed,
)
from tests.stores.seeing import DynamoDBStores
from zendesk_oauth.adapters.dynamodb_attributes import Item
from zendesk_oauth.adapters.dynamodb_connection_attributes import CONNECTION
from zendesk_oauth.models.connection import REPLACED_KEPT, ConnectionStatus, keep_alive_shard
from zendesk_oauth.models.refresh import DueConnection, LossReason, Version

SECRET = {"access_token", "access_token_key", "refresh_token", "refresh_token_key"}
CLAIM = {"claim_id", "claim_until", "claim_state"}


@pytest.fixture
def calls(dynamodb_rows: DynamoDBRows) -> Iterator[list[str]]:
    """Give the list that every request to DynamoDB is noted in, each time that it is sent."""
    made: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        made.append(event_name.rpartition(".")[2])

    events = dynamodb_rows.client.meta.events
    events.register("before-send.dynamodb", note)
    yield made
    events.unregister("before-send.dynamodb", note)


def seconds(at: Any) -> dict[str, str]:
    """Return an instant as it lies in a row."""
    return {"N": str(int(at.timestamp()))}


def test_every_step_is_one_call(dynamodb_rows: DynamoDBRows, calls: list[str]) -> None:
    """A refresh reads once, claims once and commits once."""
    store = dynamodb_rows.store
    dynamodb_rows.put(due())
    calls.clear()
    store.find("default", ACME)
    store.find("default", ACME, "c40")
    assert calls == ["GetItem", "GetItem"]
    calls.clear()
    store.claim(due(), OURS, NOON)
    store.leave_unresolved(due(), OURS, NOON)
    store.release(due(), OURS, None)
    store.commit(renewal())
    current = store.find("default", ACME)
    assert current is not None
    store.require_reconnect(current, OURS, LossReason.GRANT_REJECTED, NOON)
    store.mark_disconnecting(current, NOON)
    store.erase(current, "revoked", NOON)
    store.keep_replaced(renewal("c42"))
    store.postpone(current, NOON)
    assert Counter(calls) == {"UpdateItem": 9, "GetItem": 1}
    calls.clear()
    list(store.idle(SHARD, NOON))
    list(store.unfinished(SHARD, NOON))
    assert calls == ["Query", "Query"]


def test_a_loser_asks_once(dynamodb_rows: DynamoDBRows, calls: list[str]) -> None:
    """The failed condition brings the row along: nobody reads it afterwards."""
    dynamodb_rows.put(due(claim=OURS, status=ConnectionStatus.DISCONNECTING))
    calls.clear()
    assert dynamodb_rows.store.commit(renewal()) == due(claim=OURS, status=ConnectionStatus.DISCONNECTING)
    assert calls == ["UpdateItem"]


def test_r7_a_write_that_is_sent_twice_really_is(dynamodb_rows: DynamoDBRows, calls: list[str]) -> None:
    """The suite's third store does what it says: the same request on the wire again, after its answer."""
    dynamodb_rows.put(due())
    calls.clear()
    with every_write_sent_twice(dynamodb_rows.client):
        assert dynamodb_rows.store.claim(due(), OURS, NOON)
    assert calls == ["UpdateItem", "UpdateItem"]


def test_a_read_asks_for_what_a_connection_is_made_of(dynamodb_rows: DynamoDBRows) -> None:
    """And for nothing else that lies in the row."""
    judged = due(claim=OURS, retry_at=NOON, reconnect_reason="x", reconnect_since=NOON)
    dynamodb_rows.put(replace(judged, install_id=INSTALL_ID))
    seen: list[set[str]] = []

    def note(parsed: Any, **_: Any) -> None:
        seen.append(set(parsed["Item"]))

    events = dynamodb_rows.client.meta.events
    events.register("after-call.dynamodb.GetItem", note)
    dynamodb_rows.store.find("default", ACME)
    events.unregister("after-call.dynamodb.GetItem", note)
    assert seen == [set(CONNECTION)]


def test_a_claim_is_exactly_these_attributes(dynamodb_rows: DynamoDBRows) -> None:
    """Its id, its end and its state; the row is otherwise untouched."""
    dynamodb_rows.put(due())
    dynamodb_rows.store.claim(due(), OURS, NOON)
    claim = {"claim_id": {"S": "ours"}, "claim_until": seconds(OURS.until), "claim_state": {"S": "living"}}
    assert dynamodb_rows.row() == item_of(due()) | claim
    dynamodb_rows.store.leave_unresolved(due(), OURS, NOON)
    assert dynamodb_rows.row() == item_of(due()) | claim | {
        "claim_state": {"S": "unresolved"},
        "retry_at": seconds(NOON),
    }


def test_an_unresolved_claim_says_since_when(dynamodb_rows: DynamoDBRows) -> None:
    """R45: the replay round is counted from then, and not from the claim's own end."""
    dynamodb_rows.put(due(claim=OURS))
    dynamodb_rows.store.leave_unresolved(due(), replace(OURS, until=NOON), NOON)
    assert dynamodb_rows.row()["claim_until"] == seconds(NOON)


def test_a_claim_s_end_is_rounded_down_and_meant_so(dynamodb_rows: DynamoDBRows) -> None:
    """Whoever reads the row and whoever writes it agree to the second on whether a claim lives."""
    half = timedelta(milliseconds=500)
    dynamodb_rows.put(due())
    dynamodb_rows.store.claim(due(), replace(OURS, until=OURS.until + half), NOON)
    found = dynamodb_rows.store.find("default", ACME)
    assert found is not None
    for now in (OURS.until - half, OURS.until, OURS.until + half / 2):
        theirs = replace(OURS, claim_id=f"theirs at {now}")
        free = not found.claimed_at(now)
        assert dynamodb_rows.store.claim(found, theirs, now) is free
        if free:
            dynamodb_rows.put(due(claim=OURS))


def test_a_verdict_and_a_mark_leave_the_keep_alive_index(dynamodb_rows: DynamoDBRows) -> None:
    """What the index is keyed by goes; when it would have been due stays, for whoever reads the row."""
    for end in (
        lambda: dynamodb_rows.store.require_reconnect(due(), OURS, LossReason.ANSWER_LOST, NOON),
        lambda: dynamodb_rows.store.mark_disconnecting(due(), NOON),
    ):
        dynamodb_rows.put(due())
        assert end()
        row = dynamodb_rows.row()
        assert "keep_alive_shard" not in row
        assert {"keep_alive_at", "list_shard"} <= set(row)


def test_a_tombstone_holds_no_ciphertext_and_no_key(dynamodb_rows: DynamoDBRows) -> None:
    """It says since when, until when and how; it is still listed, and its version stays."""
    ending = due(status=ConnectionStatus.DISCONNECTING)
    dynamodb_rows.put(due(claim=OURS, retry_at=NOON))
    dynamodb_rows.store.mark_disconnecting(due(), NOON)
    dynamodb_rows.store.erase(ending, "revoked", NOON + timedelta(minutes=2))
    row = dynamodb_rows.row()
    assert not set(row) & (SECRET | CLAIM | {"retry_at", "keep_alive_shard"})
    assert {
        name: row[name] for name in ("status", "disconnecting_since", "disconnected_at", "revocation")
    } == {
        "status": {"S": "disconnected"},
        "disconnecting_since": seconds(NOON),
        "disconnected_at": seconds(NOON + timedelta(minutes=2)),
        "revocation": {"S": "revoked"},
    }
    assert (row["epoch"], row["generation"], row["list_shard"]) == ({"N": "3"}, {"N": "40"}, {"S": SHARD})


def test_a_kept_pair_is_exactly_these_attributes(dynamodb_rows: DynamoDBRows) -> None:
    """What a connection is made of, and its place in the index of what is unfinished; in no other index."""
    dynamodb_rows.store.keep_replaced(renewal())
    key = f"~{KEY}#c41"
    item = item_of(due(version=Version(3, 41), status=ConnectionStatus.DISCONNECTING, replaced="c41"))
    del item["established_at"], item["missing_scopes"]
    fresh = item_of(renewed(due()))
    assert dynamodb_rows.row(key) == {name: fresh.get(name, value) for name, value in item.items()} | {
        "connection_key": {"S": key},
        "status": {"S": "disconnecting"},
        "disconnecting_since": seconds(NOON),
        "unfinished_shard": {"S": keep_alive_shard(key)},
        "unfinished_at": seconds(NOON),
    }


def test_the_tombstone_of_a_replaced_pair_is_deleted_after_a_while(dynamodb_rows: DynamoDBRows) -> None:
    """DynamoDB deletes it, and no row of a connection; what is not ended has no end."""
    row = dynamodb_rows.store.keep_replaced(renewal())
    assert "delete_at" not in dynamodb_rows.row(row.key)
    assert dynamodb_rows.store.erase(row, "revoked", NOON)
    tombstone = dynamodb_rows.row(row.key)
    assert tombstone["delete_at"] == seconds(NOON + REPLACED_KEPT)
    assert tombstone["revocation"] == {"S": "revoked"}
    assert not set(tombstone) & (SECRET | CLAIM | {"unfinished_shard", "unfinished_at"})
    dynamodb_rows.put(due())
    dynamodb_rows.store.erase(due(), "revoked", NOON)
    assert "delete_at" not in dynamodb_rows.row()


def test_a_row_of_before_refreshes_is_as_old_as_its_install(dynamodb_rows: DynamoDBRows) -> None:
    """It has no `issued_at` and is not listed; its first refresh gives it both."""
    item = item_of(due())
    del item["issued_at"], item["list_shard"]
    dynamodb_rows.client.put_item(TableName=dynamodb_rows.table, Item=item)
    found = dynamodb_rows.store.find("default", ACME)
    assert found == due(issued_at=NOON - timedelta(days=400))
    dynamodb_rows.store.commit(renewal())
    row = dynamodb_rows.row()
    assert (row["issued_at"], row["list_shard"]) == (seconds(NOON), {"S": SHARD})


@pytest.mark.parametrize(
    "before", [None, [], ["a"], ["b", "a"]], ids=["older row", "none", "another", "with it"]
)
def test_r34_missing_scopes_are_what_the_renewal_says(
    dynamodb_rows: DynamoDBRows, before: list[str] | None
) -> None:
    """A set, however often the write is sent; the next generation, which lacks none, empties it."""
    missing: Item = {} if before is None else {"missing_scopes": {"L": [{"S": scope} for scope in before]}}
    dynamodb_rows.client.put_item(TableName=dynamodb_rows.table, Item={**item_of(due()), **missing})
    with every_write_sent_twice(dynamodb_rows.client):
        renewed = dynamodb_rows.store.commit(replace(renewal(), lost_scopes=("b",)))
        assert renewed is not None
        assert dynamodb_rows.row()["missing_scopes"] == {"L": [{"S": "b"}]}
        dynamodb_rows.store.commit(replace(renewal("c42"), replaces=renewed.version))
    row = dynamodb_rows.row()
    assert (row["generation"], row["missing_scopes"]) == ({"N": "42"}, {"L": []})


def test_an_install_and_a_refresh_speak_of_one_row(
    dynamodb_stores: DynamoDBStores, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an install establishes is what a refresh reads and renews, and what the next install replaces."""
    store = DynamoDBRows(dynamodb_stores.client, tables.connections, monkeypatch).store
    install(dynamodb_stores, "commit-1", INSTALL_ID)
    first = store.find("default", ACME)
    assert first is not None
    assert (first.key, first.issued_at, first.claim) == (KEY, NOON, None)
    assert first.sealed == establishment().sealed
    second_pair = store.commit(replace(renewal(), replaces=first.version))
    assert second_pair is not None
    assert store.claim(second_pair, OURS, NOON)
    install(dynamodb_stores, "commit-2", "B" * 22)
    second = store.find("default", ACME)
    assert second is not None
    assert (second.version.epoch, second.version.generation, second.claim) == (2, 3, None)
    left = store.find("default", ACME, "c41")
    assert left == replace(second_pair.as_replaced, claim=OURS)
    shard = keep_alive_shard(left.key)
    assert list(store.unfinished(shard, NOON)) == [DueConnection("default", ACME, NOON, "c41")]
    assert store.erase(left, "revoked", NOON)
    assert list(store.unfinished(shard, NOON)) == []


@pytest.mark.parametrize(
    ("before", "may_have_lost"),
    [
        ({}, False),
        ({"claim": OURS}, True),
        ({"claim": replace(OURS, unresolved=True)}, True),
        ({"status": ConnectionStatus.RECONNECT_REQUIRED, "reconnect_reason": LossReason.ANSWER_LOST}, True),
        (
            {"status": ConnectionStatus.RECONNECT_REQUIRED, "reconnect_reason": LossReason.GRANT_REJECTED},
            False,
        ),
    ],
    ids=["well", "under way", "unresolved", "lost", "revoked"],
)
def test_what_an_install_replaces_says_whether_an_answer_may_have_been_lost(
    dynamodb_stores: DynamoDBStores,
    tables: Tables,
    monkeypatch: pytest.MonkeyPatch,
    before: dict[str, Any],
    *,
    may_have_lost: bool,
) -> None:
    """The row's own traces of it end with its epoch, so they go with the pair."""
    rows = DynamoDBRows(dynamodb_stores.client, tables.connections, monkeypatch)
    rows.put(due(**before))
    install(dynamodb_stores, "commit-2", "B" * 22)
    left = rows.store.find("default", ACME, "c40")
    assert left is not None
    assert (left.sealed, left.may_have_lost) == (pair("c40"), may_have_lost)


def install(stores: DynamoDBStores, commit_id: str, install_id: str) -> None:
    """Connect the account."""
    stores.installs.put_if_absent(replace(pending(), install_id=install_id))
    assert stores.installs.consume(replace(proof(), install_id=install_id), allowed(), NOON).made
    stores.connections.establish(establishment(commit_id), install_id, NOON)
