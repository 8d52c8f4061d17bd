"""Many schedules: every one of the small plots, then random ones, spread over the processors."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count, islice

from tests.simulation.play import Performance, Plot
from tests.simulation.plots import EXHAUSTIVE, RANDOM
from tests.simulation.schedule import Chooser, Drawn, Play, Recorded, every_schedule
from tests.simulation.world import ViolationError

CALM = 4
"""One choice in four is left to chance."""
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Found:
    """A schedule that breaks an invariant, and how it came to that."""

    plot: Plot
    what: str
    choices: tuple[int, ...]
    story: tuple[str, ...]

    def __str__(self) -> str:
        lines = "\n".join(f"    {line}" for line in self.story)
        return f"{self.what}\n  plot: {self.plot.name}\n{lines}\n  replay: {list(self.choices)}"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one process plays in one go; `first` is the seed of its first random schedule, None: every schedule."""

    plot: Plot
    first: int | None
    size: int
    left_out: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Played:
    """How many schedules of a batch were played, and the first that broke an invariant."""

    schedules: int
    found: Found | None = None


def play_batch(batch: Batch) -> Played:
    """Play a batch until it ends or an invariant breaks."""
    number = 0
    at_work: Chooser | None = None

    def play(chooser: Chooser) -> None:
        nonlocal at_work
        at_work = chooser
        Performance(batch.plot, chooser, batch.left_out, batch.added).run()

    try:
        for number in islice(_numbered(batch, play), batch.size):  # noqa: B007 - counted past the end
            pass
    except ViolationError:
        assert isinstance(at_work, Recorded | Drawn)
        return Played(number + 1, tell(batch, at_work.choices))
    return Played(number)


def _numbered(batch: Batch, play: Play) -> Iterator[int]:
    if batch.first is None:
        for number, _ in enumerate(every_schedule(play), start=1):
            yield number
        return
    for number in count():
        play(Drawn(batch.first + number, CALM))
        yield number + 1


def tell(batch: Batch, choices: list[int]) -> Found:
    """Play one schedule again and tell its story. Raises ValueError where it breaks nothing."""
    performance = Performance(batch.plot, Recorded(choices), batch.left_out, batch.added)
    performance.world.tell = True
    try:
        performance.run()
    except ViolationError as violation:
        return Found(batch.plot, violation.what, tuple(choices), tuple(violation.story))
    raise ValueError("this schedule breaks no invariant")


def batches(schedules: int, seed: int) -> Iterator[Batch]:
    """Yield what is to be played: the exhaustive plots whole, then random batches until there are enough."""
    for plot in EXHAUSTIVE:
        yield Batch(plot, None, schedules)
    for number in count():
        yield Batch(RANDOM[number % len(RANDOM)], seed + number * BATCH, BATCH)


def run(schedules: int, seed: int) -> Iterator[Played]:
    """Play at least that many schedules on all processors; yield each batch as it ends."""
    played = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        source = batches(schedules, seed)
        waiting = [pool.submit(play_batch, batch) for batch in islice(source, len(EXHAUSTIVE) + 4)]
        while waiting:
            result = waiting.pop(0).result()
            played += result.schedules
            yield result
            planned = played + sum(BATCH for _ in waiting)
            if planned < schedules:
                waiting.append(pool.submit(play_batch, next(source)))
