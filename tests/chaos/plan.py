"""What is planned to go wrong, all of it drawn from the seed: who is struck, when, and how Zendesk misbehaves.

A decision depends on the seed and on what it is about (the account and the number of its request, the process and the
number of its call, a stretch of time), and on nothing else. So two runs with one seed plan the same, although the
system schedules the processes differently and they get to other points of the plan.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

type Options = Mapping[str, object]

LOSES_RESPONSE = frozenset(
    {
        "lost",
        "server_error",
        "html",
        "empty_object",
        "big_body",
        "cut_body",
        "no_content",
        "too_late",
        "kill_after",
        "kill_before",
    }
)
"""Faults after which nothing of a new pair can be read, or its process is gone. What can be read is not to be lost."""


class Fault(NamedTuple):
    """One misbehaviour of Zendesk: a kind of `local.zendesk.misbehaviours`, or one of this run's own."""

    kind: str
    options: Options

    @property
    def is_lie(self) -> bool:
        """Whether it calls a token dead that may be alive."""
        return self.options.get("status") == 401 or self.kind == "invalid_token"


class Strike(NamedTuple):
    """What happens to a process at a second of the wall: killed, or frozen for so many seconds of the run."""

    at: float
    process: int
    frozen_for: float | None = None


class Leap(NamedTuple):
    """At a second of the wall, hours pass in which nobody asks for anything."""

    at: float
    seconds: float


