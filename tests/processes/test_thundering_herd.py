"""A thousand workers in four processes meet one expiry: one of them refreshes, and all have the new token."""

import contextlib
from collections import Counter
from functools import reduce

from tests.processes.children import running
from tests.processes.crowd import Round, digest, meet
from tests.processes.scene import OVER, Scene

PROCESSES = 4
WORKERS = 250
ROUNDS = 10
READS = 10
"""As many times as a worker may read the row on the average: the looks, the function's own, and the waiting."""


def together(one: Round, other: Round) -> Round:
    """Add up what two processes got."""
    return Round(
        one.tokens + other.tokens,
        one.generations + other.generations,
        one.errors + other.errors,
        one.outcomes + other.outcomes,
        one.reads + other.reads,
        one.writes + other.writes,
    )


def test_r1_a_thousand_workers_meet_one_expiry_ten_times(scene: Scene) -> None:
    """Each time one POST, one generation step, the living token for every worker, and (R23) few looks at the row."""
    with contextlib.ExitStack() as stack:
        crowds = [stack.enter_context(running(meet, WORKERS, scene.addresses)) for _ in range(PROCESSES)]
        assert {crowd.said() for crowd in crowds} == {"ready"}
        for number in range(1, ROUNDS + 1):
            scene.pass_time(OVER)
            for crowd in crowds:
                crowd.tell("now")
            got = reduce(together, [crowd.said(300) for crowd in crowds])
            assert got.errors == Counter()
            (alive,) = scene.alive()
            assert got.tokens == {digest(alive): PROCESSES * WORKERS}
            assert got.generations == {number + 1: PROCESSES * WORKERS}
            assert (scene.posts, scene.is_whole(number + 1)) == (number, True)
            assert got.outcomes["refreshed"] == 1
            assert got.outcomes.keys() <= {"refreshed", "in_progress", "current"}
            assert got.reads <= READS * PROCESSES * WORKERS
