"""The stores in memory: the same rules as the real ones, held to them by one behaviour suite.

A fault can be scripted for a method: REFUSED, nothing was written; LOST, it was written and the answer never came.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from threading import RLock

from zendesk_oauth.errors import StoreUnavailableError, VersionConflictError
from zendesk_oauth.models.connection import ConnectionStatus, Establishment, connection_key
from zendesk_oauth.models.install import (
    EXCHANGE_LIFE,
    PENDING_LIFE,
    Install,
    InstallStatus,
)
from zendesk_oauth.models.tokens import SealContext, SealedPair
from zendesk_oauth.ports import Candidate, Change, DueRevocation, OfferedStart, Proof, Verdict

LEASE = timedelta(minutes=5)
REVOKE_SOON = timedelta(seconds=60)


class Fault(Enum):
    """What goes wrong with a call."""

    REFUSED = "nothing was written"
    LOST = "it was written, and the answer lost"


@dataclass(slots=True)
class InstallRow:
    """An install, and what its row knows beyond the model."""

    install: Install
    attempt_id: str | None = None
    commit_id: str | None = None
    establishment: Establishment | None = None
    revoke_at: datetime | None = None
    revocation: str | None = None


@dataclass(slots=True)
class ConnectionRow:
    """A connection."""

    establishment: Establishment
    install_id: str
    epoch: int
    generation: int
    status: ConnectionStatus = ConnectionStatus.ACTIVE


class _Scripted:
    """Counts calls and lets them fail as scripted."""

    def __init__(self, lock: RLock) -> None:
        self.calls: list[str] = []
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self._lock = lock

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        with self._lock:
            self.calls.append(name)
            fault = self.faults[name].pop(0) if self.faults[name] else None
            if fault is Fault.REFUSED:
                raise StoreUnavailableError(fault.value)
            yield
            if fault is Fault.LOST:
                raise StoreUnavailableError(fault.value)


class InMemoryInstallStore(_Scripted):
    """The port `InstallStore`."""

    def __init__(self) -> None:
        super().__init__(RLock())
        self.rows: dict[str, InstallRow] = {}

    @property
    def lock(self) -> RLock:
        """What makes a write of both stores one."""
        return self._lock

    def put_if_absent(self, install: Install) -> None:
        """See the port."""
        with self._call("put_if_absent"):
            row = self.rows.setdefault(install.install_id, InstallRow(install))
            if _fingerprints(row.install) != _fingerprints(install):
                raise VersionConflictError("taken")

    def find(self, install_id: str) -> Install | None:
        """See the port."""
        with self._call("find"):
            row = self.rows.get(install_id)
            return row.install if row else None

    def start_offered(self, start: OfferedStart, now: datetime) -> Change:
        """See the port."""
        with self._call("start_offered"):
            row = self.rows.get(start.invitation.install_id)
            if row is None:
                return Change(made=False, install=None)
            if not _is_own_start(row.install, start):
                if not _may_start(row.install, start, now):
                    return Change(made=False, install=row.install)
                row.install = _started(row.install, start, now)
            return Change(made=True, install=row.install)

    def consume(self, proof: Proof, verdict: Verdict, now: datetime) -> Change:
        """See the port."""
        with self._call("consume"):
            row = self.rows.get(proof.install_id)
            if row is None:
                return Change(made=False, install=None)
            if row.attempt_id != verdict.attempt_id:
                if not _fits(row.install, proof, now):
                    return Change(made=False, install=row.install)
                row.attempt_id = verdict.attempt_id
                row.install = _consumed(row.install, verdict, now)
            return Change(made=True, install=row.install)

    def fail(self, install_id: str, reason: str, unrevoked: Establishment | None, now: datetime) -> Change:
        """See the port."""
        with self._call("fail"):
            row = self.rows.get(install_id)
            if row is None:
                return Change(made=False, install=None)
            if row.install.status is InstallStatus.EXCHANGING:
                missing = unrevoked.missing_scopes if unrevoked else row.install.missing_scopes
                row.install = replace(
                    row.install, status=InstallStatus.FAILED, reason=reason, missing_scopes=missing
                )
                if unrevoked:
                    _keep_due(row, unrevoked, now + REVOKE_SOON)
            made = (row.install.status, row.install.reason) == (InstallStatus.FAILED, reason)
            return Change(made, row.install)

    def keep_candidate(
        self, install_id: str, establishment: Establishment, handle_fingerprint: str, now: datetime
    ) -> None:
        """See the port."""
        with self._call("keep_candidate"):
            row = self.rows.get(install_id)
            if row is not None and row.commit_id == establishment.sealed.commit_id:
                return
            if row is None or row.install.status is not InstallStatus.EXCHANGING:
                raise VersionConflictError("not exchanging")
            row.install = replace(
                row.install,
                status=InstallStatus.CANDIDATE,
                handle_fingerprint=handle_fingerprint,
                missing_scopes=establishment.missing_scopes,
                expires_at=establishment.candidacy_ends(now),
            )
            _keep_due(row, establishment, row.install.expires_at)

    def find_candidate(self, install_id: str) -> Candidate | None:
        """See the port."""
        with self._call("find_candidate"):
            row = self.rows.get(install_id)
            return Candidate(row.install, row.establishment) if row else None

    def due_for_revocation(self, now: datetime) -> Iterator[str]:
        """See the port."""
        with self._call("due_for_revocation"):
            due = [row for row in self.rows.values() if row.revoke_at is not None and row.revoke_at <= now]
        return iter([row.install.install_id for row in due])

    def lease_revocation(self, install_id: str, now: datetime) -> DueRevocation | None:
        """See the port."""
        with self._call("lease_revocation"):
            row = self.rows.get(install_id)
            if row is None or row.establishment is None or row.revoke_at is None or row.revoke_at > now:
                return None
            if row.install.status is InstallStatus.CANDIDATE:
                row.install = replace(row.install, status=InstallStatus.ABANDONED, reason="unconfirmed")
            row.revoke_at = now + LEASE
            return DueRevocation(
                install=row.install,
                context=SealContext(row.install.grant, row.install.account),
                commit_id=row.establishment.sealed.commit_id,
                access_token=row.establishment.sealed.access_token,
                access_expires_at=row.establishment.times.expires_at,
            )

    def close_revocation(self, install_id: str, outcome: str) -> None:
        """See the port."""
        with self._call("close_revocation"):
            row = self.rows.get(install_id)
            if row is not None and row.establishment is not None:
                row.establishment = row.revoke_at = None
                row.revocation = outcome


class InMemoryConnectionStore(_Scripted):
    """The port `ConnectionStore`, over the rows of an install store."""

    def __init__(self, installs: InMemoryInstallStore) -> None:
        super().__init__(installs.lock)
        self.rows: dict[str, ConnectionRow] = {}
        self.replaced: dict[str, SealedPair] = {}
        """The pairs that were replaced, each under the key of its own row."""
        self._installs = installs.rows

    def establish(self, establishment: Establishment, install_id: str, now: datetime) -> None:  # noqa: ARG002 - the port
        """See the port."""
        with self._call("establish"):
            row = self._installs.get(install_id)
            if _is_made(row, establishment):
                return
            if row is None or row.install.status is not InstallStatus.EXCHANGING:
                raise VersionConflictError("not exchanging")
            self._commit(row, establishment)

    def confirm(self, candidate: Candidate, now: datetime) -> None:
        """See the port."""
        with self._call("confirm"):
            if candidate.establishment is None:
                raise VersionConflictError("no sealed pair")
            row = self._installs.get(candidate.install.install_id)
            if _is_made(row, candidate.establishment):
                return
            if row is None or not _may_confirm(row, candidate, now):
                raise VersionConflictError("not a candidate")
            self._commit(row, candidate.establishment)

    def _commit(self, row: InstallRow, establishment: Establishment) -> None:
        commit_id = establishment.sealed.commit_id
        before = self.rows.get(establishment.key)
        if before:
            replaced = before.establishment.sealed
            key = connection_key(establishment.grant, establishment.subdomain, replaced.commit_id)
            self.replaced[key] = replaced
        self.rows[establishment.key] = ConnectionRow(
            establishment,
            row.install.install_id,
            epoch=before.epoch + 1 if before else 1,
            generation=before.generation + 1 if before else 1,
        )
        row.install = replace(
            row.install, status=InstallStatus.CONNECTED, missing_scopes=establishment.missing_scopes
        )
        row.commit_id = commit_id
        row.establishment = row.revoke_at = None


def _fingerprints(install: Install) -> tuple[str | None, ...]:
    return (install.state_fingerprint, install.browser_fingerprint, install.invitation_fingerprint)


def _may_start(install: Install, start: OfferedStart, now: datetime) -> bool:
    return (
        install.status is InstallStatus.OFFERED
        and install.invitation_fingerprint == start.invitation.fingerprint
        and not install.is_over(now)
        and (install.subdomain or start.subdomain) is not None
    )


def _is_own_start(install: Install, start: OfferedStart) -> bool:
    ours = (start.invitation.fingerprint, start.browser_fingerprint)
    return (install.invitation_fingerprint, install.browser_fingerprint) == ours


def _started(install: Install, start: OfferedStart, now: datetime) -> Install:
    return replace(
        install,
        status=InstallStatus.PENDING,
        subdomain=install.subdomain or start.subdomain,
        state_fingerprint=start.state_fingerprint,
        browser_fingerprint=start.browser_fingerprint,
        expires_at=now + PENDING_LIFE,
    )


def _fits(install: Install, proof: Proof, now: datetime) -> bool:
    return (
        install.status is InstallStatus.PENDING
        and install.state_fingerprint == proof.state_fingerprint
        and install.browser_fingerprint == proof.browser_fingerprint
        and not install.is_over(now)
        and proof.issuer in {None, install.subdomain}
    )


def _consumed(install: Install, verdict: Verdict, now: datetime) -> Install:
    exchanging = verdict.status is InstallStatus.EXCHANGING
    return replace(
        install,
        status=verdict.status,
        reason=verdict.reason,
        expires_at=now + EXCHANGE_LIFE if exchanging else install.expires_at,
    )


def _keep_due(row: InstallRow, establishment: Establishment, revoke_at: datetime) -> None:
    row.establishment = establishment
    row.commit_id = establishment.sealed.commit_id
    row.revoke_at = revoke_at


def _is_made(row: InstallRow | None, establishment: Establishment) -> bool:
    return (
        row is not None
        and row.install.status is InstallStatus.CONNECTED
        and row.commit_id == establishment.sealed.commit_id
    )


def _may_confirm(row: InstallRow, candidate: Candidate, now: datetime) -> bool:
    establishment = candidate.establishment
    return (
        row.install.status is InstallStatus.CANDIDATE
        and row.install.handle_fingerprint == candidate.install.handle_fingerprint
        and row.install.user_reference == candidate.install.user_reference
        and establishment is not None
        and row.commit_id == establishment.sealed.commit_id
        and not row.install.is_over(now)
    )
