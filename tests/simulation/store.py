"""The rows, with each condition of each conditional write under its own name, so that it can be left out.

The conditions are those of the DynamoDB adapter; one behaviour suite holds both to the same outcomes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from zendesk_oauth.models.connection import (
    ConnectionStatus,
    TokenTimes,
    connection_key,
    keep_alive_shard,
    named_by,
)
from zendesk_oauth.models.keep_alive import keep_alive_after
from zendesk_oauth.models.refresh import (
    Claim,
    Connection,
    DueConnection,
    LossReason,
    Renewal,
    Version,
)
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair

type Row = Connection
_ALIVE_OR_JUDGED = (ConnectionStatus.ACTIVE, ConnectionStatus.RECONNECT_REQUIRED)
_FOR_USE = ("commit", "neither disconnected nor judged meanwhile", (ConnectionStatus.ACTIVE,))
_OVER_VERDICT = ("commit over a verdict", "not disconnected meanwhile", _ALIVE_OR_JUDGED)
_FOR_DISCONNECT = ("commit for a disconnect", "still disconnecting", (ConnectionStatus.DISCONNECTING,))


@dataclass(slots=True)
class ConditionalRows:
    """The port `RefreshStore` without faults: what each write does, and on which conditions."""

    rows: dict[str, Row] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    unfinished_at: dict[str, datetime] = field(default_factory=dict)
    """When a row that is being disconnected is to be looked after."""
    established: set[str] = field(default_factory=set)
    """The commits of installs, each of which can be made once: its install's own row says so."""
    trespasses: list[str] = field(default_factory=list)

    def holds(self, name: str, *, fact: bool) -> bool:
        """Tell whether a condition holds; one that is left out always does."""
        return fact or name in self.left_out

    def find(self, grant: str, subdomain: Subdomain, replaced: str | None = None) -> Row | None:
        return self.rows.get(connection_key(grant, subdomain, replaced))

    def claim(self, connection: Row, claim: Claim, now: datetime) -> bool:
        row = self.rows.get(connection.key)
        if row is None:
            return False
        if _is_of(row, claim):
            return True
        if (
            self.holds("claim: same version", fact=row.version == connection.version)
            and self.holds("claim: same status", fact=row.status == connection.status)
            and self.holds("claim: no claim but the one seen", fact=_is_free(row, connection, now))
        ):
            self._write(replace(row, claim=claim), claim, now)
            return True
        return False

    def _write(self, row: Row, claim: Claim, now: datetime) -> None:
        """Write for the holder of a claim, and notice where somebody else's living one lay on the row."""
        old = self.rows[row.key].claim
        if old is not None and old.claim_id != claim.claim_id and old.lives(now):
            self.trespasses.append(f"I6: {claim.claim_id} wrote over the living claim {old.claim_id}")
        self.rows[row.key] = row

    def release(self, connection: Row, claim: Claim, retry_at: datetime | None, now: datetime) -> None:
        row = self.rows.get(connection.key)
        if row is not None and self.holds("release: own claim", fact=_is_of(row, claim)):
            times = _postponed(connection, row, retry_at)
            self._write(replace(row, claim=None, retry_at=retry_at, times=times), claim, now)

    def leave_unresolved(self, connection: Row, claim: Claim, retry_at: datetime, now: datetime) -> None:
        row = self.rows.get(connection.key)
        if row is not None and self.holds("leave unresolved: own claim", fact=_is_of(row, claim)):
            unresolved = replace(claim, unresolved=True)
            times = _postponed(connection, row, retry_at)
            self._write(replace(row, claim=unresolved, retry_at=retry_at, times=times), claim, now)

    def commit(
        self, renewal: Renewal, *, disconnecting: bool = False, over_verdict: bool = False
    ) -> Row | None:
        row = self.find(renewal.grant, renewal.subdomain, renewal.replaced)
        if row is None:
            return None
        in_use = _OVER_VERDICT if over_verdict else _FOR_USE
        name, condition, allowed = _FOR_DISCONNECT if disconnecting else in_use
        if self.holds(f"{name}: same version", fact=row.version == renewal.replaces) and self.holds(
            f"{name}: {condition}", fact=row.status in allowed
        ):
            status = row.status if disconnecting else ConnectionStatus.ACTIVE
            self.rows[row.key] = renewed(row, renewal, status)
        return self.rows[row.key]

    def keep_replaced(self, renewal: Renewal) -> Row:
        version = Version(renewal.replaces.epoch, renewal.replaces.generation + 1)
        row = Connection(
            renewal.grant,
            renewal.subdomain,
            version,
            ConnectionStatus.DISCONNECTING,
            renewal.scopes,
            renewal.issued_at,
            renewal.times,
            renewal.sealed,
            replaced=renewal.sealed.commit_id,
        )
        if self.holds("keep replaced: no such row", fact=row.key not in self.rows):
            self.rows[row.key] = row
            self.unfinished_at[row.key] = renewal.issued_at
        return self.rows[row.key]

    def require_reconnect(self, connection: Row, claim: Claim, reason: LossReason, now: datetime) -> bool:
        row = self.rows.get(connection.key)
        if row is None:
            return False
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
        row = self.rows.get(connection.key)
        if row is None:
            return None
        same_epoch = row.version.epoch == connection.version.epoch
        if row.status is ConnectionStatus.DISCONNECTING and same_epoch:
            return row
        if self.holds("mark disconnecting: same epoch", fact=same_epoch) and self.holds(
            "mark disconnecting: active or judged", fact=row.status in _ALIVE_OR_JUDGED
        ):
            self.rows[row.key] = marked = replace(row, status=ConnectionStatus.DISCONNECTING)
            self.unfinished_at[row.key] = now
            return marked
        return None

    def erase(self, connection: Row, revocation: str, now: datetime) -> bool:
        row = self.rows.get(connection.key)
        if row is None:
            return False
        if self.holds("erase: same version", fact=row.version == connection.version):
            self.rows[row.key] = erased(row)
            self.unfinished_at.pop(row.key, None)
            return True
        return False

    def establish(
        self, seen: Row | None, key: str, sealed: SealedPair, issued_at: datetime, times: TokenTimes
    ) -> Row | None:
        """Begin the next epoch, over a row without a pair or over the one that was seen, whose pair is moved away.

        Return the row that was in the way; None: it is made.
        """
        row = self.rows[key]
        if sealed.commit_id in self.established:
            return None
        if not self._may_establish(row, seen):
            return row
        self.established.add(sealed.commit_id)
        if seen is not None:
            self._move(seen.as_replaced, issued_at)
        self.unfinished_at.pop(key, None)
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
        return None

    def _may_establish(self, row: Row, seen: Row | None) -> bool:
        if seen is None:
            return self.holds("connect: no pair", fact=row.sealed is None)
        pairs = [each.sealed.commit_id if each.sealed else None for each in (row, seen)]
        claims = [each.claim.claim_id if each.claim else None for each in (row, seen)]
        is_as_seen = row.status is seen.status and claims[0] == claims[1]
        return self.holds("replace: same pair", fact=pairs[0] == pairs[1]) and self.holds(
            "replace: nothing found out since", fact=is_as_seen
        )

    def _move(self, row: Row, now: datetime) -> None:
        if row.key not in self.rows:
            self.rows[row.key] = row
            self.unfinished_at[row.key] = now

    def idle(self, shard: str, now: datetime) -> Iterable[DueConnection]:
        due = [r for r in self.rows.values() if r.is_active and r.times.keep_alive_at <= now]
        due.sort(key=lambda row: row.times.keep_alive_at)
        return [
            DueConnection(row.grant, row.subdomain, row.times.keep_alive_at)
            for row in due
            if keep_alive_shard(row.key) == shard
        ]

    def unfinished(self, shard: str, now: datetime) -> Iterable[DueConnection]:
        due = sorted((at, key) for key, at in self.unfinished_at.items() if at <= now)
        named = [(named_by(key), at) for at, key in due if keep_alive_shard(key) == shard]
        return [DueConnection(grant, subdomain, at, replaced) for (grant, subdomain, replaced), at in named]

    def postpone(self, connection: Row, until: datetime) -> None:
        if connection.key in self.unfinished_at:
            self.unfinished_at[connection.key] = until


