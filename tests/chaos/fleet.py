"""The processes of a run, and the work that is handed to them: each does one job at a time, and may be struck down.

The rule: whatever befalls a process is written down with its time before it happens, and a process that ends without
having been struck is a finding. A dead one is replaced, as Lambda replaces an execution environment.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.chaos.container import FUNCTION_SECONDS, Job, Setting, work
from tests.chaos.plan import Plan
from tests.chaos.run_time import RunTime
from tests.processes.children import Child

_POLL_SECONDS = 0.05
_BROWSER_SECONDS = 150.0
"""How long a job of several functions may take, in seconds of the run."""
_ASYNCHRONOUS_TRIES = 3

type Answer = dict[str, Any]


@dataclass(slots=True)
class Done:
    """One job: which process had it, when, and how it ended; `answer` stays None where the process died."""

    job: Job
    process: str = ""
    began_at: float = 0.0
    ended_at: float | None = None
    answer: Answer | None = None
    struck: list[str] = field(default_factory=list)
    """What was done to its process meanwhile."""
    killed_at: float | None = None
    frozen_until: float = 0.0

    def __str__(self) -> str:
        job = self.job
        end = "killed" if self.killed_at is not None else str(self.answer)
        return f"job {job.number} {job.kind} {job.account} in {self.process}: {end} {' '.join(self.struck)}".rstrip()


class _Waiting(NamedTuple):
    job: Job
    future: "Future[Answer]"
    tries: int = 1


class Pool:
    """Jobs for processes of one kind."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self.waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()


