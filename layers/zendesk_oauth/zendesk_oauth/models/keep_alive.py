"""When the keep-alive schedule may name a connection again that could not be refreshed.

The schedule's index is ordered by this instant. A connection that cannot be refreshed now moves back in it, in the
write that says so, and the more often the further: so the index begins with what can be done, however many accounts
are gone.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Protocol

from zendesk_oauth.models.connection import TokenTimes

MIN_PAUSE = timedelta(minutes=5)
"""Between two ticks of the schedule."""
MAX_PAUSE = timedelta(days=1)
PAUSES_PER_LIFE = 32
"""No pause is longer than this part of the refresh token's life: of the half or third that is left when a connection
is due, it leaves ten tries and more, also of a life of seven days."""
_JITTER = 4
"""A pause is shortened by up to this part of itself."""


class Postponed(Protocol):
    """What counts of a row: `models.refresh.Connection`, as it was before it was tried."""

    @property
    def key(self) -> str:
        """The row's key."""

    @property
    def issued_at(self) -> datetime:
        """When its token pair was issued."""

    @property
    def times(self) -> TokenTimes:
        """The instants of that pair."""

    @property
    def retry_at(self) -> datetime | None:
        """Until when the try before this one has left it alone; None: that one succeeded."""


def keep_alive_after(connection: Postponed, retry_at: datetime) -> datetime:
    """Return when the schedule may name a connection that is not to be refreshed before `retry_at`.

    One that is due only later stays where it is. Otherwise it is a pause later than `retry_at`: twice the pause
    before, which lies between both instants of the row, from MIN_PAUSE to MAX_PAUSE. In whole seconds, as it is stored.
    """
    due_at, before = connection.times.keep_alive_at, connection.retry_at
    if due_at > retry_at:
        return due_at
    paused = due_at - before if before else timedelta()
    if paused > MAX_PAUSE:  # it was no pause: the connection was not due yet
        paused = timedelta()
    life = connection.times.refresh_expires_at - connection.issued_at
    pause = min(max(paused * 2, MIN_PAUSE), MAX_PAUSE, life / PAUSES_PER_LIFE)
    return (retry_at + pause * (1 - _drawn(connection.key, retry_at) / _JITTER)).replace(microsecond=0)


def _drawn(key: str, retry_at: datetime) -> float:
    """Return a number from 0 to 1 that differs between connections and tries, and is the same for a repeated write."""
    return hashlib.sha256(f"{key} {retry_at.timestamp()}".encode()).digest()[0] / 255