def renewed(row: Row, renewal: Renewal, status: ConnectionStatus) -> Row:
    """Return the row with the next generation; whatever claim lay on it is gone."""
    return replace(
        row,
        version=Version(row.version.epoch, row.version.generation + 1),
        status=status,
        scopes=renewal.scopes,
        missing_scopes=renewal.lost_scopes,
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


def erased(row: Row) -> Row:
    """Return the tombstone of a row."""
    return replace(
        row,
        status=ConnectionStatus.DISCONNECTED,
        sealed=None,
        claim=None,
        retry_at=None,
        reconnect_reason=None,
        reconnect_since=None,
    )


def _is_free(row: Row, connection: Row, now: datetime) -> bool:
    """Tell whether the row bears no claim, or still the one that was read, and that one is over."""
    if row.claim is None or connection.claim is None:
        return row.claim is connection.claim
    return row.claim.claim_id == connection.claim.claim_id and not row.claim.lives(now)


def _is_of(row: Row, claim: Claim) -> bool:
    return row.claim is not None and row.claim.claim_id == claim.claim_id


def _postponed(connection: Row, row: Row, retry_at: datetime | None) -> TokenTimes:
    """Return the row's times, its keep-alive moved where it cannot be made before."""
    if retry_at is None:
        return row.times
    return replace(row.times, keep_alive_at=keep_alive_after(connection, retry_at))
