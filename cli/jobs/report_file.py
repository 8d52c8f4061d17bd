"""A report of an import, line by line as they end: CSV or JSON lines, by the file's name. No token comes near it.

The rule: the file is made, for its owner alone. One that is there is never written over, and a link is never followed.
"""

import csv
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cli.errors import NotNowError, RefusedError
from cli.jobs.import_file import FileFormat, ImportFileError
from cli.jobs.import_outcome import LineReport

COLUMNS = ("line", "grant", "subdomain", "outcome", "reason", "to_do")

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
"""O_EXCL makes the kernel refuse what is there, a link that leads nowhere too (open(2))."""

type Write = Callable[[LineReport], None]


class ReportError(NotNowError):
    """The report cannot be written on, in the middle of an import: a full disk, for instance."""


def refuse_existing(path: Path) -> None:
    """Raise RefusedError where something is at the path, a link too."""
    if os.path.lexists(path):
        raise _existing(path)


@contextmanager
def report_file(path: Path | None, file_format: FileFormat, start_url: str | None) -> Iterator[Write]:
    """Give what writes a line of the report, and close the file when the block is over; None: there is none.

    Raises RefusedError where something is at the path, ImportFileError where no file can be made there, and ReportError
    where a line cannot be written.
    """
    if path is None:
        yield lambda _: None
        return
    file = _opened(path)
    try:
        with _writing(path):
            write = _csv(file) if file_format is FileFormat.CSV else _json_lines(file)

        def write_line(report: LineReport) -> None:
            with _writing(path):
                write(_cells(report, start_url))

        yield write_line
    finally:
        with _writing(path):
            file.close()


def _opened(path: Path) -> IO[str]:
    """Make it, readable by its owner alone. What is no UTF-8 in a line of the import is escaped."""
    try:
        descriptor = os.open(path, _NEW, 0o600)
    except FileExistsError:
        raise _existing(path) from None
    except OSError as error:
        raise ImportFileError(f"{path} cannot be written: {error.strerror}") from error
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="")


def _existing(path: Path) -> RefusedError:
    return RefusedError(f"{path} is there already, and a report is never written over a file: name a new one")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReportError(f"{path} cannot be written on: {error.strerror}") from error


def _cells(report: LineReport, start_url: str | None) -> dict[str, object]:
    to_do = report.to_do(start_url)
    cells = (report.number, report.grant, report.subdomain, report.outcome.value, report.reason, to_do)
    return dict(zip(COLUMNS, cells, strict=True))


def _csv(file: IO[str]) -> Callable[[dict[str, object]], None]:
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()

    def write(cells: dict[str, object]) -> None:
        writer.writerow(cells)

    return write


def _json_lines(file: IO[str]) -> Callable[[dict[str, object]], None]:
    def write(cells: dict[str, object]) -> None:
        file.write(json.dumps(cells) + "\n")

    return write
