"""The simulation, as far as every run of the tests takes it; `make simulate` takes it further."""

import pytest

from tests.simulation.campaign import Batch, play_batch, tell
from tests.simulation.play import Plot
from tests.simulation.plots import EXHAUSTIVE, RANDOM
from tests.simulation.schedule import Recorded, every_schedule

SOME = 1_500
FEW = 300
SOON_MISSED: dict[str, tuple[Plot, int | None]] = {
    "claim: same version": (EXHAUSTIVE[0], None),
    "claim: no living claim": (EXHAUSTIVE[0], None),
    "claim: same status": (RANDOM[4], 0),
    "release: own claim": (RANDOM[4], 0),
    "commit: same version": (RANDOM[5], 0),
    "commit: not disconnected meanwhile": (RANDOM[3], 0),
    "require reconnect: same version": (EXHAUSTIVE[0], None),
}
"""Conditions that one of the first schedules of a plot misses; `make simulate` goes through all of them."""


@pytest.mark.parametrize("plot", EXHAUSTIVE, ids=lambda plot: plot.name)
def test_no_schedule_breaks_an_invariant(plot: Plot) -> None:
    """The first schedules of each small plot, in their order, end with every invariant whole."""
    played = play_batch(Batch(plot, None, SOME))
    assert played.found is None, str(played.found)
    assert played.schedules > 500


@pytest.mark.parametrize("plot", RANDOM, ids=lambda plot: plot.name)
def test_no_random_schedule_breaks_an_invariant(plot: Plot) -> None:
    """Drawn schedules of each large plot, the same in each run, end with every invariant whole."""
    played = play_batch(Batch(plot, 1, FEW))
    assert played.found is None, str(played.found)
    assert played.schedules == FEW


@pytest.mark.parametrize("name", sorted(SOON_MISSED))
def test_a_condition_is_missed(name: str) -> None:
    """Left out, a condition lets some schedule break an invariant, and that schedule tells its story again."""
    plot, first = SOON_MISSED[name]
    left_out = frozenset({name})
    played = play_batch(Batch(plot, first, 2_000, left_out))
    assert played.found is not None
    again = tell(Batch(plot, 0, 1, left_out), list(played.found.choices))
    assert (again.what, bool(again.story)) == (played.found.what, True)


def test_every_schedule_is_played_once() -> None:
    """Depth first, with counts that depend on earlier choices, no schedule is missed and none comes twice."""

    def play(chooser: Recorded) -> None:
        if chooser.choose(2) == 0:
            chooser.choose(3)

    assert list(every_schedule(play)) == [[0, 0], [0, 1], [0, 2], [1]]  # type: ignore[arg-type] # only choices are used
