"""`zendesk-oauth probe`: ask Zendesk whether a stored access token lives, and change nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.arguments import AccountName, GrantName, names_of
from cli.connections import not_connected
from cli.desk import Desk
from cli.exits import Exit
from cli.output import table
from cli.refresh_function import probe as ask_zendesk
from cli.words import NOTHING, STATUSES, when
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.models.grant import DEFAULT_GRANT

OUTCOMES: Mapping[str, str] = {
    "alive": "alive: Zendesk takes the token",
    "dead": "dead: Zendesk does not take the token, whose time is not over",
    "over": "over: Zendesk does not take the token, whose time is over or nearly",
    "unknown": "unknown: nothing was learnt",
}
TO_DO: Mapping[tuple[str, str], str] = {
    ("dead", "active"): "`zendesk-oauth refresh {0} --failed` finds out whether the connection is lost",
    (
        "over",
        "active",
    ): "`zendesk-oauth refresh {0}` gets a new one; so does whoever uses the connection next",
    (
        "alive",
        "reconnect_required",
    ): "have the account connected again before this token ends: it is the last",
    ("dead", "reconnect_required"): "have an admin of the account connect it again",
    ("over", "reconnect_required"): "have an admin of the account connect it again",
}
"""What to do, by what Zendesk says and what the row says."""


def probe(desk: Desk, account: AccountName, grant: GrantName = DEFAULT_GRANT) -> Exit:
    """Ask Zendesk whether the stored token lives. Nothing is changed by it."""
    named = names_of(account, grant)
    found = ask_zendesk(desk, *named)
    if found["status"] is None:
        raise not_connected(desk, named[0])
    desk.output.tell(found, lambda out: out.print(table(rows=_lines(found, named))))
    return Exit.DONE if found["outcome"] == "alive" else Exit.AMISS


def _lines(found: Mapping[str, Any], named: tuple[str, str]) -> Iterator[tuple[str, str]]:
    grant, subdomain = named
    yield "connection", f"{grant} at {subdomain}"
    yield "token", OUTCOMES.get(found["outcome"], "none: the connection has ended, and its tokens are erased")
    yield "status", STATUSES.get(found["status"], found["status"])
    yield "version", f"epoch {found['epoch']}, generation {found['generation']}"
    if found["scopes"] is not None:
        yield "scopes", " ".join(found["scopes"])
    if found["expires_at"]:
        yield "ends", when(found["expires_at"], SystemClock().now())
    if found["user_id"]:
        yield "whose", f"user {found['user_id']} at Zendesk, {found['role']}"
    if found["cause"]:
        yield "not known", f"the rest: {found['cause']} (docs/errors.md)"
    to_do = TO_DO.get((found["outcome"], found["status"]), NOTHING)
    if to_do != NOTHING:
        yield "to do", to_do.format(subdomain if grant == DEFAULT_GRANT else f"{subdomain} --grant {grant}")
