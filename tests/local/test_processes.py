"""Whatever is started is ended, whichever way the block is left: looked up in /proc by pid."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local import processes
from local.places import ROOT
from local.processes import CommandFailedError, Processes, Running, Stopped, living, stoppable

PATH = {"PATH": "/usr/bin:/bin"}
OWN_GROUP = "set -m; sleep 300 & echo ready; wait"
"""A shell with a child in a group of its own, as the runtime emulator has."""
DEAF = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
PATIENCE_SECONDS = 10.0


def alive(pid: int) -> bool:
    """Tell whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def wait_until(good: Callable[[], bool]) -> bool:
    """Wait for something to become true, for a while, and tell whether it has."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not good() and time.monotonic() < end:
        time.sleep(0.02)
    return good()


def started(group: Processes, script: str, log: Path) -> Running:
    """Start a shell script and wait until it says that it is ready."""
    running = group.start("script", ["/bin/bash", "-c", script], PATH, log)
    assert wait_until(lambda: "ready" in log.read_text())
    return running


@pytest.mark.parametrize("script", ["sleep 300 & echo ready; wait", OWN_GROUP])
def test_a_process_and_its_children_end_with_the_block(script: str, tmp_path: Path) -> None:
    """Leaving the block ends the process and its children, also those in a group of their own."""
    with Processes() as group:
        running = started(group, script, tmp_path / "log")
        family = living(running.process.pid)
        assert len(family) == 2
    assert not any(alive(pid) for pid in family)


def test_they_end_on_failure_too(tmp_path: Path) -> None:
    """An exception in the block leaves nothing behind."""
    pids: list[int] = []

    def fail_half_way() -> None:
        with Processes() as group:
            pids.extend(living(started(group, OWN_GROUP, tmp_path / "log").process.pid))
            raise LookupError

    with pytest.raises(LookupError):
        fail_half_way()
    assert pids
    assert not any(alive(pid) for pid in pids)


def test_the_deaf_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ignores SIGTERM is killed when its grace is over."""
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.3)
    with Processes() as group:
        pid = started(group, DEAF, tmp_path / "log").process.pid
    assert not alive(pid)


OWNER = """
import sys
import time
from pathlib import Path
from local.processes import Processes, Stopped, living, stoppable
from tests.local.test_processes import OWN_GROUP, started

try:
    with stoppable(), Processes() as group:
        print(*living(started(group, OWN_GROUP, Path(sys.argv[1])).process.pid), flush=True)
        while True:
            time.sleep(0.05)  # a signal that comes just before signal.pause() would wake nobody
except Stopped:
    print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_they_end_by_signal(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, SIGTERM, a closed terminal, and even the kill of the owner end what it started."""
    owner = subprocess.Popen(  # noqa: S603 - a script of our own
        [sys.executable, "-c", OWNER, str(tmp_path / "log")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/zendesk_oauth'}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        leader, *children = map(int, owner.stdout.readline().split())
        owner.send_signal(number)
        said = owner.stdout.read()
    assert wait_until(lambda: not alive(leader))
    if (
        number is signal.SIGKILL
    ):  # the kernel ends whom we started; those ends what they started, or are ended here
        for pid in filter(alive, children):
            os.kill(pid, signal.SIGKILL)
    else:
        assert said == "stopped\n"
        assert not any(map(alive, children))


def test_a_second_signal_does_not_disturb_the_clearing_up() -> None:
    """After the first signal, further ones are ignored until the block is left; then all is as before."""
    before = signal.getsignal(signal.SIGTERM)
    cleared = False

    def interrupted_twice() -> None:
        nonlocal cleared
        with stoppable():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGTERM)
                cleared = True

    with pytest.raises(Stopped):
        interrupted_twice()
    assert cleared
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_failing_command_says_what_it_said(tmp_path: Path) -> None:
    """The error names the command and shows the end of its log."""
    with Processes() as group:
        running = group.start("The build", ["/bin/sh", "-c", "echo broken; exit 3"], PATH, tmp_path / "log")
        with pytest.raises(CommandFailedError, match=r"The build failed:\nbroken\n"):
            running.finish()


def test_a_child_has_the_environment_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of ours reaches a child but what is handed to it."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    with Processes() as group:
        group.start("env", ["/usr/bin/env"], {"ONLY": "this"}, tmp_path / "log").finish()
    assert (tmp_path / "log").read_text() == "ONLY=this\n"
