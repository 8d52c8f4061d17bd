"""The stand-in as pytest fixtures: import all three into a conftest and ask for `zendesk`.

The rule: one server for the whole run, which starts over for every test; nothing is carried from one to the next.
"""

from collections.abc import Iterator

import pytest

from local.zendesk.server import running_zendesk
from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]


@pytest.fixture
def zendesk_settings() -> Settings:
    """Return how the stand-in is set up; a test module overrides this fixture to have it otherwise."""
    return Settings()


@pytest.fixture(scope="session")
def zendesk_server() -> Iterator[StandIn]:
    """Give the stand-in that answers on loopback while the tests run; tests ask for `zendesk`."""
    with running_zendesk() as standin:
        yield standin


@pytest.fixture
def zendesk(zendesk_server: StandIn, zendesk_settings: Settings) -> StandIn:
    """Return a stand-in for Zendesk that is as good as new."""
    zendesk_server.start_over(zendesk_settings)
    return zendesk_server
