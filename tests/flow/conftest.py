"""One account for each module, cleared for each test."""

from collections.abc import Iterator

import pytest

from local.zendesk.pytest_plugin import zendesk, zendesk_server, zendesk_settings
from local.zendesk.standin import StandIn
from tests.flow.sinks import Sinks, listening
from tests.flow.world import Account, Browser, World, running_account

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]


@pytest.fixture(scope="module")
def account(dynamodb_endpoint: str, zendesk_server: StandIn) -> Iterator[Account]:
    """Give the account of this module's tests."""
    with running_account(dynamodb_endpoint, zendesk_server.base_url) as made:
        yield made


@pytest.fixture
def world(account: Account, zendesk: StandIn) -> World:
    """Return a world in open mode, in which nothing has happened yet."""
    made = World(account, zendesk)
    made.clear()
    return made


@pytest.fixture
def confirmed(world: World) -> World:
    """Return the same in confirmed mode."""
    world.mode = "confirmed"
    return world


@pytest.fixture
def browser(world: World) -> Browser:
    """Return a browser without cookies."""
    return Browser(world)


@pytest.fixture
def sinks(world: World, capsys: pytest.CaptureFixture[str]) -> Iterator[Sinks]:
    """Give what the functions say while the test runs; their containers are warm before."""
    for verb in ("start", "callback"):
        world.handler(verb)
    with listening(capsys) as made:
        yield made
