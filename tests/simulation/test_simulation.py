"""The simulation, as far as every run of the tests takes it; `make simulate` takes it further."""

import pytest

from tests.simulation.campaign import Batch, play_batch, story_of, tell
from tests.simulation.mutations import MUTATIONS, Mutation, judge
from tests.simulation.plot import Plot
from tests.simulation.plots import EXHAUSTIVE, RANDOM
from tests.simulation.schedule import Drawn, Recorded, every_schedule

SOME = 500
FEW = 150


@pytest.mark.parametrize("plot", EXHAUSTIVE, ids=lambda plot: plot.name)
def test_no_schedule_breaks_an_invariant(plot: Plot) -> None:
    """The first schedules of each small plot, in their order, end with every invariant whole."""
    played = play_batch(Batch(plot, None, SOME))
    assert played.found is None, str(played.found)
    assert played.schedules > 250


@pytest.mark.parametrize("plot", RANDOM, ids=lambda plot: plot.name)
def test_no_random_schedule_breaks_an_invariant(plot: Plot) -> None:
    """Drawn schedules of each large plot, the same in each run, end with every invariant whole."""
    played = play_batch(Batch(plot, 1, FEW))
    assert played.found is None, str(played.found)
    assert played.schedules == FEW


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_condition_is_missed(mutation: Mutation) -> None:
    """Left out, a condition lets some schedule break an invariant, and that schedule tells its story again."""
    found = judge(mutation).found
    assert found is not None
    batch = Batch(found.plot, 1, 1, mutation.left_out, mutation.added)
    again = tell(batch, list(found.choices))
    assert (again.what, again.story) == (found.what, found.story)
    by_name = Recorded(list(found.choices)) if found.seed is None else Drawn(found.seed, found.plot.calm)
    assert story_of(batch, by_name) == (found.what, list(found.story))


def test_a_schedule_that_breaks_nothing_is_no_finding() -> None:
    """Whoever wants such a schedule told as one that breaks something is told so."""
    with pytest.raises(ValueError, match="breaks no invariant"):
        tell(Batch(EXHAUSTIVE[0], None, 1), [])


def test_every_schedule_is_played_once() -> None:
    """Depth first, with counts that depend on earlier choices, no schedule is missed and none comes twice."""

    def play(chooser: Recorded | Drawn) -> None:
        if chooser.choose(2) == 0:
            chooser.choose(3)

    assert list(every_schedule(play)) == [[0, 0], [0, 1], [0, 2], [1]]
