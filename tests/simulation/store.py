"""The row, with each condition of each conditional write under its own name, so that it can be left out.

The conditions are those of the DynamoDB adapter; one behaviour suite holds both to the same outcomes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.simulation.world import Call, World
from zendesk_oauth.errors import StoreUnavailableError
from zendesk_oauth.models.connection import ConnectionStatus, TokenTimes
from zendesk_oauth.models.refresh import Claim, Connection, LossReason, Renewal, Superseded, Version
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair

type Row = Connection
COMMIT_FENCED = "commit requires the claim"
"""A condition that must not be there: it would throw away the only living refresh token of a late holder."""
_ALIVE_OR_JUDGED = (ConnectionStatus.ACTIVE, ConnectionStatus.RECONNECT_REQUIRED)


@dataclass(slots=True)
class ConditionalRows:
    """The port `RefreshStore` without faults: what each write does, and on which conditions."""

    rows: dict[str, Row] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    replaced: list[Superseded] = field(default_factory=list)
    asked_to_end: set[int] = field(default_factory=set)
    trespasses: list[str] = field(default_factory=list)

    def holds(self, name: str, *, fact: bool) -> bool:
        """Tell whether a condition holds; one that is left out always does."""
        return fact or name in self.left_out

    def find(self, grant: str, subdomain: Subdomain) -> Row | None:
        return self.rows.get(f"{grant}#{subdomain}")

    def claim(self, connection: Row, claim: Claim, now: datetime) -> bool:
        row = self.rows[connection.key]
        if row.claim is not None and row.claim.claim_id == claim.claim_id:
            return True
        free = row.claim is None or not row.claim.lives(now)
        if (
            self.holds("claim: same version", fact=row.version == connection.version)
            and self.holds("claim: same status", fact=row.status == connection.status)
            and self.holds("claim: no living claim", fact=free)
        ):
            self._write(replace(row, claim=claim), claim, now)
            return True
        return False

    def _write(self, row: Row, claim: Claim, now: datetime) -> None:
        """Write for the holder of a claim, and notice where somebody else's living one lay on the row."""
        old = self.rows[row.key].claim
        if old is not None and old.lives(now) and old.claim_id != claim.claim_id:
            self.trespasses.append(f"I6: {claim.claim_id} wrote over the living claim {old.claim_id}")
        self.rows[row.key] = row

    def release(self, connection: Row, claim: Claim, retry_at: datetime | None, now: datetime) -> None:
        row = self.rows[connection.key]
        if self.holds("release: own claim", fact=_is_of(row, claim)):
            self._write(replace(row, claim=None, retry_at=retry_at), claim, now)

    def leave_unresolved(self, connection: Row, claim: Claim, retry_at: datetime, now: datetime) -> None:
        row = self.rows[connection.key]
        if self.holds("leave unresolved: own claim", fact=_is_of(row, claim)):
            unresolved = replace(claim, unresolved=True)
            self._write(replace(row, claim=unresolved, retry_at=retry_at), claim, now)

    def commit(self, renewal: Renewal, *, disconnecting: bool = False) -> Row | None:
        row = self.rows.get(f"{renewal.grant}#{renewal.subdomain}")
        if row is None:
            return None
        allowed = (ConnectionStatus.DISCONNECTING,) if disconnecting else _ALIVE_OR_JUDGED
        if (
            self.holds("commit: same version", fact=row.version == renewal.replaces)
            and self.holds("commit: not disconnected meanwhile", fact=row.status in allowed)
            and not (COMMIT_FENCED in self.added and not self._lives(row))
        ):
            status = row.status if disconnecting else ConnectionStatus.ACTIVE
            self.rows[row.key] = renewed(row, renewal, status)
        return self.rows[row.key]

    @staticmethod
    def _lives(row: Row) -> bool:
        return row.claim is not None

    def require_reconnect(self, connection: Row, claim: Claim, reason: LossReason, now: datetime) -> bool:
        row = self.rows[connection.key]
        free = row.claim is None or _is_of(row, claim) or not row.claim.lives(now)
        if (
            self.holds("require reconnect: same version", fact=row.version == connection.version)
            and self.holds("require reconnect: active", fact=row.status is ConnectionStatus.ACTIVE)
            and self.holds("require reconnect: nobody else's living claim", fact=free)
        ):
            self._write(judged(row, reason, now), claim, now)
            return True
        return row.status is ConnectionStatus.RECONNECT_REQUIRED and row.version == connection.version

    def mark_disconnecting(self, connection: Row, now: datetime) -> Row | None:
        row = self.rows[connection.key]
        self.asked_to_end.add(connection.version.epoch)
        if row.status is ConnectionStatus.DISCONNECTING and _same_epoch(row, connection):
            return row
        if self.holds("mark disconnecting: same epoch", fact=_same_epoch(row, connection)) and self.holds(
            "mark disconnecting: active or judged", fact=row.status in _ALIVE_OR_JUDGED
        ):
            self.rows[row.key] = replace(row, status=ConnectionStatus.DISCONNECTING)
            return self.rows[row.key]
        return None

    def erase(self, connection: Row, revocation: str, now: datetime) -> bool:
        row = self.rows[connection.key]
        if self.holds("erase: same version", fact=row.version == connection.version):
            self.rows[row.key] = replace(row, status=ConnectionStatus.DISCONNECTED, sealed=None, claim=None)
            return True
        return False

    def superseded(self, connection: Row) -> Sequence[Superseded]:
        return tuple(self.replaced)

    def keep_superseded(self, connection: Row, superseded: Superseded) -> None:
        if superseded not in self.replaced:
            self.replaced.append(superseded)

    def forget_superseded(self, connection: Row, superseded: Superseded) -> None:
        if superseded in self.replaced:
            self.replaced.remove(superseded)

    def establish(self, key: str, sealed: SealedPair, issued_at: datetime, times: TokenTimes) -> None:
        """Begin the next epoch, whatever was there; its pair is kept as superseded."""
        row = self.rows[key]
        if row.sealed is not None and row.sealed.commit_id == sealed.commit_id:
            return
        if row.sealed is not None:
            self.replaced.append(Superseded(row.sealed, row.times.expires_at))
        self.rows[key] = replace(
            row,
            version=Version(row.version.epoch + 1, row.version.generation + 1),
            status=ConnectionStatus.ACTIVE,
            issued_at=issued_at,
            times=times,
            sealed=sealed,
            claim=None,
            retry_at=None,
            reconnect_reason=None,
            reconnect_since=None,
        )

    def idle(self, shard: str, now: datetime) -> Iterable[tuple[str, Subdomain]]:
        return [(r.grant, r.subdomain) for r in self.rows.values() if r.times.keep_alive_at <= now]


