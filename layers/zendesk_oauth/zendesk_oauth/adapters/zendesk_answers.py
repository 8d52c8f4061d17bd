"""Judges what Zendesk's endpoints answer: 2xx and a whole, typed answer, or a typed error.

Nothing else leaves this module, so no rate-limit page becomes a token and no null an account. Errors are told apart
by their code, never by their text (RFC 6749 section 5.2), and none carries what Zendesk wrote.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from zendesk_oauth.adapters.https_connection import HttpAnswer
from zendesk_oauth.errors import (
    ProviderUnavailableError,
    TokenRefusedError,
    UnintelligibleAnswerError,
)

LONGEST_RETRY_AFTER = timedelta(hours=1)
SECONDS = re.compile(r"[0-9]{1,9}")
_TOKEN_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


def api_object(answer: HttpAnswer, now: datetime) -> dict[str, Any]:
    """Return the JSON object of an API call. Raises TokenRefusedError where the API refuses, else a ProviderError."""
    refuse_api_error(answer, now)
    return json_object(answer)


def refuse_api_error(answer: HttpAnswer, now: datetime) -> None:
    """Raise what an API call's status says, unless it is 2xx.

    TokenRefusedError is the API's own 401 or 403; a page of a proxy with such a status says nothing of the token.
    """
    refuse_unavailable(answer, now)
    if is_token_refused(answer):
        raise TokenRefusedError(f"HTTP {answer.status}", status=answer.status)
    refuse_other_than_success(answer)


def is_token_refused(answer: HttpAnswer, *statuses: HTTPStatus) -> bool:
    """Tell whether the API itself refuses the token: a 401 or 403 whose JSON object names an `error`.

    Source: Zendesk's API reference: `{"error": "invalid_token"}`, `{"error": "Couldn't authenticate you"}`, and
    `{"error": "Forbidden", "description": …}`. What stands before the API answers with pages of its own.
    """
    if answer.status not in (statuses or _TOKEN_REFUSED):
        return False
    content = parsed(answer.body)
    error = content.get("error") if isinstance(content, dict) else None
    return isinstance(error, (str, dict)) and bool(error)


def retry_after(answer: HttpAnswer, now: datetime) -> timedelta | None:
    """Return what `Retry-After` asks for, seconds or a date (RFC 9110 section 10.2.3), within 0 and an hour.

    None where there is none or it is neither.
    """
    text = answer.headers.get("retry-after", "").strip()
    if SECONDS.fullmatch(text):
        return min(timedelta(seconds=int(text)), LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta()), LONGEST_RETRY_AFTER)


def _is_throttled(answer: HttpAnswer) -> bool:
    return answer.status == HTTPStatus.TOO_MANY_REQUESTS


def is_unavailable(answer: HttpAnswer) -> bool:
    """Tell whether Zendesk is busy or failing, whatever the body says."""
    return _is_throttled(answer) or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def refuse_unavailable(answer: HttpAnswer, now: datetime) -> None:
    """Raise ProviderUnavailableError for a 429 and for a 5xx."""
    if is_unavailable(answer):
        wait = retry_after(answer, now)
        throttled = _is_throttled(answer)
        raise ProviderUnavailableError(f"HTTP {answer.status}", throttled=throttled, retry_after=wait)


def is_success(answer: HttpAnswer) -> bool:
    """Tell whether it is 2xx."""
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def refuse_other_than_success(answer: HttpAnswer) -> None:
    """Raise UnintelligibleAnswerError unless it is 2xx: a redirect is followed by nobody."""
    if not is_success(answer):
        raise UnintelligibleAnswerError(f"HTTP {answer.status}", status=answer.status)


def json_object(answer: HttpAnswer) -> dict[str, Any]:
    """Return the body as an object. Raises UnintelligibleAnswerError where it is none."""
    content = parsed(answer.body)
    if not isinstance(content, dict):
        raise UnintelligibleAnswerError(f"HTTP {answer.status} without a JSON object", status=answer.status)
    return content


def parsed(body: bytes) -> object:
    """Return the JSON value, or None; the parser's own error would carry the body along, and so is dropped here."""
    try:
        content: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content
