"""Whether the simulation has teeth: each condition of each conditional write is left out in turn, and is missed."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain

from tests.simulation.campaign import BATCH, Batch, Found, play_batch
from tests.simulation.plots import EXHAUSTIVE, RANDOM
from tests.simulation.store import COMMIT_FENCED

CONDITIONS = (
    "claim: same version",
    "claim: same status",
    "claim: no living claim",
    "release: own claim",
    "leave unresolved: own claim",
    "commit: same version",
    "commit: not disconnected meanwhile",
    "require reconnect: same version",
    "require reconnect: active",
    "require reconnect: nobody else's living claim",
    "mark disconnecting: same epoch",
    "mark disconnecting: active or judged",
    "erase: same version",
)
_LARGEST = 60_000
"""Schedules of one plot that a mutation may survive before the next plot is tried."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A condition left out, or one added that must not be there."""

    name: str
    left_out: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    """A mutation, how many schedules it survived, and the one that caught it; None: it was not caught."""

    mutation: Mutation
    survived: int
    found: Found | None


MUTATIONS = (
    *(Mutation(f"without “{name}”", left_out=frozenset({name})) for name in CONDITIONS),
    Mutation(f"with “{COMMIT_FENCED}”", added=frozenset({COMMIT_FENCED})),
)


def judge(mutation: Mutation) -> Judged:
    """Play the plots in their order until one schedule catches the mutation."""
    survived = 0
    every = (Batch(plot, None, _LARGEST, mutation.left_out, mutation.added) for plot in EXHAUSTIVE)
    drawn = (
        Batch(plot, seed * BATCH, BATCH, mutation.left_out, mutation.added)
        for seed in range(4)
        for plot in RANDOM
    )
    for batch in chain(every, drawn):
        played = play_batch(batch)
        survived += played.schedules
        if played.found is not None:
            return Judged(mutation, survived, played.found)
    return Judged(mutation, survived, None)


def judge_all() -> Iterator[Judged]:
    """Judge every mutation on all processors; yield each in its order."""
    with ProcessPoolExecutor() as pool:
        yield from pool.map(judge, MUTATIONS)
