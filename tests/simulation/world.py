"""The stage of a schedule: virtual time, the actors, and the points at which a schedule decides."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from greenlet import greenlet

from tests.simulation.schedule import Chooser

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
STEP = 0.01
"""What every call takes, in seconds."""


class ViolationError(AssertionError):
    """An invariant does not hold; the story says how it came to that."""

    def __init__(self, what: str, story: list[str], choices: list[int]) -> None:
        super().__init__(what)
        self.what, self.story, self.choices = what, story, choices


class Fate(StrEnum):
    """What befalls a call."""

    DONE = "is done"
    FAILED = "fails before it has an effect"
    LOST = "is done, and its answer is lost"
    KILLED_BEFORE = "is never made: the worker dies"
    KILLED_AFTER = "is done, and the worker dies"


HARM = (Fate.FAILED, Fate.LOST, Fate.KILLED_BEFORE, Fate.KILLED_AFTER)


@dataclass(frozen=True, slots=True)
class Call:
    """What an actor is about to do, and the error that its caller would see."""

    name: str
    error: Callable[[], Exception] | None = None


class Killed(BaseException):
    """The worker is dead: no handler of his may run."""


@dataclass(slots=True)
class Actor:
    """A worker in the middle of a service's work."""

    name: str
    work: Callable[[], object]
    thread: greenlet = field(init=False)
    pending: Call | None = None
    answer: object = None
    done: bool = False
    killed: bool = False


@dataclass(slots=True)
class Budget:
    """How much may befall one schedule."""

    harms: int
    ticks: int
    tick_seconds: tuple[float, ...] = (75.0,)


class World:
    """Runs actors one call at a time, as the chooser says, and checks the invariants after each."""

    def __init__(self, chooser: Chooser, budget: Budget, check: Callable[[], str | None]) -> None:
        self.chooser, self.budget, self.check = chooser, budget, check
        self.seconds = 0.0
        self.story: list[str] = []
        self.actors: list[Actor] = []
        self.current: Actor | None = None
        self.stage = greenlet.getcurrent()
        self.tell = False

    # time

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    # calls

    def call[T](self, call: Call, effect: Callable[[], T]) -> T:
        """Make a call: pause, and then do what the schedule says becomes of it."""
        actor = self.current
        assert actor is not None
        actor.pending = call
        fate = self.stage.switch()
        if fate is Fate.KILLED_BEFORE:
            raise Killed
        if fate is Fate.FAILED:
            raise _error_of(call)
        result = effect()
        self._check()
        if fate is Fate.KILLED_AFTER:
            raise Killed
        if fate is Fate.LOST:
            raise _error_of(call)
        return result

    def _check(self) -> None:
        wrong = self.check()
        if wrong is not None:
            raise ViolationError(wrong, self.story, [])

    # schedule

    def add(self, name: str, work: Callable[[], object]) -> Actor:
        actor = Actor(name, work)
        actor.thread = greenlet(lambda: self._live(actor), parent=self.stage)
        self.actors.append(actor)
        self._resume(actor)
        return actor

    def _live(self, actor: Actor) -> None:
        try:
            actor.answer = actor.work()
        except Killed:
            actor.killed = True
        finally:
            actor.done = True
            actor.pending = None

    def play(self) -> None:
        """Let the actors go on until all are done."""
        while True:
            alive = [actor for actor in self.actors if not actor.done]
            if not alive:
                return
            self._turn(alive)

    def _turn(self, alive: list[Actor]) -> None:
        options: list[tuple[Actor | None, Fate | float]] = [(actor, Fate.DONE) for actor in alive]
        if self.budget.harms:
            options += [
                (actor, fate)
                for actor in alive
                if actor.pending is not None
                for fate in (HARM if actor.pending.error else HARM[2:])
            ]
        if self.budget.ticks:
            options += [(None, seconds) for seconds in self.budget.tick_seconds]
        actor, fate = options[self.chooser.choose(len(options))]
        if actor is None:
            assert isinstance(fate, float)
            self.budget.ticks -= 1
            self.seconds += fate
            self.note(f"{fate:.0f} s pass")
            return
        if fate is not Fate.DONE:
            self.budget.harms -= 1
        self._go_on(actor, fate)

    def _go_on(self, actor: Actor, fate: object) -> None:
        if self.tell and actor.pending is not None:
            self.note(f"{actor.name}: {actor.pending.name} {fate}")
        self.seconds += STEP
        self._resume(actor, fate)

    def _resume(self, actor: Actor, *fate: object) -> None:
        self.current = actor
        try:
            actor.thread.switch(*fate)
        finally:
            self.current = None

    def note(self, line: str) -> None:
        if self.tell:
            self.story.append(f"{self.seconds:9.2f} s  {line}")

    def close(self) -> None:
        """Let no greenlet outlive its schedule."""
        for actor in self.actors:
            if not actor.done and actor.pending is not None:
                self.current = actor
                actor.thread.throw(Killed)
        self.current = None


def _error_of(call: Call) -> Exception:
    assert call.error is not None
    return call.error()
