"""What the tests of the example share: its build, the stand-in for Zendesk, and a client that installs there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.zendesk.pytest_plugin import zendesk, zendesk_server, zendesk_settings
from local.zendesk.standin import StandIn
from tests.artefact.building import HOST, ROOT, run
from tests.examples.building import build
from tests.standin.client import PlainClient

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]


@pytest.fixture(scope="session")
def built_worker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what would lie in /var/task."""
    return build(tmp_path_factory.mktemp("example") / "build")


@pytest.fixture(scope="session")
def layers() -> tuple[Path, Path]:
    """Return what would lie in /opt/python: the dependencies, the package."""
    run("scripts/build", ARCH=HOST)
    built = ROOT / ".aws-sam/build"
    return built / "DependenciesLayer/python", built / "PackageLayer/python"


@pytest.fixture
def client(zendesk: StandIn) -> Iterator[PlainClient]:
    """Give a client that has tokens of the stand-in."""
    with PlainClient(zendesk.address) as plain:
        yield plain
