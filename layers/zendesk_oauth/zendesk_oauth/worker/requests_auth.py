"""Signs the calls of `requests`, and of whatever is built on it; nothing of it is imported here.

A 401 to a token of ours is looked into: with a newer token the call is made once more, and its answer, whatever it
is, is the caller's. A 429 is the caller's too.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from zendesk_oauth.models.token import AccessToken, TokenQuestion
from zendesk_oauth.worker.answers import (
    FORBIDDEN,
    UNAUTHORIZED,
    is_own_address,
    refuse_foreign_address,
    refuse_missing_scope,
)
from zendesk_oauth.worker.connections import Connections
from zendesk_oauth.worker.questions import checked, checked_question, wrong_type

if TYPE_CHECKING:
    from requests import PreparedRequest, Response


class RequestsAuth:
    """For `session.auth` and `auth=`. Raises as `Connections.token`, and AddressRefusedError for other hosts."""

    def __init__(self, connections: Connections, question: TokenQuestion) -> None:
        self._connections = checked("connections", connections, Connections)
        self._question = checked_question(question)
        self._account_url = connections.account_url(question.subdomain)

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        """Sign a request that goes to the account itself."""
        if not hasattr(request, "register_hook"):
            raise wrong_type("request", "a prepared request of requests (httpx needs httpx_auth)", request)
        refuse_foreign_address(request.url or "", self._account_url)
        token = self._connections.answer(self._question)
        _sign(request, token)
        hook = partial(self._answered, token, _position(request))
        request.register_hook("response", hook)  # type: ignore[no-untyped-call]
        return request

    def _answered(
        self, token: AccessToken, position: int | None, response: "Response", **sending: object
    ) -> "Response":
        """Return the answer, or that of the second try. A redirect may have led elsewhere: that is not ours to mend."""
        is_own = is_own_address(response.request.url or "", self._account_url)
        if not (is_own and _bears(response.request, token)):
            return response
        try:
            return self._judged(token, position, response, sending)
        except BaseException:
            response.close()  # nobody else will: the caller gets the error alone
            raise

    def _judged(
        self, token: AccessToken, position: int | None, response: "Response", sending: Mapping[str, Any]
    ) -> "Response":
        if response.status_code == UNAUTHORIZED:
            response = self._tried_again(token, position, response, sending)
        if response.status_code == FORBIDDEN:
            refuse_missing_scope(response.content)
        return response

    def _tried_again(
        self, token: AccessToken, position: int | None, response: "Response", sending: Mapping[str, Any]
    ) -> "Response":
        newer = self._connections.answer(self._question._replace(newer_than=token.generation))
        if newer.generation == token.generation or not _is_ready_again(response.request.body, position):
            return response
        _ = response.content  # read to its end and closed, so that its connection can be used again
        response.close()
        request = response.request.copy()
        _sign(request, newer)
        second: Response = response.connection.send(request, **sending)
        second.history.append(response)
        second.request = request
        return second


def _sign(request: "PreparedRequest", token: AccessToken) -> None:
    from zendesk_oauth.worker.requests_headers import SignedHeaders  # noqa: PLC0415 - it imports requests

    request.headers = SignedHeaders(request.headers, _authorization(token))


def _authorization(token: AccessToken) -> str:
    return f"Bearer {token.value.reveal()}"


def _bears(request: "PreparedRequest", token: AccessToken) -> bool:
    """Whether a call was made with this token: one that a redirect has led out of the account and back was not."""
    return request.headers.get("Authorization") == _authorization(token)


def _position(request: "PreparedRequest") -> int | None:
    """Return where the body begins in its file, or None where it is none that knows."""
    try:
        return int(request.body.tell())  # type: ignore[union-attr] # None, text and bytes cannot
    except (AttributeError, OSError):
        return None


def _is_ready_again(body: object, position: int | None) -> bool:
    """Whether a body can be sent a second time; a file is taken back to its beginning, a stream is over."""
    if isinstance(body, bytes | str | None):
        return True
    if position is not None:
        body.seek(position)  # type: ignore[attr-defined] # what tells its position can be set to it
    return position is not None
