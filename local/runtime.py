"""A built function in Lambda's runtime, without a container: the emulator binary that lies inside SAM CLI's package.

It runs `awslambdaric`, the runtime's own client, on a bare interpreter that sees the build and nothing of this project.
The rule: one process is one execution environment, and takes one event at a time; a second at once would end it.
"""

import importlib.util
import json
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import places
from local.deployment import architecture
from local.ministack import free_port
from local.processes import CommandFailedError, Processes, Running, wait_until_it_listens

HOST = "127.0.0.1"
_CLIENT = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
_START_SECONDS = 20.0
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ExecutionEnvironment:
    """One execution environment of one function."""

    port: int
    running: Running
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def invoke(self, event: object) -> Any:  # noqa: ANN401 - whatever the function returns
        """Hand the function an event, and return what it returned or, as Lambda does, its error as an object."""
        request = urllib.request.Request(
            f"http://{HOST}:{self.port}/2015-03-31/functions/function/invocations", json.dumps(event).encode()
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with self._one_at_a_time, opener.open(request, timeout=_ANSWER_SECONDS) as answer:
            return json.load(answer)


@contextmanager
def running_function(
    processes: Processes, verb: str, variables: Mapping[str, str], folder: Path
) -> Iterator[ExecutionEnvironment]:
    """Give a built function under the runtime emulator; its log and the runtime's client are put into `folder`.

    Raises CommandFailedError where it does not start.
    """
    port = free_port()
    emulator = str(places.RUNTIME_EMULATOR).format(architecture=architecture())
    listen = ("--runtime-interface-emulator-address", f"{HOST}:{port}")
    internal = ("--runtime-api-address", f"{HOST}:{free_port()}")
    runtime = (places.PYTHON, "-S", "-P", "-m", "awslambdaric", f"{verb}.app.handler")
    environment = _environment(verb, variables, _client_alone(folder))
    running = processes.start(
        f"The function {verb}", [emulator, *listen, *internal, *runtime], environment, folder / f"{verb}.log"
    )
    try:
        wait_until_it_listens(port, running, _START_SECONDS)
        yield ExecutionEnvironment(port, running)
    finally:
        running.end()


def _environment(verb: str, variables: Mapping[str, str], client: Path) -> dict[str, str]:
    """Return what Lambda sets, with the code's folder and the layers on the path in Lambda's order."""
    code = places.BUILT / f"{verb.title()}Function"
    layers = [places.BUILT / layer / "python" for layer in ("DependenciesLayer", "PackageLayer")]
    return {
        "AWS_LAMBDA_FUNCTION_NAME": verb,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "LAMBDA_TASK_ROOT": str(code),
        "PATH": "/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",  # a Lambda's folders are read-only
        "PYTHONPATH": ":".join(map(str, (code, *layers, client))),
        "_HANDLER": f"{verb}.app.handler",
        **variables,
    }


def _client_alone(folder: Path) -> Path:
    """Return a folder with the runtime's client and nothing else of this project's environment."""
    alone = folder / "runtime-client"
    alone.mkdir(exist_ok=True)
    for name in _CLIENT:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise CommandFailedError(f"{name} is not installed; run scripts/setup")
        origin = Path(spec.origin)
        found = origin.parent if origin.name == "__init__.py" else origin
        link = alone / found.name
        if not link.exists():
            link.symlink_to(found)
    return alone
