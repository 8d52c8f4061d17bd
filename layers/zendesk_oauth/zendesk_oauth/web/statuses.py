"""What goes wrong becomes an HTTP status, in this one table; a new error has its nearest ancestor's.

No 5xx follows from what a query merely claims: else anybody could ring the operator's alarms with a browser.
"""

import math
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple

from zendesk_oauth import errors
from zendesk_oauth.errors import ZendeskOAuthError

_STATUSES: Mapping[type[ZendeskOAuthError], HTTPStatus] = {
    ZendeskOAuthError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.RequestError: HTTPStatus.BAD_REQUEST,
    errors.InvitationRequiredError: HTTPStatus.FORBIDDEN,
    errors.InvitationRejectedError: HTTPStatus.GONE,
    errors.ContinueRejectedError: HTTPStatus.FORBIDDEN,
    errors.InvitationsNotOfferedError: HTTPStatus.CONFLICT,
    errors.ConfirmationRejectedError: HTTPStatus.FORBIDDEN,
    errors.PrefetchRefusedError: HTTPStatus.FORBIDDEN,
    errors.CallbackError: HTTPStatus.BAD_REQUEST,
    errors.WrongRoleError: HTTPStatus.FORBIDDEN,
    errors.ProviderError: HTTPStatus.BAD_GATEWAY,
    errors.AccountNotFoundError: HTTPStatus.NOT_FOUND,
    errors.ProviderUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.GrantRejectedError: HTTPStatus.BAD_REQUEST,
    errors.UnrecognisedErrorError: HTTPStatus.BAD_REQUEST,
    errors.TokenUnavailableError: HTTPStatus.CONFLICT,
    errors.MissingScopeError: HTTPStatus.FORBIDDEN,
    errors.RefreshPendingError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.KeyUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SecretUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
RETRY_SECONDS = 5
"""What we ask to wait where trying the very same address again can help."""


class Problem(NamedTuple):
    """An error as the outside sees it.

    `details` are further fields for machines, which no page shows; `allowed` are the methods that a 405 names.
    """

    status: int
    code: str
    message: str
    retry_seconds: int | None = None
    details: Mapping[str, object] = MappingProxyType({})
    allowed: frozenset[str] = frozenset()


NOT_FOUND = Problem(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")
NOT_CONNECTED = Problem(
    HTTPStatus.NOT_FOUND, "not_connected", "This account has never been connected for this grant."
)
REPLACED = Problem(
    HTTPStatus.CONFLICT,
    "replaced",
    "A new install came in between, so nothing was ended. Please look at it again.",
)
_INTERRUPTED = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "interrupted",
    "The connection was interrupted on our side. Please try again.",
)
_OVER = Problem(
    HTTPStatus.GONE,
    "over",
    "This install has expired, because it was not finished in ten minutes. Please start again.",
)
_UNCONFIRMED = Problem(
    HTTPStatus.GONE,
    "unconfirmed",
    "This install was not confirmed in time, so it was undone. Please start again.",
)
_BY_REASON: Mapping[str, Problem] = {problem.code: problem for problem in (_INTERRUPTED, _OVER, _UNCONFIRMED)}


def status_of(error: type[ZendeskOAuthError]) -> int:
    """Return the status of the error or of its nearest ancestor in the table."""
    return next(_STATUSES[kind] for kind in error.__mro__ if kind in _STATUSES)


def problem_of(error: Exception) -> Problem:
    """Return how an error looks from outside; of one that was not raised on purpose, nothing shows."""
    known = error if isinstance(error, ZendeskOAuthError) else ZendeskOAuthError()
    status = status_of(type(known))
    return Problem(status, known.code, known.public_message, _retry_seconds(known), _details(known))


def method_not_allowed(methods: frozenset[str]) -> Problem:
    """Return what a request of any other method is told (RFC 9110 section 15.5.6)."""
    message = "This address cannot be used in this way."
    return Problem(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", message, allowed=methods)


def problem_of_reason(reason: str) -> Problem:
    """Return how a failed install looks, by the reason in its row: an error's code, or what the redirect named.

    It asks nobody to wait and try: what has failed stays so, only a new install can succeed.
    """
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    for kind in _kinds(ZendeskOAuthError):
        if kind.code == reason:
            return Problem(status_of(kind), reason, kind.public_message)
    return Problem(HTTPStatus.BAD_REQUEST, reason, errors.ProviderError.public_message)


def _retry_seconds(error: ZendeskOAuthError) -> int | None:
    """Return whole seconds, rounded up and at least one: who comes too early has come in vain."""
    if isinstance(error, errors.RefreshPendingError) and error.retry_after is not None:
        return max(1, math.ceil(error.retry_after.total_seconds()))
    return RETRY_SECONDS if error.retryable else None


def _details(error: ZendeskOAuthError) -> Mapping[str, object]:
    if isinstance(error, errors.ReconnectRequiredError):
        return {"reason": error.reason, "since": error.since, "reconnect_url": error.reconnect_url}
    if isinstance(error, errors.MissingScopeError):
        return {"scopes": error.scopes}
    return {}


def _kinds(root: type[ZendeskOAuthError]) -> Iterator[type[ZendeskOAuthError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _kinds(kind)
