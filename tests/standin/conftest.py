"""The stand-in's own tests: each has a stand-in, and a plain client of it."""

from collections.abc import Iterator

import pytest

from local.zendesk.pytest_plugin import zendesk, zendesk_server, zendesk_settings
from local.zendesk.standin import StandIn
from tests.standin.client import PlainClient

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]


@pytest.fixture
def client(zendesk: StandIn) -> Iterator[PlainClient]:
    """Give a client that speaks to the stand-in over HTTP and forgives nothing."""
    with PlainClient(zendesk.address) as plain:
        yield plain
