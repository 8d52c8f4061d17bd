"""A call that waits at Zendesk until it is told: what happens meanwhile is up to the test.

The rule: the stand-in holds the answer, or the work itself, and no test waits for a time to pass.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from tests.processes.scene import Scene

HELD_SECONDS = 600.0
"""Longer than any test: what is held is let go, or goes down with the server."""
PATIENCE_SECONDS = 30.0


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that another thread or process brings about."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)


def hold(scene: Scene, kind: str = "late_answer") -> None:
    """Let Zendesk keep the next refresh waiting: its answer, or (`late_work`) the rotation too."""
    scene.zendesk.misbehave(kind, grant_type="refresh_token", seconds=HELD_SECONDS)


def until_held(scene: Scene) -> None:
    """Wait until a refresh has come to Zendesk and is kept there."""
    until(lambda: scene.zendesk.pause.waiting == 1)


def release(scene: Scene) -> None:
    """Let it go, and wait until Zendesk is through with it."""
    scene.zendesk.release()
    until(lambda: scene.zendesk.pause.waiting == 0)
    until(lambda: all(post.status is not None for post in scene.zendesk.seen.token_posts))


@contextmanager
def in_flight[T](scene: Scene, work: Callable[[], T], kind: str = "late_answer") -> Iterator[Future[T]]:
    """Give the result to come of a work that waits at Zendesk; its answer is let go with the block at the latest."""
    hold(scene, kind)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        try:
            until_held(scene)
            yield future
        finally:
            scene.zendesk.release()
