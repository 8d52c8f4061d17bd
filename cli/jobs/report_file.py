"""A report of an import, line by line as they end: CSV or JSON lines, by the file's name. No token comes near it."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cli.jobs.import_file import FileFormat, ImportFileError
from cli.jobs.import_outcome import LineReport

COLUMNS = ("line", "grant", "subdomain", "outcome", "reason", "to_do")

type Write = Callable[[LineReport], None]


@contextmanager
def report_file(path: Path | None, file_format: FileFormat, start_url: str | None) -> Iterator[Write]:
    """Give what writes a line of the report, and close the file when the block is over; None: there is none."""
    if path is None:
        yield lambda _: None
        return
    with _opened(path) as file:
        write = _csv(file) if file_format is FileFormat.CSV else _json_lines(file)
        yield lambda report: write(_cells(report, start_url))


def _opened(path: Path) -> IO[str]:
    """Open it. Raises ImportFileError."""
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise ImportFileError(f"{path.name} cannot be written: {error.strerror}") from error


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
