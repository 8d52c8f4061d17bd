"""What Zendesk's API answers to a worker's own calls, as far as the token is concerned."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Protocol

from zendesk_oauth.errors import AddressRefusedError, MissingScopeError
from zendesk_oauth.models.scopes import Scopes

UNAUTHORIZED = HTTPStatus.UNAUTHORIZED
FORBIDDEN = HTTPStatus.FORBIDDEN
WITHOUT_WORD = timedelta(seconds=60)
"""What to wait where Zendesk does not say: its limits count by the minute."""
_MISSING = re.compile(r"missing the following required scopes?:\s*([a-z_:, ]+)", re.IGNORECASE)


class Answer(Protocol):
    """What an answer of `requests` and one of `httpx` have in common here."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, whatever the case of their names."""


def retry_after(response: Answer) -> timedelta:
    """Return how long to wait after a 429 or 503 of Zendesk: what `Retry-After` says, at most an hour, or a minute.

    `response` is one of `requests` or `httpx`, or has `headers` as these do. Raises TypeError for what has none.
    """
    value = _header(response, "Retry-After")
    from zendesk_oauth.adapters.clock import SystemClock  # noqa: PLC0415 - rarely needed
    from zendesk_oauth.adapters.https_connection import HttpAnswer  # noqa: PLC0415
    from zendesk_oauth.adapters.zendesk_answers import retry_after as asked  # noqa: PLC0415

    wait = asked(HttpAnswer(HTTPStatus.TOO_MANY_REQUESTS, {"retry-after": value}, b""), SystemClock().now())
    return WITHOUT_WORD if wait is None else wait


def _header(response: object, name: str) -> str:
    get = getattr(getattr(response, "headers", None), "get", None)
    value = get(name, "") if callable(get) else None
    if not isinstance(value, str):
        raise TypeError(f"response must be a response with text headers, not {type(response).__name__}")
    return value


def refuse_foreign_address(url: str, account_url: str) -> None:
    """Raise AddressRefusedError unless the address is the account's own."""
    if not is_own_address(url, account_url):
        raise AddressRefusedError(f"a token of {account_url} is sent only there")


def is_own_address(url: str, account_url: str) -> bool:
    """Whether a call goes to the account itself. What begins so, with the slash, leads no parser anywhere else."""
    return url.startswith(f"{account_url}/")


def refuse_missing_scope(body: bytes) -> None:
    """Raise MissingScopeError where a 403 says that the token lacks scopes, which no refresh would mend."""
    lacking = missing_scopes(body)
    if lacking:
        raise MissingScopeError(f"Zendesk: the token lacks {' '.join(lacking)}", scopes=lacking)


def missing_scopes(body: bytes) -> Scopes:
    """Return the scopes that the answer names as missing; none where it says something else."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    description = content.get("description") if isinstance(content, dict) else None
    named = _MISSING.search(description) if isinstance(description, str) else None
    return tuple(re.findall(r"[a-z_]+(?::[a-z]+)?", named[1])) if named else ()
