"""What a worker asks for, checked: a subdomain, a grant and scopes that are really such."""

from collections.abc import Iterable
from datetime import timedelta

from zendesk_oauth.errors import UnknownGrantError
from zendesk_oauth.models.grant import DEFAULT_GRANT, GRANT_NAME
from zendesk_oauth.models.scopes import Scopes, parse_scopes
from zendesk_oauth.models.subdomain import parse_subdomain
from zendesk_oauth.models.token import TokenQuestion

__all__ = ["DEFAULT_GRANT", "question_of"]


def question_of(
    subdomain: str,
    grant: str = DEFAULT_GRANT,
    scopes: Iterable[str] = (),
    min_ttl: timedelta = timedelta(),
    newer_than: int | None = None,
) -> TokenQuestion:
    """Return the checked question.

    `scopes` may also be one text, separated by spaces. Raises SubdomainRefusedError, UnknownGrantError for a name
    that no grant can have, and ValueError for a scope that is none.
    """
    if not GRANT_NAME.fullmatch(grant):
        raise UnknownGrantError("no name of a grant")
    return TokenQuestion(grant, parse_subdomain(subdomain), _checked(scopes), min_ttl, newer_than)


def _checked(scopes: Iterable[str]) -> Scopes:
    names = scopes if isinstance(scopes, str) else " ".join(dict.fromkeys(scopes))
    return parse_scopes(names) if names else ()
