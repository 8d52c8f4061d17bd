from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from tests.doubles.samples import ACME, GLOBEX
from tests.doubles.scripted import ScriptedClock, issued
from zendesk_oauth.adapters import zendesk_backoff
from zendesk_oauth.adapters.zendesk_backoff import PoliteTokenEndpoint
from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    ProviderError,
    ProviderUnavailableError,
    UnintelligibleAnswerError,
)
from zendesk_oauth.models.refresh import BACK_OFF
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.ports.refresh import RefreshGrant

SECOND = timedelta(seconds=1)


@dataclass
class Endpoint:
    """Counts what reaches Zendesk; it answers well unless an error is scripted."""

    error: ProviderError | None = None
    asked: list[tuple[str, str, float]] = field(default_factory=list)

    def refresh(self, grant: RefreshGrant, deadline: float) -> IssuedTokens:
        """Answer as scripted."""
        self.asked.append((grant.subdomain, grant.refresh_token.reveal(), deadline))
        if self.error:
            raise self.error
        return issued()

    def knows_client(self, grant: RefreshGrant, deadline: float) -> bool:
        """Answer as scripted."""
        self.refresh(grant, deadline)
        return False


class World:
    """A polite endpoint over a scripted one."""

    def __init__(self) -> None:
        self.clock, self.endpoint = ScriptedClock(), Endpoint()
        self.polite = PoliteTokenEndpoint(self.endpoint, self.clock)

    def refresh(self, subdomain: str = ACME, token: str = "r1") -> IssuedTokens:
        """Refresh a token of that account."""
        grant = RefreshGrant(Subdomain(subdomain), Secret(token), ("read",))
        return self.polite.refresh(grant, 1045.0)

    def fail(self, error: ProviderError, subdomain: str = ACME) -> None:
        """Let one refresh of that account fail so."""
        self.endpoint.error = error
        with pytest.raises(type(error)):
            self.refresh(subdomain)
        self.endpoint.error = None

    def wait_asked(self, subdomain: str = ACME) -> timedelta | None:
        """Return how long is to be waited before a refresh is sent again."""
        before = len(self.endpoint.asked)
        with pytest.raises(ProviderUnavailableError) as raised:
            self.refresh(subdomain)
        assert raised.value.nothing_sent
        assert len(self.endpoint.asked) == before
        return raised.value.retry_after


@pytest.fixture
def world() -> World:
    """Return a world of the test's own."""
    return World()


def test_a_good_endpoint_is_asked_each_time(world: World) -> None:
    """Grant, deadline and answer go through as they are."""
    assert world.refresh() == issued()
    world.refresh(GLOBEX, "r2")
    assert world.endpoint.asked == [("acme", "r1", 1045.0), ("globex", "r2", 1045.0)]


@pytest.mark.parametrize("throttled", [True, False])
def test_r16_an_account_is_left_alone_as_long_as_it_asks(world: World, *, throttled: bool) -> None:
    """After a 429 or a 5xx with Retry-After: every grant of it waits for the rest, and nothing is sent."""
    world.fail(ProviderUnavailableError("busy", throttled=throttled, retry_after=60 * SECOND))
    assert world.wait_asked() == 60 * SECOND
    world.clock.advance(59 * SECOND)
    assert world.wait_asked() == SECOND
    world.clock.advance(SECOND)
    assert world.refresh() == issued()


@pytest.mark.parametrize("retry_after", [None, timedelta()])
def test_r16_without_a_time_it_is_a_quarter_of_a_minute(world: World, retry_after: timedelta | None) -> None:
    """As long as the row itself waits then."""
    world.fail(ProviderUnavailableError("HTTP 503", retry_after=retry_after))
    assert world.wait_asked() == BACK_OFF


def test_other_accounts_are_not_concerned(world: World) -> None:
    """Zendesk counts by account."""
    world.fail(ProviderUnavailableError("HTTP 429", throttled=True))
    assert world.refresh(GLOBEX) == issued()


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnavailableError("refused", nothing_sent=True, retry_after=60 * SECOND),
        GrantRejectedError("invalid_grant"),
        ClientRejectedError("invalid_client"),
        UnintelligibleAnswerError("HTML"),
    ],
    ids=str,
)
def test_only_a_busy_account_is_left_alone(world: World, error: ProviderError) -> None:
    """One that was not reached, or that gave an answer, may be asked at once."""
    world.fail(error)
    assert world.refresh() == issued()


def test_a_shorter_wait_does_not_end_a_longer_one(world: World) -> None:
    """A refresh that was on its way when the account asked for an hour ends with a mere 503."""

    def meanwhile(grant: RefreshGrant, deadline: float) -> IssuedTokens:  # noqa: ARG001 - the port's
        world.polite._leave_alone(ACME, 3600 * SECOND)
        raise ProviderUnavailableError("HTTP 503")

    world.endpoint.refresh = meanwhile  # type: ignore[method-assign]  # two at once, in one thread
    with pytest.raises(ProviderUnavailableError, match="503"):
        world.refresh()
    assert world.wait_asked() == 3600 * SECOND


def test_the_memory_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two, the one whose time ends first is let go: the row's own time still holds it."""
    monkeypatch.setattr(zendesk_backoff, "MOST_ACCOUNTS", 2)
    for seconds, subdomain in ((20, "one"), (10, "two"), (30, "three")):
        world.fail(ProviderUnavailableError("busy", retry_after=seconds * SECOND), subdomain)
    assert len(world.polite._until) == 2
    assert world.wait_asked("one") == 20 * SECOND
    assert world.wait_asked("three") == 30 * SECOND
    assert world.refresh("two") == issued()


def test_r16_an_account_that_is_left_alone_is_not_asked_about_our_client_either(world: World) -> None:
    """An operator's question is one more POST: it waits with the others, and lets them wait."""
    grant = RefreshGrant(ACME, Secret("made up"), ())
    assert world.polite.knows_client(grant, 1010.0) is False
    world.endpoint.error = ProviderUnavailableError("busy", retry_after=60 * SECOND)
    with pytest.raises(ProviderUnavailableError, match="busy"):
        world.polite.knows_client(grant, 1010.0)
    with pytest.raises(ProviderUnavailableError, match="left alone"):
        world.polite.knows_client(grant, 1010.0)
    assert world.wait_asked() == 60 * SECOND
    assert len(world.endpoint.asked) == 2
