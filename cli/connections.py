"""The connections as the API shows them, and what can be done with one: listed, shown, ended."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from cli.arguments import NO_SUCH_GRANT
from cli.asking import Answer, ask, get, succeeded
from cli.desk import Desk
from cli.errors import CommandError, NotConnectedError, RefusedError
from cli.stack import Stack
from zendesk_oauth.models.subdomain import Subdomain

PAGE = 100
"""Connections asked for at once: as many as the API gives."""

type Connection = Mapping[str, Any]
"""One connection, with every field that docs/connections.md names."""


def every_connection(desk: Desk, grant: str | None = None) -> Iterator[Connection]:
    """Yield the connections, of one grant or of all, page after page as they are asked for."""
    query: dict[str, object] = {"limit": PAGE} | ({"grant": grant} if grant else {})
    while True:
        page = get(desk, f"/connections?{urlencode(sorted(query.items()))}")
        yield from page["connections"]
        if page["cursor"] is None:
            return
        query["cursor"] = page["cursor"]


def some_connections(
    desk: Desk, grant: str | None, status: str | None, limit: int | None
) -> tuple[list[Connection], bool]:
    """Return at most `limit` connections of a status, and whether there are more."""
    found = (each for each in every_connection(desk, grant) if status in {None, each["status"]})
    if limit is None:
        return list(found), False
    some = list(islice(found, limit + 1))
    return some[:limit], len(some) > limit


def find_connection(desk: Desk, grant: str, subdomain: Subdomain) -> Connection:
    """Return one. Raises what `not_connected` returns where there is none."""
    try:
        return get(desk, _path(grant, subdomain))
    except NotConnectedError:
        raise not_connected(desk, grant) from None


def not_connected(desk: Desk, grant: str) -> CommandError:
    """Return what it means that there is no such connection: perhaps there is no such grant."""
    is_configured = grant in Stack(desk.stack).grants
    return NotConnectedError() if is_configured else RefusedError(NO_SUCH_GRANT)


def end_connection(desk: Desk, grant: str, subdomain: Subdomain) -> Answer:
    """Begin to end one, or hurry it. Raises NotConnectedError where there is none."""
    return succeeded(ask(desk, "DELETE", _path(grant, subdomain)))


def _path(grant: str, subdomain: Subdomain) -> str:
    return f"/connections/{grant}/{subdomain}"
