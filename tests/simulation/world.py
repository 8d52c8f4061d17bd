"""The stage of a schedule: virtual time, the actors, and the points at which a schedule decides."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

from greenlet import greenlet

from tests.simulation.schedule import Chooser

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FOREVER = float("inf")
STEP = 0.01
"""What every call takes, in seconds."""


class ViolationError(AssertionError):
    """An invariant does not hold; the story says how it came to that."""

    def __init__(self, what: str, story: list[str]) -> None:
        super().__init__(what)
        self.what, self.story = what, story


class Fate(StrEnum):
    """What befalls a call."""

    DONE = "is done"
    FAILED = "fails before it has an effect"
    LOST = "is done, and its answer is lost"
    KILLED_BEFORE = "is never made: the worker dies"
    KILLED_AFTER = "is done, and the worker dies"
    LIED = "is not looked into, and answered with a 401"
    PAGED = "never arrives, and a page with the status 401 comes back"


DEATH = (Fate.KILLED_BEFORE, Fate.KILLED_AFTER)
HARM = (Fate.FAILED, Fate.LOST, *DEATH)
LIES = (Fate.LIED, Fate.PAGED)


class Call(NamedTuple):
    """What an actor is about to do, the error that its caller would see, and what a lie would answer."""

    name: str
    error: Callable[[], Exception] | None = None
    lie: Callable[[Fate], Any] | None = None


_BEGIN = Call("begins")
"""What is pending before an actor has made his first call, which then goes well: to die before it is not to come."""


class Killed(BaseException):
    """The worker is dead: no handler of his may run."""


@dataclass(slots=True, eq=False)
class Actor:
    """A worker in the middle of a service's work."""

    name: str
    work: Callable[[], object]
    thread: greenlet = field(init=False)
    pending: Call = _BEGIN
    has_begun: bool = False
    killed: bool = False
    skew: float = 0.0
    """How many seconds this actor's clock is ahead."""
    claimed_until: float = 0.0
    """Until when this actor's last claim lives, in seconds by the true clock."""


@dataclass(slots=True)
class Budget:
    """How much may befall one schedule."""

    harms: int
    ticks: int
    tick_seconds: tuple[float, ...] = (75.0,)
    lies: int = 0


