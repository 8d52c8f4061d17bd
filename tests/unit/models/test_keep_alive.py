"""When the schedule names a connection again that could not be refreshed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.scripted import NOON
from tests.stores.refreshing import due
from zendesk_oauth.models.keep_alive import MAX_PAUSE, MIN_PAUSE, keep_alive_after
from zendesk_oauth.models.refresh import Connection

ROW = due()
SHORTEST = 0.75
"""What the jitter leaves of a pause."""


def idle(keep_alive_at: float = 0.0, retry_at: float | None = None, life: float = 90.0) -> Connection:
    """Return a connection whose keep-alive and last retry lie so many seconds from noon, of a life in days."""
    issued_at = NOON - timedelta(days=life * 0.6)
    times = replace(
        ROW.times,
        keep_alive_at=NOON + timedelta(seconds=keep_alive_at),
        refresh_expires_at=issued_at + timedelta(days=life),
    )
    retried = None if retry_at is None else NOON + timedelta(seconds=retry_at)
    return replace(ROW, issued_at=issued_at, times=times, retry_at=retried)


@pytest.mark.parametrize("later", [1.0, 86_400.0])
def test_a_connection_that_is_due_later_stays_where_it_is(later: float) -> None:
    """A worker's refresh that fails does not move a keep-alive that comes after its back-off."""
    connection = idle(later)
    assert keep_alive_after(connection, NOON) == connection.times.keep_alive_at


@pytest.mark.parametrize(
    ("keep_alive_at", "retry_at", "pause"),
    [
        (0.0, None, MIN_PAUSE),
        (-3600.0, -4200.0, timedelta(minutes=20)),
        (-60.0, -90.0, MIN_PAUSE),
        (-60.0, 0.0, MIN_PAUSE),
        (-60.0, -60.0 - 86_400.0, MAX_PAUSE),
        (-60.0, -60.0 - 86_401.0, MIN_PAUSE),
    ],
    ids=["first", "doubled", "at least", "no pause before", "at most", "was not due before"],
)
def test_a_pause_is_twice_the_one_before(
    keep_alive_at: float, retry_at: float | None, pause: timedelta
) -> None:
    """Counted from when the connection may be refreshed again, and shortened by a quarter at most."""
    again = NOON + timedelta(seconds=15)
    paused = keep_alive_after(idle(keep_alive_at, retry_at), again) - again
    assert pause * SHORTEST - timedelta(seconds=1) <= paused <= pause


def test_a_short_life_has_short_pauses() -> None:
    """With refresh tokens of seven days no pause takes longer than about five hours."""
    connection = idle(-60.0, -60.0 - 86_400.0, life=7.0)
    assert keep_alive_after(connection, NOON) - NOON <= timedelta(days=7) / 32


def test_connections_that_fail_together_do_not_come_back_together() -> None:
    """A pause is drawn by connection and try, and a write that is sent twice draws the same."""
    rows = [replace(idle(), subdomain=f"a{number}") for number in range(100)]  # type: ignore[arg-type]
    drawn = {keep_alive_after(row, NOON) for row in rows}
    assert len(drawn) > 40
    assert drawn == {keep_alive_after(row, NOON) for row in rows}


@given(st.floats(-1e7, 1e7), st.none() | st.floats(-1e7, 1e7), st.floats(7.0, 90.0), st.integers(0, 3600))
def test_a_row_in_back_off_is_never_due(
    keep_alive_at: float, retry_at: float | None, life: float, wait: int
) -> None:
    """Whatever its row says: the index names it after it may be refreshed, and at most a day after that."""
    connection, again = idle(keep_alive_at, retry_at, life), NOON + timedelta(seconds=wait)
    moved = keep_alive_after(connection, again)
    assert moved > again
    if connection.times.keep_alive_at <= again:
        assert moved <= again + MAX_PAUSE
