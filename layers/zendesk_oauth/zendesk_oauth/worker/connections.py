"""Access tokens for a worker, kept until they are due.

While a token is kept, giving it is one look into a dictionary and one at the clock. For one connection one thread at
a time reads; whoever waited finds what it brought, be it a token or the reason why there is none.

A forked child has its parent's locks without the threads that would release them, so it begins with new ones. It
keeps the tokens, which are good in any process.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol
from weakref import WeakSet, WeakValueDictionary

from zendesk_oauth.errors import RefreshPendingError
from zendesk_oauth.models.token import AccessToken, TokenQuestion
from zendesk_oauth.worker.kept import KeptTokens
from zendesk_oauth.worker.questions import (
    DEFAULT_GRANT,
    MAX_WAIT,
    checked,
    checked_question,
    checked_span,
    question_of,
    wrong_type,
)

if TYPE_CHECKING:
    from zendesk_oauth.worker.httpx_auth import HttpxAuth
    from zendesk_oauth.worker.requests_auth import RequestsAuth

NO_SCOPES = ()
NO_TIME = timedelta()
WAIT = timedelta(seconds=55)
"""How long a call waits for a refresh unless another time is said: that may take Zendesk's 45 s and the commit."""

type _Key = tuple[str, str]


class Resettable(Protocol):
    """What holds locks or sockets that a forked child cannot use."""

    def reset(self) -> None:
        """Replace them; called in the child before any other code of ours, where only one thread runs."""


_RESET: WeakSet[Resettable] = WeakSet()


def reset_after_fork(resettable: Resettable) -> None:
    """Have it reset in each child that this process forks, as long as it is used (`os.register_at_fork`)."""
    _RESET.add(resettable)


def _reset_all() -> None:
    for resettable in tuple(_RESET):
        resettable.reset()


os.register_at_fork(after_in_child=_reset_all)


class Clocks(NamedTuple):
    """Seconds of the wall clock, for tokens, and seconds that only rise, for waiting."""

    seconds: Callable[[], float]
    monotonic: Callable[[], float]


