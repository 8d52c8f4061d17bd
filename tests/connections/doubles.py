"""Doubles for what stands around the connections' answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON
from zendesk_oauth.errors import ZendeskOAuthError
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.connection_summary import ConnectionPage, ConnectionSummary, ListQuestion
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.token import AccessToken, TokenQuestion
from zendesk_oauth.services.disconnect_connection import DisconnectOutcome
from zendesk_oauth.services.end_connection import Ended

TOKEN = "an-access-token-that-is-given-and-never-logged"


def summary(**changes: Any) -> ConnectionSummary:
    """Return an active connection."""
    connection = ConnectionSummary(
        grant="default",
        subdomain=ACME,
        status=ConnectionStatus.ACTIVE,
        epoch=3,
        generation=40,
        scopes=("users:read", "tickets:read"),
        missing_scopes=(),
        issued_at=NOON,
        expires_at=NOON + timedelta(hours=48),
        refresh_at=NOON + timedelta(hours=47),
        refresh_expires_at=NOON + timedelta(days=90),
        keep_alive_at=NOON + timedelta(days=50),
        established_at=NOON,
        connected_at=NOON,
        reconnect_reason=None,
        reconnect_since=None,
        authorized_user_id=17,
        authorized_user_role="admin",
        user_reference=None,
        claim=None,
        retry_at=None,
        disconnect=None,
    )
    return connection._replace(**changes)


def access_token(expires_at: datetime = NOON + timedelta(seconds=1800.9)) -> AccessToken:
    """Return a token that lives for half an hour."""
    return AccessToken(Secret(TOKEN), 3, 40, expires_at, NOON, ("users:read", "tickets:read"))


@dataclass
class ScriptedUseCases:
    """Answers what it is told, and keeps what it was asked."""

    token: AccessToken | Exception = field(default_factory=access_token)
    page: ConnectionPage = ConnectionPage((), None)  # noqa: RUF009 - it cannot be changed
    shown: ConnectionSummary | None = None
    ended: Ended = Ended(DisconnectOutcome.NOT_CONNECTED)  # noqa: RUF009 - it cannot be changed
    asked: list[Any] = field(default_factory=list)

    def read_token(self, question: TokenQuestion, until: float) -> AccessToken:
        """Return the token, or raise."""
        self.asked.append((question, until))
        if isinstance(self.token, Exception):
            raise self.token
        return self.token

    def list_connections(self, question: ListQuestion) -> ConnectionPage:
        """Return the page."""
        self.asked.append(question)
        return self.page

    def show_connection(self, grant: str, subdomain: Subdomain) -> ConnectionSummary | None:
        """Return the one."""
        self.asked.append((grant, subdomain))
        return self.shown

    def end_connection(self, grant: str, subdomain: Subdomain) -> Ended:
        """Return how far it has come."""
        self.asked.append(("end", grant, subdomain))
        return self.ended


@dataclass
class InMemoryDirectory:
    """Directory and marker over one connection; `before_mark` happens between the read and the mark."""

    connection: ConnectionSummary | None
    before_mark: Callable[["InMemoryDirectory"], None] = lambda _: None
    marks: int = 0
    reads: int = 0

    def find(self, grant: str, subdomain: Subdomain) -> ConnectionSummary | None:
        """Read it."""
        self.reads += 1
        one = self.connection
        return one if one and (one.grant, one.subdomain) == (grant, subdomain) else None

    def page(self, question: ListQuestion) -> ConnectionPage:
        """Return all there is."""
        return ConnectionPage((self.connection,) if self.connection else (), question.after)

    def mark_disconnecting(self, connection: ConnectionSummary, now: datetime) -> bool:
        """Mark it on the conditions of the port."""
        del now
        self.marks += 1
        self.before_mark(self)
        is_same = self.connection is not None and self.connection.epoch == connection.epoch
        if not is_same or self.connection is None or self.connection.status not in _MARKABLE:
            return False
        self.connection = self.connection._replace(status=ConnectionStatus.DISCONNECTING)
        return True


_MARKABLE = {ConnectionStatus.ACTIVE, ConnectionStatus.RECONNECT_REQUIRED}


@dataclass
class ScriptedHandover:
    """Keeps what is handed over, or raises."""

    error: ZendeskOAuthError | None = None
    handed: list[tuple[str, Subdomain]] = field(default_factory=list)

    def hand_over_finish(self, grant: str, subdomain: Subdomain) -> None:
        """Take it."""
        self.handed.append((grant, subdomain))
        if self.error:
            raise self.error
