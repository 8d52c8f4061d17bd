"""Disconnect: the use is stopped first, then it is revoked at Zendesk, and only then erased.

The mark comes first, by whoever ends the connection, so that workers stop and a refresh in flight finds it at its
commit and revokes what it holds. Every step can be repeated; a schedule repeats it until it is done.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from zendesk_oauth.errors import ProviderUnavailableError, SealError, StoreUnavailableError
from zendesk_oauth.models.refresh import BACK_OFF, CLAIM_LIFE, Claim, Connection, Renewal
from zendesk_oauth.models.secret import base64url
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.ports.refresh import UnlockedPair
from zendesk_oauth.services.keep_renewal import (
    KeepRenewal,
    Replaced,
    commit_or_supersede,
    no_row,
    sealed_renewal,
)
from zendesk_oauth.services.refresh_ports import ID_BYTES, RefreshPorts
from zendesk_oauth.services.retire_pair import Retired, RetirePair, told_end


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
        now = self.ports.clock.now()
        if connection.claimed_at(now):
            # a refresh in flight is let finish: it finds the mark, and revokes what it holds
            return self._later(connection, now)
        claim = Claim(base64url(self.ports.entropy(ID_BYTES)), now + CLAIM_LIFE)
        if not self.ports.store.claim(connection, claim, now):
            return self._later(connection, now)
        return self._retire(connection, claim, until)

    @staticmethod
    def _later(connection: Connection, now: datetime) -> DisconnectAnswer:
        claim = connection.claim
        return DisconnectAnswer(DisconnectOutcome.UNDER_WAY, claim.until if claim else now + BACK_OFF)

    def _retire(self, connection: Connection, claim: Claim, until: float) -> DisconnectAnswer:
        ports = self.ports
        try:
            pair = ports.keyring.unlock(connection.context, connection.living_pair)
        except SealError as error:
            return self._go_on_later(connection, claim, Retired(error=error))
        kept = _Kept(ports, connection, pair)
        account = (connection.subdomain, connection.scopes)
        retire = RetirePair(ports.token_endpoint, ports.api, ports.clock, until)
        retired = retire(account, pair, connection.times.expires_at, kept)
        if retired.revocation is None:
            return self._go_on_later(connection, claim, retired)
        revocation = told_end(retired.revocation, may_have_lost=connection.may_have_lost)
        return self._erase(kept.connection, revocation)

    def _erase(self, connection: Connection, revocation: str) -> DisconnectAnswer:
        now = self.ports.clock.now()
        if not self.ports.store.erase(connection, revocation, now):
            return self._later(connection, now)
        return DisconnectAnswer(DisconnectOutcome.DISCONNECTED, revocation=revocation)

    def _go_on_later(self, connection: Connection, claim: Claim, retired: Retired) -> DisconnectAnswer:
        """Leave the claim unresolved where somebody may have spent the refresh token: the next try has to know."""
        retry_at = self.ports.clock.now() + _wait(retired)
        if retired.is_spent or connection.claim is not None:
            self.ports.store.leave_unresolved(connection, claim, retry_at)
        else:
            self.ports.store.release(connection, claim, retry_at)
        return DisconnectAnswer(DisconnectOutcome.UNDER_WAY, retry_at, cause=retired.cause)


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

    def __call__(self, fresh: IssuedTokens, until: float) -> None:
        ports, connection = self.ports, self.connection
        renewal = sealed_renewal(ports, Replaced(connection.context, connection.version), self.pair, fresh)
        with suppress(StoreUnavailableError):  # it is revoked all the same
            KeepRenewal(ports, until)(renewal, self._write)

    def _write(self, renewal: Renewal) -> None:
        """Take note of the row if it is ours; a new install's is not, and must not be erased in the place of ours."""
        current, superseded = commit_or_supersede(self.ports.store, renewal, disconnecting=True)
        if current is None:
            no_row(renewal)
        elif superseded is None:
            self.connection = current
