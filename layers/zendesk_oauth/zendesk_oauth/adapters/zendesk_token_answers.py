"""Judges what the token endpoint answers: 2xx and a whole, typed answer, or a typed error.

A code that was exchanged gives a pair or nothing. A refresh may keep the refresh token that it spent.
"""

import math
import re
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from zendesk_oauth.adapters.https_connection import HttpAnswer
from zendesk_oauth.adapters.zendesk_answers import (
    SECONDS,
    is_success,
    is_unavailable,
    json_object,
    parsed,
    refuse_other_than_success,
    refuse_unavailable,
)
from zendesk_oauth.errors import (
    AccountNotFoundError,
    ClientRejectedError,
    GrantRejectedError,
    UnintelligibleAnswerError,
    UnrecognisedErrorError,
)
from zendesk_oauth.models.scopes import Scopes, bounded
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import (
    FALLBACK_ACCESS_LIFETIME,
    IssuedTokens,
    TokenLifetimes,
    UnusableTokensError,
)

if TYPE_CHECKING:
    from zendesk_oauth.ports.refresh import RefreshGrant

FALLBACK_REFRESH_LIFETIME = timedelta(days=30)
"""What Zendesk gives a refresh token where nothing else was said."""
SHORTEST_ACCESS_LIFETIME = timedelta(seconds=300)
"""The least that Zendesk gives: less is not believed, or a wrong number would make us refresh without end."""
SHORTEST_REFRESH_LIFETIME = timedelta(days=1)
_CODE_IS_OVER = frozenset({"invalid_grant", "invalid_scope"})
_REFRESH_TOKEN_IS_OVER = frozenset({"invalid_grant"})
"""A refresh asks for no scope, so `invalid_scope` is about the client's own list, and ends no connection."""
_INVALID_CLIENT = "invalid_client"
_ERRORS = _CODE_IS_OVER | {
    _INVALID_CLIENT,
    "invalid_request",
    "unauthorized_client",
    "unsupported_grant_type",
}
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
"""Opaque, and fit for a header as it is: never parsed, of any length up to several kB (JWTs)."""
NO_ACCESS_TOKEN = Secret("none")
"""Stands where an answer had no access token that can be read; it has expired when it is stored, and is never used."""
_SCOPE_NAME = re.compile(r"[\x21-\x7e]{1,128}")


def issued_tokens(
    answer: HttpAnswer, requested: Scopes, asked: TokenLifetimes, now: datetime
) -> IssuedTokens:
    """Return the tokens of an exchange. Raises a ProviderError for all that is not a whole answer.

    Where the access token can be read and the answer is not whole, or its status no success, that is
    UnusableTokensError: it may be alive, and has to be revoked.
    """
    _refuse_missing_account(answer)
    content = _judged_object(answer, _CODE_IS_OVER, now)
    access_token, refresh_token = _tokens(content)
    if access_token is None:
        raise UnintelligibleAnswerError("no usable access token")
    if refresh_token is None or not is_success(answer) or not _is_bearer(content):
        raise UnusableTokensError(
            "no usable refresh token, no success, or not of a bearer",
            access_token,
            refresh_token,
            _told_access_lifetime(content, asked),
        )
    named = _granted(content.get("scope"), requested)
    granted, lifetimes = bounded(named), _lifetimes(content, asked)
    return IssuedTokens(access_token, refresh_token, granted, *lifetimes, cut_scopes=granted != named)


def refreshed_tokens(
    answer: HttpAnswer, grant: "RefreshGrant", asked: TokenLifetimes, now: datetime
) -> IssuedTokens:
    """Return the tokens of a refresh. Raises a ProviderError for all that is not a whole answer.

    An answer without a usable refresh token keeps the one that was spent, and says so; one without a scope, or with
    an empty one, keeps the scopes. Where only the refresh token can be used, the pair is kept for it: its access
    lifetime is zero. Tokens with a status of failure are UnusableTokensError: they may be alive, and nobody's.
    """
    content = _judged_object(answer, _REFRESH_TOKEN_IS_OVER, now)
    access_token, refresh_token = _tokens(content)
    if not is_success(answer) and access_token is not None:
        told = _told_access_lifetime(content, asked)
        raise UnusableTokensError(f"tokens with HTTP {answer.status}", access_token, refresh_token, told)
    refuse_other_than_success(answer)
    is_usable = access_token is not None and _is_bearer(content)
    if not is_usable and refresh_token is None:
        raise UnintelligibleAnswerError("no usable access token, or not of a bearer")
    access_lifetime, refresh_lifetime = _lifetimes(content, asked)
    named = _granted(content.get("scope") or None, grant.scopes)
    granted = bounded(named)
    return IssuedTokens(
        access_token or NO_ACCESS_TOKEN,
        refresh_token or grant.refresh_token,
        granted,
        access_lifetime if is_usable else timedelta(),
        refresh_lifetime,
        kept_refresh_token=refresh_token is None,
        cut_scopes=granted != named,
    )


