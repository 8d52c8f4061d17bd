"""The operator's desk: `zendesk-oauth` typed by somebody who holds the deployment's policy for operators alone.

The rule: the command runs in a process of its own, with that user's key and none of this machine's AWS settings.
"""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from local import places
from local.caller import Caller
from local.deployment import Deployment
from local.ministack import Emulator

_PATIENCE_SECONDS = 120
_WIDTH = "100"


class Typed(NamedTuple):
    """How a command ended: its exit code, what it gave on standard output, and what it said beside that."""

    code: int
    output: str
    said: str


@dataclass(frozen=True, slots=True)
class OperatorDesk:
    """Types commands; `environment` is all that their process is given."""

    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, emulator: Emulator, deployment: Deployment, operator: Caller) -> Self:
        """Return the desk of an operator of this deployment."""
        key = {
            "AWS_ACCESS_KEY_ID": operator.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": operator.credentials.secret_key,
        }
        python = {"PYTHONPATH": f"{places.ROOT / 'layers' / 'zendesk_oauth'}:{places.ROOT}"}
        stack = {"ZENDESK_OAUTH_STACK": deployment.order.stack_name, "COLUMNS": _WIDTH}
        return cls(emulator.environment() | key | python | stack)

    def type(self, *words: str) -> Typed:
        """Type `zendesk-oauth` and these words, and wait until it has ended."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", *words],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
        return Typed(done.returncode, done.stdout, done.stderr)
