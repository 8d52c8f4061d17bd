from datetime import timedelta

import pytest

from tests.doubles.samples import ACME, GLOBEX, establishment, offered, pending
from tests.doubles.scripted import NOON, issued
from zendesk_oauth.models.connection import KEEP_ALIVE_SHARDS, connection_key, keep_alive_shard, token_times
from zendesk_oauth.models.endpoints import ZENDESK_BASE_URL, Endpoints
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens


def lasting(access: timedelta, refresh: timedelta = timedelta(days=90)) -> IssuedTokens:
    """Return tokens of these lifetimes."""
    one = issued()
    return IssuedTokens(one.access_token, one.refresh_token, one.scopes, access, refresh)


def test_the_grant_leads_the_key() -> None:
    """IAM's `dynamodb:LeadingKeys` can hold a worker to one grant."""
    assert connection_key("reporting", ACME) == "reporting#acme"
    assert establishment().key == "default#acme"


def test_shards_are_stable_and_all_used() -> None:
    """A connection keeps its shard for ever, and none is crowded by the names."""
    shards = [keep_alive_shard(connection_key("default", Subdomain(f"a{number}"))) for number in range(1000)]
    assert len(set(shards)) == KEEP_ALIVE_SHARDS
    assert keep_alive_shard("default#acme") == keep_alive_shard("default#acme")
    assert {len(shard) for shard in shards} == {len("shard-00")}
    assert GLOBEX != ACME


@pytest.mark.parametrize(
    ("access", "margin"),
    [
        (timedelta(hours=48), timedelta(minutes=10)),
        (timedelta(minutes=50), timedelta(minutes=10)),
        (timedelta(minutes=30), timedelta(minutes=6)),
        (timedelta(seconds=300), timedelta(seconds=60)),
    ],
)
def test_a_refresh_is_due_before_the_end(access: timedelta, margin: timedelta) -> None:
    """Ten minutes before it, or a fifth of a short life."""
    times = token_times(lasting(access), NOON, 0.5)
    assert times.expires_at == NOON + access
    assert times.refresh_at == NOON + access - margin


@pytest.mark.parametrize(("jitter", "share"), [(0.0, 1 / 2), (0.5, 7 / 12), (1.0, 2 / 3)])
def test_the_idle_are_kept_alive_between_half_and_two_thirds(jitter: float, share: float) -> None:
    """So that connections made together are not refreshed together, and none is forgotten."""
    refresh = timedelta(days=60)
    times = token_times(lasting(timedelta(hours=1), refresh), NOON, jitter)
    assert times.refresh_expires_at == NOON + refresh
    assert abs(times.keep_alive_at - (NOON + refresh * share)) < timedelta(seconds=1)


def test_addresses_are_built_from_the_settings() -> None:
    """The redirect URI is the same bytes in both legs."""
    endpoints = Endpoints(ZENDESK_BASE_URL, "https://connect.example.com")
    assert endpoints.account(ACME) == "https://acme.zendesk.com"
    assert endpoints.authorize(ACME) == "https://acme.zendesk.com/oauth/authorizations/new"
    assert endpoints.redirect_uri == "https://connect.example.com/oauth/callback"
    assert endpoints.start == "https://connect.example.com/oauth/start"


def test_an_offered_install_has_no_account_yet() -> None:
    """Asking for it too early is a mistake, not None."""
    assert pending().account == ACME
    with pytest.raises(ValueError, match="offered"):
        _ = offered(subdomain=None).account


def test_an_install_that_began_with_an_invitation_awaits_confirmation() -> None:
    """And only that."""
    assert offered().awaits_confirmation
    assert not pending().awaits_confirmation


def test_a_status_is_over_at_its_end() -> None:
    """The last second is within, the end itself is not."""
    install = pending()
    assert not install.is_over(install.expires_at - timedelta(seconds=1))
    assert install.is_over(install.expires_at)
