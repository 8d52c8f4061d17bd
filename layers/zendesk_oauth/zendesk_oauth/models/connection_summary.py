"""A connection as an operator sees it: everything but what is sealed."""

from base64 import urlsafe_b64decode
from datetime import datetime
from typing import NamedTuple, Self

from zendesk_oauth.errors import MalformedRequestError, SubdomainRefusedError
from zendesk_oauth.models.connection import ConnectionStatus, connection_key
from zendesk_oauth.models.grant import GRANT_NAME
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import base64url
from zendesk_oauth.models.subdomain import Subdomain, exact_subdomain


class ClaimSummary(NamedTuple):
    """Who is refreshing it: `living` or `unresolved`, and until when that is believed."""

    state: str
    until: datetime


class DisconnectSummary(NamedTuple):
    """How far its disconnect has come; `revocation` says how the token ended, once it has."""

    since: datetime | None
    ended_at: datetime | None
    revocation: str | None


class ConnectionSummary(NamedTuple):
    """What a row says of itself. An instant is None where the row does not have it.

    `install_id` names the install that made the connection, and finds every log line of it.
    """

    grant: str
    subdomain: Subdomain
    status: ConnectionStatus
    epoch: int
    generation: int
    scopes: Scopes
    missing_scopes: Scopes
    issued_at: datetime | None
    expires_at: datetime | None
    refresh_at: datetime | None
    refresh_expires_at: datetime | None
    keep_alive_at: datetime | None
    established_at: datetime | None
    connected_at: datetime | None
    reconnect_reason: str | None
    reconnect_since: datetime | None
    authorized_user_id: int | None
    authorized_user_role: str | None
    user_reference: str | None
    claim: ClaimSummary | None
    retry_at: datetime | None
    disconnect: DisconnectSummary | None
    install_id: str | None = None

    @property
    def key(self) -> str:
        """The row's key."""
        return connection_key(self.grant, self.subdomain)


class Cursor(NamedTuple):
    """Where a listing goes on: after this connection. Its text is opaque to whoever carries it."""

    grant: str
    subdomain: Subdomain

    @property
    def key(self) -> str:
        """The row's key."""
        return connection_key(self.grant, self.subdomain)

    @property
    def text(self) -> str:
        """The cursor as it travels in a URL."""
        return base64url(self.key.encode())

    @classmethod
    def of_key(cls, key: str) -> Self:
        """Return the cursor after the connection of this key."""
        grant, _, subdomain = key.partition("#")
        return cls(grant, Subdomain(subdomain))

    @classmethod
    def parse(cls, unverified_text: str) -> Self:
        """Return the cursor. Raises MalformedRequestError for what is not the text of one, down to the last bit."""
        try:
            key = urlsafe_b64decode(unverified_text + "=" * (-len(unverified_text) % 4)).decode()
            grant, _, subdomain = key.partition("#")
            cursor = cls(grant, exact_subdomain(subdomain))
        except (ValueError, SubdomainRefusedError):
            raise MalformedRequestError("not a cursor") from None
        if not GRANT_NAME.fullmatch(grant) or cursor.text != unverified_text:
            raise MalformedRequestError("not a cursor of ours")
        return cursor


class ListQuestion(NamedTuple):
    """Which connections are listed: of one grant or of all, after the cursor, so many at most."""

    limit: int
    grant: str | None = None
    after: Cursor | None = None


class ConnectionPage(NamedTuple):
    """Some of the connections, and where the next page begins; None: there is none."""

    connections: tuple[ConnectionSummary, ...]
    cursor: Cursor | None
