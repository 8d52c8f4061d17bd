"""Starting processes so that not one of them outlives us.

Each is started in a session of its own, and the whole session is ended: when the block is left, whether by success,
failure, Ctrl-C or SIGTERM. Should we be killed outright, Linux ends them for us where `setpriv` is installed.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

GRACE_SECONDS = 5.0
"""How long a session may take to end by itself."""
_POLL_SECONDS = 0.02
_TAIL_LINES = 25
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody wants us to end: Ctrl-C, SIGTERM or a closed terminal."""


class CommandFailedError(Exception):
    """A command ended with an error; says which and shows the end of its log."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the first signal into Stopped, and let no further one disturb the clearing up."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(slots=True)
class Running:
    """A process that was started, the leader of its session."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def finish(self) -> None:
        """Wait until it has ended. Raises CommandFailedError where it did not end well."""
        if self.process.wait() != 0:
            raise CommandFailedError(f"{self.name} failed:\n{self.tail()}\nThe whole log is {self.log}")

    def end(self) -> None:
        """End its whole session, gently first. Does nothing where it has ended."""
        _signal_session(self.process.pid, signal.SIGTERM)
        _end(self.process, time.monotonic() + GRACE_SECONDS)

    @property
    def has_ended(self) -> bool:
        """Whether it is over, well or not."""
        return self.process.poll() is not None

    def tail(self) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])


@dataclass(slots=True)
class Processes:
    """All processes of one run; leaving the block ends them, the last started first."""

    _running: list[Running] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for running in reversed(self._running):
            _signal_session(running.process.pid, signal.SIGTERM)
        end = time.monotonic() + GRACE_SECONDS
        for running in reversed(self._running):
            _end(running.process, end)

    def start(self, name: str, command: Sequence[str | Path], env: Mapping[str, str], log: Path) -> Running:
        """Start a command in a session of its own, with this environment and no other, writing to `log`."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*_leash(), *map(str, command)],
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = Running(name, process, log)
        self._running.append(running)
        return running


def wait_until_it_listens(port: int, running: Running, seconds: float) -> None:
    """Wait until a process answers on this port of loopback. Raises CommandFailedError where it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not running.has_ended:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(_POLL_SECONDS)
        else:
            return
    raise CommandFailedError(f"{running.name} did not start:\n{running.tail()}")


def _leash() -> list[str]:
    """Return the prefix which has the kernel end the process when its parent is killed, where there is one."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


def _end(process: subprocess.Popen[bytes], end: float) -> None:
    """Wait for a session that was told to end; at `end` kill what is left of it."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, end - time.monotonic()))
    while living(process.pid):
        if time.monotonic() >= end:
            _signal_session(process.pid, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    _signal_session(process.pid, signal.SIGKILL)  # its group, where there is no /proc to look into
    process.wait()


def _signal_session(session: int, number: signal.Signals) -> None:
    for pid in living(session):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        os.killpg(session, number)


def is_alive(pid: int) -> bool:
    """Tell whether there is a process with this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def living(session: int) -> list[int]:
    """Return the processes of a session that are still there, also those which made a group of their own.

    Source: proc(5), /proc/[pid]/stat. Where there is no /proc, nothing is returned and the group has to do.
    """
    return [
        int(pid)
        for stat in Path("/proc").glob("[0-9]*/stat")
        for pid, state, _parent, _group, its_session in _stats(stat)
        if int(its_session) == session and state != "Z"
    ]


def _stats(stat: Path) -> list[tuple[str, ...]]:
    """Return pid, state, parent, group and session of one process, or nothing if it has just ended."""
    try:
        pid, _, rest = stat.read_text().partition(" (")
    except OSError:
        return []
    return [(pid, *rest.rpartition(") ")[2].split()[:4])]
