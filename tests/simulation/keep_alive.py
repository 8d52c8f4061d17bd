"""The keep-alive schedule over months: who is handed over when, and whether a living connection ever comes too late.

`python -m tests.simulation.keep_alive` plays 1,000,000 connections, 5 % of them dead, for 60 days, and exits 1 where a
living one was refreshed too late; `CONNECTIONS=…` plays fewer, `RULE=old` leaves a dead one where it is in the index.

What decides is the real code: `token_times`, `keep_alive_shard`, `HandOverDue` with its budget of one tick, and
`keep_alive_after`. What is modelled: the index, the time that a handover takes, and the function `refresh` with its
concurrency. A dead connection is never given up here, which is harder than what happens: Zendesk answers it with a page
until its refresh token has expired.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush, heapreplace
from random import Random
from typing import NamedTuple

from zendesk_oauth.bootstrap.refresh_on_event import RESERVED_SECONDS
from zendesk_oauth.models.connection import SHARDS, TokenTimes, connection_key, keep_alive_shard, token_times
from zendesk_oauth.models.keep_alive import Postponed, keep_alive_after
from zendesk_oauth.models.refresh import BACK_OFF, DueConnection
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.services.back_off import LONGEST_BACK_OFF
from zendesk_oauth.services.hand_over_due import HandOverDue

FULL = 1_000_000
BEGAN = datetime(2027, 1, 4, tzinfo=UTC)
TICK_SECONDS = 300
"""The schedule's rate, as in the template."""
FUNCTION_SECONDS = 60.0
"""The function's time-out, as in the template."""
HANDOVER_SECONDS = 0.02
REFRESH_SECONDS = 0.6
"""What docs/refresh.md reckons with."""
ALARM_SECONDS = 86_400
"""The threshold of the alarm `keep-alive-late`."""
DAY = 86_400.0
_EPOCH = BEGAN.timestamp()
_SCOPES: Scopes = ("read",)

type Rule = Callable[[Postponed, datetime], datetime]
"""Says when the index names a connection again that is not to be refreshed before an instant."""


def old_rule(connection: Postponed, retry_at: datetime) -> datetime:
    """Leave it where it is, as it was before back-off moved a row."""
    del retry_at
    return connection.times.keep_alive_at


class Scale(NamedTuple):
    """What is played. A handover takes longer with fewer connections: a tick reaches the same part of them."""

    connections: int
    dead_share: float = 0.05
    days: int = 60
    refresh_life: timedelta = timedelta(days=90)
    concurrency: int = 10
    seed: int = 1

    @property
    def handover_seconds(self) -> float:
        """The time one takes, so that a tick reaches the part of all that it would reach of a million."""
        return HANDOVER_SECONDS * FULL / self.connections

    @property
    def refresh_seconds(self) -> float:
        """The same for a refresh."""
        return REFRESH_SECONDS * FULL / self.connections


@dataclass(slots=True)
class Row:
    """What the schedule and the rule look at."""

    key: str
    issued_at: datetime
    times: TokenTimes
    dead: bool
    retry_at: datetime | None = None
    tries: int = 0
    busy_until: float = 0.0


@dataclass(slots=True)
class Seen:
    """What came of it."""

    refreshed: int = 0
    tried_in_vain: int = 0
    pointless: int = 0
    late: int = 0
    longest_wait: float = 0.0
    alarms: int = 0
    longest_overdue: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.refreshed} refreshed, {self.late} past their refresh token's expiry, "
            f"longest wait {self.longest_wait / 3600:.2f} h; {self.tried_in_vain} tries at dead accounts, "
            f"{self.pointless} pointless invocations, {self.alarms} ticks over the alarm's threshold"
        )


