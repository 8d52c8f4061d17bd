"""What reading and refreshing came to: their targets, their part of results.json, and their tables."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from benchmarks.reading import Reading
from benchmarks.tables import Target, table_of

BESIDE_LIMITS: Mapping[str, float] = {"cold_read": 1.25, "refresh": 1.35}
"""Milliseconds, against the bare calls."""
MOST_LOOK_UPS = 10
"""What a warm read may take, in looks into a dictionary."""
LONGEST_WAIT_MS = 500
CROWD = 100
"""The crowd whose waiting is judged. A thousand on one machine wait for its processors, and that is shown alone."""


def targets(reading: Reading) -> list[Target]:
    """Return the targets of reading and refreshing, with what came out."""
    return [
        Target("warm read, in looks into a dictionary", reading.warm_read_in_look_ups, MOST_LOOK_UPS),
        *(
            Target(f"{name.replace('_', ' ')}, against its bare calls", reading.beside[name].ratio, limit)
            for name, limit in BESIDE_LIMITS.items()
        ),
        *(
            Target(f"POSTs of an expiry, {each.workers} workers", posts_in_words(each.posts), "1 each time")
            for each in reading.crowds.values()
        ),
        Target(
            f"p99 of waiting after the commit, {CROWD} workers, ms",
            reading.crowds[CROWD].wait_ms_p99,
            LONGEST_WAIT_MS,
        ),
    ]


def posts_in_words(posts: Sequence[int]) -> str:
    """Return how many POSTs the expiries took."""
    return "1 each time" if set(posts) == {1} else ", ".join(map(str, posts))


def as_json(reading: Reading) -> dict[str, Any]:
    """Return what results.json holds of reading: numbers of this machine, and the ratios that are judged."""
    return {
        "look_up_ns": reading.look_up_ns,
        "warm_read_ns": reading.warm_read_ns,
        "warm_read_in_look_ups": reading.warm_read_in_look_ups,
        "warm_reads_per_second": reading.warm_reads_per_second,
        "cold_reads_per_second": reading.cold_reads_per_second,
        "beside_bare": {name: asdict(each) | {"ratio": each.ratio} for name, each in reading.beside.items()},
        "crowds": [asdict(each) for each in reading.crowds.values()],
    }


def readings(reading: Reading) -> Table:
    """Return the table of ratios, with what they are made of on this machine."""
    table = table_of(
        "Reading and refreshing, against the bare calls that they need", "what", "ratio", "here", "bare"
    )
    look_ups, warm = reading.warm_read_in_look_ups, reading.warm_read_ns
    table.add_row("warm read", f"{look_ups:.1f}", f"{warm:.0f} ns", f"{reading.look_up_ns:.0f} ns: a look-up")
    for name, each in reading.beside.items():
        row = f"{each.ratio:.2f}", f"{each.ours_ms:.1f} ms", f"{each.bare_ms:.1f} ms"
        table.add_row(name.replace("_", " "), *row)
    table.add_row("warm reads a second", "", f"{reading.warm_reads_per_second:,.0f}", "")
    table.add_row("cold reads a second", "", f"{reading.cold_reads_per_second:,.0f}", "")
    return table


def crowds(reading: Reading) -> Table:
    """Return the table of the crowds."""
    table = table_of(
        "Workers who meet one expiry: milliseconds from the commit until each has the token",
        "workers",
        "expiries",
        "POSTs",
        "followers",
        "p50",
        "p99",
    )
    for each in reading.crowds.values():
        waits = f"{each.wait_ms_p50:.0f}", f"{each.wait_ms_p99:.0f}"
        numbers = str(len(each.posts)), posts_in_words(each.posts), str(each.followers)
        table.add_row(str(each.workers), *numbers, *waits)
    return table
