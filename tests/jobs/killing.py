"""Runs a job as a process of its own, kills it (SIGKILL) wherever it happens to be, and runs it again to its end.

The rule: a process is ended by its own handle, and none outlives the test.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from tests.jobs.desk import Desk
from tests.template.reading import ROOT

KILLS = 4


@contextmanager
def running(order: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """Give a process at work; it is killed with the block at the latest."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.program"],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'layers/zendesk_oauth'}:{ROOT}", "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(order))
    process.stdin.close()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def killed_and_resumed(desk: Desk, rows: int, seed: int, **order: Any) -> list[Any]:
    """Kill the job at random points, several times, each a little further on; return what its last run said."""
    order = {"addresses": list(desk.addresses), "options": {}, **order}
    random = Random(seed)  # noqa: S311 - no secret
    for kill in range(1, KILLS + 1):
        share = rows // (KILLS + 1)
        with running(order) as process:
            _until(process, random.randint(share * (kill - 1), share * kill) + 1)
    with running(order) as process:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        assert process.wait() == 0
    return [json.loads(line) for line in lines]


def _until(process: subprocess.Popen[str], steps: int) -> None:
    """Read until the job says that it has come so far."""
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= steps:
            return
    raise AssertionError("the job has ended before it was killed")
