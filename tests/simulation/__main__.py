"""`make simulate`: every mutation, then SCHEDULES schedules from SEED on; exits 1 where one broke or one got by.

`python -m tests.simulation replay "PLOT" CHOICE…` tells one schedule again.
"""

import os
import sys
import time

from tests.simulation.campaign import Batch, run, tell
from tests.simulation.mutations import judge_all
from tests.simulation.plots import EXHAUSTIVE, RANDOM

DEFAULT_SCHEDULES = 1_000_000


def main() -> int:
    """Play, judge, and say what came of it in the last line."""
    schedules = int(os.environ.get("SCHEDULES", str(DEFAULT_SCHEDULES)))
    seed = int(os.environ.get("SEED", str(time.time_ns() % 1_000_000_000)))
    print("mutations:")
    judged = []
    for one in judge_all():
        caught = one.found.what if one.found else "NOT CAUGHT"
        print(f"  {one.mutation.name:55} {caught} (schedule {one.survived})", flush=True)
        judged.append(one)
    played = violations = 0
    print("schedules:")
    for result in run(schedules, seed):
        before, played = played, played + result.schedules
        if result.found:
            violations += 1
            print(result.found, flush=True)
        if before // 100_000 != played // 100_000:
            print(f"  {played:,}", flush=True)
    caught_count = sum(one.found is not None for one in judged)
    print(
        f"simulate: {played} schedules, {violations} violations, "
        f"{caught_count} of {len(judged)} mutations caught, seed {seed}"
    )
    return int(violations > 0 or caught_count < len(judged))


def replay(name: str, choices: list[int]) -> int:
    """Tell one schedule of a plot."""
    plot = next(plot for plot in (*EXHAUSTIVE, *RANDOM) if plot.name == name)
    print(tell(Batch(plot, 0, 1), choices))
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["replay"]:
        sys.exit(replay(sys.argv[2], [int(choice) for choice in sys.argv[3:]]))
    sys.exit(main())
