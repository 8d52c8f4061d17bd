"""Finish what was begun on a connection: retire the pairs it holds as superseded, and go on with its disconnect.

What does not end now is looked after again, at growing intervals: the wait since the last try is doubled, and the row
itself says when that was. An account that was renamed or deleted would otherwise be asked every minute for months.
When even the longest-lived refresh token is over by its own clock there is nothing left to ask Zendesk with, and the
matter ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import BACK_OFF, CLAIM_LIFE, CLOCK_SKEW, Connection, Superseded
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.services.disconnect_connection import (
    DisconnectAnswer,
    DisconnectConnection,
    DisconnectOutcome,
)
from zendesk_oauth.services.refresh_ports import REVOKE_SECONDS, RefreshPorts
from zendesk_oauth.services.retire_pair import OVER, Retired, told_end
from zendesk_oauth.services.retire_superseded import RetireSuperseded

SHORTEST_WAIT = timedelta(minutes=1)
"""The schedule comes by no more often."""
LONGEST_WAIT = timedelta(hours=1)
LONGEST_REFRESH_LIFE = timedelta(days=90)
"""The most that Zendesk gives a refresh token."""


class FinishAnswer(NamedTuple):
    """Whether it is finished, when it goes on otherwise, and how what was ended now has ended."""

    finished: bool
    retry_at: datetime | None = None
    retired: tuple[str, ...] = ()
    disconnect: DisconnectAnswer | None = None
    cause: str | None = None
    """The code of the error that kept a superseded pair from its end, where one did."""


@dataclass(frozen=True, slots=True)
class FinishConnection:
    """Retires, disconnects, and then lets the store decide whether anything is left."""

    ports: RefreshPorts

    def __call__(self, grant: str, subdomain: Subdomain, until: float) -> FinishAnswer:
        """Return how far it has come; safe to repeat. Nothing is begun that could not end by `until`.

        Raises StoreUnavailableError.
        """
        store = self.ports.store
        connection = store.find(grant, subdomain)
        if connection is None:
            return FinishAnswer(finished=True)
        looked_at = tuple(self._retire(connection, until))
        retired = tuple(one.revocation for one in looked_at if one.revocation is not None)
        cause = next((one.cause for one in looked_at if one.cause is not None), None)
        disconnect = self._disconnect(connection, until)
        if store.finish(connection):
            return FinishAnswer(True, None, retired, disconnect, cause)  # noqa: FBT003 - in its order
        retry_at = self._retry_at(connection, disconnect)
        store.postpone(connection, retry_at)
        return FinishAnswer(False, retry_at, retired, disconnect, cause)  # noqa: FBT003 - in its order

    def _retire(self, connection: Connection, until: float) -> Iterator[Retired]:
        """Yield of each superseded pair how it has ended, or why it has not; for the rest there is no time."""
        retire = RetireSuperseded(self.ports, until)
        for superseded in self.ports.store.superseded(connection):
            if self._is_over(superseded):
                self.ports.store.forget_superseded(connection, superseded)
                yield Retired(told_end(OVER, may_have_lost=superseded.may_have_lost))
            elif self._has_time(until):
                yield retire.retire(connection, superseded)

    def _disconnect(self, connection: Connection, until: float) -> DisconnectAnswer | None:
        """Go on with a disconnect; None: none was asked for, or there is no time for it now."""
        if connection.status is not ConnectionStatus.DISCONNECTING:
            return None
        now = self.ports.clock.now()
        if now >= connection.times.refresh_expires_at + CLOCK_SKEW and not connection.claimed_at(now):
            revocation = told_end(OVER, may_have_lost=connection.may_have_lost)
            if not self.ports.store.erase(connection, revocation, now):
                return DisconnectAnswer(DisconnectOutcome.UNDER_WAY)
            return DisconnectAnswer(DisconnectOutcome.DISCONNECTED, revocation=revocation)
        if not self._has_time(until):
            return None
        return DisconnectConnection(self.ports)(connection, until)

    def _retry_at(self, connection: Connection, disconnect: DisconnectAnswer | None) -> datetime:
        """Return when to look again: not before Zendesk, or a refresh in flight, lets us."""
        now = self.ports.clock.now()
        wait = min(max(2 * (now - _last_tried(connection, now)), SHORTEST_WAIT), LONGEST_WAIT)
        asked = disconnect.retry_at if disconnect else None
        return max(now + wait, asked or now)

    def _has_time(self, until: float) -> bool:
        return self.ports.clock.monotonic() + REVOKE_SECONDS <= until

    def _is_over(self, superseded: Superseded) -> bool:
        return self.ports.clock.now() >= superseded.access_expires_at + LONGEST_REFRESH_LIFE


def _last_tried(connection: Connection, now: datetime) -> datetime:
    """Return when it was tried before this time: a disconnect leaves its claim, or when it is to go on.

    The superseded pairs of others were first tried when the connection's own began.
    """
    if connection.status is not ConnectionStatus.DISCONNECTING:
        return connection.issued_at
    if connection.claim is not None:
        return connection.claim.until - CLAIM_LIFE
    return connection.retry_at - BACK_OFF if connection.retry_at else now
