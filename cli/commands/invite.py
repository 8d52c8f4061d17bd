"""`zendesk-oauth invite`: where a browser begins an install.

In confirmed mode this is an invitation: whoever has the address can use it, once and for 60 seconds. It is the one
secret that the command ever shows, because to be handed on is what it is for.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from cli.arguments import NO_SUCH_GRANT, names_of
from cli.asking import ask, succeeded
from cli.desk import Desk
from cli.errors import RefusedError
from cli.output import plain
from cli.stack import Stack
from cli.words import when
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.models.grant import DEFAULT_GRANT

User = Annotated[
    str,
    typer.Argument(
        metavar="USER", help="Your own reference of the user, as your backend has it.", show_default=False
    ),
]
Subdomain = Annotated[str | None, typer.Option("--subdomain", help="The account, if it is known.")]
Grant = Annotated[str | None, typer.Option("--grant", help="Which grant; `default` unless it is said.")]
ReturnTo = Annotated[str | None, typer.Option("--return-to", help="Where the browser goes afterwards.")]


def invite(
    desk: Desk, user: User, subdomain: Subdomain = None, grant: Grant = None, return_to: ReturnTo = None
) -> None:
    """Make an address where a browser begins an install; in confirmed mode it works once, for 60 seconds."""
    if not user.strip():
        raise RefusedError("USER is empty: name whom you invite as your backend does")
    wanted = {"grant": grant, "subdomain": subdomain, "return_to": return_to}
    given = {name: value for name, value in wanted.items() if value is not None}
    if subdomain is not None:
        given["subdomain"] = names_of(subdomain, grant or DEFAULT_GRANT)[1]
    stack = Stack(desk.stack)
    if grant is not None and grant not in stack.grants:
        raise RefusedError(NO_SUCH_GRANT)
    start_url = stack.start_url
    invitation = _open(start_url, given) if start_url else _confirmed(desk, {"user": user, **given})
    desk.output.tell(
        invitation, lambda out: out.print(plain(invitation["start_url"]), soft_wrap=True, markup=False)
    )
    if start_url:
        desk.output.say(
            "This deployment starts installs openly: anybody may use it, and the user is not noted."
        )
    else:
        ends = when(invitation["expires_at"], SystemClock().now())
        desk.output.say(
            f"It works once, and ends {ends}. Whoever has it can use it: hand it to that user alone."
        )


def _open(start_url: str, given: Mapping[str, str]) -> Mapping[str, Any]:
    query = f"?{urlencode(given)}" if given else ""
    return {"start_url": f"{start_url}{query}", "install": None, "expires_at": None}


def _confirmed(desk: Desk, body: Mapping[str, object]) -> Mapping[str, Any]:
    answer = succeeded(ask(desk, "POST", "/invitations", body)).fields
    return {name: answer[name] for name in ("start_url", "install", "expires_at")}
