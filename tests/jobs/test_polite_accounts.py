"""One question at a time for each account, and none before its time; other accounts are not held up."""

import threading
from datetime import timedelta

import pytest

from cli.jobs.polite_accounts import MOST_ACCOUNTS, PAUSE, TRIES, PoliteAccounts
from tests.jobs.doubles import Clock
from zendesk_oauth.errors import ProviderUnavailableError, UnintelligibleAnswerError
from zendesk_oauth.models.subdomain import Subdomain

ACME, GLOBEX = Subdomain("acme"), Subdomain("globex")


class Busy:
    """An account that is busy so often, and asks for so long a wait."""

    def __init__(self, times: int, wait: timedelta | None = None) -> None:
        self.times, self.wait, self.asked = times, wait, 0

    def __call__(self) -> str:
        """Answer, or be busy."""
        self.asked += 1
        if self.asked <= self.times:
            raise ProviderUnavailableError("HTTP 429", throttled=True, retry_after=self.wait)
        return "answer"


def test_an_answer_is_given_at_once() -> None:
    """Without a pause, and nothing of the account is kept."""
    clock = Clock()
    accounts = PoliteAccounts(clock)
    assert accounts.ask(ACME, Busy(0)) == "answer"
    assert (clock.slept, accounts._accounts) == ([], {})


@pytest.mark.parametrize(("wait", "slept"), [(None, PAUSE), (timedelta(seconds=30), timedelta(seconds=30))])
def test_a_busy_account_is_asked_again_when_it_lets_us(wait: timedelta | None, slept: timedelta) -> None:
    """As long as it asks for is waited, and a little where it does not say."""
    clock = Clock()
    assert PoliteAccounts(clock).ask(ACME, Busy(2, wait)) == "answer"
    assert clock.slept == [slept.total_seconds()] * 2


def test_an_account_that_stays_busy_is_given_up() -> None:
    """The last error is the caller's; the next question waits for its time."""
    clock, busy = Clock(), Busy(100)
    accounts = PoliteAccounts(clock)
    with pytest.raises(ProviderUnavailableError):
        accounts.ask(ACME, busy)
    assert busy.asked == TRIES
    clock.slept.clear()
    assert accounts.ask(ACME, Busy(0)) == "answer"
    assert clock.slept == [PAUSE.total_seconds()]


def test_an_account_that_asks_for_an_hour_is_left_to_the_next_run() -> None:
    """One question, and then none: not by this line, nor by the next one; another account is asked at once."""
    clock, busy = Clock(), Busy(100, timedelta(hours=1))
    accounts = PoliteAccounts(clock)
    for _ in range(2):
        with pytest.raises(ProviderUnavailableError):
            accounts.ask(ACME, busy)
    assert (busy.asked, clock.slept) == (1, [])
    assert accounts.ask(GLOBEX, Busy(0)) == "answer"


def test_what_is_no_outage_is_not_asked_again() -> None:
    """An answer that nobody can read stays one."""
    asked: list[int] = []

    def odd() -> None:
        asked.append(1)
        raise UnintelligibleAnswerError("HTTP 404")

    with pytest.raises(UnintelligibleAnswerError):
        PoliteAccounts(Clock()).ask(ACME, odd)
    assert len(asked) == 1


def test_questions_for_one_account_come_one_after_the_other() -> None:
    """Two lines of one account wait for each other; a third, of another one, does not."""
    accounts, entered, go_on = PoliteAccounts(Clock()), threading.Event(), threading.Event()
    order: list[str] = []

    def slow() -> None:
        entered.set()
        go_on.wait(30)
        order.append("first")

    first = threading.Thread(target=accounts.ask, args=(ACME, slow))
    second = threading.Thread(target=accounts.ask, args=(ACME, lambda: order.append("second")))
    first.start()
    assert entered.wait(30)
    second.start()
    accounts.ask(GLOBEX, lambda: order.append("other"))
    go_on.set()
    first.join()
    second.join()
    assert order == ["other", "first", "second"]


def test_accounts_whose_time_is_over_are_forgotten() -> None:
    """What is kept does not grow with the file."""
    clock = Clock()
    accounts = PoliteAccounts(clock)
    for number in range(2 * MOST_ACCOUNTS):
        accounts.ask(Subdomain(f"account-{number}"), Busy(1))
    assert len(accounts._accounts) <= MOST_ACCOUNTS + 1
