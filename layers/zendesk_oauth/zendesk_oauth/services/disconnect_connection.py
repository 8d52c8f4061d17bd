"""Disconnect: the use is stopped first, then it is revoked at Zendesk, and only then erased.

The mark comes first, by whoever ends the connection, so that workers stop and a refresh in flight finds it at its
commit and revokes what it holds. A replaced pair is such a connection from the start, in a row of its own. Every step
can be repeated; a schedule repeats it until it is done.

The claim is what says afterwards that a refresh token may have been spent: it is written before the POST, and only the
holder who knows that nothing was lost takes it back.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from zendesk_oauth.errors import ProviderUnavailableError, SealError, StoreUnavailableError
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import BACK_OFF, CLAIM_LIFE, REPLAY_ROUND, Claim, Connection, Renewal
from zendesk_oauth.models.secret import base64url
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.ports.refresh import UnlockedPair
from zendesk_oauth.services.keep_renewal import (
    KeepRenewal,
    Replaced,
    commit_or_supersede,
    release_spent,
    sealed_renewal,
)
from zendesk_oauth.services.refresh_ports import ID_BYTES, REVOKE_SECONDS, RefreshPorts
from zendesk_oauth.services.retire_pair import Retired, RetirePair, told_end
from zendesk_oauth.services.revoke_token import Revocation


class DisconnectOutcome(StrEnum):
    """How far a disconnect has come."""

    DISCONNECTED = "disconnected"
    UNDER_WAY = "under_way"
    """The connection is no longer used; the schedule goes on until Zendesk says that the token is dead."""
    REPLACED = "replaced"
    """A new install came in between, which nobody asked to end."""
    NOT_CONNECTED = "not_connected"


@dataclass(frozen=True, slots=True)
class DisconnectAnswer:
    """The outcome, when it goes on, and how the revocation ended that this call has made.

    `cause` is the code of the error that kept it from its end, where one did.
    """

    outcome: DisconnectOutcome
    retry_at: datetime | None = None
    revocation: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class DisconnectConnection:
    """Claim, retire the pair, erase."""

    ports: RefreshPorts

    def __call__(self, connection: Connection, until: float) -> DisconnectAnswer:
        """Return how far it has come with a connection that is marked; safe to repeat.

        Nothing is begun that could not end by `until` (monotonic seconds). Raises StoreUnavailableError.
        """
        if connection.status is not ConnectionStatus.DISCONNECTING:
            return DisconnectAnswer(DisconnectOutcome.DISCONNECTED)
        now = self.ports.clock.now()
        if not self._has_time(until):
            return self._later(now)
        waits_until = _waits_until(connection.claim, now)
        if waits_until is not None:
            return DisconnectAnswer(DisconnectOutcome.UNDER_WAY, waits_until)
        claim = Claim(base64url(self.ports.entropy(ID_BYTES)), now + CLAIM_LIFE)
        if not self.ports.store.claim(connection, claim, now):
            return self._later(now)
        return self._retire(connection, claim, until)

    def _has_time(self, until: float) -> bool:
        return self.ports.clock.monotonic() + REVOKE_SECONDS <= until

    @staticmethod
    def _later(now: datetime) -> DisconnectAnswer:
        return DisconnectAnswer(DisconnectOutcome.UNDER_WAY, now + BACK_OFF)

    def _retire(self, connection: Connection, claim: Claim, until: float) -> DisconnectAnswer:
        ports = self.ports
        try:
            pair = ports.keyring.unlock(connection.context, connection.living_pair)
        except SealError as error:
            return self._go_on_later(connection, claim, Retired(error=error))
        kept = _Kept(ports, connection, pair, claim)
        account = (connection.subdomain, connection.scopes)
        retire = RetirePair(ports.token_endpoint, ports.api, ports.clock, until, claim.until)
        retired = retire(account, pair, connection.times.expires_at, kept)
        if retired.revocation is None:
            return self._go_on_later(connection, claim, retired)
        may_have_lost = connection.may_have_lost
        if retired.revocation == Revocation.NOT_ALIVE and not may_have_lost:
            may_have_lost = not self._is_ours(connection, claim)
        return self._erase(kept.connection, told_end(retired.revocation, may_have_lost=may_have_lost))

    def _is_ours(self, connection: Connection, claim: Claim) -> bool:
        """Whether nobody else has claimed the pair, and may have spent it, before Zendesk refused it to us."""
        row = self.ports.store.find(connection.grant, connection.subdomain, connection.replaced)
        return row is not None and row.claim is not None and row.claim.claim_id == claim.claim_id

    def _erase(self, connection: Connection, revocation: str) -> DisconnectAnswer:
        now = self.ports.clock.now()
        if not self.ports.store.erase(connection, revocation, now):
            return self._later(now)
        return DisconnectAnswer(DisconnectOutcome.DISCONNECTED, revocation=revocation)

    def _go_on_later(self, connection: Connection, claim: Claim, retired: Retired) -> DisconnectAnswer:
        """Leave the claim unresolved where somebody may have spent the refresh token: the next try has to know."""
        now, earlier = self.ports.clock.now(), connection.claim
        retry_at = now + _wait(retired)
        if retired.is_spent or earlier is not None:
            since = now if retired.is_spent or earlier is None else earlier.replayed_by - REPLAY_ROUND
            self.ports.store.leave_unresolved(connection, replace(claim, until=since), retry_at)
        else:
            self.ports.store.release(connection, claim, retry_at)
        return DisconnectAnswer(DisconnectOutcome.UNDER_WAY, retry_at, cause=retired.cause)


def end_replaced(ports: RefreshPorts, row: Connection, until: float) -> DisconnectAnswer:
    """Disconnect the row of a replaced pair now, as far as that can be done; the schedule does the rest."""
    with suppress(StoreUnavailableError):
        return DisconnectConnection(ports)(row, until)
    return DisconnectAnswer(DisconnectOutcome.UNDER_WAY)


def _waits_until(claim: Claim | None, now: datetime) -> datetime | None:
    """Return until when the pair is left alone; None: it need not wait.

    A refresh in flight is let finish: it finds the mark, and revokes what it holds. What may have been spent by an
    earlier one has its replay round before it is spent again.
    """
    if claim is None:
        return None
    if claim.lives(now):
        return claim.until
    return claim.replayed_by if now < claim.replayed_by else None


def _wait(retired: Retired) -> timedelta:
    error = retired.error
    asked = error.retry_after if isinstance(error, ProviderUnavailableError) else None
    return asked or BACK_OFF


@dataclass(slots=True)
class _Kept:
    """Makes the fresh pair of a disconnect durable before it is revoked, so that a death in between loses nothing."""

    ports: RefreshPorts
    connection: Connection
    pair: UnlockedPair
    claim: Claim

    def __call__(self, fresh: IssuedTokens, until: float) -> None:
        ports, connection = self.ports, self.connection
        replaced = Replaced(connection.context, connection.version, replaced=connection.replaced)
        renewal = sealed_renewal(ports, replaced, self.pair, fresh, ports.clock.now())
        with suppress(StoreUnavailableError):  # it is revoked all the same
            KeepRenewal(ports, until)(renewal, self._write)

    def _write(self, renewal: Renewal) -> None:
        """Take note of the row that the pair lies in: a new install's row must not be erased in the place of ours."""
        before, store = self.connection, self.ports.store
        current, superseded = commit_or_supersede(store, renewal, disconnecting=True)
        self.connection = superseded or current or before
        if superseded is not None:
            release_spent(store, before, self.claim)
