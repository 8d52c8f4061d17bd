"""The install flow's services over doubles, as one world in which everything can be scripted and seen."""

import pytest

from tests.unit.services.world import World


@pytest.fixture
def world() -> World:
    """Return a world in which nothing has happened yet."""
    return World()
