"""Many schedules: every one of the small plots, then random ones, spread over the processors."""

import gc
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import count, islice

from tests.simulation.play import Performance
from tests.simulation.plot import Plot
from tests.simulation.plots import EXHAUSTIVE, RANDOM
from tests.simulation.schedule import Drawn, Play, Recorded, every_schedule
from tests.simulation.world import ViolationError

BATCH = 5_000
SELDOM = 50_000
"""Allocations between two collections: schedules are many and short."""
AHEAD = 6
"""Batches handed out ahead of the processors."""


@dataclass(frozen=True, slots=True)
class Found:
    """A schedule that breaks an invariant, and how it came to that."""

    plot: Plot
    what: str
    choices: tuple[int, ...]
    story: tuple[str, ...]
    seed: int | None = None

    def __str__(self) -> str:
        lines = "\n".join(f"    {line}" for line in self.story)
        if self.seed is None:
            chosen = "choices " + " ".join(str(choice) for choice in self.choices)
        else:
            chosen = f"seed {self.seed}"
        command = f'python -m tests.simulation replay "{self.plot.name}" {chosen}'
        return f"{self.what}\n  plot: {self.plot.name}\n{lines}\n  {command}"


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
    gc.set_threshold(SELDOM)
    number = 0
    at_work: Recorded | Drawn | None = None

    def play(chooser: Recorded | Drawn) -> None:
        nonlocal at_work
        at_work = chooser
        Performance(batch.plot, chooser, batch.left_out, batch.added).run()

    try:
        for number in islice(_numbered(batch, play), batch.size):  # noqa: B007 - counted past the end
            pass
    except ViolationError:
        assert at_work is not None
        seed = None if batch.first is None else batch.first + number
        return Played(number + 1, tell(batch, at_work.choices, seed))
    return Played(number)


def _numbered(batch: Batch, play: Play) -> Iterator[int]:
    if batch.first is None:
        for number, _ in enumerate(every_schedule(play), start=1):
            yield number
        return
    for number in count():
        play(Drawn(batch.first + number, batch.plot.calm))
        yield number + 1


def tell(batch: Batch, choices: list[int], seed: int | None = None) -> Found:
    """Play one schedule again and tell its story. Raises ValueError where it breaks nothing."""
    wrong, story = story_of(batch, Recorded(choices))
    if wrong is None:
        raise ValueError("this schedule breaks no invariant")
    return Found(batch.plot, wrong, tuple(choices), tuple(story), seed)


def story_of(batch: Batch, chooser: Recorded | Drawn) -> tuple[str | None, list[str]]:
    """Play one schedule and return the invariant that it breaks, or None, and what happened."""
    performance = Performance(batch.plot, chooser, batch.left_out, batch.added)
    performance.world.tell = True
    try:
        performance.run()
    except ViolationError as violation:
        return violation.what, violation.story
    return None, performance.world.story


def batches(schedules: int, seed: int) -> Iterator[Batch]:
    """Yield what is to be played: the exhaustive plots whole, then random batches until there are enough."""
    for plot in EXHAUSTIVE:
        yield Batch(plot, None, schedules)
    for number in count():
        yield Batch(RANDOM[number % len(RANDOM)], seed + number * BATCH, BATCH)


def run(schedules: int, seed: int) -> Iterator[Played]:
    """Play that many schedules, give or take a batch, on all processors; yield each batch as it ends."""
    played = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        source = batches(schedules, seed)
        at_work = {pool.submit(play_batch, batch) for batch in islice(source, len(EXHAUSTIVE))}
        while at_work:
            ended, at_work = wait(at_work, return_when=FIRST_COMPLETED)
            for future in ended:
                result = future.result()
                played += result.schedules
                yield result
            while played + len(at_work) * BATCH < schedules and len(at_work) < AHEAD:
                at_work.add(pool.submit(play_batch, next(source)))
