"""A short run of the chaos, as far as every run of the tests takes it; `make chaos` takes it further."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from local.processes import living
from tests.chaos.plan import Plan
from tests.template.reading import ROOT

LAST_LINE = re.compile(r"chaos: (\d+) pairs, (\d+) kills, (\d+) unexplained, seed (\d+)")
SHORT = {"SECONDS": "8", "SEED": "7", "ACCOUNTS": "24", "SPEED": "10"}
STARTED_SECONDS = 60.0


class Ended(NamedTuple):
    """How a run has ended."""

    code: int
    output: str
    left: list[int]

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers of its last line: pairs, kills, unexplained, seed."""
        match = LAST_LINE.fullmatch(self.output.splitlines()[-1])
        assert match, self.output[-2000:]
        return tuple(map(int, match.groups()))


@contextmanager
def started(**changes: str) -> Iterator[subprocess.Popen[str]]:
    """Give a run as a process of its own, the leader of its session; it is ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "layers/zendesk_oauth:.", **SHORT, **changes},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        for pid in living(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for a run, and look who of its session is left."""
    output, _ = process.communicate()
    end = time.monotonic() + 10
    while living(process.pid) and time.monotonic() < end:
        time.sleep(0.05)
    return Ended(process.returncode, output, living(process.pid))


def test_every_pair_of_a_short_run_is_accounted_for() -> None:
    """Kills, freezes and lost responses at once, and at the end nothing is unexplained and no process is left."""
    with started() as process:
        run = ended(process)
    pairs, kills, unexplained, seed = run.counts
    assert (run.code, unexplained, seed, run.left) == (0, 0, 7, []), run.output[-4000:]
    assert pairs > 24
    assert kills > 0


def test_a_pair_that_a_process_drops_is_noticed() -> None:
    """One that stores other tokens than Zendesk has issued is found, with its story and what to run again."""
    with started(PLANT="pair") as process:
        run = ended(process)
    assert run.code == 1
    assert run.counts[2] > 0
    assert "lives on; nothing was injected that could have lost it" in run.output
    assert "again: make chaos SECONDS=8 SEED=7 ACCOUNTS=24 SPEED=10" in run.output


def test_ctrl_c_ends_every_process() -> None:
    """Stopped in the middle, a run leaves neither a process of the fleet nor a server, frozen ones included."""
    with started(SECONDS="60") as process:
        end = time.monotonic() + STARTED_SECONDS
        while len(living(process.pid)) < 10 and time.monotonic() < end:
            time.sleep(0.1)
        assert len(living(process.pid)) >= 10
        process.send_signal(signal.SIGINT)
        run = ended(process)
    assert (run.code, run.left) == (130, [])


def planned(seed: int) -> list[object]:
    """Return a good part of what is planned for a seed."""
    plan = Plan(seed)
    faults = [
        plan.zendesk("refresh", f"a{account:03d}", number, 10.0)
        for account in range(20)
        for number in range(20)
    ]
    calls = [plan.store("refresh-1.1", number) for number in range(400)]
    return [faults, calls, list(plan.strikes(60.0, 11)), list(plan.leaps(180.0)), plan.skew_of("refresh-1.1")]


@pytest.mark.parametrize("seed", [1, 7])
def test_the_plan_follows_from_the_seed(seed: int) -> None:
    """The same seed plans the same faults, strikes, leaps and clocks; another one plans others."""
    assert planned(seed) == planned(seed)
    assert planned(seed) != planned(seed + 1)
