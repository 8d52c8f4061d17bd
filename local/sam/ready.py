"""Making the running local stack reachable for `sam local`: the engine, the relays and the settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local.containers import ContainerEngine, reachable, running_engine
from local.processes import Processes
from local.sam.settings import kept_settings

if TYPE_CHECKING:
    from local.stack import LocalStack


@contextmanager
def ready_for_sam_local(stack: "LocalStack") -> Iterator[ContainerEngine | None]:
    """Give the engine while containers can reach the stack and the settings are in place; None without an engine."""
    folder = stack.emulator.folder
    with Processes() as processes, running_engine(processes, folder, folder) as engine:
        if engine is None:
            yield None
            return
        port = urlsplit(stack.zendesk.address).port or 0
        with (
            reachable(engine, [stack.emulator.port, port]),
            kept_settings(engine, stack.emulator, stack.zendesk.address, stack.deployments),
        ):
            yield engine
