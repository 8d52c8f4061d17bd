"""Refreshes against a whole authorization server: the good way, and every misbehaviour in its catalogue.

What a row becomes of each error is shown with the services; here it is what the adapter makes of each answer, and what
Zendesk did meanwhile.
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from local.zendesk import misbehaviours
from tests.adapters_at_standin.deployment import (
    CLOCK,
    LIFETIMES,
    PATIENCE,
    SCOPES,
    Deployment,
    deadline,
)
from tests.doubles.samples import ACME
from zendesk_oauth.adapters.zendesk_backoff import PoliteTokenEndpoint
from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    ProviderError,
    ProviderUnavailableError,
    UnintelligibleAnswerError,
    UnrecognisedErrorError,
)
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.ports.refresh import RefreshEndpoint, RefreshGrant

SECRET = "stand-in-client-secret"
REFRESH = "refresh_token"


@pytest.fixture
def old(deployment: Deployment) -> IssuedTokens:
    """Return a pair that was issued to an install."""
    return deployment.allow()


def refresh(
    deployment: Deployment, tokens: IssuedTokens, endpoint: RefreshEndpoint | None = None
) -> IssuedTokens:
    """Spend the pair's refresh token."""
    grant = RefreshGrant(ACME, tokens.refresh_token, tokens.scopes)
    return (endpoint or deployment.tokens).refresh(grant, deadline())


def posts(deployment: Deployment) -> int:
    """Return how many refreshes Zendesk has seen."""
    return deployment.zendesk.seen.count(REFRESH, "acme")


def alive(deployment: Deployment) -> list[str]:
    """Return the access tokens that Zendesk would take now."""
    return [pair.access_token for pair in deployment.zendesk.alive("acme")]


def test_a_refresh_gives_a_new_pair_and_kills_the_old_one(deployment: Deployment, old: IssuedTokens) -> None:
    """Scopes are kept though none is asked for, and both lifetimes come back as asked."""
    new = refresh(deployment, old)
    assert (new.scopes, new.access_lifetime, new.refresh_lifetime) == (
        SCOPES,
        LIFETIMES.access,
        LIFETIMES.refresh,
    )
    assert alive(deployment) == [new.access_token.reveal()]
    assert deployment.api.find_token_id(ACME, old.access_token, deadline()) is None
    assert deployment.api.find_token_id(ACME, new.access_token, deadline()) is not None
    post = deployment.zendesk.seen.token_posts[-1]
    assert post.raw is not None
    assert set(post.raw) == {
        *("grant_type", "refresh_token", "client_id", "client_secret"),
        *("expires_in", "refresh_token_expires_in"),
    }


def test_a_refresh_token_works_once(deployment: Deployment, old: IssuedTokens) -> None:
    """A used one is refused, and its successor keeps working."""
    new = refresh(deployment, old)
    with pytest.raises(GrantRejectedError):
        refresh(deployment, old)
    assert refresh(deployment, new).access_token.reveal() in alive(deployment)


OUTCOMES: Mapping[str, type[ProviderError] | None] = MappingProxyType(
    {
        "answer": UnintelligibleAnswerError,
        "html": UnintelligibleAnswerError,
        "server_error": ProviderUnavailableError,
        "empty_object": UnintelligibleAnswerError,
        "gzip_bomb": UnintelligibleAnswerError,
        "no_content": UnintelligibleAnswerError,
        "redirect": UnintelligibleAnswerError,
        "too_many_requests": ProviderUnavailableError,
        "oauth_error": GrantRejectedError,
        "invalid_token": UnrecognisedErrorError,
        "forbidden": UnrecognisedErrorError,
        "no_refresh_token": None,
        "fewer_scopes": None,
        "expires_in": None,
        "no_expires_in": None,
        "big_body": UnintelligibleAnswerError,
        "lost": ProviderUnavailableError,
        "cut_body": ProviderUnavailableError,
        "dripping_body": ProviderUnavailableError,
        "dripping_headers": ProviderUnavailableError,
        "late_answer": ProviderUnavailableError,
        "late_work": ProviderUnavailableError,
    }
)
"""What becomes of a refresh under each misbehaviour: an error, or (None) tokens all the same."""
OPTIONS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {"late_answer": {"seconds": 3.0 * PATIENCE}, "late_work": {"seconds": 3.0 * PATIENCE}}
)


