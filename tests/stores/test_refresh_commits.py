"""What every refresh store must do with commits: the version decides, and never the claim."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON
from tests.stores.refreshing import (
    OURS,
    SHARD,
    THEIRS,
    RefreshRows,
    due,
    named,
    pair,
    renewal,
    renewed,
)
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import Claim, Connection

JUDGED = due(
    status=ConnectionStatus.RECONNECT_REQUIRED, reconnect_reason="grant_rejected", reconnect_since=NOON
)
ENDING = due(status=ConnectionStatus.DISCONNECTING, claim=OURS)
FAR = NOON + timedelta(days=60)


@pytest.mark.parametrize("claim", [OURS, THEIRS, replace(OURS, unresolved=True), None])
def test_a_commit_writes_the_next_generation(rows: RefreshRows, claim: Claim | None) -> None:
    """Whoever holds the claim: a late holder has the only living refresh token. The claim is gone, and all traces."""
    rows.put(due(claim=claim, retry_at=NOON))
    assert rows.store.commit(renewal()) == renewed(due())
    assert rows.store.find("default", ACME) == renewed(due())


def test_committing_the_same_again_is_the_same_commit(rows: RefreshRows) -> None:
    """A commit whose answer was lost is known by its id: the generation rises once."""
    rows.put(due(claim=OURS))
    rows.store.commit(renewal())
    before = rows.row()
    assert rows.store.commit(renewal()) == renewed(due())
    assert rows.row() == before


def test_a_commit_finds_a_verdict(rows: RefreshRows) -> None:
    """R45: who judged has posted again, so the pair may be dead: nothing is written before Zendesk was asked."""
    rows.put(JUDGED)
    assert rows.store.commit(renewal()) == JUDGED


@pytest.mark.parametrize("row", [JUDGED, due(), due(claim=OURS)])
def test_a_late_commit_comes_over_a_verdict(rows: RefreshRows, row: Connection) -> None:
    """The pair lives, so the connection does; it is kept alive again."""
    rows.put(row)
    assert rows.store.commit(renewal(), over_verdict=True) == renewed(due())
    assert named(rows.store.idle(SHARD, FAR)) == [("default", ACME)]


def test_of_two_commits_of_one_version_the_first_counts(rows: RefreshRows) -> None:
    """The other is told what the row is, and has to keep its pair elsewhere."""
    rows.put(due())
    rows.store.commit(renewal())
    before = rows.row()
    current = rows.store.commit(renewal("another"))
    assert current == renewed(due())
    assert current.sealed == pair("c41")
    assert rows.row() == before


def test_a_commit_finds_the_mark_of_a_disconnect(rows: RefreshRows) -> None:
    """It writes nothing, and its caller sees why."""
    rows.put(ENDING)
    assert rows.store.commit(renewal()) == ENDING


def test_a_disconnect_s_own_commit_leaves_it_disconnecting(rows: RefreshRows) -> None:
    """The fresh pair is durable, serves to be revoked, and is not kept alive."""
    rows.put(ENDING)
    assert rows.store.commit(renewal(), disconnecting=True) == renewed(ENDING)
    assert rows.store.find("default", ACME) == renewed(ENDING)
    assert list(rows.store.idle(SHARD, FAR)) == []


def test_a_disconnect_s_commit_does_not_touch_what_a_new_install_has_made(rows: RefreshRows) -> None:
    """A row that is active again is nobody's to end."""
    rows.put(due())
    assert rows.store.commit(renewal(), disconnecting=True) == due()


@pytest.mark.parametrize("disconnecting", [True, False])
def test_a_commit_to_nothing_makes_no_row(rows: RefreshRows, *, disconnecting: bool) -> None:
    """None tells that there is none, and there still is none."""
    before = rows.row()
    assert rows.store.commit(renewal(), disconnecting=disconnecting) is None
    assert rows.row() == before