@dataclass
class Time:
    """The port `Clock`, moved by each handover."""

    seconds: float = 0.0

    def now(self) -> datetime:
        """Return the present."""
        return BEGAN + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Return seconds since the beginning."""
        return self.seconds


@dataclass
class Play:
    """One run."""

    scale: Scale
    rule: Rule = keep_alive_after
    seen: Seen = field(default_factory=Seen)

    def __post_init__(self) -> None:
        """Make the rows: the dead ones all due, which is the worst day; the others at any point of their life."""
        self.random = Random(self.scale.seed)  # noqa: S311 - a simulation repeats itself
        self.clock = Time()
        self.tokens = IssuedTokens(
            access_token=Secret("a"),
            refresh_token=Secret("r"),
            scopes=_SCOPES,
            access_lifetime=timedelta(days=2),
            refresh_lifetime=self.scale.refresh_life,
        )
        dead = int(self.scale.connections * self.scale.dead_share)
        self.rows = [self._row(number, dead=number < dead) for number in range(self.scale.connections)]
        self.index: dict[str, list[tuple[float, int]]] = {shard: [] for shard in SHARDS}
        for number, row in enumerate(self.rows):
            self.index[keep_alive_shard(row.key)].append((_seconds(row.times.keep_alive_at), number))
        for shard in self.index.values():
            heapify(shard)
        self.listed: list[tuple[list[tuple[float, int]], tuple[float, int]]] = []
        self.done: list[tuple[float, int, datetime, TokenTimes, datetime | None]] = []
        self.free_at = [0.0] * self.scale.concurrency

    def _row(self, number: int, *, dead: bool) -> Row:
        life = token_times(self.tokens, BEGAN, self.random.random()).keep_alive_at - BEGAN
        issued_at = BEGAN - life - timedelta(hours=self.random.random())
        if not dead:
            issued_at = BEGAN - life * self.random.random()
        times = replace(token_times(self.tokens, issued_at, 0.0), keep_alive_at=issued_at + life)
        return Row(connection_key("default", Subdomain(f"a{number}")), issued_at, times, dead)

    def run(self) -> Seen:
        """Play every tick, then count who waits in vain."""
        hand_over = HandOverDue(self._due, self._hand_over, self.clock)
        for tick in range(int(self.scale.days * DAY / TICK_SECONDS)):
            began = float(tick * TICK_SECONDS)
            self._finish_until(began)
            self.clock.seconds, overdue = began, 0.0
            for named in hand_over(began + FUNCTION_SECONDS - RESERVED_SECONDS):
                overdue = max(overdue, began - _seconds(named.due_at))
            for shard, entry in self.listed:
                heappush(shard, entry)
            self.listed.clear()
            self.seen.alarms += overdue >= ALARM_SECONDS
            self.seen.longest_overdue = max(self.seen.longest_overdue, overdue)
        end = self.scale.days * DAY
        self._finish_until(end)
        self.seen.late += sum(
            not row.dead and _seconds(row.times.refresh_expires_at) < end for row in self.rows
        )
        return self.seen

    def _due(self, shard: str, now: datetime) -> Iterator[DueConnection]:
        """Name what is due, as the index does: an entry that was moved meanwhile is not there."""
        index, until = self.index[shard], _seconds(now)
        while index and index[0][0] <= until:
            entry = heappop(index)
            row = self.rows[entry[1]]
            if _seconds(row.times.keep_alive_at) != entry[0]:
                continue
            self.listed.append((index, entry))
            yield DueConnection("default", Subdomain(str(entry[1])), row.times.keep_alive_at)

    def _hand_over(self, connection: DueConnection) -> None:
        """Let `refresh` look at the row as soon as an execution is free; the row decides."""
        self.clock.seconds += self.scale.handover_seconds
        row = self.rows[int(connection.subdomain)]
        begins = max(self.clock.seconds, self.free_at[0])
        is_backed_off = row.retry_at is not None and begins < _seconds(row.retry_at)
        if (
            is_backed_off or self.clock.seconds < row.busy_until
        ):  # the one before has not ended, and leaves nothing due
            self.seen.pointless += 1
            return
        finishes = begins + self.scale.refresh_seconds
        heapreplace(self.free_at, finishes)
        row.busy_until = finishes
        self._try(int(connection.subdomain), row, finishes)

    def _try(self, number: int, row: Row, finishes: float) -> None:
        now = BEGAN + timedelta(seconds=finishes)
        if row.dead:
            self.seen.tried_in_vain += 1
            retry_at = now + min(BACK_OFF * 2 ** min(row.tries, 10), LONGEST_BACK_OFF)
            row.tries += 1
            times = replace(row.times, keep_alive_at=self.rule(row, retry_at))
            heappush(self.done, (finishes, number, row.issued_at, times, retry_at))
            return
        self.seen.refreshed += 1
        self.seen.longest_wait = max(self.seen.longest_wait, finishes - _seconds(row.times.keep_alive_at))
        self.seen.late += finishes > _seconds(row.times.refresh_expires_at)
        heappush(
            self.done, (finishes, number, now, token_times(self.tokens, now, self.random.random()), None)
        )

    def _finish_until(self, until: float) -> None:
        """Write what has ended, and move it in the index."""
        while self.done and self.done[0][0] <= until:
            _, number, issued_at, times, retry_at = heappop(self.done)
            row = self.rows[number]
            if times.keep_alive_at != row.times.keep_alive_at:
                heappush(self.index[keep_alive_shard(row.key)], (_seconds(times.keep_alive_at), number))
            row.issued_at, row.times, row.retry_at = issued_at, times, retry_at


def _seconds(at: datetime) -> float:
    return at.timestamp() - _EPOCH


def main(arguments: Sequence[str] = ()) -> int:
    """Play it at full size, and say what came of it in the last line."""
    del arguments
    scale = Scale(int(os.environ.get("CONNECTIONS", str(FULL))), seed=int(os.environ.get("SEED", "1")))
    seen = Play(scale, old_rule if os.environ.get("RULE") == "old" else keep_alive_after).run()
    print(f"keep-alive: {scale.connections} connections, {scale.days} days, seed {scale.seed}: {seen}")
    return int(seen.late > 0 or seen.alarms > 0)


if __name__ == "__main__":
    sys.exit(main())
