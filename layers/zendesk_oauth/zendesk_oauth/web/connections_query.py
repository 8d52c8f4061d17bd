"""What is asked of the connections: routes, paths and queries, read strictly.

The rule: the route decides what is asked, because the caller was authorised for it; the path, which the gateway has
decoded, only names the connection, and has to be a path of that very route.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from zendesk_oauth.errors import MalformedRequestError, UnknownGrantError
from zendesk_oauth.models.grant import GRANT_NAME
from zendesk_oauth.models.scopes import parse_scopes
from zendesk_oauth.models.subdomain import Subdomain, exact_subdomain
from zendesk_oauth.models.token import TokenQuestion

if TYPE_CHECKING:
    from zendesk_oauth.models.connection_summary import ListQuestion

DEFAULT_LIMIT = 50
LIMITS = range(1, 101)
"""Connections on one page: no more than DynamoDB reads in one batch."""
LONGEST_TTL = 172_800
"""Seconds: no access token of Zendesk lives longer."""
LARGEST_GENERATION = 2**53 - 1
"""As far as every JSON parser counts exactly."""
LIST_ROUTE = "/connections"
CONNECTION_ROUTE = "/connections/{grant}/{subdomain}"
TOKEN_ROUTE = f"{CONNECTION_ROUTE}/token"
_CONNECTION = re.compile(r"/connections/([^/]+)/([^/]+?)(/token)?")
_DIGITS = re.compile(r"[0-9]{1,16}")


class ConnectionPath(NamedTuple):
    """A connection's own path, or its token's; the names are not judged yet."""

    unverified_grant: str
    unverified_subdomain: str
    is_token: bool

    def names(self) -> tuple[str, Subdomain]:
        """Return grant and subdomain. Raises UnknownGrantError and SubdomainRefusedError."""
        return grant_name(self.unverified_grant), exact_subdomain(self.unverified_subdomain)


def is_list(route: str, path: str) -> bool:
    """Tell whether all connections are asked for, by route and path alike."""
    return route == path == LIST_ROUTE


def connection_path(route: str, path: str) -> ConnectionPath | None:
    """Return the parts of a path below /connections, or None where it is no path of the route."""
    match = _CONNECTION.fullmatch(path)
    if match is None or route != (TOKEN_ROUTE if match[3] else CONNECTION_ROUTE):
        return None
    return ConnectionPath(match[1], match[2], route == TOKEN_ROUTE)


def grant_name(unverified_grant: str) -> str:
    """Return what can be a grant's name. Raises UnknownGrantError for what no deployment can have."""
    if not GRANT_NAME.fullmatch(unverified_grant):
        raise UnknownGrantError("not a grant's name")
    return unverified_grant


def list_question(query: Mapping[str, str]) -> "ListQuestion":
    """Return which connections are to be listed. Raises MalformedRequestError and UnknownGrantError."""
    from zendesk_oauth.models.connection_summary import Cursor, ListQuestion  # noqa: PLC0415 - no token needs it

    check_names(query, frozenset({"limit", "cursor", "grant"}))
    return ListQuestion(
        limit=_optional(query, "limit", _number(LIMITS[0], LIMITS[-1])) or DEFAULT_LIMIT,
        grant=_optional(query, "grant", grant_name),
        after=_optional(query, "cursor", Cursor.parse),
    )


def token_question(grant: str, subdomain: Subdomain, query: Mapping[str, str]) -> TokenQuestion:
    """Return which token is wanted. Raises MalformedRequestError."""
    check_names(query, frozenset({"newer_than", "scopes", "min_ttl"}))
    return TokenQuestion(
        grant,
        subdomain,
        scopes=_optional(query, "scopes", parse_scopes) or (),
        min_ttl=timedelta(seconds=_optional(query, "min_ttl", _number(0, LONGEST_TTL)) or 0),
        newer_than=_optional(query, "newer_than", _number(0, LARGEST_GENERATION)),
    )


def check_names(query: Mapping[str, str], known: frozenset[str] = frozenset()) -> None:
    """Raise MalformedRequestError for a parameter that means nothing here: most likely it is misspelt."""
    if not query.keys() <= known:
        raise MalformedRequestError("unknown parameter")


def _optional[T](query: Mapping[str, str], name: str, parse: Callable[[str], T]) -> T | None:
    """Return the parsed value, or None where the parameter is absent: an empty one is not."""
    if name not in query:
        return None
    try:
        return parse(query[name])
    except ValueError:
        raise MalformedRequestError(f"value of {name}") from None


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
            raise ValueError("not a number in its limits")
        return int(text)

    return parse
