"""What every refresh store must do where a connection ends: by a verdict, or because somebody wishes it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON
from tests.stores.refreshing import (
    OURS,
    SECOND,
    SHARD,
    THEIRS,
    RefreshRows,
    due,
    named,
)
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import Claim, LossReason, Version

FAR = NOON + timedelta(days=60)
LOST = LossReason.ANSWER_LOST
JUDGED = due(status=ConnectionStatus.RECONNECT_REQUIRED, reconnect_reason="answer_lost", reconnect_since=NOON)
ENDING = due(status=ConnectionStatus.DISCONNECTING)


@pytest.mark.parametrize("claim", [OURS, None, replace(THEIRS, unresolved=True), replace(THEIRS, until=NOON)])
def test_a_verdict_ends_the_use_and_the_claim(rows: RefreshRows, claim: Claim | None) -> None:
    """The row says why and since when, and nobody keeps it alive any more."""
    rows.put(due(claim=claim))
    assert rows.store.require_reconnect(due(), OURS, LOST, NOON)
    assert rows.store.find("default", ACME) == JUDGED
    assert list(rows.store.idle(SHARD, FAR)) == []


def test_judging_the_same_again_is_the_same_verdict(rows: RefreshRows) -> None:
    """A verdict whose answer was lost, or that another has reached, stands as it was first written."""
    rows.put(due())
    assert rows.store.require_reconnect(due(), OURS, LOST, NOON)
    assert rows.store.require_reconnect(due(), THEIRS, LossReason.GRANT_REJECTED, NOON + SECOND)
    assert rows.store.find("default", ACME) == JUDGED


def test_a_verdict_of_another_version_is_not_ours(rows: RefreshRows) -> None:
    """It was lost by somebody else, who knows what he lost."""
    rows.put(replace(JUDGED, version=Version(3, 41)))
    assert not rows.store.require_reconnect(due(), OURS, LOST, NOON)


@pytest.mark.parametrize("connection", [due(claim=THEIRS), JUDGED])
def test_the_mark_of_a_disconnect_leaves_a_claim_where_it_is(rows: RefreshRows, connection: object) -> None:
    """A refresh in flight finds the mark at its commit; the row is not kept alive, but looked after."""
    assert isinstance(connection, type(due()))
    rows.put(connection)
    marked = replace(connection, status=ConnectionStatus.DISCONNECTING)
    assert rows.store.mark_disconnecting(connection, NOON) == marked
    assert rows.store.find("default", ACME) == marked
    assert list(rows.store.idle(SHARD, FAR)) == []
    assert named(rows.store.unfinished(SHARD, NOON)) == [("default", ACME)]


def test_a_refresh_in_between_does_not_stop_the_mark(rows: RefreshRows) -> None:
    """The epoch counts, and not the generation that was seen."""
    rows.put(due(version=Version(3, 41)))
    assert rows.store.mark_disconnecting(due(), NOON) == replace(ENDING, version=Version(3, 41))


def test_marking_the_same_again_is_the_same_mark(rows: RefreshRows) -> None:
    """Somebody was first, perhaps we: the row is returned, and is as it was."""
    rows.put(due())
    rows.store.mark_disconnecting(due(), NOON)
    before = rows.row()
    assert rows.store.mark_disconnecting(due(), NOON + SECOND) == ENDING
    assert rows.row() == before


def test_an_older_disconnect_is_not_taken_for_ours(rows: RefreshRows) -> None:
    """A newer epoch that is being disconnected is somebody else's matter."""
    rows.put(replace(ENDING, version=Version(4, 41)))
    assert rows.store.mark_disconnecting(due(), NOON) is None


def test_erasing_leaves_a_tombstone(rows: RefreshRows) -> None:
    """No token, no claim; the version stays, so that a new install counts on from it. It can be repeated."""
    rows.put(replace(ENDING, claim=OURS))
    for _ in range(2):
        assert rows.store.erase(ENDING, "revoked", NOON)
        found = rows.store.find("default", ACME)
        assert found is not None
        assert (found.status, found.version) == (ConnectionStatus.DISCONNECTED, ENDING.version)
        assert (found.sealed, found.claim) == (None, None)


def test_an_end_of_nothing_makes_no_row(rows: RefreshRows) -> None:
    """A row that is gone stays gone."""
    before = rows.row()
    assert not rows.store.require_reconnect(due(), OURS, LOST, NOON)
    assert rows.store.mark_disconnecting(due(), NOON) is None
    assert not rows.store.erase(due(), "revoked", NOON)
    assert rows.row() == before
