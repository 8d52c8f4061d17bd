"""Schedules: who goes on next, and what befalls him. A schedule is a list of small numbers, so it replays exactly."""

from collections.abc import Iterator
from random import Random
from typing import Protocol


class Chooser(Protocol):
    """Picks one of `count` possibilities, numbered from 0: with 0 whoever is at work goes on unharmed."""

    def choose(self, count: int) -> int:
        """Return a number below `count`."""


class Recorded:
    """Plays the given choices and then only 0; remembers how many possibilities each choice had."""

    def __init__(self, choices: list[int]) -> None:
        self.choices = list(choices)
        self.counts: list[int] = []

    def choose(self, count: int) -> int:
        place = len(self.counts)
        if place == len(self.choices):
            self.choices.append(0)
        self.counts.append(count)
        return self.choices[place]


class Drawn:
    """Draws choices from a seed; one in `calm` is left to chance, the others go on with whoever is at work."""

    def __init__(self, seed: int, calm: int) -> None:
        self.random = Random(seed).random  # noqa: S311 - schedules are to be repeatable, not secret
        self.chance = 1 / calm
        self.choices: list[int] = []

    def choose(self, count: int) -> int:
        picked = int(self.random() * count) if self.random() < self.chance else 0
        self.choices.append(picked)
        return picked


def every_schedule(play: "Play") -> Iterator[list[int]]:
    """Yield every schedule once, depth first: play one, then change its last choice that has a further possibility."""
    choices: list[int] | None = []
    while choices is not None:
        recorded = Recorded(choices)
        play(recorded)
        yield recorded.choices[: len(recorded.counts)]
        choices = _next(recorded)


def _next(recorded: Recorded) -> list[int] | None:
    for place in reversed(range(len(recorded.counts))):
        if recorded.choices[place] + 1 < recorded.counts[place]:
            return [*recorded.choices[:place], recorded.choices[place] + 1]
    return None


class Play(Protocol):
    """Plays one schedule to its end. Raises ViolationError."""

    def __call__(self, chooser: Recorded | Drawn) -> None: ...
