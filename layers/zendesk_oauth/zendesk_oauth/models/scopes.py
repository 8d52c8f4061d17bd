"""Scopes: their syntax, and what one covers.

The list of names grows at Zendesk every few months, so the syntax is checked and never a closed list.
Source: Zendesk, "Using OAuth authentication with your application", section on scopes.
"""

import re
from collections.abc import Iterable

type Scopes = tuple[str, ...]
"""Scope names in the order in which they are asked for, without repeats."""

MAX_SCOPES = 200
MAX_SCOPE_BYTES = 8 * 1024
"""What is kept of one list of scopes, in names and in bytes: Zendesk has some 54, and a row must not fill up."""
_SCOPE = re.compile(r"[a-z_]+(?::(?:read|write))?")


def parse_scopes(text: str) -> Scopes:
    """Return the scopes of a space-separated list (RFC 6749 section 3.3).

    Raises ValueError where it is empty (Zendesk takes that for full read and write), where a name has not
    the syntax `name` or `name:read|write`, or where one stands twice.
    """
    names = tuple(text.split())
    if not names:
        raise ValueError("no scope is named, which Zendesk would take for full access")
    for number, name in enumerate(names, 1):
        if not _SCOPE.fullmatch(name):
            raise ValueError(f"number {number} is not a scope")
    if len(set(names)) != len(names):
        raise ValueError("a scope is named twice")
    return names


def covers(granted: Scopes, scope: str) -> bool:
    """Tell whether the granted scopes include this one: `read` covers every `…:read`, `write` every `…:write`."""
    _, _, access = scope.partition(":")
    return scope in granted or (access in {"read", "write"} and access in granted)


def missing(requested: Scopes, granted: Scopes) -> Scopes:
    """Return what was asked for and not given: Zendesk drops unknown names without a word."""
    return tuple(scope for scope in requested if not covers(granted, scope))


def bounded(scopes: Iterable[str]) -> Scopes:
    """Return the names in their order, each once, as many as MAX_SCOPES and MAX_SCOPE_BYTES allow."""
    kept: list[str] = []
    size = 0
    for scope in dict.fromkeys(scopes):
        size += len(scope.encode())
        if len(kept) == MAX_SCOPES or size > MAX_SCOPE_BYTES:
            break
        kept.append(scope)
    return tuple(kept)
