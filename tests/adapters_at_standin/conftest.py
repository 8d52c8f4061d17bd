"""The stand-in for Zendesk, for the adapters that speak to it."""

import pytest

from local.zendesk.pytest_plugin import zendesk, zendesk_server, zendesk_settings
from local.zendesk.standin import StandIn
from tests.adapters_at_standin.deployment import Deployment

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]


@pytest.fixture(autouse=True)
def short_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let codes be spent with less time than in earnest, so that what never ends is soon given up."""
    monkeypatch.setattr("zendesk_oauth.adapters.zendesk_tokens.LEAST_SECONDS", 0.0)


@pytest.fixture
def deployment(zendesk: StandIn) -> Deployment:
    """Return adapters for a stand-in that is as good as new."""
    return Deployment(zendesk)
