"""One worker as a process of its own, which can be stopped at any call.

The rule: a job comes over the line and ends in one answer, without any secret; at the point that a job names, the
process says so and waits for a word, so that it can be killed or frozen just there.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore import handlers
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from tests.processes.clock import SharedClock
from tests.processes.deployment import Addresses, new_clients, refresh_ports
from zendesk_oauth.models.refresh import RefreshQuestion
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import RefreshPorts

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

FUNCTION_SECONDS = 58.0
ANNOUNCED = ("store", "keyring", "token_endpoint", "api", "rescue")
QUESTION = RefreshQuestion("default", Subdomain("acme"))


class Job(NamedTuple):
    """A refresh of the one connection; `stop_at` names a point, or none."""

    stop_at: str = ""


class Reached(NamedTuple):
    """The process stands at this point."""

    point: str


class Ended(NamedTuple):
    """The job is done."""

    outcome: str


@dataclass(slots=True)
class Points:
    """The calls on the way, each `before`, `in` or `after` one of a port's methods."""

    line: "Connection[Any, Any] | None" = None
    stop_at: str = ""
    inside: str = ""

    def reach(self, point: str) -> None:
        """Say so and wait, if this is where the job stops."""
        if point == self.stop_at and self.line:
            self.line.send(Reached(point))
            self.line.recv()

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        """Send a write and stop before its answer is read, if this is where the job stops."""
        point = f"in {self.inside}"
        if point != self.stop_at:
            return None
        answer = URLLib3Session().send(request)
        self.reach(point)
        return answer


@dataclass(frozen=True, slots=True)
class Announced:
    """A port whose calls are points."""

    name: str
    port: object
    points: Points

    def __getattr__(self, method: str) -> Callable[..., object]:
        return lambda *args, **kwargs: self._call(method, *args, **kwargs)

    def _call(self, method: str, *args: object, **kwargs: object) -> object:
        call = f"{self.name}.{method}"
        self.points.reach(f"before {call}")
        self.points.inside = call
        try:
            answer: object = getattr(self.port, method)(*args, **kwargs)
        finally:
            self.points.inside = ""
        self.points.reach(f"after {call}")
        return answer


def announced(ports: RefreshPorts, points: Points) -> RefreshPorts:
    """Return the ports with every call a point."""
    changes: dict[str, Any] = {name: Announced(name, getattr(ports, name), points) for name in ANNOUNCED}
    return replace(ports, **changes)


class Container:
    """Clients whose writes are points."""

    def __init__(self) -> None:
        self.points = Points()
        hook: Any = ("before-send.dynamodb.UpdateItem", self.points.send)
        handlers.BUILTIN_HANDLERS.insert(0, hook)
        try:
            self.clients = new_clients()
        finally:
            handlers.BUILTIN_HANDLERS.remove(hook)


def work(
    line: "Connection[Any, Any]", addresses: Addresses, environ: Mapping[str, str] | None = None
) -> None:
    """Do one job after the other, in one container: one of its own where it has an environment of its own."""
    from tests.processes import preloaded  # noqa: PLC0415 - the server of the processes has it, nobody else

    os.environ.update(environ or {})
    container = Container() if environ else preloaded.CONTAINER
    points = container.points
    points.line = line
    ports = announced(refresh_ports(addresses, container.clients, SharedClock(addresses.clock)), points)
    while True:
        points.stop_at = line.recv().stop_at
        answer = RefreshConnection(ports)(QUESTION, ports.clock.monotonic() + FUNCTION_SECONDS)
        line.send(Ended(answer.outcome))
