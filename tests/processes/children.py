"""Processes of a test: started, spoken to, frozen, killed, and in any case ended.

The rule: a process is known by its own id alone, and whoever started it ends it. They are forked off a server that has
imported everything once, and is no fork of this process; it ends with the run.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from typing import Any

PATIENCE_SECONDS = 60.0
_CONTEXT = multiprocessing.get_context("forkserver")
_PRELOADED = "tests.processes.preloaded"


def start_server(preloaded: str = _PRELOADED) -> None:
    """Start the server now with a module imported, so that its processes have the environment of this moment."""
    _CONTEXT.set_forkserver_preload([preloaded])
    forkserver.ensure_running()


class SilentError(AssertionError):
    """A process has said nothing for too long."""


class Child:
    """A process that does a work of ours, and the line to it; the work's first argument is its own end of it."""

    def __init__(self, work: Callable[..., None], *args: object) -> None:
        self._line, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=work, args=(theirs, *args), daemon=True)
        self._process.start()
        theirs.close()

    def tell(self, word: object = None) -> None:
        """Send a job, or (None) that it may go on."""
        self._line.send(word)

    def has_said(self, seconds: float) -> bool:
        """Tell whether it says something, or is gone, within so many seconds."""
        return self._line.poll(seconds)

    def said(self, seconds: float = PATIENCE_SECONDS) -> Any:
        """Return what it says next. Raises SilentError, and EOFError where the process is gone."""
        if not self._line.poll(seconds):
            raise SilentError(f"process {self._process.pid} says nothing")
        return self._line.recv()

    def freeze(self) -> None:
        """Stop it where it is (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word (SIGKILL), and wait until it is gone."""
        self._process.kill()
        self._process.join()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def close(self) -> None:
        """End it if it still runs, and hang up."""
        self.kill()
        self._process.close()
        self._line.close()


@contextmanager
def running(work: Callable[..., None], *args: object) -> Iterator[Child]:
    """Give a process while the block runs."""
    child = Child(work, *args)
    try:
        yield child
    finally:
        child.close()
