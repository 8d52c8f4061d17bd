"""A bash that has the deployed local stack as its AWS, in a copy of this project that it may write to.

The rule: what it is given is what a person would type, but for the few differences in `exceptions`.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local import places
from local.deployment import STAGE, architecture
from local.ministack import REGION
from local.stack import OPEN, LocalStack
from tests.commands.blocks import told
from tests.commands.exceptions import ELSEWHERE, NOT_RUN, REFUSED, STACK_OF_ITS_OWN, UNTIL
from tests.docs.reading import ROOT, files

SCHEDULES = "50"
TYPED = "a-made-up-client-secret"
"""What a person types or pastes where a command waits for it."""
_MINUTES = 20
PRELUDE = """set -euo pipefail
# The AWS CLI's first version heeds AWS_ENDPOINT_URL for every service but SQS.
aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }
# The emulator serves a function's URL below its own address.
served() { sed -E "s#https://([^./]+)[^/]*/#$AWS_ENDPOINT_URL/_aws/lambda-url/\\1/#" <<<"$1"; }
# The command has to fail, and to say why.
refused() { ! said=$("${@:2}" 2>&1) && grep -qF -- "$1" <<<"$said" || { printf '%s\\n' "$said"; return 1; }; }
# The command has to say that it is ready, and then to end in these words when it is stopped.
until_ready() {
  log=$(mktemp); setsid "${@:3}" >"$log" 2>&1 </dev/null & started=$!
  trap 'kill -- -$started 2>/dev/null || true' EXIT
  for _ in $(seq 1200); do
    if grep -qF -- "$1" "$log" || ! kill -0 $started 2>/dev/null; then break; fi
    sleep 0.2
  done
  kill -- -$started || true; wait $started || true; trap - EXIT
  cat "$log"; grep -qF -- "$1" "$log" && grep -qF -- "$2" "$log"
}
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a document's commands did: the exit status, and all that they printed."""

    status: int
    printed: str

    @property
    def end(self) -> str:
        """The last of what was printed, which says what failed."""
        return self.printed[-4000:]


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs documents in `folder`, a copy of the project; `given` is what else their environment has."""

    folder: Path
    stack: LocalStack
    given: Mapping[str, str] = field(default_factory=dict, repr=False)

    def run(self, document: str, commands: Sequence[str]) -> Outcome:
        """Run a document's commands one after the other, as one person at one prompt."""
        script = PRELUDE + "\n".join(self._lines(document, commands))
        done = subprocess.run(  # noqa: S603 - the commands are the documents' own
            ["bash", "-c", script],  # noqa: S607 - whichever bash there is
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_MINUTES * 60,
        )
        return Outcome(done.returncode, done.stdout)

    def environment(self) -> dict[str, str]:
        """Return a person's own environment, with the emulator's account, the stack, and the tools found first."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        emulated = self.stack.emulator.environment()
        account = {name: value for name, value in emulated.items() if name not in {"HOME", "PATH", "TMPDIR"}}
        tools = [places.PYTHON.resolve().parent, self.folder / ".venv/bin", places.SAM.parent]
        return {
            **kept,
            **account,
            **self.given,
            "AWS_REGION": REGION,
            "EDITOR": "true",
            "NO_PROXY": "127.0.0.1,localhost,.localhost",
            "no_proxy": "127.0.0.1,localhost,.localhost",
            "PATH": ":".join([*map(str, tools), kept["PATH"]]),
            "SCHEDULES": SCHEDULES,
            "ZENDESK_OAUTH_STACK": self.stack.deployments[OPEN].order.stack_name,
        }

    def _lines(self, document: str, commands: Sequence[str]) -> Iterator[str]:
        for command in commands:
            if told(command) not in NOT_RUN:
                yield f"printf '\\n$ %s\\n' {shlex.quote(told(command))}"
                yield f"{{\n{self._as_the_caller(self._here(document, command))}\n}} <<<{TYPED}"

    def _here(self, document: str, command: str) -> str:
        """Return the command as it is run here: to be refused where the emulator lacks it, stopped where it goes on."""
        names = {
            "stack": "zendesk-oauth"
            if document in STACK_OF_ITS_OWN
            else self.stack.deployments[OPEN].order.stack_name,
            "port": str(self.stack.emulator.port),
            "architecture": architecture(),
            "schedules": SCHEDULES,
            "application": self.stack.deployments[OPEN].order.application,
            "stage": STAGE,
            "acme": self.stack.zendesk.url("acme"),
        }
        for pattern, replacement in ELSEWHERE.items():
            command = re.sub(pattern, replacement.format(**names), command)
        for beginning, words in REFUSED.items():
            if command.startswith(beginning):
                return f"refused {shlex.quote(words)} {command}"
        for beginning, (ready, farewell) in UNTIL.items():
            if command.startswith(beginning):
                return f"until_ready {shlex.quote(ready)} {shlex.quote(farewell)} {command}"
        return command

    def _as_the_caller(self, command: str) -> str:
        """Return a signed request as made by somebody who may get tokens over HTTP, and nothing else."""
        if not command.startswith("curl"):
            return command
        credentials = self.stack.token_caller.credentials
        keys = f"AWS_ACCESS_KEY_ID={credentials.access_key} AWS_SECRET_ACCESS_KEY={credentials.secret_key}"
        return f"(\n{keys}\n{command}\n)"


def copy_of_the_project(folder: Path, answers: Mapping[str, str]) -> Path:
    """Copy what git knows, the build that is there, and the tools by link; return the copy.

    `answers` are files that a person has by then, by their place. The set-up is made already, so that `make` need not.
    """
    for source in files():
        target = folder / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    (folder / ".tools").symlink_to((ROOT / ".tools").resolve())
    _environment_of_links(folder / ".venv")
    shutil.copytree(places.BUILT, folder / places.BUILT.relative_to(ROOT), symlinks=True)
    (folder / "build").mkdir()
    (folder / "build/cache").symlink_to(ROOT / "build/cache")
    (folder / "scripts/setup").write_text("#!/bin/sh\n")
    subprocess.run([folder / "scripts/write-command", folder / ".venv/bin"], check=True)  # noqa: S603 - ours
    for name, text in answers.items():
        (folder / name).write_text(text)
    return folder


def _environment_of_links(folder: Path) -> None:
    """Make an environment that holds links to what lies in ours, and room for a command of its own."""
    ours = ROOT / ".venv"
    (folder / "bin").mkdir(parents=True)
    for source in (*ours.iterdir(), *(ours / "bin").iterdir()):
        if source.name not in {"bin", "zendesk-oauth"}:
            (folder / source.relative_to(ours)).symlink_to(source.resolve().parent / source.name)