_REFRESH: tuple[tuple[float, str, Options], ...] = (
    (3.0, "lost", {"worked": True}),
    (1.0, "lost", {"worked": False}),
    (1.0, "server_error", {"status": 502, "worked": True}),
    (4.0, "server_error", {"status": 502}),
    (0.7, "server_error", {"status": 504, "worked": True}),
    (0.7, "cut_body", {}),
    (0.5, "html", {"status": 200}),
    (0.5, "empty_object", {}),
    (0.3, "no_content", {}),
    (0.3, "null_token", {}),
    (0.6, "token_type", {}),
    (0.6, "big_body", {}),
    (0.6, "packed", {}),
    (0.6, "failed", {"status": 400}),
    (0.6, "no_refresh_token", {}),
    (0.5, "no_expires_in", {}),
    (0.5, "expires_in", {"value": -5}),
    (0.8, "too_many_requests", {"retry_after": 5}),
    (0.8, "late_answer", {"seconds": 12.0}),
    (0.5, "late_answer", {"seconds": 38.0}),
    (0.4, "late_work", {"seconds": 12.0}),
    (0.7, "too_late", {"seconds": 60.0}),
    (2.0, "kill_before", {}),
    (2.5, "kill_after", {}),
    (0.6, "freeze_before", {"seconds": 90.0}),
    (1.0, "freeze_after", {"seconds": 90.0}),
    (0.8, "freeze_after", {"seconds": 20.0}),
)
_EXCHANGE: tuple[tuple[float, str, Options], ...] = (
    (1.0, "lost", {"worked": True}),
    (0.7, "server_error", {"status": 502, "worked": True}),
    (0.7, "server_error", {"status": 502}),
    (0.5, "cut_body", {}),
    (0.5, "token_type", {}),
    (0.5, "no_refresh_token", {}),
    (0.4, "big_body", {}),
    (0.4, "packed", {}),
    (0.4, "failed", {"status": 400}),
    (1.0, "kill_after", {}),
    (0.5, "freeze_after", {"seconds": 30.0}),
)
_API: tuple[tuple[float, str, Options], ...] = (
    (2.0, "invalid_token", {}),
    (
        1.5,
        "answer",
        {"status": 401, "body": "<!doctype html><title>Log in</title>", "content_type": "text/html"},
    ),
    (2.0, "server_error", {"status": 503}),
    (2.0, "lost", {"worked": True}),
    (1.0, "lost", {"worked": False}),
    (0.7, "late_answer", {"seconds": 6.0}),
    (1.0, "kill_after", {}),
    (0.7, "kill_before", {}),
    (0.5, "freeze_after", {"seconds": 90.0}),
)
_STORM: tuple[tuple[float, str, Options], ...] = (
    (6.0, "server_error", {"status": 503}),
    (2.0, "lost", {"worked": False}),
    (1.5, "lost", {"worked": True}),
)
_STORM_POST: tuple[tuple[float, str, Options], ...] = (
    (3.0, "lost", {"worked": True}),
    (2.0, "server_error", {"status": 502, "worked": True}),
    (3.0, "server_error", {"status": 502}),
    (1.0, "kill_after", {}),
)
_STORMS = {"refresh": _STORM_POST, "exchange": _EXCHANGE, "api": _STORM}
_STORM_RATES: Mapping[str, float] = {"refresh": 0.6, "exchange": 0.2, "api": 0.75}
_LIE: tuple[tuple[float, str, Options], ...] = (_API[0], _API[1])
_KINDS = {"refresh": _REFRESH, "exchange": _EXCHANGE, "api": _API}
_RATES: Mapping[str, float] = {"refresh": 0.13, "exchange": 0.08, "api": 0.07}
_MORE = 2.5
_STORE: tuple[tuple[float, str], ...] = ((2.0, "lost"), (2.0, "unsent"), (2.0, "throttled"))


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is planned for one run; `skew` is how wrong a process's clock may be, in seconds."""

    seed: int
    skew: float = 4.0

    def zendesk(self, what: str, account: str, number: int, now: float) -> Fault | None:
        """Return how Zendesk misbehaves on the account's request of that number; `what` is a key of `_RATES`."""
        dice = self._dice("zendesk", what, account, number)
        if self.has_storm(account, now) and dice.random() < _STORM_RATES[what]:
            return _drawn(dice, _STORMS[what])
        rate = _RATES[what] * (_MORE if what == "refresh" and has_long_tokens(account) else 1.0)
        return _drawn(dice, _KINDS[what]) if dice.random() < rate else None

    def lie(self, account: str, number: int) -> Fault | None:
        """Return how the API lies after a POST that came to nothing: six times in seven by a 401."""
        dice = self._dice("lie after", account, number)
        return _drawn(dice, _LIE) if dice.random() < 0.85 else None

    def has_storm(self, account: str, now: float) -> bool:
        """Tell whether this is a stretch of minutes in which much goes wrong at the account."""
        return self._weather("storm", account, now, 300.0) < 0.1  # one stretch in ten

    def is_table_down(self, account: str, now: float) -> bool:
        """Tell whether no write of the account's row is taken now, by any process."""
        return self._weather("table", account, now, 120.0) < 0.05  # one stretch in twenty

    def store(self, process: str, number: int) -> str | None:
        """Return what befalls the call of that number of a process to DynamoDB: lost, unsent, throttled, or nothing."""
        dice = self._dice("store", process, number)
        return _one_of(dice, _STORE) if dice.random() < 0.025 else None  # one call in forty

    def service(self, process: str, number: int) -> str | None:
        """Return the same for the calls of the other services."""
        dice = self._dice("service", process, number)
        return _one_of(dice, _STORE) if dice.random() < 0.01 else None  # one call in a hundred

    def skew_of(self, process: str) -> float:
        """Return how wrong the clock of a process is: not at all, slow or fast by the whole, or something between."""
        dice = self._dice("skew", process)
        return dice.choice((-self.skew, self.skew, 0.0, dice.uniform(-self.skew, self.skew)))

    def strikes(self, seconds: float, processes: int) -> Iterator[Strike]:
        """Yield the kills and freezes of a run, in order: about one and a half kills a second, and a freeze in two."""
        dice, at = self._dice("strikes"), 0.0
        while (at := at + dice.expovariate(2.0)) < seconds:
            process, kind = dice.randrange(processes), dice.random()
            if kind < 0.75:  # three strikes in four
                yield Strike(at, process)
            elif kind < 0.88:  # half of the rest
                yield Strike(at, process, dice.uniform(1.0, 50.0))
            else:
                yield Strike(at, process, dice.uniform(75.0, 150.0))

    def leaps(self, seconds: float) -> Iterator[Leap]:
        """Yield the idle times of a run: some minutes every few seconds, sometimes an hour, once seven weeks.

        Then an idle connection has to be kept alive: that is due after half the life of its refresh token.
        """
        dice, at, number = self._dice("leaps"), 0.0, 0
        while (at := at + dice.uniform(3.5, 6.5)) < seconds:
            number += 1
            length = dice.uniform(1500.0, 3000.0) if number % 8 == 0 else dice.uniform(150.0, 500.0)
            yield Leap(at, 50 * 86400.0 if number == 12 else length)

    def _weather(self, kind: str, account: str, now: float, stretch: float) -> float:
        return self._dice(kind, account, int(now // stretch)).random()

    def _dice(self, *names: object) -> Random:
        return Random(f"{self.seed}/{'/'.join(map(str, names))}")  # noqa: S311 - a plan that can be drawn again


def has_long_tokens(account: str) -> bool:
    """Tell whether the account's access tokens live long: they are refreshed seldom, and that goes wrong more often.

    The others have the shortest life that Zendesk gives, and are refreshed all the time.
    """
    return int(account[1:]) % 3 > 0


def _drawn(dice: Random, table: tuple[tuple[float, str, Options], ...]) -> Fault:
    _, kind, options = dice.choices(table, [weight for weight, _, _ in table])[0]
    return Fault(kind, options)


def _one_of(dice: Random, table: tuple[tuple[float, str], ...]) -> str:
    return dice.choices([name for _, name in table], [weight for weight, _ in table])[0]
