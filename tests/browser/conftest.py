"""The pages and handlers at an address that a browser can open."""

from collections.abc import Iterator

import pytest

from local.zendesk.pytest_plugin import zendesk, zendesk_server, zendesk_settings
from tests.handlers.gateway import Gateway, running_gateway

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]


@pytest.fixture(scope="package")
def gateway() -> Iterator[Gateway]:
    """Give a gateway on loopback."""
    with running_gateway() as running:
        yield running
