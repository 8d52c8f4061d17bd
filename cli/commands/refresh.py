"""`zendesk-oauth refresh`: have a connection refreshed if it is due, or if its token is dead."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.arguments import AccountName, GrantName, names_of
from cli.connections import find_connection, not_connected
from cli.desk import Desk
from cli.exits import Exit
from cli.output import table
from cli.refresh_function import refresh_due, refresh_failed
from cli.words import exactly
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.models.grant import DEFAULT_GRANT
from zendesk_oauth.models.subdomain import Subdomain

OUTCOMES: Mapping[str, str] = {
    "refreshed": "there is a new pair of tokens",
    "current": "nothing was due: the stored token is good",
    "in_progress": "somebody else is at it, or was within the last minute",
    "postponed": "not now: Zendesk, the key service or the age of the token does not allow it; nothing is lost",
    "unresolved": "Zendesk may have rotated the token: whoever comes next asks it",
    "rescued": "Zendesk rotated and the table was down: the pair waits in the rescue queue and is replayed",
    "reconnect_required": "an admin of the account has to connect it again; `zendesk-oauth show` says why",
    "client_rejected": "Zendesk does not accept our client; `zendesk-oauth doctor` says what is wrong",
    "not_connected": "the connection has ended or is being ended",
}
_EXITS: Mapping[str, Exit] = {
    "refreshed": Exit.DONE,
    "current": Exit.DONE,
    "in_progress": Exit.DONE,
    "postponed": Exit.NOT_NOW,
}
Failed = Annotated[bool, typer.Option("--failed", help="Zendesk answered 401: have the token looked into.")]
NEVER_FORCED = "A refresh is never forced: it would break whoever holds the present token."


def refresh(
    desk: Desk,
    account: AccountName,
    grant: GrantName = DEFAULT_GRANT,
    failed: Failed = False,  # noqa: FBT002 - an option
) -> Exit:
    """Refresh a connection if it is due, or with --failed if its token is dead. Never forces a rotation."""
    named = names_of(account, grant)
    answer = _failed(desk, *named) if failed else refresh_due(desk, *named)
    outcome = answer["outcome"]
    if outcome == "not_connected" and answer["epoch"] is None:
        raise not_connected(desk, named[0])
    desk.output.tell(answer, lambda out: out.print(table(rows=_lines(answer, named))))
    if outcome == "current":
        desk.output.say(NEVER_FORCED)
    return _EXITS.get(outcome, Exit.AMISS)


def _failed(desk: Desk, grant: str, subdomain: Subdomain) -> Mapping[str, Any]:
    """Name the version that is stored now: what was seen before may have been replaced since."""
    connection = find_connection(desk, grant, subdomain)
    return refresh_failed(desk, grant, subdomain, (connection["epoch"], connection["generation"]))


def _lines(answer: Mapping[str, Any], named: tuple[str, str]) -> Iterator[tuple[str, str]]:
    grant, subdomain = named
    yield "connection", f"{grant} at {subdomain}"
    yield (
        "outcome",
        f"{answer['outcome']}: {OUTCOMES.get(answer['outcome'], 'docs/refresh.md says what it means')}",
    )
    if answer["epoch"] is not None:
        yield "version", f"epoch {answer['epoch']}, generation {answer['generation']}"
    if answer["retry_at"] is not None:
        yield "again", exactly(datetime.fromtimestamp(answer["retry_at"], UTC), SystemClock().now())
