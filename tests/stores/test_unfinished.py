"""What every refresh store must do with what is still to be ended: replaced pairs, and disconnects under way."""

from dataclasses import replace
from datetime import timedelta

from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON
from tests.stores.refreshing import (
    OURS,
    SECOND,
    SHARD,
    RefreshRows,
    due,
    named,
    pair,
    renewal,
    times,
)
from zendesk_oauth.models.connection import KEEP_ALIVE_SHARDS, ConnectionStatus, keep_alive_shard
from zendesk_oauth.models.refresh import Connection, DueConnection, Version
from zendesk_oauth.models.subdomain import Subdomain

ENDING = due(status=ConnectionStatus.DISCONNECTING)
SHARDS = [f"shard-{number:02d}" for number in range(KEEP_ALIVE_SHARDS)]


def account(number: int) -> Connection:
    """Return the connection of one of many accounts; the higher its number, the earlier it is due."""
    return due(
        subdomain=Subdomain(f"account-{number}"), times=times(NOON - timedelta(days=50, seconds=number))
    )


KEPT = keep_alive_shard(f"~default#{ACME}#c41")
"""The shard of the row that keeps the pair of `renewal`."""


def kept() -> Connection:
    """Return the row in which the pair of `renewal` is kept."""
    fresh = renewal()
    return Connection(
        "default",
        ACME,
        Version(3, 41),
        ConnectionStatus.DISCONNECTING,
        fresh.scopes,
        fresh.issued_at,
        fresh.times,
        fresh.sealed,
        replaced="c41",
    )


def test_a_replaced_pair_has_a_row_of_its_own(rows: RefreshRows) -> None:
    """It is being disconnected and due at once; the connection's row is as it was."""
    rows.put(due())
    assert rows.store.keep_replaced(renewal()) == kept()
    assert rows.store.find("default", ACME, "c41") == kept()
    assert rows.store.find("default", ACME) == due()
    assert list(rows.store.unfinished(KEPT, NOON)) == [DueConnection("default", ACME, NOON, "c41")]
    assert list(rows.store.idle(KEPT, NOON + timedelta(days=100))) == []


def test_a_replaced_pair_needs_no_connection(rows: RefreshRows) -> None:
    """The connection's row was deleted by hand: the pair is kept all the same."""
    assert rows.store.keep_replaced(renewal()) == kept()
    assert rows.store.find("default", ACME) is None


def test_keeping_a_pair_again_changes_nothing(rows: RefreshRows) -> None:
    """Whoever repeats it finds the row as it is by now: claimed, under another pair, or ended."""
    row = rows.store.keep_replaced(renewal())
    assert rows.store.claim(row, OURS, NOON)
    claimed = replace(row, claim=OURS)
    assert rows.store.keep_replaced(renewal()) == claimed
    second = replace(renewal("c42"), replaces=row.version, replaced="c41")
    renewed = rows.store.commit(second, disconnecting=True)
    assert renewed is not None
    assert (renewed.version, renewed.sealed, renewed.replaced) == (Version(3, 42), pair("c42"), "c41")
    assert rows.store.keep_replaced(renewal()) == renewed
    assert rows.store.erase(renewed, "revoked", NOON)
    ended = rows.store.keep_replaced(renewal())
    assert (ended.status, ended.sealed, ended.version) == (
        ConnectionStatus.DISCONNECTED,
        None,
        Version(3, 42),
    )
    assert list(rows.store.unfinished(KEPT, NOON)) == []


def test_every_replaced_pair_has_its_own_row(rows: RefreshRows) -> None:
    """Ending one leaves the other, and neither is written over."""
    first, second = (rows.store.keep_replaced(renewal(commit_id)) for commit_id in ("c41", "c42"))
    assert rows.store.erase(first, "revoked", NOON)
    assert rows.store.find("default", ACME, "c42") == second


def test_a_claim_that_moved_along_is_given_back_where_it_lies(rows: RefreshRows) -> None:
    """Who holds it knows the row of before, and so the row that its pair has now."""
    before = due(claim=OURS)
    rows.put(before.as_replaced)
    rows.store.release(before.as_replaced, OURS, None)
    assert rows.store.find("default", ACME, "c40") == replace(before.as_replaced, claim=None)


def test_a_disconnect_stands_in_the_index_until_it_has_ended(rows: RefreshRows) -> None:
    """The write that ends it takes it out."""
    rows.put(due())
    assert list(rows.store.unfinished(SHARD, NOON)) == []
    rows.store.mark_disconnecting(due(), NOON)
    assert named(rows.store.unfinished(SHARD, NOON)) == [("default", ACME)]
    rows.store.erase(ENDING, "revoked", NOON)
    assert list(rows.store.unfinished(SHARD, NOON)) == []


def test_what_is_postponed_is_left_alone_until_then(rows: RefreshRows) -> None:
    """Then it is due again."""
    rows.put(due())
    rows.store.mark_disconnecting(due(), NOON)
    rows.store.postpone(due(), NOON + timedelta(hours=1))
    assert list(rows.store.unfinished(SHARD, NOON + timedelta(hours=1) - SECOND)) == []
    assert named(rows.store.unfinished(SHARD, NOON + timedelta(hours=1))) == [("default", ACME)]


def test_what_is_finished_cannot_be_postponed(rows: RefreshRows) -> None:
    """Nobody would come for it."""
    rows.put(due())
    before = rows.row()
    rows.store.postpone(due(), NOON)
    assert rows.row() == before
    assert list(rows.store.unfinished(SHARD, NOON)) == []


def test_nothing_is_postponed_where_there_is_no_row(rows: RefreshRows) -> None:
    """A row that is gone stays gone."""
    before = rows.row()
    rows.store.postpone(due(), NOON)
    assert rows.row() == before


def test_each_idle_connection_is_named_once_the_longest_due_first(rows: RefreshRows) -> None:
    """Over all shards; what is not due, and what is not active, is not named."""
    for number in range(40):
        rows.put(account(number))
    rows.put(replace(due(), times=times(NOON)))
    rows.put(replace(account(40), status=ConnectionStatus.RECONNECT_REQUIRED))
    found = []
    for shard in SHARDS:
        there = list(rows.store.idle(shard, NOON))
        numbers = [int(subdomain.removeprefix("account-")) for _, subdomain in named(there)]
        assert numbers == sorted(numbers, reverse=True)
        assert {keep_alive_shard(f"{grant}#{subdomain}") for grant, subdomain in named(there)} <= {shard}
        assert [connection.due_at for connection in there] == sorted(each.due_at for each in there)
        found += named(there)
    assert sorted(found) == sorted(("default", f"account-{number}") for number in range(40))


def test_unfinished_connections_are_named_the_longest_due_first(rows: RefreshRows) -> None:
    """Each in its own shard, and none before it is due."""
    for number in range(40):
        rows.put(account(number))
        rows.store.mark_disconnecting(account(number), NOON - timedelta(seconds=number))
    found = []
    for shard in SHARDS:
        there = list(rows.store.unfinished(shard, NOON - timedelta(seconds=10)))
        numbers = [int(subdomain.removeprefix("account-")) for _, subdomain in named(there)]
        assert numbers == sorted(numbers, reverse=True)
        found += numbers
        assert [each.due_at for each in there] == [NOON - timedelta(seconds=number) for number in numbers]
    assert sorted(found) == list(range(10, 40))
