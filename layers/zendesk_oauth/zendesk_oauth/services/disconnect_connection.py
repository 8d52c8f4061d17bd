"""Disconnect: stop the use first, revoke at Zendesk, and only then erase.

The mark comes first, so that workers stop and a refresh in flight finds it at its commit and revokes what it holds.
Every step can be repeated; a schedule repeats it until it is done.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from zendesk_oauth.errors import ProviderError, ProviderUnavailableError, SealError
from zendesk_oauth.models.connection import ConnectionStatus, token_times
from zendesk_oauth.models.refresh import CLAIM_LIFE, Claim, Connection, Renewal
from zendesk_oauth.models.secret import base64url
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.ports.refresh import UnlockedPair
from zendesk_oauth.services.refresh_ports import BACK_OFF, ID_BYTES, RefreshPorts
from zendesk_oauth.services.retire_pair import RetirePair
from zendesk_oauth.services.revoke_token import ENDED


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
    """The outcome, and when it goes on."""

    outcome: DisconnectOutcome
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DisconnectConnection:
    """Mark, claim, retire the pair, erase."""

    ports: RefreshPorts

    def __call__(self, grant: str, subdomain: Subdomain) -> DisconnectAnswer:
        """Return how far it has come; safe to repeat. Raises StoreUnavailableError."""
        connection = self.ports.store.find(grant, subdomain)
        if connection is None:
            return DisconnectAnswer(DisconnectOutcome.NOT_CONNECTED)
        if connection.status is ConnectionStatus.DISCONNECTED:
            return DisconnectAnswer(DisconnectOutcome.DISCONNECTED)
        now = self.ports.clock.now()
        marked = self._marked(connection, now)
        if marked is None:
            return DisconnectAnswer(DisconnectOutcome.REPLACED)
        if marked.claimed_at(now):
            # a refresh in flight is let finish: it finds the mark, and revokes what it holds
            return self._later(marked, now)
        claim = Claim(base64url(self.ports.entropy(ID_BYTES)), now + CLAIM_LIFE)
        if not self.ports.store.claim(marked, claim, now):
            return self._later(marked, now)
        return self._retire(marked, claim)

    def _marked(self, connection: Connection, now: datetime) -> Connection | None:
        if connection.status is ConnectionStatus.DISCONNECTING:
            return connection
        return self.ports.store.mark_disconnecting(connection, now)

    @staticmethod
    def _later(connection: Connection, now: datetime) -> DisconnectAnswer:
        claim = connection.claim
        return DisconnectAnswer(DisconnectOutcome.UNDER_WAY, claim.until if claim else now + BACK_OFF)

    def _retire(self, connection: Connection, claim: Claim) -> DisconnectAnswer:
        ports = self.ports
        try:
            pair = ports.keyring.unlock(connection.context, connection.living_pair)
            kept = _Kept(ports, connection, pair)
            revocation = RetirePair(ports.token_endpoint, ports.api, ports.clock)(
                (connection.subdomain, connection.scopes), pair, connection.times.expires_at, kept
            )
        except ProviderUnavailableError as error:
            return self._go_on_later(connection, claim, error.retry_after or BACK_OFF)
        except (ProviderError, SealError):
            return self._go_on_later(connection, claim, BACK_OFF)
        if revocation not in ENDED:
            return self._go_on_later(kept.connection, claim, BACK_OFF)
        if not ports.store.erase(kept.connection, revocation, ports.clock.now()):
            return self._later(connection, ports.clock.now())
        return DisconnectAnswer(DisconnectOutcome.DISCONNECTED)

    def _go_on_later(self, connection: Connection, claim: Claim, wait: timedelta) -> DisconnectAnswer:
        retry_at = self.ports.clock.now() + wait
        self.ports.store.leave_unresolved(connection, claim, retry_at)
        return DisconnectAnswer(DisconnectOutcome.UNDER_WAY, retry_at)


@dataclass(slots=True)
class _Kept:
    """Makes the fresh pair of a disconnect durable before it is revoked, so that a death in between loses nothing."""

    ports: RefreshPorts
    connection: Connection
    pair: UnlockedPair

    def __call__(self, fresh: IssuedTokens) -> None:
        ports, connection = self.ports, self.connection
        commit_id, now = base64url(ports.entropy(ID_BYTES)), ports.clock.now()
        renewal = Renewal(
            grant=connection.grant,
            subdomain=connection.subdomain,
            replaces=connection.version,
            scopes=fresh.scopes,
            issued_at=now,
            times=token_times(fresh, now, 0.0),
            sealed=self.pair.seal(fresh.access_token, fresh.refresh_token, commit_id),
        )
        current = ports.store.commit(renewal, disconnecting=True)
        if current is not None:
            self.connection = replace(current)
