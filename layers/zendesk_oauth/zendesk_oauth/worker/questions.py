"""What a worker asks for, checked: every argument has its type and its range before anything is read.

A wrong type raises TypeError, a value out of range ValueError. Both name the parameter and the type that was given,
and never the value, which may be a token that stands in the wrong place.
"""

from collections.abc import Iterable
from datetime import timedelta

from zendesk_oauth.errors import UnknownGrantError
from zendesk_oauth.models.grant import DEFAULT_GRANT, GRANT_NAME
from zendesk_oauth.models.scopes import Scopes, parse_scopes
from zendesk_oauth.models.subdomain import parse_subdomain
from zendesk_oauth.models.token import TokenQuestion

__all__ = ["DEFAULT_GRANT", "checked", "checked_question", "checked_span", "question_of", "wrong_type"]

MAX_MIN_TTL = timedelta(days=2)
"""The longest life of an access token (Zendesk, "Refresh token flow": `expires_in` of 300 to 172,800 seconds)."""
MAX_WAIT = timedelta(minutes=15)
"""The longest time that a Lambda function runs, and far less than a lock can wait."""


def question_of(
    subdomain: str,
    grant: str = DEFAULT_GRANT,
    scopes: Iterable[str] = (),
    min_ttl: timedelta = timedelta(),
    newer_than: int | None = None,
) -> TokenQuestion:
    """Return the checked question.

    `scopes` may also be one text, separated by spaces; `min_ttl` is at most MAX_MIN_TTL. Raises SubdomainRefusedError,
    UnknownGrantError for a name that no grant can have, TypeError for a wrong type, and ValueError for a scope that
    is none or a number out of range.
    """
    checked("subdomain", subdomain, str)
    checked("grant", grant, str)
    if not GRANT_NAME.fullmatch(grant):
        raise UnknownGrantError("no name of a grant")
    checked_span("min_ttl", min_ttl, MAX_MIN_TTL)
    if newer_than is not None and checked("newer_than", newer_than, int) < 0:
        raise ValueError("newer_than must be 0 or more: it is a generation")
    return TokenQuestion(grant, parse_subdomain(subdomain), _scopes(scopes), min_ttl, newer_than)


def checked[T](parameter: str, unverified: object, kind: type[T]) -> T:
    """Return the argument, which has to be of this type; True and False are no numbers. Raises TypeError."""
    if not isinstance(unverified, kind) or isinstance(unverified, bool):
        raise wrong_type(parameter, kind.__name__, unverified)
    return unverified


def checked_question(unverified: object) -> TokenQuestion:
    """Return the question, which `question_of` has made. Raises TypeError."""
    return checked("question", unverified, TokenQuestion)


def checked_span(parameter: str, unverified: object, longest: timedelta) -> timedelta:
    """Return a length of time from zero to the longest. Raises TypeError, ValueError."""
    span = checked(parameter, unverified, timedelta)
    if not timedelta() <= span <= longest:
        raise ValueError(f"{parameter} must be from 0 to {longest}")
    return span


def wrong_type(parameter: str, wanted: str, given: object) -> TypeError:
    """Return the error to raise."""
    return TypeError(f"{parameter} must be {wanted}, not {type(given).__name__}")


def _scopes(unverified: object) -> Scopes:
    if isinstance(unverified, bytes | bytearray | memoryview) or not isinstance(unverified, Iterable):
        raise wrong_type("scopes", "str or an iterable of str", unverified)
    each = (unverified,) if isinstance(unverified, str) else dict.fromkeys(map(_name, unverified))
    names = " ".join(each)
    try:
        return parse_scopes(names) if names else ()
    except ValueError as error:
        raise ValueError(f"scopes: {error}") from None


def _name(unverified: object) -> str:
    if not isinstance(unverified, str):
        raise TypeError(f"scopes must be str or an iterable of str, not {type(unverified).__name__} in it")
    return unverified
