"""A file of tokens as a stream of lines: CSV with a header, or JSON objects, one a line.

A wrong value makes a bad line, and the reading goes on after it. Damaged text ends the reading of the whole file: what
a spreadsheet or an editor has done to one line, it may have done to any, in a way that cannot be seen.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from cli.errors import RefusedError
from cli.jobs.import_line import COLUMNS, REQUIRED, BadLine, Fields, Line, intact, parse_line, unquoted
from cli.jobs.import_text import DamagedLineError, Lines, csv_rows, open_text

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
        """Yield each line that is not empty.

        Raises ImportFileError where the file cannot be read, and where the text of a line is damaged.
        """
        rows = _csv_fields if self.file_format is FileFormat.CSV else _json_fields
        try:
            with open_text(self.path) as text:
                for number, fields in rows(Lines(text)):
                    yield parse_line(number, fields, self.grants, now)
        except OSError as error:
            raise ImportFileError(f"{self.path.name} cannot be read: {error.strerror}") from error
        except DamagedLineError as damage:
            raise ImportFileError(
                f"{self.path.name}, {damage}. The file is rejected as a whole: correct it and import it again"
            ) from None


def _csv_fields(lines: Lines) -> Iterator[tuple[int, Fields]]:
    rows = csv_rows(lines)
    columns = _columns(*next(rows, (1, [])))
    for number, cells in rows:
        while len(cells) > len(columns) and not cells[-1]:
            del cells[-1]
        if len(cells) != len(columns):
            raise DamagedLineError(number, f"{len(cells)} cells, where the header has {len(columns)}")
        yield number, dict(zip(columns, cells, strict=True))


def _columns(number: int, cells: Sequence[str]) -> Sequence[str]:
    """Return the header's names, without those that are empty at its end. Raises DamagedLineError."""
    columns = [unquoted(name).lower() for name in cells]
    while columns and not columns[-1]:
        del columns[-1]
    if not columns:
        raise DamagedLineError(number, "the file is empty: its first line has to name the columns")
    unknown = [f"column {place}" for place, name in enumerate(columns, 1) if name not in COLUMNS]
    missing = [name for name in REQUIRED if name not in columns]
    if unknown or missing or len(set(columns)) < len(columns):
        for place, name in enumerate(columns, 1):
            intact(number, f"the name of column {place}", name)
        raise DamagedLineError(
            number,
            f"has to name columns, each once, of {', '.join(COLUMNS)}; "
            f"missing: {', '.join(missing) or 'none'}; not known: {', '.join(unknown) or 'none'}; "
            "is it there, with commas, semicolons or tabs between the names?",
        )
    return columns


def _json_fields(lines: Lines) -> Iterator[tuple[int, Fields]]:
    for line in lines:
        if line.strip():
            yield lines.number, _fields(lines.number, line)


def _fields(number: int, line: str) -> Fields:
    """Return the members of a JSON object as texts. Raises DamagedLineError."""
    try:
        content = json.loads(line, object_pairs_hook=_members)
    except _RepeatedError:
        raise DamagedLineError(number, "a member stands there twice") from None
    except (ValueError, RecursionError):
        raise DamagedLineError(number, "not a JSON object: each line has to be a whole one") from None
    if not isinstance(content, dict):
        raise DamagedLineError(number, "not a JSON object")
    if not content.keys() <= set(COLUMNS):
        raise DamagedLineError(number, f"has members that are none of {', '.join(COLUMNS)}")
    fields = {name: _text(value) for name, value in content.items() if value is not None}
    if None in fields.values():
        raise DamagedLineError(
            number, "a member is neither a text nor a whole number, nor (scopes) a list of texts"
        )
    return {name: text for name, text in fields.items() if text is not None}


class _RepeatedError(Exception):
    """A member of a JSON object stands there twice: nobody knows which is meant."""


def _members(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _RepeatedError
    return members


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return " ".join(value)
    return str(value) if type(value) is int else None