def test_every_misbehaviour_has_an_outcome() -> None:
    """A new one in the stand-in wants a line here."""
    assert misbehaviours.KINDS.keys() == OUTCOMES.keys() | {"null_token", "token_type"}


@pytest.mark.parametrize("kind", OUTCOMES)
def test_r15_a_misbehaving_token_endpoint_gives_tokens_or_a_typed_error(
    deployment: Deployment, old: IssuedTokens, kind: str
) -> None:
    """In bounded time, after exactly one POST, with nothing led elsewhere, and never as if nothing had been sent."""
    expected = OUTCOMES[kind]
    deployment.zendesk.misbehave(kind, times=None, **OPTIONS.get(kind, {}))
    begun = time.monotonic()
    if expected is None:
        assert refresh(deployment, old).access_token.reveal() in alive(deployment)
    else:
        with pytest.raises(ProviderError) as raised:
            refresh(deployment, old)
        assert type(raised.value) is expected
        assert not getattr(raised.value, "nothing_sent", False)
        assert old.refresh_token.reveal() not in repr(raised.value)
    assert time.monotonic() - begun < PATIENCE + 1.5
    assert posts(deployment) == 1
    assert deployment.zendesk.seen.elsewhere == []
    deployment.zendesk.release()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_r15_no_redirect_is_followed(deployment: Deployment, old: IssuedTokens, status: int) -> None:
    """Neither secret nor refresh token ever reaches a second host."""
    deployment.zendesk.misbehave("redirect", status=status)
    with pytest.raises(UnintelligibleAnswerError):
        refresh(deployment, old)
    assert deployment.zendesk.seen.elsewhere == []


def test_r15_without_a_refresh_token_the_old_one_is_kept_and_counted(
    deployment: Deployment, old: IssuedTokens
) -> None:
    """It goes on working, for the refresh after this one."""
    deployment.zendesk.misbehave("no_refresh_token")
    new = refresh(deployment, old)
    assert (new.refresh_token, new.kept_refresh_token) == (old.refresh_token, True)
    after = refresh(deployment, new)
    assert (after.refresh_token != old.refresh_token, after.kept_refresh_token) == (True, False)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("null_token", {}),
        *(("token_type", {"value": value}) for value in ("mac", "", ["bearer"], 7)),
    ],
)
def test_r15_an_odd_token_type_is_not_a_token(
    deployment: Deployment, old: IssuedTokens, kind: str, options: dict[str, Any]
) -> None:
    """A token that cannot be used as a bearer's is never used; the refresh token beside it is kept and works."""
    deployment.zendesk.misbehave(kind, **options)
    odd = refresh(deployment, old)
    assert odd.access_lifetime == timedelta()
    assert refresh(deployment, odd).access_token.reveal() in alive(deployment)


def test_r15_no_token_type_is_a_bearers(deployment: Deployment, old: IssuedTokens) -> None:
    """Zendesk knows no other."""
    deployment.zendesk.misbehave("token_type", value=None)
    assert refresh(deployment, old).access_token.reveal() in alive(deployment)


def test_r15_fewer_scopes_are_seen(deployment: Deployment, old: IssuedTokens) -> None:
    """The token may do less than before, and what is stored says so."""
    deployment.zendesk.misbehave("fewer_scopes", scopes="users:read")
    assert refresh(deployment, old).scopes == ("users:read",)


@pytest.mark.parametrize(
    ("value", "seconds"), [(0, 300), (-1, 300), ("1800", 1800), (1e12, 172_800), (None, 1800), ("soon", 1800)]
)
def test_r13_an_odd_lifetime_is_clamped(
    deployment: Deployment, old: IssuedTokens, value: object, seconds: int
) -> None:
    """Never over at once, or a connection would be refreshed without end; never longer than asked for."""
    deployment.zendesk.misbehave("expires_in", value=value)
    assert refresh(deployment, old).access_lifetime == timedelta(seconds=seconds)


def test_r13_a_missing_lifetime_is_short(deployment: Deployment, old: IssuedTokens) -> None:
    """What Zendesk gives where nothing is said: half an hour, and thirty days."""
    deployment.zendesk.misbehave("no_expires_in")
    new = refresh(deployment, old)
    assert (new.access_lifetime, new.refresh_lifetime) == (timedelta(minutes=30), timedelta(days=30))


