"""The parts of an event that names rows, read strictly: each error names the part that is wrong and quotes nothing."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from zendesk_oauth.errors import MalformedRequestError, SubdomainRefusedError
from zendesk_oauth.models.connection import COMMIT_ID
from zendesk_oauth.models.grant import GRANT_NAME
from zendesk_oauth.models.subdomain import Subdomain, exact_subdomain

HIGHEST = 2**63
"""Beyond what a counter can ever reach."""


def connection_named(value: object, name: str) -> tuple[str, Subdomain]:
    """Return grant and subdomain of an object that has these and nothing else."""
    fields = json_object(value, name)
    exactly(fields, {"grant", "subdomain"}, name)
    return grant_name(fields["grant"]), subdomain_name(fields["subdomain"])


def row_named(value: object, name: str) -> tuple[str, Subdomain, str | None]:
    """Return grant and subdomain, and the commit id of a replaced pair where the object names its row."""
    fields = json_object(value, name)
    if "replaced" not in fields:
        return *connection_named(value, name), None
    exactly(fields, {"grant", "subdomain", "replaced"}, name)
    replaced = text(fields["replaced"], "replaced")
    if not COMMIT_ID.fullmatch(replaced):
        raise MalformedRequestError("replaced is not a commit id")
    return grant_name(fields["grant"]), subdomain_name(fields["subdomain"]), replaced


def grant_name(value: object) -> str:
    """Return the name of a grant."""
    name = text(value, "grant")
    if not GRANT_NAME.fullmatch(name):
        raise MalformedRequestError("grant is not the name of a grant")
    return name


def subdomain_name(value: object) -> Subdomain:
    """Return the name of an account, in its one exact form."""
    try:
        return exact_subdomain(text(value, "subdomain"))
    except SubdomainRefusedError:
        raise MalformedRequestError("subdomain is not the name of an account") from None


def member[T: StrEnum](kind: type[T], value: object, name: str) -> T:
    """Return one of a closed list."""
    try:
        return kind(text(value, name))
    except ValueError:
        raise MalformedRequestError(f"{name} is none of {', '.join(kind)}") from None


def count(value: object, name: str) -> int:
    """Return a whole number from 0 on."""
    if type(value) is not int or not 0 <= value < HIGHEST:  # True is an int too
        raise MalformedRequestError(f"{name} is not a count")
    return value


def text(value: object, name: str) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise MalformedRequestError(f"{name} is not a text")
    return value


def json_list(value: object, name: str) -> list[Any]:
    """Return a list."""
    if not isinstance(value, list):
        raise MalformedRequestError(f"{name} is not a list")
    return value


def json_object(value: object, name: str) -> Mapping[str, object]:
    """Return a JSON object."""
    if not isinstance(value, dict):
        raise MalformedRequestError(f"{name} is not a JSON object")
    return value


def only(fields: Mapping[str, object], name: str) -> object:
    """Return the one member that an event has."""
    exactly(fields, {name}, "the event")
    return fields[name]


def exactly(fields: Mapping[str, object], names: set[str], where: str) -> None:
    """Refuse an object that has other members than these."""
    if fields.keys() != names:
        raise MalformedRequestError(f"{where} has other members than {', '.join(sorted(names))}")
