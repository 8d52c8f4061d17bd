"""`make simulate`: every mutation, then SCHEDULES schedules from SEED on; exits 1 where one broke or one got by.

`python -m tests.simulation replay "PLOT" seed NUMBER`, or `… choices NUMBER…`, tells one schedule again.
"""

import os
import sys
import time

from tests.simulation.campaign import Batch, run, story_of
from tests.simulation.mutations import MUTATIONS, judge_all
from tests.simulation.plots import EXHAUSTIVE, RANDOM
from tests.simulation.schedule import Drawn, Recorded

DEFAULT_SCHEDULES = 1_000_000
_A_LOT = 100_000
_SEEDS = 1_000_000_000


def main() -> int:
    """Play, judge, and say what came of it in the last line."""
    schedules = int(os.environ.get("SCHEDULES", str(DEFAULT_SCHEDULES)))
    seed = int(os.environ.get("SEED", str(time.time_ns() % _SEEDS)))
    caught = judge_mutations()
    played, violations = play_schedules(schedules, seed)
    print(
        f"simulate: {played} schedules, {violations} violations, "
        f"{caught} of {len(MUTATIONS)} mutations caught, seed {seed}"
    )
    return int(violations > 0 or caught < len(MUTATIONS))


def judge_mutations() -> int:
    """Print which schedule of which plot catches each mutation, and return how many were caught."""
    print(f"{'mutation':56} schedule that catches it, its plot, and what it breaks")
    caught = 0
    for judged in judge_all():
        caught += judged.found is not None
        print(judged, flush=True)
    return caught


def play_schedules(schedules: int, seed: int) -> tuple[int, int]:
    """Print how far it is and each violation; return how many were played, and how many broke an invariant."""
    played = violations = 0
    for result in run(schedules, seed):
        before, played = played, played + result.schedules
        if result.found:
            violations += 1
            print(result.found, flush=True)
        if before // _A_LOT != played // _A_LOT:
            print(f"  {played:,} schedules", flush=True)
    return played, violations


def replay(name: str, way: str, *numbers: str) -> int:
    """Tell one schedule of a plot; 1 where it breaks an invariant."""
    plots = (*EXHAUSTIVE, *RANDOM, *(mutation.plot for mutation in MUTATIONS))
    plot = next(plot for plot in plots if plot.name == name)
    chosen = [int(number) for number in numbers]
    chooser = Drawn(chosen[0], plot.calm) if way == "seed" else Recorded(chosen)
    wrong, story = story_of(Batch(plot, None, 1), chooser)
    print("\n".join([*story, wrong or "no invariant is broken"]))
    return int(wrong is not None)


if __name__ == "__main__":
    sys.exit(replay(*sys.argv[2:]) if sys.argv[1:2] == ["replay"] else main())
