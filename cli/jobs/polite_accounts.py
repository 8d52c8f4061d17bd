"""Asks each account politely: one question at a time, and none before the time that its last answer asked for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from zendesk_oauth.errors import ProviderUnavailableError
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.ports.refresh import PatientClock

TRIES = 3
PAUSE = timedelta(seconds=2)
"""Where Zendesk does not say how long to wait."""
LONGEST_WAIT = timedelta(minutes=2)
"""An account that asks for more is left to the next run: the others are not to wait for it."""
MOST_ACCOUNTS = 1024
"""How many are remembered that are left alone; beyond it those are forgotten whose time is over."""


@dataclass(slots=True)
class _Account:
    turn: Lock = field(default_factory=Lock)
    waiting: int = 0
    until: datetime | None = None


@dataclass(slots=True)
class PoliteAccounts:
    """The accounts that are being asked, or are left alone. Safe under threads."""

    clock: PatientClock
    _accounts: dict[Subdomain, _Account] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def ask[T](self, subdomain: Subdomain, question: Callable[[], T]) -> T:
        """Return the answer, asked for again where Zendesk is busy. Raises what `question` raises at last.

        While the account wants to be left alone for longer than is waited here, ProviderUnavailableError is raised
        without a question.
        """
        with self._turn(subdomain) as account:
            for _ in range(TRIES - 1):
                with suppress(ProviderUnavailableError):
                    return self._ask(account, question)
            return self._ask(account, question)

    def _ask[T](self, account: _Account, question: Callable[[], T]) -> T:
        self._wait(account)
        try:
            return question()
        except ProviderUnavailableError as error:
            account.until = self.clock.now() + (error.retry_after or PAUSE)
            raise

    def _wait(self, account: _Account) -> None:
        rest = account.until - self.clock.now() if account.until else timedelta()
        if rest > LONGEST_WAIT:
            raise ProviderUnavailableError("the account is left alone", nothing_sent=True, retry_after=rest)
        if rest > timedelta():
            self.clock.sleep(rest.total_seconds())

    @contextmanager
    def _turn(self, subdomain: Subdomain) -> Iterator[_Account]:
        with self._lock:
            account = self._accounts.setdefault(subdomain, _Account())
            account.waiting += 1
        try:
            with account.turn:
                yield account
        finally:
            with self._lock:
                account.waiting -= 1
                if account.until is None:
                    self._forget(subdomain)
                elif len(self._accounts) > MOST_ACCOUNTS:
                    for name in tuple(self._accounts):
                        self._forget(name)

    def _forget(self, subdomain: Subdomain) -> None:
        """Forget an account that nobody waits for, and that needs not be left alone."""
        account = self._accounts.get(subdomain)
        if account and not account.waiting and (account.until is None or account.until <= self.clock.now()):
            del self._accounts[subdomain]
