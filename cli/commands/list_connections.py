"""`zendesk-oauth list`: which connections there are."""

from datetime import datetime
from typing import Annotated

import typer

from cli.arguments import NO_SUCH_GRANT
from cli.connections import Connection, some_connections
from cli.desk import Desk
from cli.errors import RefusedError
from cli.output import table
from cli.stack import Stack
from cli.words import NOTHING, away, instant_of
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.models.connection import ConnectionStatus

FEW = 50
NONE = "No connection, or none that fits; `zendesk-oauth invite` makes an address where one begins."


def list_connections(
    desk: Desk,
    grant: Annotated[str | None, typer.Option(help="Only connections of this grant.")] = None,
    status: Annotated[ConnectionStatus | None, typer.Option(help="Only connections in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = FEW,
    everything: Annotated[bool, typer.Option("--all", help="All of them, however many.")] = False,  # noqa: FBT002 - an option
) -> None:
    """List connections: who is connected, and who has to connect again."""
    connections, more = some_connections(desk, grant, status, None if everything else limit)
    if not connections and grant is not None and grant not in Stack(desk.stack).grants:
        # asked only now: connections may outlive the grant that they were made for
        raise RefusedError(NO_SUCH_GRANT)
    now = SystemClock().now()
    rows = [_row(connection, now) for connection in connections]
    columns = ("grant", "subdomain", "status", "token ends", "unused ends", "note")
    desk.output.tell(connections, lambda out: out.print(table(*columns, rows=rows)))
    if not connections:
        desk.output.say(NONE if status is None else f"No connection is {status}.")
    if more:
        desk.output.say(f"There are more than {limit}; --all lists all, --limit more.")


def _row(connection: Connection, now: datetime) -> tuple[str, ...]:
    return (
        connection["grant"],
        connection["subdomain"],
        connection["status"],
        *(_away(connection, field, now) for field in ("expires_at", "refresh_expires_at")),
        _note(connection),
    )


def _away(connection: Connection, field: str, now: datetime) -> str:
    """Return how far an end is away; what has been erased has none."""
    is_there = connection[field] and connection["status"] != ConnectionStatus.DISCONNECTED
    return away(instant_of(connection[field]), now) if is_there else NOTHING


def _note(connection: Connection) -> str:
    """Return what is special about one."""
    notes = [connection["reconnect_reason"] or ""]
    if connection["claim"]:
        notes.append(f"refresh {connection['claim']['state']}")
    if connection["missing_scopes"]:
        notes.append(f"without {' '.join(connection['missing_scopes'])}")
    return ", ".join(filter(None, notes))
