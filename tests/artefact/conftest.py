"""Builds once for this machine's processor, the way `make build` does, and says where things are."""

from pathlib import Path

import pytest

from tests.artefact.building import HOST, ROOT, run


@pytest.fixture(scope="session")
def built() -> Path:
    """Return `.aws-sam/build`, made by scripts/build; where nothing changed since, that is a blink."""
    run("scripts/build", ARCH=HOST)
    return ROOT / ".aws-sam/build"


@pytest.fixture(scope="session")
def layers(built: Path) -> tuple[Path, Path]:
    """Return what Lambda would mount under /opt/python: the dependencies, the package."""
    return built / "DependenciesLayer/python", built / "PackageLayer/python"