def renewed(row: Row, renewal: Renewal, status: ConnectionStatus) -> Row:
    """Return the row with the next generation; whatever claim lay on it is gone."""
    return replace(
        row,
        version=Version(row.version.epoch, row.version.generation + 1),
        status=status,
        scopes=renewal.scopes,
        issued_at=renewal.issued_at,
        times=renewal.times,
        sealed=renewal.sealed,
        claim=None,
        retry_at=None,
        reconnect_reason=None,
        reconnect_since=None,
    )


def judged(row: Row, reason: LossReason, now: datetime) -> Row:
    """Return the row as one whose person has to connect again."""
    return replace(
        row,
        status=ConnectionStatus.RECONNECT_REQUIRED,
        claim=None,
        reconnect_reason=reason,
        reconnect_since=now,
    )


def _same_epoch(row: Row, connection: Row) -> bool:
    return row.version.epoch == connection.version.epoch


def _is_of(row: Row, claim: Claim) -> bool:
    return row.claim is not None and row.claim.claim_id == claim.claim_id


def _unavailable() -> Exception:
    return StoreUnavailableError("no answer")


@dataclass(frozen=True, slots=True)
class SimulatedStore:
    """The same, each method a call that can go wrong."""

    world: World
    rows: ConditionalRows

    def _call[T](self, name: str, effect: Callable[[], T]) -> T:
        return self.world.call(Call(name, _unavailable), effect)

    def find(self, grant: str, subdomain: Subdomain) -> Row | None:
        return self._call("read", lambda: self.rows.find(grant, subdomain))

    def claim(self, connection: Row, claim: Claim, now: datetime) -> bool:
        return self._call("claim", lambda: self.rows.claim(connection, claim, now))

    def release(self, connection: Row, claim: Claim, retry_at: datetime | None) -> None:
        now = self.world.now()
        self._call("release", lambda: self.rows.release(connection, claim, retry_at, now))

    def leave_unresolved(self, connection: Row, claim: Claim, retry_at: datetime) -> None:
        now = self.world.now()
        self._call("leave unresolved", lambda: self.rows.leave_unresolved(connection, claim, retry_at, now))

    def commit(self, renewal: Renewal, *, disconnecting: bool = False) -> Row | None:
        return self._call("commit", lambda: self.rows.commit(renewal, disconnecting=disconnecting))

    def require_reconnect(self, connection: Row, claim: Claim, reason: LossReason, now: datetime) -> bool:
        return self._call(
            "require reconnect", lambda: self.rows.require_reconnect(connection, claim, reason, now)
        )

    def mark_disconnecting(self, connection: Row, now: datetime) -> Row | None:
        return self._call("mark disconnecting", lambda: self.rows.mark_disconnecting(connection, now))

    def erase(self, connection: Row, revocation: str, now: datetime) -> bool:
        return self._call("erase", lambda: self.rows.erase(connection, revocation, now))

    def superseded(self, connection: Row) -> Sequence[Superseded]:
        return self._call("read superseded", lambda: self.rows.superseded(connection))

    def keep_superseded(self, connection: Row, superseded: Superseded) -> None:
        self._call("keep superseded", lambda: self.rows.keep_superseded(connection, superseded))

    def forget_superseded(self, connection: Row, superseded: Superseded) -> None:
        self._call("forget superseded", lambda: self.rows.forget_superseded(connection, superseded))

    def establish(self, key: str, sealed: SealedPair, issued_at: datetime, times: TokenTimes) -> None:
        self._call("establish", lambda: self.rows.establish(key, sealed, issued_at, times))

    def idle(self, shard: str, now: datetime) -> Iterable[tuple[str, Subdomain]]:
        return self.rows.idle(shard, now)


@dataclass(slots=True)
class SimulatedQueue:
    """The port `RescueQueue`."""

    world: World
    waiting: list[Renewal] = field(default_factory=list)

    def send(self, renewal: Renewal) -> None:
        self.world.call(Call("rescue queue", _unavailable), lambda: self.waiting.append(renewal))
