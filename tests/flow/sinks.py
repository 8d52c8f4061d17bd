"""Everywhere that a function can say something: standard output and error, and every logger at DEBUG.

The rule: what the stand-in for Zendesk says in its own threads is not ours, and is left out.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_STAND_IN_THREAD = "process_request_thread"
VENDORS = ("botocore", "urllib3", "authlib", "boto3", "aws_lambda_powertools")


class Sinks(logging.Handler):
    """Keeps all that is said; as a handler of the root logger it keeps the records of everybody.

    What is printed comes by way of pytest's own capture, which would put its streams back in the place of ours.
    """

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)r"))
        self._capsys = capsys
        self._printed: list[tuple[str, str]] = []
        self._records: list[str] = []

    @property
    def stdout(self) -> str:
        """What was printed: log lines and metrics."""
        self._printed.append(self._capsys.readouterr())
        return "".join(out for out, _ in self._printed)

    @property
    def said(self) -> str:
        """All of it."""
        return "\n".join([self.stdout, *(err for _, err in self._printed), *self._records])

    @property
    def records(self) -> list[str]:
        """What loggers were told, as texts."""
        return list(self._records)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, with its arguments as they are."""
        if _STAND_IN_THREAD not in (record.threadName or ""):
            self._records.append(self.format(record))

    def clear(self) -> None:
        """Forget what was said."""
        self._capsys.readouterr()
        self._printed.clear()
        self._records.clear()


@contextmanager
def listening(capsys: pytest.CaptureFixture[str]) -> Iterator[Sinks]:
    """Keep all that is said while the block runs, from loggers that were made before too."""
    sinks = Sinks(capsys)
    root = logging.getLogger()
    root.addHandler(sinks)
    _let_handlers_follow()
    try:
        yield sinks
    finally:
        root.removeHandler(sinks)
        _let_handlers_follow()


@contextmanager
def everybody_at_debug() -> Iterator[None]:
    """Turn the root logger and the vendors' own up, as a runtime or an operator can, before a container is built."""
    levels = {name: logging.getLogger(name).level for name in ("", *VENDORS)}
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


class _StandardOutput:
    """Whatever is the standard output at the moment: pytest has another one for each phase of a test."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


def _let_handlers_follow() -> None:
    """Turn the handlers that Powertools has made, which hold on to the standard output of their time."""
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    for handler in [handler for logger in loggers for handler in logger.handlers]:
        if type(handler) is logging.StreamHandler:
            handler.stream = _StandardOutput()  # setStream would flush the old one, which may be closed
