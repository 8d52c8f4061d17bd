"""Judges what Zendesk's endpoints answer: 2xx and a whole, typed answer, or a typed error.

Nothing else leaves this module, so no rate-limit page becomes a token and no null an account. Errors are told apart
by their code, never by their text (RFC 6749 section 5.2), and none carries what Zendesk wrote.
"""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from zendesk_oauth.adapters.https_connection import HttpAnswer
from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    ProviderUnavailableError,
    TokenRefusedError,
    UnintelligibleAnswerError,
)
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import (
    FALLBACK_ACCESS_LIFETIME,
    IssuedTokens,
    TokenLifetimes,
    UnusableTokensError,
)

LONGEST_RETRY_AFTER = timedelta(hours=1)
FALLBACK_REFRESH_LIFETIME = timedelta(days=30)
"""What Zendesk gives a refresh token where nothing else was said."""
SHORTEST_ACCESS_LIFETIME = timedelta(seconds=300)
"""The least that Zendesk gives: less is not believed, or a wrong number would make us refresh without end."""
SHORTEST_REFRESH_LIFETIME = timedelta(days=1)
_GRANT_ERRORS = frozenset({"invalid_grant", "invalid_scope"})
_CLIENT_ERRORS = frozenset(
    {"invalid_client", "invalid_request", "unauthorized_client", "unsupported_grant_type"}
)
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
"""Opaque, and fit for a header as it is: never parsed, of any length up to several kB (JWTs)."""
_SCOPE_NAME = re.compile(r"[\x21-\x7e]{1,128}")
_SECONDS = re.compile(r"[0-9]{1,9}")


def issued_tokens(
    answer: HttpAnswer, requested: Scopes, asked: TokenLifetimes, now: datetime
) -> IssuedTokens:
    """Return the tokens of an exchange. Raises a ProviderError for all that is not a whole answer.

    Where the access token alone can be used, that is UnusableTokensError: it is alive, and has to be revoked.
    """
    content = _granted_object(answer, now)
    access_token = _token(content.get("access_token"))
    if access_token is None:
        raise UnintelligibleAnswerError("no usable access token")
    refresh_token = _token(content.get("refresh_token"))
    if refresh_token is None or not _is_bearer(content.get("token_type")):
        raise UnusableTokensError("no usable refresh token, or not of a bearer", access_token)
    return IssuedTokens(
        access_token,
        refresh_token,
        scopes=_granted(content.get("scope"), requested),
        access_lifetime=_lifetime(
            content.get("expires_in"), asked.access, FALLBACK_ACCESS_LIFETIME, SHORTEST_ACCESS_LIFETIME
        ),
        refresh_lifetime=_lifetime(
            content.get("refresh_token_expires_in"),
            asked.refresh,
            FALLBACK_REFRESH_LIFETIME,
            SHORTEST_REFRESH_LIFETIME,
        ),
    )


def api_object(answer: HttpAnswer, now: datetime) -> dict[str, Any]:
    """Return the JSON object of an API call. Raises TokenRefusedError for 401 and 403, else another ProviderError."""
    refuse_api_error(answer, now)
    return _json_object(answer)


def refuse_api_error(answer: HttpAnswer, now: datetime) -> None:
    """Raise what an API call's status says, unless it is 2xx."""
    _refuse_unavailable(answer, now)
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise TokenRefusedError(f"HTTP {answer.status}", status=answer.status)
    _refuse_other_than_success(answer)


def retry_after(answer: HttpAnswer, now: datetime) -> timedelta | None:
    """Return what `Retry-After` asks for, seconds or a date (RFC 9110 section 10.2.3), within 0 and an hour.

    None where there is none or it is neither.
    """
    text = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return min(timedelta(seconds=int(text)), LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta()), LONGEST_RETRY_AFTER)


def _granted_object(answer: HttpAnswer, now: datetime) -> dict[str, Any]:
    """Return the JSON object of a token endpoint that says yes."""
    _refuse_unavailable(answer, now)
    content = _json_object(answer)
    _refuse_error(content.get("error"))
    _refuse_other_than_success(answer)
    return content


def _refuse_unavailable(answer: HttpAnswer, now: datetime) -> None:
    throttled = answer.status == HTTPStatus.TOO_MANY_REQUESTS
    if throttled or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        wait = retry_after(answer, now)
        raise ProviderUnavailableError(f"HTTP {answer.status}", throttled=throttled, retry_after=wait)


def _refuse_other_than_success(answer: HttpAnswer) -> None:
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise UnintelligibleAnswerError(f"HTTP {answer.status}")


def _refuse_error(error: object) -> None:
    """Raise what the code says (RFC 6749 section 5.2), whatever the status: an error is never a token."""
    if error is None:
        return
    if isinstance(error, str) and error in _GRANT_ERRORS:
        raise GrantRejectedError(error)
    if isinstance(error, str) and error in _CLIENT_ERRORS:
        raise ClientRejectedError(error)
    raise UnintelligibleAnswerError("an error of no known code")


def _json_object(answer: HttpAnswer) -> dict[str, Any]:
    content = _parsed(answer.body)
    if not isinstance(content, dict):
        raise UnintelligibleAnswerError(f"HTTP {answer.status} without a JSON object")
    return content


def _parsed(body: bytes) -> object:
    """Return the JSON value, or None; the parser's own error would carry the body along, and so is dropped here."""
    try:
        content: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content


def _token(token: object) -> Secret | None:
    return Secret(token) if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def _is_bearer(token_type: object) -> bool:
    """Compare without case (RFC 6749 section 5.1)."""
    return isinstance(token_type, str) and token_type.lower() == "bearer"


def _granted(scope: object, requested: Scopes) -> Scopes:
    """Return the granted names, unknown ones verbatim, so that a new scope of Zendesk's loses nobody his tokens.

    No `scope` means the same as asked (RFC 6749 section 5.1); so does one that is no text.
    """
    if not isinstance(scope, str):
        return requested
    return tuple(dict.fromkeys(name for name in scope.split() if _SCOPE_NAME.fullmatch(name)))


def _lifetime(value: object, asked: timedelta, fallback: timedelta, shortest: timedelta) -> timedelta:
    """Return the lifetime, at most what was asked for: never "for ever", never "already over"."""
    seconds = _number(value)
    if seconds is None:
        return min(asked, fallback)
    return timedelta(seconds=int(min(max(seconds, shortest.total_seconds()), asked.total_seconds())))


def _number(value: object) -> float | None:
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return None if isinstance(value, float) and math.isnan(value) else value
