"""`zendesk-oauth show`: everything that the API says of one connection, in words."""

from collections.abc import Iterator
from datetime import datetime

from cli.arguments import AccountName, GrantName, names_of
from cli.connections import Connection, find_connection
from cli.desk import Desk
from cli.output import table
from cli.words import REASONS, REVOCATIONS, STATUSES, when
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.grant import DEFAULT_GRANT

type Line = tuple[str, str]
TIMES_OF_TOKENS = (
    ("token issued", "issued_at"),
    ("token due", "refresh_at"),
    ("token ends", "expires_at"),
    ("kept alive", "keep_alive_at"),
    ("unused ends", "refresh_expires_at"),
)


def show_connection(desk: Desk, account: AccountName, grant: GrantName = DEFAULT_GRANT) -> None:
    """Show one connection: its state, its times, who made it. No token is among it."""
    connection = find_connection(desk, *names_of(account, grant))
    now = SystemClock().now()
    desk.output.tell(connection, lambda out: out.print(table(rows=lines_of(connection, now))))


def lines_of(connection: Connection, now: datetime) -> Iterator[Line]:
    """Yield what is to be said of a connection, each with its name."""
    yield "connection", f"{connection['grant']} at {connection['subdomain']}"
    yield "status", STATUSES.get(connection["status"], connection["status"])
    yield from _trouble(connection, now)
    yield (
        "version",
        f"epoch {connection['epoch']} (installs), generation {connection['generation']} (token pairs)",
    )
    yield "install", connection["install_id"] or "of before installs were noted"
    yield from _scopes(connection)
    yield from _person(connection)
    yield from _times(connection, now)


def _trouble(connection: Connection, now: datetime) -> Iterator[Line]:
    if connection["reconnect_reason"]:
        reason = connection["reconnect_reason"]
        yield "why", REASONS.get(reason, reason)
        yield "since", when(connection["reconnect_since"], now)
    disconnect = connection["disconnect"]
    if disconnect:
        yield "disconnect asked", when(disconnect["since"], now)
        yield "disconnect ended", when(disconnect["ended_at"], now)
        revocation = disconnect["revocation"]
        yield "its token", REVOCATIONS.get(revocation, revocation or "not revoked yet")
    claim = connection["claim"]
    if claim:
        yield "refresh", f"{claim['state']}: believed until {when(claim['until'], now)}"
    if connection["retry_at"]:
        yield "next refresh", f"not before {when(connection['retry_at'], now)}"


def _scopes(connection: Connection) -> Iterator[Line]:
    yield "scopes", " ".join(connection["scopes"]) or "none"
    if connection["missing_scopes"]:
        yield "not granted", " ".join(connection["missing_scopes"])


def _person(connection: Connection) -> Iterator[Line]:
    if connection["authorized_user_id"]:
        yield (
            "allowed by",
            f"user {connection['authorized_user_id']} at Zendesk, {connection['authorized_user_role']}",
        )
    if connection["user_reference"]:
        yield "your user", connection["user_reference"]


def _times(connection: Connection, now: datetime) -> Iterator[Line]:
    """Yield when things happen; of tokens only while there are any."""
    has_tokens = connection["status"] != ConnectionStatus.DISCONNECTED
    for name, field in (
        ("installed", "established_at"),
        ("connected", "connected_at"),
        *(TIMES_OF_TOKENS if has_tokens else ()),
    ):
        if connection[field]:
            yield name, when(connection[field], now)
