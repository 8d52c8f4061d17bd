"""The two deployments of the local stack, as scenes that nobody watches."""

import io

import pytest
from rich.console import Console

from local.demo.__main__ import play
from local.demo.scene import Scene
from local.demo.script import SCRIPT
from local.demo.tables import show_seen, show_stores
from local.demo.teller import Teller
from local.stack import CONFIRMED, OPEN, LocalStack


@pytest.fixture
def teller() -> Teller:
    """Return a teller that nobody listens to; what was not as expected stays with it."""
    return Teller(Console(file=io.StringIO(), width=200))


@pytest.fixture
def open_mode(stack: LocalStack, teller: Teller) -> Scene:
    """Return the deployment that anybody may start at."""
    return Scene(stack, teller, OPEN)


@pytest.fixture
def confirmed_mode(stack: LocalStack, teller: Teller) -> Scene:
    """Return the deployment that starts by invitation."""
    return Scene(stack, teller, CONFIRMED)


@pytest.fixture(scope="session")
def demo(stack: LocalStack) -> tuple[dict[str, list[str]], str]:
    """Play the demo's whole script once; return what was not as expected, and all that it printed."""
    output = io.StringIO()
    console = Console(file=output, width=120)
    unexpected = play(tuple(SCRIPT), stack, console)
    show_stores(console, stack)
    show_seen(console, stack)
    return unexpected, output.getvalue()
