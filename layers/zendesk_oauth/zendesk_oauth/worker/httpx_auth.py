"""Signs the calls of `httpx`; imported only by who uses it.

The rules are those for `requests`. In an asynchronous client reading a token happens in a thread, so that the event
loop goes on; a token that is kept is given at once. A connection takes one thread, however many calls wait for it, and
none of those that anyio shares among all: a slow account holds up neither other accounts nor the program's own work.
Only where MOST_READING of them are slow at once do others wait, and no longer than any call may.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack
from functools import partial
from typing import NamedTuple
from weakref import WeakValueDictionary

import httpx
from anyio import CapacityLimiter, Lock, Semaphore, fail_after
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync

from zendesk_oauth.errors import RefreshPendingError
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

MOST_READING = 64
"""Connections that one event loop reads at the same time, each in a thread."""


class _Reading(NamedTuple):
    """The turns of one event loop by connection, and how many may read."""

    turns: WeakValueDictionary[tuple[int, str, str], Lock]
    readers: Semaphore


_READING: RunVar[_Reading] = RunVar("zendesk_oauth")


class HttpxAuth(httpx.Auth):
    """For `httpx.Client(auth=…)`. Raises as `Connections.token`, and AddressRefusedError for other hosts."""

    def __init__(self, connections: Connections, question: TokenQuestion) -> None:
        self._connections = checked("connections", connections, Connections)
        self._question = checked_question(question)
        self._account_url = connections.account_url(question.subdomain)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Sign, and after a 401 once more with a newer token."""
        self._refuse_foreign(request)
        token = self._connections.answer(self._question)
        response = yield _signed(request, token)
        if self._is_refused(response, UNAUTHORIZED):
            newer = self._connections.answer(self._newer_than(token))
            if newer.generation != token.generation and _is_whole(request):
                response = yield _signed(request, newer)
        if self._is_refused(response, FORBIDDEN):
            refuse_missing_scope(response.read())

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Do the same, and read in a thread."""
        self._refuse_foreign(request)
        token = await self._answer(self._question)
        response = yield _signed(request, token)
        if self._is_refused(response, UNAUTHORIZED):
            newer = await self._answer(self._newer_than(token))
            if newer.generation != token.generation and _is_whole(request):
                response = yield _signed(request, newer)
        if self._is_refused(response, FORBIDDEN):
            refuse_missing_scope(await response.aread())

    def _refuse_foreign(self, request: object) -> None:
        if not isinstance(request, httpx.Request):
            raise wrong_type("request", "an httpx.Request", request)
        refuse_foreign_address(str(request.url), self._account_url)

    async def _answer(self, question: TokenQuestion) -> AccessToken:
        kept = self._connections.kept(question)
        return kept or await self._read(question, self._connections.patience_ends())

    async def _read(self, question: TokenQuestion, until: float) -> AccessToken:
        turns, readers = _reading()
        turn = turns.setdefault((id(self._connections), question.grant, question.subdomain), Lock())
        async with AsyncExitStack() as held:
            try:
                with fail_after(self._connections.wait_seconds):
                    await held.enter_async_context(turn)
                    if kept := self._connections.kept(question):
                        return kept
                    await held.enter_async_context(readers)
            except TimeoutError:
                raise RefreshPendingError(
                    "other calls still wait for this token, or for too many others"
                ) from None
            read = partial(self._connections.answer, question, until)
            return await run_sync(read, limiter=CapacityLimiter(1))  # its own: `readers` has counted it

    def _newer_than(self, token: AccessToken) -> TokenQuestion:
        return self._question._replace(newer_than=token.generation)

    def _is_refused(self, response: httpx.Response, status: int) -> bool:
        """Whether the account itself said so of a token: a redirect may have led elsewhere, and back without one."""
        is_own = is_own_address(str(response.request.url), self._account_url)
        is_ours = is_own and "Authorization" in response.request.headers
        return is_ours and response.status_code == status


def _reading() -> _Reading:
    """Return what belongs to the event loop that runs: its locks are nobody else's."""
    try:
        return _READING.get()
    except LookupError:
        reading = _Reading(WeakValueDictionary(), Semaphore(MOST_READING))
        _READING.set(reading)
        return reading


def _signed(request: httpx.Request, token: AccessToken) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token.value.reveal()}"
    return request


def _is_whole(request: httpx.Request) -> bool:
    """Whether the body can be sent a second time: httpx keeps it, unless it is a stream, which would be over."""
    try:
        _ = request.content
    except httpx.RequestNotRead:
        return False
    return True
