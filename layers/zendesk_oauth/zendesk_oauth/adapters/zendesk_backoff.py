"""Leaves an account alone for as long as Zendesk asks: all its grants, and every refresh of this process.

What outlives the process is the row's `retry_at`; this spares the account the rows that have not asked it yet.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

from zendesk_oauth.errors import ProviderUnavailableError
from zendesk_oauth.models.refresh import BACK_OFF
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.ports import Clock
from zendesk_oauth.ports.inquiry import ClientInquiry
from zendesk_oauth.ports.refresh import RefreshEndpoint, RefreshGrant

MOST_ACCOUNTS = 1024
"""How many accounts are left alone at once; beyond it the one whose time ends first is let go."""


class AskedEndpoint(RefreshEndpoint, ClientInquiry, Protocol):
    """Zendesk's token endpoint, with all that `refresh` asks of it."""


class PoliteTokenEndpoint:
    """The ports `RefreshEndpoint` and `ClientInquiry` over another: after a 429, a 5xx or no answer at all it waits.

    Safe under threads.
    """

    def __init__(self, endpoint: AskedEndpoint, clock: Clock) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._until: dict[Subdomain, datetime] = {}
        self._turn = Lock()

    def refresh(self, grant: RefreshGrant, deadline: float) -> IssuedTokens:
        """Ask the endpoint. Raises its errors; while the account is left alone, that nothing was sent, and the rest."""
        return self._politely(grant.subdomain, lambda: self._endpoint.refresh(grant, deadline))

    def knows_client(self, grant: RefreshGrant, deadline: float) -> bool:
        """Ask the endpoint. Raises its errors; while the account is left alone, the same as above."""
        return self._politely(grant.subdomain, lambda: self._endpoint.knows_client(grant, deadline))

    def _politely[T](self, subdomain: Subdomain, ask: Callable[[], T]) -> T:
        self._refuse_while_left_alone(subdomain)
        try:
            return ask()
        except ProviderUnavailableError as error:
            if not error.nothing_sent:
                self._leave_alone(subdomain, error.retry_after or BACK_OFF)
            raise

    def _refuse_while_left_alone(self, subdomain: Subdomain) -> None:
        until = self._until.get(subdomain)
        rest = until - self._clock.now() if until else timedelta()
        if rest > timedelta():
            raise ProviderUnavailableError("the account is left alone", nothing_sent=True, retry_after=rest)

    def _leave_alone(self, subdomain: Subdomain, wait: timedelta) -> None:
        now = self._clock.now()
        with self._turn:
            until = self._until
            until[subdomain] = max(now + wait, until.get(subdomain, now))
            if len(until) > MOST_ACCOUNTS:
                del until[min(until, key=until.__getitem__)]
