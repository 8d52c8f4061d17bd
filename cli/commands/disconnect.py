"""`zendesk-oauth disconnect`: end a connection, and follow it until its tokens are revoked and erased."""

from collections.abc import Iterator, Mapping
from time import sleep
from typing import Annotated, Any

import typer

from cli.arguments import AccountName, GrantName, names_of
from cli.connections import Connection, end_connection, find_connection
from cli.desk import Desk
from cli.errors import AmissError, NotNowError, RefusedError, writing
from cli.exits import Exit
from cli.output import table
from cli.words import LEFT_ALIVE, REVOCATIONS, STATUSES, when
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.models.grant import DEFAULT_GRANT
from zendesk_oauth.models.subdomain import Subdomain

PAUSE_SECONDS = 2.0
LOOKS = 60
"""How often it is looked again: two minutes, where Zendesk answers; where it does not, the schedule goes on."""
DISCONNECTED = "disconnected"
REPLACED = "a new install has come in between"

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is disconnected.")]


def disconnect(
    desk: Desk,
    account: AccountName,
    grant: GrantName = DEFAULT_GRANT,
    yes: Yes = False,  # noqa: FBT002 - an option
    wait: Wait = False,  # noqa: FBT002 - an option
) -> Exit:
    """End a connection: stop its use, revoke its tokens at Zendesk, erase them."""
    named = names_of(account, grant)
    connection = find_connection(desk, *named)
    if not yes and connection["status"] != DISCONNECTED and not _is_wanted(desk, connection):
        desk.output.say("Nothing was done.")
        return Exit.AMISS
    if find_connection(desk, *named)["epoch"] != connection["epoch"]:
        raise AmissError(f"{REPLACED}, and nothing was ended")
    end_connection(desk, *named)
    connection = _followed(desk, *named, LOOKS if wait else 0)
    result = _result(connection)
    desk.output.tell(result, lambda out: out.print(table(rows=_lines(result))))
    return Exit.AMISS if result["revocation"] in LEFT_ALIVE else Exit.DONE


def _is_wanted(desk: Desk, connection: Connection) -> bool:
    """Ask whoever sits there. Raises RefusedError where nobody does."""
    if not desk.output.is_watched:
        raise RefusedError("a disconnect is asked for at a terminal; without one, say --yes")
    connected = when(connection["connected_at"], SystemClock().now())
    desk.output.say(
        f"{connection['grant']} at {connection['subdomain']} ({connection['status']}) was connected {connected}."
    )
    desk.output.say("Its tokens will be revoked at Zendesk and erased; only a new install brings it back.")
    with writing():
        return typer.confirm("Disconnect it?", err=True)


def _followed(desk: Desk, grant: str, subdomain: Subdomain, looks: int) -> Connection:
    """Look once, or so often until it has ended. Raises NotNowError where that takes too long."""
    for _ in range(max(looks, 1)):
        connection = find_connection(desk, grant, subdomain)
        if connection["status"] not in {DISCONNECTED, "disconnecting"}:
            raise AmissError(f"{REPLACED}; `zendesk-oauth show` says what is so now")
        if connection["status"] == DISCONNECTED or not looks:
            return connection
        sleep(PAUSE_SECONDS)
    raise NotNowError("it is under way and not ended yet: a schedule goes on, and --wait looks again")


def _result(connection: Connection) -> Mapping[str, Any]:
    names = ("grant", "subdomain", "status")
    ended = connection["disconnect"] or {}
    return {**{name: connection[name] for name in names}, "revocation": ended.get("revocation")}


def _lines(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "connection", f"{result['grant']} at {result['subdomain']}"
    yield "status", STATUSES.get(result["status"], result["status"])
    revocation = result["revocation"]
    if revocation:
        yield "its token", REVOCATIONS.get(revocation, revocation)
    if result["status"] != DISCONNECTED:
        yield "to do", "nothing: a schedule goes on until it is done; --wait looks until then"
    elif revocation in LEFT_ALIVE:
        yield "to do", "ask an admin of the account to delete the token in Admin Center; nobody else can"
