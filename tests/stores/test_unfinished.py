"""What every refresh store must do with what is still to be ended: superseded pairs, and disconnects under way."""

from dataclasses import replace
from datetime import timedelta

from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON
from tests.stores.refreshing import (
    SECOND,
    SHARD,
    RefreshRows,
    due,
    named,
    superseded,
    times,
)
from zendesk_oauth.models.connection import KEEP_ALIVE_SHARDS, ConnectionStatus, keep_alive_shard
from zendesk_oauth.models.refresh import Connection
from zendesk_oauth.models.subdomain import Subdomain

ENDING = due(status=ConnectionStatus.DISCONNECTING)
SHARDS = [f"shard-{number:02d}" for number in range(KEEP_ALIVE_SHARDS)]


def account(number: int) -> Connection:
    """Return the connection of one of many accounts; the higher its number, the earlier it is due."""
    return due(
        subdomain=Subdomain(f"account-{number}"), times=times(NOON - timedelta(days=50, seconds=number))
    )


def test_a_kept_pair_is_there_until_it_is_forgotten(rows: RefreshRows) -> None:
    """Sealed as it was, with the end of its access token; forgetting one leaves the other."""
    rows.put(due())
    assert rows.store.superseded(due()) == ()
    for commit_id in ("old", "older"):
        rows.store.keep_superseded(due(), superseded(commit_id))
    assert set(rows.store.superseded(due())) == {superseded("old"), superseded("older")}
    rows.store.forget_superseded(due(), superseded("old"))
    assert rows.store.superseded(due()) == (superseded("older"),)
    assert rows.store.find("default", ACME) == due()


def test_what_is_found_out_of_a_kept_pair_stays_with_it(rows: RefreshRows) -> None:
    """Kept once more with the word that an answer may have been lost: one pair, and that is said of it."""
    rows.put(due())
    rows.store.keep_superseded(due(), superseded())
    lost = replace(superseded(), may_have_lost=True)
    rows.store.keep_superseded(due(), lost)
    assert rows.store.superseded(due()) == (lost,)
    rows.store.forget_superseded(due(), superseded())
    assert rows.store.superseded(due()) == ()


def test_keeping_and_forgetting_can_be_repeated(rows: RefreshRows) -> None:
    """One pair is one pair, and what is forgotten is not missed."""
    rows.put(due())
    for _ in range(2):
        rows.store.keep_superseded(due(), superseded())
    assert rows.store.superseded(due()) == (superseded(),)
    for _ in range(2):
        rows.store.forget_superseded(due(), superseded())
        assert rows.store.superseded(due()) == ()


def test_a_pair_of_another_connection_is_not_among_them(rows: RefreshRows) -> None:
    """Each row has its own."""
    rows.put(due())
    rows.put(account(1))
    rows.store.keep_superseded(account(1), superseded())
    assert rows.store.superseded(due()) == ()


def test_a_row_with_a_superseded_pair_is_looked_after_at_once(rows: RefreshRows) -> None:
    """And no more when the pair is forgotten and it is finished."""
    rows.put(due())
    assert list(rows.store.unfinished(SHARD, NOON)) == []
    rows.store.keep_superseded(due(), superseded())
    assert named(rows.store.unfinished(SHARD, NOON)) == [("default", ACME)]
    assert not rows.store.finish(due())
    rows.store.forget_superseded(due(), superseded())
    assert named(rows.store.unfinished(SHARD, NOON)) == [("default", ACME)]
    assert rows.store.finish(due())
    assert list(rows.store.unfinished(SHARD, NOON)) == []


def test_a_row_that_still_holds_another_pair_is_not_finished(rows: RefreshRows) -> None:
    """What came in between is not forgotten."""
    rows.put(due())
    rows.store.keep_superseded(due(), superseded("old"))
    rows.store.keep_superseded(due(), superseded("older"))
    rows.store.forget_superseded(due(), superseded("old"))
    assert not rows.store.finish(due())
    assert named(rows.store.unfinished(SHARD, NOON)) == [("default", ACME)]


def test_a_disconnect_is_finished_when_it_has_ended(rows: RefreshRows) -> None:
    """Not while it is under way; the tombstone is looked after no more."""
    rows.put(due())
    rows.store.mark_disconnecting(due(), NOON)
    assert not rows.store.finish(ENDING)
    rows.store.erase(ENDING, "revoked", NOON)
    assert named(rows.store.unfinished(SHARD, NOON)) == [("default", ACME)]
    assert rows.store.finish(ENDING)
    assert list(rows.store.unfinished(SHARD, NOON)) == []


def test_a_tombstone_s_superseded_pairs_are_still_retired(rows: RefreshRows) -> None:
    """Erasing the row's own pair does not touch those that it has replaced."""
    rows.put(ENDING)
    rows.store.keep_superseded(ENDING, superseded())
    rows.store.erase(ENDING, "revoked", NOON)
    assert rows.store.superseded(ENDING) == (superseded(),)
    assert not rows.store.finish(ENDING)


def test_finishing_can_be_repeated(rows: RefreshRows) -> None:
    """What has nothing left to end is finished, however often it is said."""
    rows.put(due())
    before = rows.row()
    assert rows.store.finish(due())
    assert rows.store.finish(due())
    assert rows.row() == before


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


def test_a_pair_kept_later_is_not_held_up_by_the_one_before(rows: RefreshRows) -> None:
    """It is due at once, though the row was postponed."""
    rows.put(due())
    rows.store.keep_superseded(due(), superseded("old"))
    rows.store.postpone(due(), NOON + timedelta(hours=1))
    rows.store.keep_superseded(due(), superseded("older"))
    assert named(rows.store.unfinished(SHARD, NOON)) == [("default", ACME)]


def test_nothing_is_kept_finished_or_postponed_where_there_is_no_row(rows: RefreshRows) -> None:
    """A row that is gone stays gone."""
    before = rows.row()
    assert not rows.store.finish(due())
    rows.store.postpone(due(), NOON)
    rows.store.forget_superseded(due(), superseded())
    assert rows.store.superseded(due()) == ()
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
