"""A file of tokens as a stream of lines: CSV with a header, or JSON objects, one a line.

Only as much of it lies in memory as one line has. What cannot be read is told with its line's number, and the reading
goes on after it.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, NamedTuple

from cli.errors import RefusedError
from cli.jobs.import_line import COLUMNS, REQUIRED, BadLine, Fields, Line, parse_line

LONGEST_LINE = 128 * 1024
"""Characters of a cell and bytes of a line: two tokens of the longest kind, several times."""
_SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class FileFormat(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSONL = "jsonl"


class ImportFileError(RefusedError):
    """The file as a whole cannot be read, or a report not be written; the text says why, and what to do."""


def format_of(path: Path) -> FileFormat:
    """Return the format that a file's name says. Raises ImportFileError."""
    suffix = _SUFFIXES.get(path.suffix.lower())
    if suffix is None:
        raise ImportFileError(f"{path.name} is neither .csv nor .jsonl or .ndjson: say which with --format")
    return FileFormat(suffix)


class TokenFile(NamedTuple):
    """A file, and what its lines are checked by."""

    path: Path
    file_format: FileFormat
    grants: frozenset[str]

    def read(self, now: datetime) -> Iterator[Line | BadLine]:
        """Yield each line that is not empty. Raises ImportFileError where the whole cannot be read."""
        try:
            if self.file_format is FileFormat.CSV:
                with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
                    yield from self._csv(text, now)
            else:
                with self.path.open("rb") as data:
                    yield from self._json_lines(data, now)
        except OSError as error:
            raise ImportFileError(f"{self.path.name} cannot be read: {error.strerror}") from error

    def _csv(self, text: IO[str], now: datetime) -> Iterator[Line | BadLine]:
        csv.field_size_limit(LONGEST_LINE)
        rows = csv.reader(text, strict=True)
        columns = _columns(rows)
        while True:
            first = rows.line_num + 1
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadLine(first, f"not CSV, up to line {rows.line_num}: {error}")
                continue
            if len(cells) == len(columns):
                yield parse_line(
                    first, dict(zip(columns, map(str.strip, cells), strict=True)), self.grants, now
                )
            elif cells:
                yield BadLine(first, f"{len(cells)} cells, where the header has {len(columns)}")

    def _json_lines(self, data: IO[bytes], now: datetime) -> Iterator[Line | BadLine]:
        number = 0
        while line := data.readline(LONGEST_LINE):
            number += 1
            is_whole = line.endswith(b"\n") or len(line) < LONGEST_LINE
            while not is_whole:
                rest = data.readline(LONGEST_LINE)
                is_whole = rest.endswith(b"\n") or len(rest) < LONGEST_LINE
                line = b"x" * LONGEST_LINE
            if line.strip():
                fields = _fields(line)
                yield (
                    BadLine(number, fields)
                    if isinstance(fields, str)
                    else parse_line(number, fields, self.grants, now)
                )


def _columns(rows: Iterator[list[str]]) -> Sequence[str]:
    """Return the header's names. Raises ImportFileError."""
    try:
        columns = [name.strip().lower() for name in next(rows)]
    except StopIteration:
        raise ImportFileError("the file is empty: its first line has to name the columns") from None
    except csv.Error as error:
        raise ImportFileError(f"the first line is not CSV: {error}") from None
    unknown = [f"column {place}" for place, name in enumerate(columns, 1) if name not in COLUMNS]
    missing = [name for name in REQUIRED if name not in columns]
    if unknown or missing or len(set(columns)) < len(columns):
        raise ImportFileError(
            f"the first line has to name columns, each once, of {', '.join(COLUMNS)}; "
            f"missing: {', '.join(missing) or 'none'}; not known: {', '.join(unknown) or 'none'}; "
            "is it there, with commas between the names?"
        )
    return columns


def _fields(line: bytes) -> Fields | str:
    """Return the members of a JSON object as texts, or what is wrong with it."""
    try:
        content = json.loads(line, object_pairs_hook=_members)
    except _RepeatedError:
        return "a member stands there twice"
    except (ValueError, RecursionError):
        return f"not a JSON object of at most {LONGEST_LINE} bytes"
    if not isinstance(content, dict):
        return "not a JSON object"
    if not content.keys() <= set(COLUMNS):
        return f"has members that are none of {', '.join(COLUMNS)}"
    fields = {name: _text(value) for name, value in content.items() if value is not None}
    if None in fields.values():
        return "a member is neither a text nor a whole number, nor (scopes) a list of texts"
    return {name: text for name, text in fields.items() if text is not None}


class _RepeatedError(Exception):
    """A member of a JSON object stands there twice: nobody knows which is meant."""


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _RepeatedError
    return members


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return " ".join(value)
    return str(value) if type(value) is int else None
