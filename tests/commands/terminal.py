"""A person's terminal: a bash in a folder, which keeps what was sourced, and takes Ctrl-C."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.commands.shell import Outcome

_ENDED = "the command has ended with"


@dataclass(frozen=True, slots=True)
class Terminal:
    """Types commands, one after the other."""

    bash: subprocess.Popen[str]

    def type(self, command: str) -> Outcome:
        """Type a command and wait until it has ended."""
        self._write(f"{command}\nprintf '\\n%s %s\\n' '{_ENDED}' $?\n")
        *printed, last = self._lines(_ENDED)
        return Outcome(int(last.rpartition(" ")[2]), "".join(printed))

    def type_until(self, command: str, ready: str) -> str:
        """Type a command that goes on, and return what it has printed when it is ready."""
        self._write(f"{command}\n")
        return "".join(self._lines(ready))

    def interrupt(self) -> str:
        """Press Ctrl-C, and return what is printed until all has ended; the terminal ends with it."""
        os.killpg(self.bash.pid, signal.SIGINT)
        return self.bash.communicate()[0]

    def _write(self, text: str) -> None:
        assert self.bash.stdin
        self.bash.stdin.write(text)
        self.bash.stdin.flush()

    def _lines(self, last: str) -> Iterator[str]:
        """Yield lines up to one that has `last` in it."""
        assert self.bash.stdout
        for line in self.bash.stdout:
            yield line
            if last in line:
                return
        raise EOFError(f"the terminal has ended without a word of {last!r}")


@contextmanager
def opened(folder: Path) -> Iterator[Terminal]:
    """Give a terminal with a person's own environment, none of whose settings are AWS's, and end it after the block."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    with subprocess.Popen(
        ["bash"],  # noqa: S607 - whichever bash there is
        cwd=folder,
        env=own,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as bash:
        try:
            yield Terminal(bash)
        finally:
            if bash.poll() is None:
                os.killpg(bash.pid, signal.SIGTERM)
