"""What is asked of the deployment during a run: installs, installs over installs, refreshes, reads, disconnects.

And what runs by itself: the schedules, the rescue queue's replays, and the strikes of the plan.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from tests.chaos.cloud import Cloud, Message
from tests.chaos.container import GRANT
from tests.chaos.fleet import Fleet, waited
from tests.chaos.zendesk import ChaosZendesk

if TYPE_CHECKING:
    from concurrent.futures import Future

_PACE_SECONDS = 0.02
_DUE_FIRST = 0.7
_PATIENCE_SECONDS = 16.0
"""How soon a worker asks again: the back-off of a refresh that came to nothing is 15 seconds."""
_QUIET_SECONDS = 6.0
_STEP_SECONDS, _STEP_GROWTH = 60.0, 1.04
"""Of idle hours: the schedules tick each minute, and less and less often when days pass."""
_MOST_WAITING = 24
"""Jobs that may wait for a process: more would only make every answer late."""
_SCHEDULES = (("unfinished", 60.0), ("keep-alive", 300.0), ("revoke", 60.0))
_SCHEDULED_EVENT = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"}


def account_name(number: int) -> str:
    """Return the name of an account."""
    return f"a{number:03d}"


class Traffic:
    """Everybody who asks, drawn from the seed; `accounts` is how many there are."""

    def __init__(self, fleet: Fleet, cloud: Cloud, zendesk: ChaosZendesk, accounts: int) -> None:
        self.fleet = fleet
        self.cloud = cloud
        self.zendesk = zendesk
        self.time, self.plan = zendesk.time, zendesk.plan
        self.names = [account_name(number) for number in range(accounts)]
        self._dice = Random(f"{self.plan.seed}/traffic")  # noqa: S311 - traffic that can be drawn again
        self._ticked = dict.fromkeys((name for name, _ in _SCHEDULES), 0.0)
        self._asked_at: dict[str, float] = {}
        self._gone_at: dict[str, float] = {}
        """When an account was found to have no connection that can be refreshed."""
        self._replaying: list[tuple[Future[Any], list[Message]]] = []

    # -- who asks --

    def install_everybody(self) -> None:
        """Let each account install once; the schedules run beside it."""
        for name in self.names:
            self.fleet.submit("install", name)
        while self.fleet.backlog() > _MOST_WAITING:
            self.tick()
            time.sleep(_PACE_SECONDS)

    def ask(self) -> None:
        """Ask for one thing."""
        dice, name = self._dice, self._dice.choice(self.names)
        due = self._due() if dice.random() < _DUE_FIRST else []
        if due:
            self.ask_due(dice.choice(due), 1 if dice.random() < 0.8 else 4)
            return
        what = dice.random()
        if what < 0.62:
            self.ask_due(name)
        elif what < 0.86:
            self.fleet.submit("use", name)
        elif what < 0.965:
            self._install(name)
        else:
            self.fleet.submit("disconnect", name)

    def _install(self, name: str) -> None:
        """Install over what is there: once, or three times at once where little of it can be revoked just now."""
        now = self.time.monotonic()
        stormy = [name for name in self.names if self.plan.has_storm(name, now)]
        if not stormy or self._dice.random() < 0.6:
            self.fleet.submit("install", name)
            return
        name = self._dice.choice(stormy)
        for _ in range(3):
            self.fleet.submit("install", name)

    def ask_due(self, name: str, workers: int = 1) -> None:
        """Ask `refresh` for one account, as so many workers near the token's end do."""
        self._asked_at[name] = self.time.monotonic()
        for _ in range(workers):
            event = {"grant": GRANT, "subdomain": name, "asked": "due"}
            self.fleet.submit("refresh", name, event).add_done_callback(partial(self._note, name))

    def _due(self) -> list[str]:
        """Return the accounts whose worker wants a new token now: it asks again where a refresh came to nothing."""
        now = self.time.monotonic()
        return [
            name
            for name in self.names
            if self.zendesk.due_at(name) <= now
            and self._asked_at.get(name, 0.0) + _PATIENCE_SECONDS <= now
            and self._gone_at.get(name, -1.0) < self.zendesk.issued_at[name]
        ]

    def _note(self, name: str, ended: "Future[dict[str, Any]]") -> None:
        if ended.result().get("outcome") in {"not_connected", "reconnect_required"}:
            self._gone_at[name] = self.time.monotonic()

    # -- what runs by itself --

    def tick(self, *, everything: bool = False) -> None:
        """Let the schedules and the queue's replays run where they are due."""
        now = self.time.monotonic()
        for name, seconds in _SCHEDULES:
            if everything or now - self._ticked[name] >= seconds:
                self._ticked[name] = now
                if name == "revoke":
                    self.fleet.submit("revoke", event=_SCHEDULED_EVENT)
                else:
                    self.fleet.invoke({"schedule": name}, True)  # noqa: FBT003 - asynchronous
        self.replay()

    def replay(self) -> None:
        """Deliver what is visible in the rescue queue, and delete what was done with."""
        for future, batch in [one for one in self._replaying if one[0].done()]:
            self._replaying.remove((future, batch))
            answer = future.result()
            if "error" not in answer:
                failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
                self.cloud.delete(batch, failed)
        batch = self.cloud.receive()
        if batch:
            event = {"Records": [message.record() for message in batch]}
            self._replaying.append((self.fleet.submit("refresh", event=event), batch))

    # -- a run --

    def play(self, seconds: float) -> None:
        """Ask, strike and let time leap, for so many seconds of the wall."""
        began = time.monotonic()
        strikes, leaps = list(self.plan.strikes(seconds, self.fleet.size)), list(self.plan.leaps(seconds))
        while (passed := time.monotonic() - began) < seconds:
            while strikes and strikes[0].at <= passed:
                strike = strikes.pop(0)
                self.fleet.strike(strike.process, strike.frozen_for)
            if leaps and leaps[0].at <= passed:
                self.leap(leaps.pop(0).seconds)
            if self.fleet.backlog() < _MOST_WAITING:
                self.ask()
            self.tick()
            time.sleep(_PACE_SECONDS)

    def leap(self, seconds: float) -> None:
        """Let time pass in which nobody asks, and the schedules alone go on; whoever is frozen is so for that long."""
        step = _STEP_SECONDS
        while seconds > 0:
            waited(self.fleet.is_idle, _QUIET_SECONDS)
            self.time.advance(min(step, seconds))
            seconds -= step
            step *= _STEP_GROWTH
            self.tick()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Let go on whoever was frozen, and end whose time is over, while the block runs."""
        is_over = threading.Event()

        def watch() -> None:
            while not is_over.wait(_PACE_SECONDS):
                self.fleet.thaw_due()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def drain(self, is_done: Callable[[], bool], rounds: int) -> bool:
        """Let every job run, hour after hour, until nothing is left to be done; tell whether it came to that."""
        pause = 75.0
        for number in range(rounds):
            self.tick(everything=True)
            if number % 3 == 0:
                for name in self.names:
                    self.ask_due(name)
            waited(self._is_settled, 60.0)
            if number > 3 and is_done():
                return True
            self.time.advance(pause)
            pause = min(pause * 1.3, 3700.0)
        return False

    def _is_settled(self) -> bool:
        self.replay()
        return self.fleet.is_idle() and not self._replaying
