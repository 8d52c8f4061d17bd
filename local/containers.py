"""The container engine that `sam local` uses, and how containers reach this machine.

Docker answers by itself. Podman answers SAM over a socket only while its service runs, so the local stack starts that
service and ends it. A container's 127.0.0.1 is the container, so the local stack also listens at the gateway of the
engine's network, an address that only containers and this machine can reach.
"""

import json
import os
import platform
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

from local import places
from local.deployment import architecture
from local.processes import CommandFailedError, Processes

HOST_NAME = "host.docker.internal"
"""What a container calls this machine."""
IMAGE = "public.ecr.aws/lambda/python:3.13-{architecture}"
_LOOPBACK = "127.0.0.1"
_DOCKER = "docker"
_PODMAN = "podman"
_SYSTEMD = Path("/run/systemd/system")
_COMMAND_SECONDS = 30.0
_START_SECONDS = 20.0
_POLL_SECONDS = 0.05
_BYTES = 65536
_FREEBIND = 15
"""`IP_FREEBIND` of ip(7), which Python does not name: podman makes its bridge only with the first container."""


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """An engine that has Lambda's base image.

    `gateway` is this machine's address in the engine's network, or None where the engine leads `host.docker.internal`
    to loopback by itself, as Docker Desktop does. `environment` is what SAM CLI needs to find the engine.
    """

    gateway: str | None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def added_host(self) -> str | None:
        """The value of SAM's `--add-host`, or None where none is needed."""
        return f"{HOST_NAME}:{self.gateway}" if self.gateway else None


@contextmanager
def running_engine(processes: Processes, folder: Path, logs: Path) -> Iterator[ContainerEngine | None]:
    """Give the container engine, or None where no engine has Lambda's base image.

    Podman's service listens in `folder` while the block runs. Raises CommandFailedError where it does not start.
    """
    image = IMAGE.format(architecture=architecture())
    if _output([_DOCKER, "image", "inspect", image]) is not None:
        yield ContainerEngine(_docker_gateway())
    elif _output([_PODMAN, "image", "inspect", image]) is not None:
        address = folder / "podman.sock"
        command = [_PODMAN, "system", "service", "--time=0", f"unix://{address}"]
        running = processes.start("podman", command, _podman_environment(), logs / "podman.log")
        try:
            _wait_for(address)
            yield ContainerEngine(_podman_gateway(), {"DOCKER_HOST": f"unix://{address}"})
        finally:
            running.end()
    else:
        yield None


def _output(command: Sequence[str]) -> Any:  # noqa: ANN401 - the engine's JSON
    """Return what the engine answers as JSON; None if it is not installed, does not answer, or has no such thing."""
    if shutil.which(command[0]) is None:
        return None
    with suppress(subprocess.TimeoutExpired):
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=_COMMAND_SECONDS, env=_podman_environment()
        )
        return json.loads(done.stdout) if done.returncode == 0 else None
    return None


def _podman_environment() -> dict[str, str]:
    """Return the environment of podman's commands: without systemd it needs settings."""
    settings = {} if _SYSTEMD.is_dir() else {"CONTAINERS_CONF": str(places.CONTAINERS_CONF)}
    return dict(os.environ) | settings


def _docker_gateway() -> str | None:
    if platform.system() != "Linux":
        return None
    network = _output([_DOCKER, "network", "inspect", "bridge"])[0]
    return str(network["IPAM"]["Config"][0]["Gateway"])


def _podman_gateway() -> str:
    network = _output([_PODMAN, "network", "inspect", "podman"])[0]
    return str(network["subnets"][0]["gateway"])


def _wait_for(address: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while not address.exists():
        if time.monotonic() >= end:
            raise CommandFailedError("podman's service did not start")
        time.sleep(_POLL_SECONDS)


@contextmanager
def reachable(engine: ContainerEngine, ports: Iterable[int]) -> Iterator[None]:
    """Let containers reach these ports of loopback under the same numbers at the gateway while the block runs."""
    with ExitStack() as relays:
        for port in ports if engine.gateway else ():
            relays.enter_context(_relay(str(engine.gateway), port))
        yield


@contextmanager
def _relay(gateway: str, port: int) -> Iterator[None]:
    with _Relay(gateway, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


class _Relay(ThreadingTCPServer):
    """Passes each connection on to the same port of loopback."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, gateway: str, port: int) -> None:
        super().__init__((gateway, port), _Connection)

    def server_bind(self) -> None:
        """Bind the gateway's address also while the engine has not made its bridge."""
        self.socket.setsockopt(socket.IPPROTO_IP, _FREEBIND, 1)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: the container sees that the connection ended."""


class _Connection(BaseRequestHandler):
    server: _Relay
    request: socket.socket

    def handle(self) -> None:
        with socket.create_connection((_LOOPBACK, self.server.server_address[1])) as upstream:
            back = threading.Thread(target=_pass_on, args=(upstream, self.request), daemon=True)
            back.start()
            _pass_on(self.request, upstream)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Copy until the source ends; then tell the target so."""
    with suppress(OSError):
        while data := source.recv(_BYTES):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
