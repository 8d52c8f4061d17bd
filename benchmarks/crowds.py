"""Crowds of workers who meet one expiry: how many POSTs it takes, and how long the others wait after the commit.

The workers are threads of several processes. Zendesk takes as long for its answer as the price file assumes. What
followers wait counts from the commit, or from their own beginning where that was later; whoever refreshed is not
among them.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from statistics import quantiles
from time import monotonic
from typing import Any

from benchmarks.cost import read_prices
from benchmarks.programs import UnexpectedAnswerError
from benchmarks.scene import Scene

PROCESSES = 4
NEXT_GENERATION = 2
"""After the one of `rows.connection_row`."""
ROUNDS = {1: 3, 10: 10, 100: 3, 1000: 1}
"""How often a crowd of each size meets an expiry."""
_LEAD_SECONDS = 0.5
_LEAD_PER_WORKER = 0.002
"""What it takes to have the workers ready before they begin together."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What crowds of one size met: the POSTs of each expiry, in order, and milliseconds that followers waited."""

    workers: int
    posts: Sequence[int]
    followers: int
    wait_ms_p50: float
    wait_ms_p99: float


@dataclass(frozen=True, slots=True)
class Meeting:
    """One expiry: the POSTs that it took, and the seconds that each follower waited."""

    posts: int
    waits: Sequence[float]


def measure(scene: Scene) -> dict[int, Crowd]:
    """Let crowds of all sizes meet. Raises UnexpectedAnswerError where a worker did not get the living token."""
    slow = float(read_prices()["assumed"]["wait_ms"]["POST /oauth/tokens"]) / 1000
    names = (f"crowd-{number}" for number in count())
    with processes(scene) as running:
        return {
            workers: crowd(workers, [_meet(scene, running, workers, next(names), slow) for _ in range(times)])
            for workers, times in ROUNDS.items()
        }


def crowd(workers: int, meetings: Sequence[Meeting]) -> Crowd:
    """Return what the meetings of one size come to."""
    waits = [wait for meeting in meetings for wait in meeting.waits]
    of_hundred = quantiles(waits, n=100, method="inclusive") if len(waits) > 1 else [0.0] * 99
    return Crowd(
        workers=workers,
        posts=[meeting.posts for meeting in meetings],
        followers=len(waits),
        wait_ms_p50=round(of_hundred[49] * 1000, 1),
        wait_ms_p99=round(of_hundred[98] * 1000, 1),
    )


def judge(posts: int, answers: Sequence[dict[str, Any]], living: str) -> Meeting:
    """Return what a meeting came to, where `living` is the digest of the one access token that Zendesk knows.

    Raises UnexpectedAnswerError unless every worker has it, of the next generation, by one commit.
    """
    met = [worker for answer in answers for worker in answer["workers"]]
    got = Counter((worker.get("generation"), worker.get("digest"), worker.get("error")) for worker in met)
    committed = [at for answer in answers for at in answer["committed"]]
    if got != {(NEXT_GENERATION, living, None): len(met)} or len(committed) != 1:
        raise UnexpectedAnswerError(f"{len(committed)} commits, and {len(met)} workers got {dict(got)}")
    followers = [worker for worker in met if not worker["led"]]
    return Meeting(posts, [_wait(worker, committed[0]) for worker in followers])


def _wait(worker: dict[str, float], committed: float) -> float:
    return max(0.0, worker["ended"] - max(committed, worker["began"]))


@contextmanager
def processes(scene: Scene) -> Iterator[Sequence[subprocess.Popen[str]]]:
    """Give the processes of the workers, ready, and end them with the block: they end when their input does."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    scene.command("crowd"),
                    env=scene.environ(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(PROCESSES)
        ]
        for process in started:
            _said(process)
        yield started


def _meet(
    scene: Scene, running: Sequence[subprocess.Popen[str]], workers: int, subdomain: str, slow: float
) -> Meeting:
    scene.connect(subdomain)
    scene.zendesk.misbehave(
        "late_answer", subdomain=subdomain, grant_type="refresh_token", seconds=slow, times=None
    )
    parts = [workers // len(running) + (number < workers % len(running)) for number in range(len(running))]
    busy = [(process, part) for process, part in zip(running, parts, strict=True) if part]
    at = monotonic() + _LEAD_SECONDS + _LEAD_PER_WORKER * workers
    for process, part in busy:
        _tell(process, {"workers": part, "subdomain": subdomain, "at": at})
    answers = [json.loads(_said(process)) for process, _ in busy]
    scene.zendesk.faults.clear()
    return judge(scene.posts(subdomain), answers, scene.living(subdomain))


def _tell(process: subprocess.Popen[str], order: dict[str, Any]) -> None:
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    line = process.stdout.readline()
    if not line:
        raise UnexpectedAnswerError("a process of workers has ended")
    return line