class LaterClock:
    """The machine's clock, moved on by the test instead of waited for."""

    def __init__(self) -> None:
        self.later = timedelta()

    def now(self) -> datetime:
        """Return the present, and what was added to it."""
        return CLOCK.now() + self.later

    def monotonic(self) -> float:
        """Return the machine's seconds: deadlines are real."""
        return CLOCK.monotonic()


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [(1, 1), (60, 60), ("date", 60), ("garbage", 15), (None, 15), (10**8, 3600), (0, 15)],
)
def test_r16_a_busy_account_is_asked_again_when_it_says(
    deployment: Deployment, old: IssuedTokens, retry_after: object, seconds: int
) -> None:
    """Seconds, a date, garbage, nothing, or a time that is capped: until then not one POST, and nothing is spent."""
    clock = LaterClock()
    polite = PoliteTokenEndpoint(deployment.tokens, clock)
    deployment.zendesk.misbehave("too_many_requests", retry_after=retry_after)
    with pytest.raises(ProviderUnavailableError) as first:
        refresh(deployment, old, polite)
    assert first.value.throttled
    with pytest.raises(ProviderUnavailableError) as second:
        refresh(deployment, old, polite)
    rest = second.value.retry_after
    assert second.value.nothing_sent
    assert rest is not None
    assert timedelta(seconds=seconds - 2) < rest <= timedelta(seconds=seconds)
    assert posts(deployment) == 1
    clock.later = timedelta(seconds=seconds)
    assert refresh(deployment, old, polite).access_token.reveal() in alive(deployment)


def test_r16_a_failing_account_is_left_alone_too(deployment: Deployment, old: IssuedTokens) -> None:
    """A 503 before the work: a quarter of a minute later the same refresh token is good."""
    clock = LaterClock()
    polite = PoliteTokenEndpoint(deployment.tokens, clock)
    deployment.zendesk.misbehave("server_error")
    for _ in range(3):
        with pytest.raises(ProviderUnavailableError):
            refresh(deployment, old, polite)
    assert posts(deployment) == 1
    clock.later = timedelta(seconds=15)
    refresh(deployment, old, polite)


def test_r17_a_client_that_nobody_takes_spends_nothing(deployment: Deployment, old: IssuedTokens) -> None:
    """Wrong for everybody, current and previous: typed as the client's fault, and every pair lives on."""
    deployment.client_secret.before = "of the day before"
    deployment.zendesk.client.accept_secrets("of tomorrow")
    for _ in range(2):
        with pytest.raises(ClientRejectedError):
            refresh(deployment, old)
    assert alive(deployment) == [old.access_token.reveal()]
    assert posts(deployment) == 4
    deployment.zendesk.client.accept_secrets(SECRET)
    refresh(deployment, old)


def test_r20_the_previous_secret_is_taken_while_zendesk_has_no_other(
    deployment: Deployment, old: IssuedTokens
) -> None:
    """The operator stored the new one first: one refusal, and from then on one POST for a refresh."""
    deployment.client_secret.text, deployment.client_secret.before = "new", SECRET
    new = refresh(deployment, old)
    assert posts(deployment) == 2
    newer = refresh(deployment, new)
    assert posts(deployment) == 3
    deployment.zendesk.client.accept_secrets("new")
    refresh(deployment, newer)
    assert posts(deployment) == 5


def test_r20_while_both_secrets_are_valid_one_post_is_enough(
    deployment: Deployment, old: IssuedTokens
) -> None:
    """The current one is taken, and the previous one is never looked for."""
    deployment.zendesk.client.accept_secrets(SECRET, "new")
    deployment.client_secret.text, deployment.client_secret.before = "new", SECRET
    refresh(deployment, old)
    assert posts(deployment) == 1


def test_r26_an_account_that_is_gone_gives_no_verdict(deployment: Deployment, old: IssuedTokens) -> None:
    """Renamed: the old name answers an HTML 404, which says nothing about the refresh token."""
    deployment.zendesk.rename_subdomain("acme", "acme-inc")
    with pytest.raises(UnintelligibleAnswerError):
        refresh(deployment, old)
    assert [pair.access_token for pair in deployment.zendesk.alive("acme-inc")] == [old.access_token.reveal()]