class Connections:
    """The tokens of all connections, for one process. Safe under threads; make it once, outside the handler.

    `account_url` is `https://{subdomain}.zendesk.com`: a token is sent nowhere else. `wait` is from 0 to 15 minutes.
    Every method raises TypeError for an argument of a wrong type and ValueError for one out of range, by its name.
    """

    def __init__(
        self,
        read_token: Callable[[TokenQuestion, float], AccessToken],
        account_url: str,
        clocks: Clocks,
        wait: timedelta = WAIT,
    ) -> None:
        if not callable(read_token):
            raise wrong_type("read_token", "callable", read_token)
        if not all(map(callable, checked("clocks", clocks, Clocks))):
            raise TypeError("clocks must be two callables")
        self._read_token = read_token
        self._account_url = _template(account_url)
        self._seconds, self._monotonic = clocks
        self.wait_seconds = checked_span("wait", wait, MAX_WAIT).total_seconds()
        self._memory = KeptTokens(clocks.seconds)
        self._kept = self._memory.by_grant
        self.reset()
        reset_after_fork(self)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None, wait: timedelta = WAIT) -> "Connections":
        """Return the connections of the deployment that the `ZENDESK_OAUTH_…` variables name.

        `wait` is how long a call may take when a refresh is under way, from 0 to 15 minutes. Raises
        ConfigurationError, which names every variable that is wrong; TypeError and ValueError for an argument.
        """
        from zendesk_oauth.worker.building import build  # noqa: PLC0415 - whoever only imports pays for no SDK

        return build(environ, wait)

    def reset(self) -> None:
        """Begin with new locks, as a forked child has to; the kept tokens stay."""
        self._turns: WeakValueDictionary[_Key, Lock] = WeakValueDictionary()
        self._guard = Lock()
        self._memory.reset()

    def token(
        self,
        subdomain: str,
        grant: str = DEFAULT_GRANT,
        scopes: Iterable[str] = NO_SCOPES,
        min_ttl: timedelta = NO_TIME,
        newer_than: int | None = None,
    ) -> AccessToken:
        """Return a living token of an active connection.

        `scopes` is what it must be allowed, `min_ttl` what it should have left where that can be had, two days at
        most, and `newer_than` the generation that a call got a 401 with. Raises ReconnectRequiredError,
        MissingScopeError, RefreshPendingError, StoreUnavailableError, SealError, ConfigurationError;
        SubdomainRefusedError and UnknownGrantError for names that are none, TypeError for an argument of a wrong
        type, ValueError for scopes that are none and for numbers out of range.
        """
        if scopes is NO_SCOPES and min_ttl is NO_TIME and newer_than is None:
            try:
                kept = self._kept[grant][subdomain]
                if self._seconds() < kept.usable_until:
                    return kept.token
            except (KeyError, TypeError):  # not kept, or of a type that no dictionary takes: judged below
                pass
        return self.answer(question_of(subdomain, grant, scopes, min_ttl, newer_than))

    def auth(self, subdomain: str, grant: str = DEFAULT_GRANT, scopes: Iterable[str] = ()) -> "RequestsAuth":
        """Return what signs the calls of `requests`: `session.auth = connections.auth("acme")`."""
        from zendesk_oauth.worker.requests_auth import RequestsAuth  # noqa: PLC0415 - not everybody needs it

        return RequestsAuth(self, question_of(subdomain, grant, scopes))

    def httpx_auth(
        self, subdomain: str, grant: str = DEFAULT_GRANT, scopes: Iterable[str] = ()
    ) -> "HttpxAuth":
        """Return what signs the calls of `httpx`: `httpx.Client(auth=connections.httpx_auth("acme"))`.

        In an AsyncClient reading happens in a thread, so that the event loop goes on.
        """
        from zendesk_oauth.worker.httpx_auth import HttpxAuth  # noqa: PLC0415 - httpx need not even be there

        return HttpxAuth(self, question_of(subdomain, grant, scopes))

    def account_url(self, subdomain: str) -> str:
        """Return the one address that tokens of this account are sent to. Raises SubdomainRefusedError."""
        return self._account_url.format(subdomain=question_of(subdomain).subdomain)

    def answer(self, question: TokenQuestion, until: float | None = None) -> AccessToken:
        """Return the token for a checked question, by `until` (monotonic seconds) or as `wait` says.

        The sooner of both counts. Raises as `token` does.
        """
        ends = self.patience_ends()
        if until is not None:
            ends = min(ends, checked("until", until, float))
        return self.kept(question) or self._read(question, ends)

    def kept(self, question: TokenQuestion) -> AccessToken | None:
        """Return the token if the one that is kept answers the question: never waits. Raises TypeError."""
        return self._memory.find(checked_question(question))

    def patience_ends(self) -> float:
        """Return the monotonic second until which a call that begins now may wait."""
        return self._monotonic() + self.wait_seconds

    def _read(self, question: TokenQuestion, until: float) -> AccessToken:
        self._memory.drop_failed(question)
        with self._turn((question.grant, question.subdomain), until):
            kept = self.kept(question)
            if kept is not None:
                return kept
            self._memory.refuse(question)
            try:
                return self._memory.keep(question, self._read_token(question, until))
            except RefreshPendingError as error:
                self._memory.keep_error(question, error)
                raise

    @contextmanager
    def _turn(self, key: _Key, until: float) -> Iterator[None]:
        """Let one thread at a time read a connection."""
        with self._guard:
            turn = self._turns.get(key)
            if turn is None:
                turn = self._turns[key] = Lock()
        if not turn.acquire(timeout=max(until - self._monotonic(), 0)):
            raise RefreshPendingError("another thread still waits for this token")
        try:
            yield
        finally:
            turn.release()


def _template(unverified: object) -> str:
    """Return the address with the one place for the subdomain."""
    text = checked("account_url", unverified, str)
    if text.count("{subdomain}") != 1 or set("{}") & set(text.replace("{subdomain}", "")):
        raise ValueError("account_url must have {subdomain} in it once")
    return text
