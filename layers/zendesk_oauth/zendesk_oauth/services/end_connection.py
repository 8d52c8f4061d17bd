"""End a connection: from the mark on no token of it is read, and whoever may open its tokens does the rest.

A warm worker may use the token that it keeps until Zendesk has revoked it, normally seconds later; where Zendesk
refuses that or cannot be reached, until the token is due for refresh: giving a kept token takes no look at the row.
The mark is enough: a schedule looks after every connection that bears it. The hand-over only spares the wait.
"""

from typing import NamedTuple

from zendesk_oauth.errors import ZendeskOAuthError
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.connection_summary import ConnectionSummary
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.ports import Clock
from zendesk_oauth.ports.directory import ConnectionDirectory, DisconnectHandover, DisconnectMarker
from zendesk_oauth.services.disconnect_connection import DisconnectOutcome

_MARKED = frozenset({ConnectionStatus.DISCONNECTING, ConnectionStatus.DISCONNECTED})


class Ended(NamedTuple):
    """How far it has come. `unheard` is why nobody began at once with the rest; the schedule will.

    `repeated` is True where the mark was there before.
    """

    outcome: DisconnectOutcome
    connection: ConnectionSummary | None = None
    unheard: ZendeskOAuthError | None = None
    repeated: bool = False


class EndConnection(NamedTuple):
    """Read, mark, hand over."""

    directory: ConnectionDirectory
    marker: DisconnectMarker
    handover: DisconnectHandover
    clock: Clock

    def __call__(self, grant: str, subdomain: Subdomain) -> Ended:
        """Return how far it has come; safe to repeat. Raises StoreUnavailableError, after which it may be marked."""
        connection = self.directory.find(grant, subdomain)
        if connection is None:
            return Ended(DisconnectOutcome.NOT_CONNECTED)
        if connection.status in _MARKED:
            return self._go_on(connection, repeated=True)
        if self.marker.mark_disconnecting(connection, self.clock.now()):
            return self._go_on(connection)
        return self._overtaken(connection)

    def _overtaken(self, before: ConnectionSummary) -> Ended:
        """Tell a mark of somebody else, or of our own repeated write, from a new install, which nobody asked to end."""
        connection = self.directory.find(before.grant, before.subdomain)
        if connection is None or connection.epoch != before.epoch or connection.status not in _MARKED:
            return Ended(DisconnectOutcome.REPLACED, connection)
        return self._go_on(connection)

    def _go_on(self, connection: ConnectionSummary, *, repeated: bool = False) -> Ended:
        if connection.status is ConnectionStatus.DISCONNECTED:
            return Ended(DisconnectOutcome.DISCONNECTED, connection, repeated=True)
        try:
            self.handover.hand_over_finish(connection.grant, connection.subdomain)
        except ZendeskOAuthError as error:
            return Ended(DisconnectOutcome.UNDER_WAY, connection, error, repeated)
        return Ended(DisconnectOutcome.UNDER_WAY, connection, repeated=repeated)