def rejects_client(answer: HttpAnswer) -> bool:
    """Tell whether it is `invalid_client`: our credentials were refused, before any token was looked at."""
    content = None if is_unavailable(answer) else parsed(answer.body)
    return isinstance(content, dict) and content.get("error") == _INVALID_CLIENT


def _judged_object(answer: HttpAnswer, over: frozenset[str], now: datetime) -> dict[str, Any]:
    """Return the JSON object of an answer without an error; `over` are the errors that end a code or token."""
    refuse_unavailable(answer, now)
    content = json_object(answer)
    _refuse_error(content.get("error"), over)
    return content


def _refuse_missing_account(answer: HttpAnswer) -> None:
    """Raise AccountNotFoundError for Zendesk's page of a subdomain without an account; an API's 404 is JSON."""
    if answer.status == HTTPStatus.NOT_FOUND and not isinstance(parsed(answer.body), dict):
        raise AccountNotFoundError("HTTP 404", status=answer.status)


def _tokens(content: dict[str, Any]) -> tuple[Secret | None, Secret | None]:
    """Return the access token and the refresh token, each None where it cannot be read."""
    return _token(content.get("access_token")), _token(content.get("refresh_token"))


def _refuse_error(error: object, over: frozenset[str]) -> None:
    """Raise what the code says (RFC 6749 section 5.2), whatever the status: an error is never a token."""
    if error is None:
        return
    if not isinstance(error, str) or error not in _ERRORS:
        raise UnrecognisedErrorError(error)
    raise GrantRejectedError(error) if error in over else ClientRejectedError(error)


def _token(token: object) -> Secret | None:
    return Secret(token) if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def _is_bearer(content: dict[str, Any]) -> bool:
    """Compare without case (RFC 6749 section 5.1); an answer that names no type is of Zendesk's only one."""
    token_type = content.get("token_type")
    return token_type is None or (isinstance(token_type, str) and token_type.lower() == "bearer")


def _granted(scope: object, requested: Scopes) -> Scopes:
    """Return the granted names, unknown ones verbatim, so that a new scope of Zendesk's loses nobody his tokens.

    No `scope` means the same as asked (RFC 6749 section 5.1); so does one that is no text.
    """
    if not isinstance(scope, str):
        return requested
    return tuple(dict.fromkeys(name for name in scope.split() if _SCOPE_NAME.fullmatch(name)))


def _lifetimes(content: dict[str, Any], asked: TokenLifetimes) -> tuple[timedelta, timedelta]:
    """Return both lifetimes, the access token's first."""
    access, refresh = content.get("expires_in"), content.get("refresh_token_expires_in")
    return (
        _lifetime(access, asked.access, FALLBACK_ACCESS_LIFETIME, SHORTEST_ACCESS_LIFETIME),
        _lifetime(refresh, asked.refresh, FALLBACK_REFRESH_LIFETIME, SHORTEST_REFRESH_LIFETIME),
    )


def _told_access_lifetime(content: dict[str, Any], asked: TokenLifetimes) -> timedelta | None:
    """Return how long the answer says that its access token lives, or None where it says nothing of it."""
    told = _number(content.get("expires_in")) is not None
    return _lifetimes(content, asked)[0] if told else None


def _lifetime(value: object, asked: timedelta, fallback: timedelta, shortest: timedelta) -> timedelta:
    """Return the lifetime, at most what was asked for: never "for ever", never "already over"."""
    seconds = _number(value)
    if seconds is None:
        return min(asked, fallback)
    return timedelta(seconds=int(min(max(seconds, shortest.total_seconds()), asked.total_seconds())))


def _number(value: object) -> float | None:
    if isinstance(value, str) and SECONDS.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return None if isinstance(value, float) and math.isnan(value) else value