class World:
    """Runs actors one call at a time, as the chooser says, and checks the invariants after each.

    Each actor is a greenlet that goes straight on, or straight to the next one: a call costs one switch at most.
    What `ring` names at the time `rings_at` goes before everyone else, unharmed, once that time has come.
    """

    def __init__(self, chooser: Chooser, budget: Budget, check: Callable[[], str | None]) -> None:
        self.chooser, self.budget, self.check = chooser, budget, check
        self.seconds = 0.0
        self.story: list[str] = []
        self.alive: list[Actor] = []
        self.current: Actor | None = None
        self.stage = greenlet.getcurrent()
        self.is_quiet = False
        self.tell = False
        self.rings_at = FOREVER
        self.ring: Callable[[], object] | None = None
        self._rung: Actor | None = None
        self._instant = (0.0, EPOCH)

    # time

    def now(self) -> datetime:
        """Return the time by the clock of the actor at work, which may be wrong."""
        actor = self.current
        now = self.seconds + actor.skew if actor else self.seconds
        seconds, instant = self._instant
        if seconds != now:
            instant = EPOCH + timedelta(seconds=now)
            self._instant = (now, instant)
        return instant

    def seconds_of(self, instant: datetime) -> float:
        """Return when an instant is by the true clock that the actor at work has reckoned by its own."""
        seconds = (instant - EPOCH).total_seconds()
        return seconds - self.current.skew if self.current else seconds

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
        fate = self._fate_of(actor)
        if fate is Fate.KILLED_BEFORE:
            raise Killed
        if fate is Fate.FAILED:
            raise _error_of(call)
        if fate in LIES and call.lie is not None:
            told: T = call.lie(fate)
            return told
        result = effect()
        self.look()
        if fate is Fate.DONE:
            return result
        if fate is Fate.KILLED_AFTER:
            raise Killed
        raise _error_of(call)

    def look(self) -> None:
        """Raise ViolationError where an invariant does not hold now."""
        wrong = self.check()
        if wrong is not None:
            raise ViolationError(wrong, self.story)

    def decide(self) -> bool:
        """Let the schedule answer a question that is no harm; not in peace, where nothing is unusual."""
        return (self.budget.harms > 0 or self.budget.ticks > 0) and self.chooser.choose(2) == 1

    def _fate_of(self, actor: Actor) -> Fate:
        """Let the schedule decide; whoever it picks goes on, and this actor when it picks him again."""
        if actor.has_begun:
            chosen, fate = self._turn()
            if chosen is not actor:
                fate = chosen.thread.switch(fate)
            return fate
        actor.has_begun = True
        self.note(f"{actor.name}: {actor.pending.name} {Fate.DONE}")
        return Fate.DONE

    # schedule

    def add(self, name: str, work: Callable[[], object], skew: float = 0.0) -> Actor:
        """Put an actor on the stage; he begins when the schedule first picks him."""
        actor = Actor(name, work, skew=skew)
        actor.thread = greenlet(partial(self._live, actor), self.stage)
        self.alive.append(actor)
        return actor

    def _live(self, actor: Actor, _begin: Fate) -> None:
        try:
            actor.work()
        except Killed:
            actor.killed = True
        finally:
            self.alive.remove(actor)
            if actor is self._rung:
                self._rung = None
        self.look()

    def play(self) -> None:
        """Let the actors go on until all are done."""
        while self.alive:
            chosen, fate = self._turn()
            chosen.thread.switch(fate)

    def _turn(self) -> tuple[Actor, Fate]:
        """Return who goes on and what befalls him; the first possibility is that nothing befalls who was at work."""
        while True:
            rung = self._rung or self._rings()
            if rung is not None:
                return self._go_on(self.alive.index(rung), Fate.DONE)
            count = self._possibilities()
            choice = self.chooser.choose(count) if count > 1 and not self.is_quiet else 0
            if choice < len(self.alive):
                return self._go_on(choice, Fate.DONE)
            picked = self._harmed(choice - len(self.alive))
            if picked is not None:
                return picked
            self._let_pass(self.budget.tick_seconds[choice - count])

    def _rings(self) -> Actor | None:
        if self.seconds < self.rings_at or self.ring is None:
            return None
        self.rings_at = FOREVER
        self._rung = self.add("the rescue queue", self.ring)
        return self._rung

    def _possibilities(self) -> int:
        budget, alive = self.budget, self.alive
        count = len(alive)
        if budget.harms or budget.lies:
            for actor in alive:
                count += len(self._harms(actor))
        return count + len(budget.tick_seconds) if budget.ticks else count

    def _harms(self, actor: Actor) -> tuple[Fate, ...]:
        """Return what may befall this actor's call now."""
        if not actor.has_begun:
            return ()
        pending, budget = actor.pending, self.budget
        harms = (HARM if pending.error else DEATH) if budget.harms else ()
        return (*harms, *LIES) if budget.lies and pending.lie else harms

    def _harmed(self, choice: int) -> tuple[Actor, Fate] | None:
        if not (self.budget.harms or self.budget.lies):
            return None
        for place, actor in enumerate(self.alive):
            harms = self._harms(actor)
            if choice < len(harms):
                if harms[choice] in LIES:
                    self.budget.lies -= 1
                else:
                    self.budget.harms -= 1
                return self._go_on(place, harms[choice])
            choice -= len(harms)
        return None

    def _let_pass(self, seconds: float) -> None:
        self.budget.ticks -= 1
        self.seconds += seconds
        self.note(f"{seconds:.0f} s pass")

    def _go_on(self, place: int, fate: Fate) -> tuple[Actor, Fate]:
        """Put him first: he is the one at work."""
        actor = self.alive[place]
        if place:
            del self.alive[place]
            self.alive.insert(0, actor)
        if self.tell and actor.has_begun:
            self.note(f"{actor.name}: {actor.pending.name} {fate}")
        self.seconds += STEP
        self.current = actor
        return actor, fate

    def note(self, line: str) -> None:
        if self.tell:
            self.story.append(f"{self.seconds:9.2f} s  {line}")

    def close(self) -> None:
        """Let no greenlet outlive its schedule."""
        for actor in tuple(self.alive):
            actor.thread.throw()


def _error_of(call: Call) -> Exception:
    assert call.error is not None
    return call.error()
