"""The rows, with each condition of each conditional write under its own name, so that it can be left out.

The conditions are those of the DynamoDB adapter; one behaviour suite holds both to the same outcomes.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from zendesk_oauth.models.connection import ConnectionStatus, TokenTimes, keep_alive_shard
from zendesk_oauth.models.keep_alive import keep_alive_after
from zendesk_oauth.models.refresh import (
    Claim,
    Connection,
    DueConnection,
    LossReason,
    Renewal,
    Superseded,
    Version,
)
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair

type Row = Connection
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
_ALIVE_OR_JUDGED = (ConnectionStatus.ACTIVE, ConnectionStatus.RECONNECT_REQUIRED)
_FOR_USE = ("commit", "not disconnected meanwhile", _ALIVE_OR_JUDGED)
_FOR_DISCONNECT = ("commit for a disconnect", "still disconnecting", (ConnectionStatus.DISCONNECTING,))


@dataclass(slots=True)
class ConditionalRows:
    """The port `RefreshStore` without faults: what each write does, and on which conditions."""

    rows: dict[str, Row] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    replaced: defaultdict[str, list[Superseded]] = field(default_factory=lambda: defaultdict(list))
    """The superseded pairs of each row; one that lies in two places stands here twice."""
    unfinished_at: dict[str, datetime] = field(default_factory=dict)
    """When a row that has something left to do is to be looked after."""
    established: set[str] = field(default_factory=set)
    """The commits of installs, each of which can be made once: its install's own row says so."""
    trespasses: list[str] = field(default_factory=list)

    def holds(self, name: str, *, fact: bool) -> bool:
        """Tell whether a condition holds; one that is left out always does."""
        return fact or name in self.left_out

    def find(self, grant: str, subdomain: Subdomain) -> Row | None:
        return self.rows.get(f"{grant}#{subdomain}")

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

    def commit(self, renewal: Renewal, *, disconnecting: bool = False) -> Row | None:
        row = self.rows.get(f"{renewal.grant}#{renewal.subdomain}")
        if row is None:
            return None
        name, condition, allowed = _FOR_DISCONNECT if disconnecting else _FOR_USE
        if self.holds(f"{name}: same version", fact=row.version == renewal.replaces) and self.holds(
            f"{name}: {condition}", fact=row.status in allowed
        ):
            status = row.status if disconnecting else ConnectionStatus.ACTIVE
            self.rows[row.key] = renewed(row, renewal, status)
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
            return True
        return False

    def superseded(self, connection: Row) -> Sequence[Superseded]:
        kept = self.replaced.get(connection.key, ())
        lost = {each.sealed.commit_id for each in kept if each.may_have_lost}
        each_once = {each.sealed.commit_id: each for each in kept}
        return tuple(replace(each, may_have_lost=own in lost) for own, each in each_once.items())

    def keep_superseded(self, connection: Row, superseded: Superseded) -> None:
        if superseded not in self.replaced[connection.key]:
            self.replaced[connection.key].append(superseded)
            self.unfinished_at[connection.key] = AT_ONCE

    def forget_superseded(self, connection: Row, superseded: Superseded) -> None:
        kept, commit_id = self.replaced[connection.key], superseded.sealed.commit_id
        kept[:] = [each for each in kept if each.sealed.commit_id != commit_id]

    def establish(self, key: str, sealed: SealedPair, issued_at: datetime, times: TokenTimes) -> None:
        """Begin the next epoch, whatever was there; its pair is kept as superseded."""
        row = self.rows[key]
        if sealed.commit_id in self.established:
            return
        self.established.add(sealed.commit_id)
        if row.sealed is not None:
            self.replaced[key].append(Superseded(row.sealed, row.times.expires_at, row.may_have_lost))
            self.unfinished_at[key] = issued_at
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
        rows = [
            (self.rows[key], at) for at, key in due if keep_alive_shard(key) == shard and key in self.rows
        ]
        return [DueConnection(row.grant, row.subdomain, at) for row, at in rows]

    def postpone(self, connection: Row, until: datetime) -> None:
        if connection.key in self.unfinished_at:
            self.unfinished_at[connection.key] = until

    def finish(self, connection: Row) -> bool:
        row = self.rows.get(connection.key)
        if row is None:
            return False
        if self.holds(
            "finish: not disconnecting", fact=row.status is not ConnectionStatus.DISCONNECTING
        ) and self.holds("finish: nothing superseded", fact=not self.replaced.get(row.key)):
            self.unfinished_at.pop(row.key, None)
            return True
        return False


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