class Fleet:
    """All processes of a run."""

    def __init__(self, time_of_run: RunTime, plan: Plan, folder: Path, plant: str = "") -> None:
        self.time = time_of_run
        self.plan = plan
        self.folder = folder
        self.plant = plant
        self.done: dict[int, Done] = {}
        self.kills = 0
        self.freezes = 0
        self.died: list[str] = []
        """Processes that ended without having been struck."""
        self.refresh, self.browser = Pool("refresh", 7), Pool("browser", 4)
        self._slots: list[_Slot] = []
        self.starting = threading.Lock()
        self._lock = threading.Lock()
        self._number = 0
        self._is_closing = False

    # -- jobs --

    def submit(
        self, kind: str, account: str = "", event: object = None, *, tries: int = 1
    ) -> "Future[Answer]":
        """Hand in a job; its answer has `error` where it failed or its process died."""
        future: Future[Answer] = Future()
        self._pool_of(kind).waiting.put(_Waiting(self._new_job(kind, account, event), future, tries))
        return future

    def repeat(self, waiting: "_Waiting") -> None:
        """Hand in once more what has failed, as a job of its own."""
        job = self._new_job(waiting.job.kind, waiting.job.account, waiting.job.event)
        self._pool_of(job.kind).waiting.put(_Waiting(job, waiting.future, waiting.tries - 1))

    def _new_job(self, kind: str, account: str, event: object) -> Job:
        with self._lock:
            self._number += 1
            job = Job(self._number, kind, account, event)
            self.done[job.number] = Done(job)
        return job

    def invoke(self, event: Any, is_asynchronous: bool) -> "Future[Answer]":  # noqa: FBT001 - as `Invoke` says
        """Hand an event to `refresh`, as Lambda does."""
        return self.submit(
            "refresh", _account_of(event), event, tries=_ASYNCHRONOUS_TRIES if is_asynchronous else 1
        )

    def backlog(self) -> int:
        """Return how many jobs wait for a process."""
        return self.refresh.waiting.qsize() + self.browser.waiting.qsize()

    def is_idle(self) -> bool:
        """Tell whether nobody works or waits, but for processes that are frozen."""
        return self.backlog() == 0 and all(slot.is_idle or slot.is_frozen for slot in self._slots)

    def _pool_of(self, kind: str) -> Pool:
        return self.refresh if kind in {"refresh", "revoke"} else self.browser

    # -- strikes --

    @property
    def size(self) -> int:
        """How many processes there are."""
        return self.refresh.size + self.browser.size

    def strike(self, number: int, frozen_for: float | None) -> None:
        """Kill a process, or freeze it for so many seconds of the run."""
        slot = self._slots[number % len(self._slots)]
        if frozen_for is None:
            slot.kill("at random")
        else:
            slot.freeze(frozen_for, "at random")

    def kill_job(self, number: int, why: str) -> None:
        """End the process that works on a job."""
        if slot := self._slot_of(number):
            slot.kill(why)

    def freeze_job(self, number: int, seconds: float, why: str) -> None:
        """Freeze the process that works on a job."""
        if slot := self._slot_of(number):
            slot.freeze(seconds, why)

    def thaw_due(self, *, everybody: bool = False) -> None:
        """Let go on whoever was frozen for long enough, and end whose function's time is over."""
        for slot in self._slots:
            slot.thaw_if_due(everybody=everybody)
            slot.end_if_over()

    def _slot_of(self, number: int) -> "_Slot | None":
        return next((slot for slot in self._slots if slot.works_on(number)), None)

    # -- life --

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep the processes while the block runs."""
        self._slots = [
            _Slot(self, pool, f"{pool.name}-{number}")
            for pool in (self.refresh, self.browser)
            for number in range(pool.size)
        ]
        threads = [threading.Thread(target=slot.run, name=slot.name, daemon=True) for slot in self._slots]
        try:
            for thread in threads:
                thread.start()
            yield
        finally:
            self._is_closing = True
            for slot in self._slots:
                slot.pool.waiting.put(None)
            for slot in self._slots:
                slot.close()
            for thread in threads:
                thread.join(10)

    @property
    def is_closing(self) -> bool:
        """Whether the run is over."""
        return self._is_closing


class _Slot:
    """A place in the fleet, with one process at a time."""

    def __init__(self, fleet: Fleet, pool: Pool, name: str) -> None:
        self.fleet = fleet
        self.pool = pool
        self.name = name
        self._lock = threading.RLock()
        self._child: Child | None = None
        self._incarnation = 0
        self._done: Done | None = None
        self._is_struck = False
        self._thaws_at: float | None = None

    @property
    def is_idle(self) -> bool:
        return self._done is None

    @property
    def is_frozen(self) -> bool:
        return self._thaws_at is not None

    def works_on(self, number: int) -> bool:
        done = self._done
        return done is not None and done.job.number == number

    def run(self) -> None:
        """Take one job after the other until the fleet closes."""
        while not self.fleet.is_closing:
            waiting = self.pool.waiting.get()
            if waiting is None:
                return
            answer = self._do(waiting.job)
            if "error" in answer and waiting.tries > 1 and not self.fleet.is_closing:
                self.fleet.repeat(waiting)
            else:
                waiting.future.set_result(answer)

    def _do(self, job: Job) -> Answer:
        done = self.fleet.done[job.number]
        with self._lock:
            child = self._ensure()
            done.process, done.began_at = f"{self.name}.{self._incarnation}", self.fleet.time.monotonic()
            self._done = done
        try:
            child.tell(job)
            answer: Answer = self._awaited(child)
            done.ended_at, done.answer = self.fleet.time.monotonic(), answer
        except (EOFError, OSError):
            answer = {"error": "Killed"}
            self._bury(done)
        finally:
            self._done = None
        return answer

    def _awaited(self, child: Child) -> Answer:
        while not child.has_said(_POLL_SECONDS):
            if self.fleet.is_closing:
                raise EOFError
        answer: Answer = child.said()
        return answer

    def _bury(self, done: Done) -> None:
        with self._lock:
            if not self._is_struck and not self.fleet.is_closing:
                self.fleet.died.append(str(done))
            if self._child is not None:
                self._child.close()
            self._child = None
            if done.killed_at is None:
                done.killed_at = self.fleet.time.monotonic()

    def _ensure(self) -> Child:
        if self._child is not None and self._is_struck:
            self._child.close()
            self._child = None
        if self._child is None:
            self._incarnation += 1
            self._is_struck, self._thaws_at = False, None
            log = self.fleet.folder / f"{self.name}.{self._incarnation}.log"
            setting = Setting(
                self.name, self._incarnation, self.fleet.time.path, log, self.fleet.plan, self.fleet.plant
            )
            with self.fleet.starting:
                self._child = Child(work, setting)
        return self._child

    def kill(self, why: str) -> None:
        """Kill the process, whether it works or not."""
        with self._lock:
            if self._child is None or self._is_struck or self.fleet.is_closing:
                return
            self._is_struck = True
            self.fleet.kills += 1
            self._note(f"killed {why}", killed=True)
            self._child.kill()
            if self._done is None:
                self._child.close()
                self._child = None

    def freeze(self, seconds: float, why: str) -> None:
        """Stop the process where it is."""
        with self._lock:
            if self._child is None or self._is_struck or self._done is None or self._thaws_at is not None:
                return
            self.fleet.freezes += 1
            self._thaws_at = self.fleet.time.monotonic() + seconds
            self._done.frozen_until = self._thaws_at
            self._note(f"frozen for {seconds:.0f} s {why}")
            with suppress(ProcessLookupError):
                self._child.freeze()

    def thaw_if_due(self, *, everybody: bool) -> None:
        with self._lock:
            if self._thaws_at is None or (self.fleet.time.monotonic() < self._thaws_at and not everybody):
                return
            self._thaws_at = None
            if self._done is not None:
                self._done.frozen_until = self.fleet.time.monotonic()
            if self._child is not None and not self._is_struck:
                self._child.thaw()

    def end_if_over(self) -> None:
        """Kill a process whose function's time is over, as Lambda does; one that was frozen has it anew."""
        with self._lock:
            done = self._done
            if done is None or self._thaws_at is not None:
                return
            limit = FUNCTION_SECONDS if self.pool is self.fleet.refresh else _BROWSER_SECONDS
            if self.fleet.time.monotonic() > max(done.began_at, done.frozen_until) + limit:
                self.kill("because its function's time was over")

    def _note(self, what: str, *, killed: bool = False) -> None:
        now = self.fleet.time.monotonic()
        if self._done is not None:
            self._done.struck.append(f"[{now:.1f} s {what}]")
            if killed:
                self._done.killed_at = now

    def close(self) -> None:
        with self._lock:
            if self._child is not None:
                self._is_struck = True
                self._child.close()
                self._child = None


def _account_of(event: object) -> str:
    """Return which account an event of `refresh` is about, where it is about one."""
    if not isinstance(event, dict):
        return ""
    named = event.get("finish") or event
    return str(named.get("subdomain", ""))


def waited(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until something holds, at most so many seconds of the wall; tell whether it does."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
