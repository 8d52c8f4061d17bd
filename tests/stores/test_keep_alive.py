"""The keep-alive index on both stores: a connection that cannot be refreshed now moves in it, in the same write."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from tests.doubles.scripted import NOON
from tests.stores.refreshing import OURS, SHARD, RefreshRows, due, named, renewal
from zendesk_oauth.models.keep_alive import keep_alive_after
from zendesk_oauth.models.refresh import Claim, Connection

RETRY_AT = NOON + timedelta(seconds=15)
TWO_DAYS = NOON + timedelta(days=2)


def idle(since: timedelta = timedelta(hours=1)) -> Connection:
    """Return a connection whose keep-alive has been due for a while."""
    connection = due()
    return replace(connection, times=replace(connection.times, keep_alive_at=NOON - since))


def hand_back(
    rows: RefreshRows, connection: Connection, retry_at: datetime | None, *, unresolved: bool
) -> None:
    """End a claim of ours without a refresh."""
    if unresolved:
        assert retry_at is not None
        rows.store.leave_unresolved(connection, OURS, retry_at)
    else:
        rows.store.release(connection, OURS, retry_at)


@pytest.mark.parametrize("unresolved", [False, True])
def test_r32_a_row_in_back_off_is_not_due(rows: RefreshRows, *, unresolved: bool) -> None:
    """The write that records the back-off moves it; it is named again when it can be refreshed, and not before."""
    connection = idle()
    rows.put(connection)
    assert named(rows.store.idle(SHARD, NOON)) == [("default", "acme")]
    assert rows.store.claim(connection, OURS, NOON)
    hand_back(rows, connection, RETRY_AT, unresolved=unresolved)
    assert named(rows.store.idle(SHARD, RETRY_AT)) == []
    [again] = rows.store.idle(SHARD, TWO_DAYS)
    assert again.due_at == keep_alive_after(connection, RETRY_AT)
    found = rows.store.find("default", connection.subdomain)
    assert found is not None
    assert (found.times.keep_alive_at, found.retry_at) == (again.due_at, RETRY_AT)


@pytest.mark.parametrize("unresolved", [False, True])
def test_r32_the_next_try_moves_it_further(rows: RefreshRows, *, unresolved: bool) -> None:
    """Each try that fails doubles the pause, until it is a day."""
    rows.put(idle())
    pauses = []
    for number in range(14):
        found = rows.store.find("default", idle().subdomain)
        assert found is not None
        now = max(found.times.keep_alive_at, NOON)
        claim = Claim(f"claim-{number}", now)
        assert rows.store.claim(found, claim, now)
        retry_at = now + timedelta(seconds=15)
        if unresolved:
            rows.store.leave_unresolved(found, claim, retry_at)
        else:
            rows.store.release(found, claim, retry_at)
        moved = rows.store.find("default", found.subdomain)
        assert moved is not None
        pauses.append((moved.times.keep_alive_at - retry_at).total_seconds())
    assert pauses[0] <= 300
    assert all(1.4 * before < after for before, after in pairwise(pauses[:7]))
    assert all(0.74 * 86_400 < pause <= 86_400 for pause in pauses[-2:])


def test_a_keep_alive_that_is_due_later_is_not_moved(rows: RefreshRows) -> None:
    """A worker's refresh that fails costs the index no write."""
    connection = due()
    rows.put(connection)
    assert rows.store.claim(connection, OURS, NOON)
    rows.store.leave_unresolved(connection, OURS, RETRY_AT)
    found = rows.store.find("default", connection.subdomain)
    assert found is not None
    assert found.times == connection.times


def test_a_claim_that_is_given_back_without_a_wait_moves_nothing(rows: RefreshRows) -> None:
    """Nothing says that it cannot be refreshed: the next tick names it again."""
    connection = idle()
    rows.put(connection)
    assert rows.store.claim(connection, OURS, NOON)
    rows.store.release(connection, OURS, None)
    assert named(rows.store.idle(SHARD, NOON)) == [("default", "acme")]


@pytest.mark.parametrize("unresolved", [False, True])
def test_a_late_holder_moves_nothing(rows: RefreshRows, *, unresolved: bool) -> None:
    """The claim is another's, or the row was refreshed meanwhile: neither its claim nor its keep-alive is touched."""
    connection = idle()
    rows.put(replace(connection, claim=replace(OURS, claim_id="another")))
    before = rows.row()
    hand_back(rows, connection, RETRY_AT, unresolved=unresolved)
    assert rows.row() == before


def test_a_refresh_ends_the_back_off(rows: RefreshRows) -> None:
    """The next generation has a keep-alive of its own, and the pause before it is forgotten."""
    connection = idle()
    rows.put(connection)
    assert rows.store.claim(connection, OURS, NOON)
    rows.store.leave_unresolved(connection, OURS, RETRY_AT)
    committed = rows.store.commit(renewal())
    assert committed is not None
    assert (committed.times, committed.retry_at) == (renewal().times, None)
