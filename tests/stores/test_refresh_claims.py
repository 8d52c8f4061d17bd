"""What every refresh store must do with claims: one holder at a time, and nobody held up for ever."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.doubles.samples import ACME, GLOBEX
from tests.doubles.scripted import NOON
from tests.stores.refreshing import OURS, SECOND, THEIRS, RefreshRows, due
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import Connection


def found(rows: RefreshRows) -> Connection:
    """Return the connection as a strong read shows it."""
    connection = rows.store.find("default", ACME)
    assert connection is not None
    return connection


@pytest.mark.parametrize(
    "connection",
    [
        due(),
        due(claim=THEIRS, retry_at=NOON),
        due(claim=replace(THEIRS, unresolved=True)),
        due(
            status=ConnectionStatus.RECONNECT_REQUIRED,
            reconnect_reason="answer_lost",
            reconnect_since=NOON,
        ),
        due(status=ConnectionStatus.DISCONNECTED, sealed=None),
    ],
)
def test_a_row_is_found_as_it_is(rows: RefreshRows, connection: Connection) -> None:
    """Every field is read, and none made up."""
    rows.put(connection)
    assert found(rows) == connection


def test_what_was_never_connected_is_none(rows: RefreshRows) -> None:
    """Absence is None, not an error, for another account and for another grant."""
    rows.put(due())
    assert rows.store.find("default", GLOBEX) is None
    assert rows.store.find("reporting", ACME) is None


def test_a_free_row_is_claimed(rows: RefreshRows) -> None:
    """The claim lies on the row, and nothing else of it has changed."""
    rows.put(due())
    assert rows.store.claim(due(), OURS, NOON)
    assert found(rows) == due(claim=OURS)


def test_claiming_the_same_again_is_the_same_claim(rows: RefreshRows) -> None:
    """A claim whose answer was lost is known by its id."""
    rows.put(due())
    assert rows.store.claim(due(), OURS, NOON)
    assert rows.store.claim(due(), OURS, NOON)
    assert found(rows) == due(claim=OURS)


def test_a_living_claim_is_respected_until_its_last_second(rows: RefreshRows) -> None:
    """At its end sharp it is over, and whoever saw it takes the next."""
    claimed = due(claim=THEIRS)
    rows.put(claimed)
    assert not rows.store.claim(claimed, OURS, THEIRS.until - SECOND)
    assert found(rows) == claimed
    assert rows.store.claim(claimed, OURS, THEIRS.until)
    assert found(rows) == due(claim=OURS)


def test_an_unresolved_claim_holds_nobody_up(rows: RefreshRows) -> None:
    """Its holder is not at work any more: whoever comes next asks what became of it."""
    left = due(claim=replace(THEIRS, unresolved=True))
    rows.put(left)
    assert rows.store.claim(left, OURS, NOON)
    assert found(rows) == due(claim=OURS)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=5)])
@pytest.mark.parametrize("seen", [due(), due(claim=replace(OURS, claim_id="first"))])
@pytest.mark.parametrize("unresolved", [True, False])
def test_a_claim_that_was_not_seen_is_not_taken_over(
    rows: RefreshRows, later: timedelta, seen: Connection, *, unresolved: bool
) -> None:
    """Its holder may have spent the refresh token, and whoever does not know that would not ask."""
    row = due(claim=replace(THEIRS, unresolved=unresolved))
    rows.put(row)
    assert not rows.store.claim(seen, OURS, NOON + later)
    assert found(rows) == row


def test_a_claim_that_was_given_back_meanwhile_is_read_again_first(rows: RefreshRows) -> None:
    """Who saw a claim looks again before he takes the next."""
    rows.put(due())
    assert not rows.store.claim(due(claim=THEIRS), OURS, THEIRS.until)
    assert found(rows) == due()


def test_a_disconnecting_row_is_claimed_by_who_saw_it_so(rows: RefreshRows) -> None:
    """A disconnect holds the claim too, so that no refresh is at work beside it."""
    ending = due(status=ConnectionStatus.DISCONNECTING)
    rows.put(ending)
    assert rows.store.claim(ending, OURS, NOON)
    assert found(rows) == replace(ending, claim=OURS)


def test_a_released_claim_is_gone(rows: RefreshRows) -> None:
    """The next one may begin at once, or when the row says so."""
    rows.put(due(claim=OURS, retry_at=NOON))
    rows.store.release(due(), OURS, None)
    assert found(rows) == due()
    rows.put(due(claim=OURS))
    rows.store.release(due(), OURS, NOON + SECOND)
    assert found(rows) == due(retry_at=NOON + SECOND)


def test_an_unresolved_claim_stays_on_the_row(rows: RefreshRows) -> None:
    """Whoever comes next sees that the refresh token may have been spent, and when to look."""
    rows.put(due(claim=OURS))
    rows.store.leave_unresolved(due(), OURS, NOON + SECOND)
    assert found(rows) == due(claim=replace(OURS, unresolved=True), retry_at=NOON + SECOND)


def test_a_claim_on_nothing_makes_no_row(rows: RefreshRows) -> None:
    """A row that is gone stays gone, whatever is done with its claim."""
    before = rows.row()
    assert not rows.store.claim(due(), OURS, NOON)
    rows.store.release(due(), OURS, NOON)
    rows.store.leave_unresolved(due(), OURS, NOON)
    assert rows.row() == before
