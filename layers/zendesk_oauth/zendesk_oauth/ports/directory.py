"""What operators ask of the connections: to be told of them, and to end one. Nothing sealed passes through here."""

from datetime import datetime
from typing import Protocol

from zendesk_oauth.models.connection_summary import ConnectionPage, ConnectionSummary, ListQuestion
from zendesk_oauth.models.subdomain import Subdomain


class ConnectionDirectory(Protocol):
    """The connections without their tokens. Every method raises StoreUnavailableError."""

    def find(self, grant: str, subdomain: Subdomain) -> ConnectionSummary | None:
        """Read one strongly; None: there is none."""

    def page(self, question: ListQuestion) -> ConnectionPage:
        """Return the next page; every connection that is there all the while stands on exactly one of them."""


class DisconnectMarker(Protocol):
    """Stops the use of a connection. Raises StoreUnavailableError."""

    def mark_disconnecting(self, connection: ConnectionSummary, now: datetime) -> bool:
        """Mark a connection of that epoch that is active or judged; False: it is not, or no longer, that."""


class DisconnectHandover(Protocol):
    """Reaches whoever may revoke: this side may not open a refresh token."""

    def hand_over_finish(self, grant: str, subdomain: Subdomain) -> None:
        """Ask for the rest of a disconnect, without waiting. Raises a ZendeskOAuthError where that was not heard."""
