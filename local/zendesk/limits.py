"""How many calls of the API an account has in a minute, as Zendesk counts them.

The rule: a minute is one of the clock, the account counts and not the token, and a call that is refused costs nothing.
"""

import math
import threading
from collections.abc import Callable
from typing import NamedTuple

_MINUTE = 60


class Allowance(NamedTuple):
    """What an account may call in this minute, and what is left; `retry_after` is 0, or the seconds to the next one."""

    limit: int
    remaining: int
    retry_after: int = 0


class Limits:
    """The calls of every account in the present minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._calls: dict[str, int] = {}

    def take(self, subdomain: str, limit: int | None) -> Allowance | None:
        """Count a call and return what is left; None where there is no limit."""
        if limit is None:
            return None
        now = self._clock()
        with self._lock:
            minute = int(now // _MINUTE)
            if minute != self._minute:
                self._minute, self._calls = minute, {}
            made = self._calls.get(subdomain, 0)
            if made >= limit:
                return Allowance(limit, 0, max(math.ceil((minute + 1) * _MINUTE - now), 1))
            self._calls[subdomain] = made + 1
        return Allowance(limit, limit - made - 1)
