"""MiniStack, the emulator of AWS that the template is deployed to: a process on a port of loopback.

The rule: no credential, profile or setting of this machine reaches it, its functions or our own clients; every
environment is built from nothing. With `AUTH=true` it checks signatures and enforces the roles of the functions.
"""

import os
import shutil
import socket
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.error import URLError

import boto3
import botocore.session
from botocore.config import Config

from local import places
from local.processes import CommandFailedError, Processes, Running, is_alive

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_secretsmanager import SecretsManagerClient

HOST = "127.0.0.1"
REGION = "us-east-1"
_KEY_ID = "testing"
_KEY = "testing"
_PATH = "/usr/bin:/bin"
_START_SECONDS = 20.0
_POLL_SECONDS = 0.05
_PREFIX = "zendesk-oauth-"
_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at before it is used
_ROOM_BYTES = 3 * 1024**3
_ISOLATED = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": _KEY_ID,
    "AWS_SECRET_ACCESS_KEY": _KEY,
    "AWS_DEFAULT_REGION": REGION,
    "SAM_CLI_POLL_DELAY": "0.2",
    "SAM_CLI_TELEMETRY": "0",
}
"""What keeps a child from this machine's own AWS credentials. Also the emulator's root key."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running MiniStack and the folder that holds everything it writes."""

    port: int
    folder: Path

    @property
    def address(self) -> str:
        """Where its API answers."""
        return f"http://{HOST}:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return the whole environment for a tool that talks to it."""
        return {
            **_ISOLATED,
            "AWS_ENDPOINT_URL": self.address,
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PATH": _PATH,
            "TMPDIR": str(self.folder),
        }

    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
    @overload
    def client(self, service: str) -> Any: ...  # noqa: ANN401 - untyped here
    def client(self, service: Any) -> Any:
        """Return a client with the emulator's root key that reads nothing of this machine's AWS settings."""
        return _isolated_session().client(
            service,
            region_name=REGION,
            endpoint_url=self.address,
            aws_access_key_id=_KEY_ID,
            aws_secret_access_key=_KEY,
            config=Config(proxies={}, s3={"addressing_style": "path"}),
        )


def _isolated_session() -> boto3.Session:
    session = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    return boto3.Session(botocore_session=session)


def free_port(preferred: int = 0) -> int:
    """Return `preferred` if nobody listens there, else a port that the system has free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, preferred))
        except OSError:
            probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_ministack(processes: Processes, logs: Path) -> Iterator[Emulator]:
    """Give a MiniStack that answers; its temporary folder is gone when the block is left.

    Raises CommandFailedError where it does not start.
    """
    parent = _in_memory()
    _sweep(Path(parent or tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(
        prefix=f"{_PREFIX}{os.getpid()}-", dir=parent, ignore_cleanup_errors=True
    ) as folder:
        emulator = Emulator(free_port(), Path(folder))
        running = processes.start(
            "MiniStack",
            [places.MINISTACK_PYTHON, "-P", places.EMULATOR],
            _server_environment(emulator),
            logs / "ministack.log",
        )
        try:
            _wait_until_it_answers(emulator, running)
            yield emulator
        finally:
            running.end()  # before its folder goes


def _in_memory() -> str | None:
    """Return Linux's folder in memory where there is room and code may run in it, else None for the usual one.

    Each function unpacks the layers for itself, some 5,000 files: on a disk that is most of what there is to wait for.
    """
    if not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK):
        return None
    system = os.statvfs(_MEMORY)
    is_fit = not system.f_flag & os.ST_NOEXEC and system.f_bavail * system.f_frsize >= _ROOM_BYTES
    return str(_MEMORY) if is_fit else None


def _sweep(parent: Path) -> None:
    """Remove the folders of runs that were killed outright: nobody else would."""
    for folder in parent.glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _server_environment(emulator: Emulator) -> Mapping[str, str]:
    environment = emulator.environment()
    del environment["AWS_ENDPOINT_URL"]  # it gives its functions its own address
    return environment | {
        "AUTH": "true",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(emulator.port),
        "IOT_MTLS_ENABLED": "0",  # else it listens on 8883, on every interface
        "LOG_LEVEL": "WARNING",  # its access log would have query strings, and so codes and states
        "MINISTACK_HOST": "localhost",
    }


def _wait_until_it_answers(emulator: Emulator, running: Running) -> None:
    end = time.monotonic() + _START_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < end and not running.has_ended:
        try:
            with opener.open(f"{emulator.address}/_ministack/health", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(_POLL_SECONDS)
    raise CommandFailedError(f"MiniStack did not start:\n{running.tail()}")
