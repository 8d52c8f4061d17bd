"""Go on with the disconnect that was begun on a row: of a connection, or of a replaced pair.

What does not end now is looked after again, at growing intervals: the wait since the last try is doubled, and the row
itself says when that was. An account that was renamed or deleted would otherwise be asked every minute for months.
When the refresh token is over by its own clock there is nothing left to ask Zendesk with, and the matter ends.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import BACK_OFF, EXPIRY_SKEW, Connection
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.services.disconnect_connection import (
    DisconnectAnswer,
    DisconnectConnection,
    DisconnectOutcome,
)
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.services.retire_pair import OVER, told_end

SHORTEST_WAIT = timedelta(minutes=1)
"""The schedule comes by no more often."""
LONGEST_WAIT = timedelta(hours=1)
LONGEST_REFRESH_LIFE = timedelta(days=90)
"""The most that Zendesk gives a refresh token."""


class FinishAnswer(NamedTuple):
    """Whether it is finished, when it goes on otherwise, and what this visit did; None: there was nothing to do."""

    finished: bool
    retry_at: datetime | None = None
    disconnect: DisconnectAnswer | None = None


@dataclass(frozen=True, slots=True)
class FinishConnection:
    """Goes on with a disconnect, and says when to come again where it does not end."""

    ports: RefreshPorts

    def __call__(
        self, grant: str, subdomain: Subdomain, until: float, replaced: str | None = None
    ) -> FinishAnswer:
        """Return how far it has come; safe to repeat. Nothing is begun that could not end by `until`.

        `replaced` names the row of a replaced pair. Raises StoreUnavailableError.
        """
        store = self.ports.store
        connection = store.find(grant, subdomain, replaced)
        if connection is None or connection.status is not ConnectionStatus.DISCONNECTING:
            return FinishAnswer(finished=True)
        disconnect = self._disconnect(connection, until)
        if disconnect.outcome is DisconnectOutcome.DISCONNECTED:
            return FinishAnswer(finished=True, disconnect=disconnect)
        retry_at = self._retry_at(connection, disconnect)
        store.postpone(connection, retry_at)
        return FinishAnswer(finished=False, retry_at=retry_at, disconnect=disconnect)

    def _disconnect(self, connection: Connection, until: float) -> DisconnectAnswer:
        now = self.ports.clock.now()
        if now < connection.times.refresh_expires_at + EXPIRY_SKEW or connection.claimed_at(now):
            return DisconnectConnection(self.ports)(connection, until)
        revocation = told_end(OVER, may_have_lost=connection.may_have_lost)
        if not self.ports.store.erase(connection, revocation, now):
            return DisconnectAnswer(DisconnectOutcome.UNDER_WAY)
        return DisconnectAnswer(DisconnectOutcome.DISCONNECTED, revocation=revocation)

    def _retry_at(self, connection: Connection, disconnect: DisconnectAnswer) -> datetime:
        """Return when to look again: not before Zendesk, or a refresh in flight, lets us."""
        now = self.ports.clock.now()
        wait = min(max(2 * (now - _last_tried(connection, now)), SHORTEST_WAIT), LONGEST_WAIT)
        return max(now + wait, disconnect.retry_at or now)


def _last_tried(connection: Connection, now: datetime) -> datetime:
    """Return when it was tried before this time: a disconnect leaves its claim, and when it is to go on."""
    claim, retry_at = connection.claim, connection.retry_at
    tried = [*([claim.began_by] if claim else []), *([retry_at - BACK_OFF] if retry_at else [])]
    return min(max(tried, default=now), now)
