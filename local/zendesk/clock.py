"""Time as the stand-in sees it: a clock that tests can move, and pauses that tests can end.

The rule: limits are measured on the clock, so moving it ages codes and tokens; pauses take real time, as networks do.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


def iso(at: float) -> str:
    """Return a time as Zendesk writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class ShiftableClock:
    """A clock in epoch seconds that can be moved; calling it gives the time."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._offset = 0.0

    def __call__(self) -> float:
        """Return the time in epoch seconds."""
        return self._source() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock by `seconds`, backwards if they are negative."""
        self._offset += seconds


class Pause:
    """Pauses of the answers that are late; `waiting` says how many wait now, and all can be let go at once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._round = 0
        self._closed = False
        self.waiting = 0

    def wait(self, seconds: float) -> bool:
        """Wait for `seconds`; True if the wait was ended before by `release` or `close`."""
        with self._changed:
            mine = self._round
            self.waiting += 1
            ended = self._changed.wait_for(lambda: self._closed or self._round != mine, seconds)
            self.waiting -= 1
        return ended

    def release(self) -> None:
        """Let go everybody who waits now; later waits are not touched."""
        with self._changed:
            self._round += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let go everybody, now and from now on: the server is going down."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
