"""Measured: one look into a dictionary, and `connections.token("acme")` while the token is kept.

Both in the same loop, whose own time is taken away, in turns, and the least of several rounds is told: whatever is
more was somebody else's. The look-up is of the same key that any cache of tokens would have.
"""

import json
import sys
from collections.abc import Callable
from time import perf_counter_ns

from zendesk_oauth import Connections

CALLS = 1_000
ROUNDS = 1_000


def nothing() -> None:
    """Spend what the loop itself takes."""
    since = perf_counter_ns()
    for _ in TIMES:
        pass
    LEAST["loop"] = min(LEAST["loop"], perf_counter_ns() - since)


def look_up() -> None:
    """Look a token up."""
    tokens, key = {("default", "acme"): object()}, ("default", "acme")
    since = perf_counter_ns()
    for _ in TIMES:
        tokens[key]
    LEAST["look_up"] = min(LEAST["look_up"], perf_counter_ns() - since)


def read() -> None:
    """Have it from the library."""
    since = perf_counter_ns()
    for _ in TIMES:
        connections.token("acme")
    LEAST["read"] = min(LEAST["read"], perf_counter_ns() - since)


TIMES = range(CALLS)
LEAST = dict.fromkeys(("loop", "look_up", "read"), sys.maxsize)
TURNS: tuple[Callable[[], None], ...] = (nothing, look_up, read)
connections = Connections.from_environ()
connections.token("acme")
for _ in range(ROUNDS):
    for turn in TURNS:
        turn()
print(json.dumps({name: (LEAST[name] - LEAST["loop"]) / CALLS for name in ("look_up", "read")}))
