"""The local stack as a fixture: deployed once for all tests of the run that look at it.

The rule: such tests lie in the folders below, which one worker takes as a whole. `xdist_group` would say the same, but
pytest 9.2 and pytest-xdist 3.8 together forget it silently (pytest-xdist issue 1386).
"""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # it has no types

from local.progress import Progress
from local.stack import LocalStack, running_stack

FOLDERS = ("tests/stack/", "tests/runtime/", "tests/examples/", "tests/commands/")


class OneWorkerForTheStack(LoadScopeScheduling):  # type: ignore[misc] # the same
    """Hands out tests one by one, but those of the stack together, to one worker and first."""

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith(FOLDERS) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Say how tests are spread over workers, whatever `--dist` says."""
    return OneWorkerForTheStack(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the demo's script meet the stack as the demo does, new: its own tests come before its other users'."""
    items.sort(key=lambda item: (*FOLDERS, _folder(item)).index(_folder(item)))


def _folder(item: pytest.Item) -> str:
    return "/".join(item.nodeid.split("/")[:2]) + "/"


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """Build, start and deploy everything, and end it with the run."""
    with running_stack(Progress(Console(file=io.StringIO()))) as running:
        yield running
