"""The rows and the rescue queue as the services meet them: each method a call that can go wrong."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from tests.simulation.keys import number_of
from tests.simulation.rekey_rows import RekeyRows
from tests.simulation.store import ConditionalRows, Row
from tests.simulation.world import Call, World
from zendesk_oauth.adapters.dynamodb_connections import ATTEMPTS
from zendesk_oauth.errors import StoreUnavailableError
from zendesk_oauth.models.connection import TokenTimes
from zendesk_oauth.models.refresh import Claim, DueConnection, LossReason, Renewal
from zendesk_oauth.models.rekey import SealedRow
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair

DELIVERED_WITHIN = 20.0
"""Seconds after which the rescue queue delivers a message again that nobody could replay."""


def _unavailable() -> Exception:
    return StoreUnavailableError("no answer")


@dataclass(slots=True)
class SimulatedStore:
    """The port `RefreshStore`, as one worker uses it.

    `asked_to_end` collects the epochs that somebody has asked to disconnect.
    `is_fenced` makes commits depend on holding the claim, as many a protocol does, and ours must not.
    """

    world: World
    rows: ConditionalRows
    asked_to_end: set[int]
    ended: dict[int, str]
    """How the end of each pair was reported, by its number."""
    is_fenced: bool = False
    held: Claim | None = None

    def _call[T](self, name: str, effect: Callable[[], T]) -> T:
        return self.world.call(Call(name, _unavailable), effect)

    def find(self, grant: str, subdomain: Subdomain, replaced: str | None = None) -> Row | None:
        return self._call("read", lambda: self.rows.find(grant, subdomain, replaced))

    def claim(self, connection: Row, claim: Claim, now: datetime) -> bool:
        self.held = claim
        is_ours = self._call("claim", lambda: self.rows.claim(connection, claim, now))
        if is_ours and self.world.current is not None:
            self.world.current.claimed_until = self.world.seconds_of(claim.until)
        return is_ours

    def release(self, connection: Row, claim: Claim, retry_at: datetime | None) -> None:
        self._call("release", lambda: self.rows.release(connection, claim, retry_at, self.world.now()))

    def leave_unresolved(self, connection: Row, claim: Claim, retry_at: datetime) -> None:
        self._call(
            "leave unresolved",
            lambda: self.rows.leave_unresolved(connection, claim, retry_at, self.world.now()),
        )

    def commit(
        self, renewal: Renewal, *, disconnecting: bool = False, over_verdict: bool = False
    ) -> Row | None:
        return self._call(
            "commit", lambda: self._commit(renewal, disconnecting=disconnecting, over_verdict=over_verdict)
        )

    def _commit(self, renewal: Renewal, *, disconnecting: bool, over_verdict: bool) -> Row | None:
        row = self.rows.find(renewal.grant, renewal.subdomain, renewal.replaced)
        if self.is_fenced and row is not None and not self._holds(row):
            return row
        return self.rows.commit(renewal, disconnecting=disconnecting, over_verdict=over_verdict)

    def _holds(self, row: Row) -> bool:
        return row.claim is not None and self.held is not None and row.claim.claim_id == self.held.claim_id

    def keep_replaced(self, renewal: Renewal) -> Row:
        return self._call("keep replaced", lambda: self.rows.keep_replaced(renewal))

    def require_reconnect(self, connection: Row, claim: Claim, reason: LossReason, now: datetime) -> bool:
        return self._call(
            "require reconnect", lambda: self.rows.require_reconnect(connection, claim, reason, now)
        )

    def mark_disconnecting(self, connection: Row, now: datetime) -> Row | None:
        self.asked_to_end.add(connection.version.epoch)
        return self._call("mark disconnecting", lambda: self.rows.mark_disconnecting(connection, now))

    def erase(self, connection: Row, revocation: str, now: datetime) -> bool:
        return self._call(f"erase, {revocation}", lambda: self._erase(connection, revocation, now))

    def _erase(self, connection: Row, revocation: str, now: datetime) -> bool:
        row = self.rows.rows.get(connection.key)
        is_made = self.rows.erase(connection, revocation, now)
        if is_made and row is not None and row.sealed is not None:
            self.ended[number_of(row.sealed)] = revocation
        return is_made

    def establish(self, key: str, sealed: SealedPair, issued_at: datetime, times: TokenTimes) -> None:
        """Write as the callback does: the first transaction is for a row without a pair, the next over what it met."""
        seen: Row | None = None
        for _ in range(ATTEMPTS):
            name = "establish" if seen is None else "establish over a pair"
            write = partial(self.rows.establish, seen, key, sealed, issued_at, times)
            in_the_way = self._call(name, write)
            if in_the_way is None:
                return
            seen = in_the_way if in_the_way.sealed else None
        raise StoreUnavailableError("the transaction met others each time")

    def idle(self, shard: str, now: datetime) -> Iterable[DueConnection]:
        return self._call("list the idle", lambda: self.rows.idle(shard, now))

    def unfinished(self, shard: str, now: datetime) -> Iterable[DueConnection]:
        return self._call("list the unfinished", lambda: self.rows.unfinished(shard, now))

    def postpone(self, connection: Row, until: datetime) -> None:
        self._call("postpone", lambda: self.rows.postpone(connection, until))


@dataclass(slots=True)
class SimulatedRekeyStore:
    """The port `RekeyStore`, as the operator's command uses it."""

    world: World
    rows: RekeyRows

    def _call[T](self, name: str, effect: Callable[[], T]) -> T:
        return self.world.call(Call(name, _unavailable), effect)

    def find_sealed(self, grant: str, subdomain: Subdomain, replaced: str | None = None) -> SealedRow | None:
        return self._call(
            "read all that is sealed", lambda: self.rows.find_sealed(grant, subdomain, replaced)
        )

    def reseal(self, connection: Row, resealed: SealedPair, mark: str, now: datetime) -> bool:
        return self._call("reseal", lambda: self.rows.reseal(connection, resealed, mark, now))


@dataclass(slots=True)
class SimulatedQueue:
    """The port `RescueQueue`."""

    world: World
    waiting: list[Renewal] = field(default_factory=list)
    late: set[int] = field(default_factory=set)
    """The pairs whose sender's claim was over."""

    def send(self, renewal: Renewal) -> None:
        self.world.call(Call("rescue queue", _unavailable), lambda: self._keep(renewal))

    def _keep(self, renewal: Renewal) -> None:
        self.waiting.append(renewal)
        sender = self.world.current
        if sender is not None and sender.claimed_until <= self.world.seconds:
            self.late.add(number_of(renewal.sealed))
        self.ring_again()

    def ring_again(self) -> None:
        """Have the queue deliver after its visibility timeout, where a plot wants it punctual."""
        self.world.rings_at = min(self.world.rings_at, self.world.seconds + DELIVERED_WITHIN)
