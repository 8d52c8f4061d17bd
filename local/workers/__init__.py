"""Workers of a deployment: they hold its WorkerPolicy and its layers, and run in a process of their own.

The rule: a token stays in that process; what comes back is its digest, as the stand-in for Zendesk notes tokens too.
"""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from local import places
from local.caller import user_with
from local.deployment import STAGE, Deployment
from local.ministack import Emulator
from local.processes import CommandFailedError

PROGRAM = places.ROOT / "local" / "workers" / "program.py"
_PATIENCE_SECONDS = 120


class Work(NamedTuple):
    """What one worker met.

    `digest` and `generation` are of its last token; `statuses` are what Zendesk's API answered to its calls.
    Where it was given no token: the error's code, and as far as the error says it, why and where to connect again.
    """

    digest: str | None = None
    generation: int | None = None
    statuses: tuple[int, ...] = ()
    error: str | None = None
    reason: str | None = None
    reconnect_url: str | None = None


@dataclass(frozen=True, slots=True)
class Workers:
    """Starts workers; `environment` is all that their process is given."""

    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, emulator: Emulator, deployment: Deployment) -> Self:
        """Make a user with the deployment's policy for workers, and return workers with its key."""
        credentials = user_with(emulator, deployment, "WorkerPolicyArn")
        key = {
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        }
        layers = [str(places.BUILT / layer / "python") for layer in ("DependenciesLayer", "PackageLayer")]
        python = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ":".join(layers)}
        return cls(emulator.environment() | key | python | worker_settings(deployment))

    def call_zendesk(self, subdomain: str, *, containers: int = 1, threads: int = 1) -> list[Work]:
        """Have workers begin at once, each thread of each container one: ask for a token, call Zendesk's API with it.

        A container keeps its tokens for all its threads. Raises CommandFailedError where the process breaks.
        """
        order = json.dumps({"subdomain": subdomain, "containers": containers, "threads": threads})
        done = subprocess.run(
            [str(places.PYTHON), "-S", "-P", str(PROGRAM)],
            input=order,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
        if done.returncode:
            raise CommandFailedError(f"a worker broke:\n{done.stderr}")
        return [_work(met) for met in json.loads(done.stdout)]


def digest_of(token: str) -> str:
    """Return what workers say of this token."""
    return hashlib.sha256(token.encode()).hexdigest()


def worker_settings(deployment: Deployment) -> dict[str, str]:
    """Return the variables that a worker's own stack would have."""
    outputs, order = deployment.outputs, deployment.order
    variables = {
        "APPLICATION": order.application,
        "STAGE": STAGE,
        "BASE_URL": order.zendesk_base_url,
        "CONNECTIONS_TABLE": outputs["ConnectionsTableName"],
        "REFRESH_FUNCTION": outputs["RefreshFunctionName"],
        "START_URL": outputs["StartUrl"],
        "TOKEN_KEY_ARN": outputs["TokenKeyArn"],
    }
    return {f"ZENDESK_OAUTH_{name}": value for name, value in variables.items()}


def _work(met: dict[str, object]) -> Work:
    statuses = met.pop("statuses")
    return Work(statuses=tuple(statuses), **met)  # type: ignore[arg-type] # as the program wrote it
