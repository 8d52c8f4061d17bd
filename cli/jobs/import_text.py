"""The lines of a file, however a spreadsheet, Notepad or PowerShell has saved it: UTF-8 or UTF-16, any line ends.

One line lies in memory at a time.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import IO

from cli.errors import RefusedError

LONGEST_LINE = 128 * 1024
"""Characters of a line: two tokens of the longest kind, several times."""
_SEPARATORS = ",;\t|"
_SEPARATOR_LINE = re.compile(rf'"?sep=([{_SEPARATORS}])"?[{_SEPARATORS}]*', re.IGNORECASE)
_TYPE_LINE = re.compile(r'"?#TYPE\b.*', re.DOTALL)
"""What PowerShell's Export-Csv writes before the header."""
_EMPTY_ROW = re.compile(rf'[\s"{_SEPARATORS}]*')


class DamagedLineError(RefusedError):
    """A line's text does not say what was meant by it, so the file as a whole cannot be trusted.

    `number` is the line's, and the text says what is wrong with it; it quotes nothing.
    """

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"line {number}: {reason}")
        self.number = number


class Lines:
    """Yields each line of a text with its line end; `number` is the last one's, from 1."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        """Return itself: there is one reading."""
        return self

    def __next__(self) -> str:
        """Return the next line. Raises DamagedLineError for one that is too long or ends within a character."""
        try:
            line = self._text.readline(LONGEST_LINE + 1)
        except UnicodeError:
            raise DamagedLineError(self.number + 1, "is cut off in the middle of a character") from None
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > LONGEST_LINE:
            raise DamagedLineError(self.number, f"has more than {LONGEST_LINE} characters")
        return line


def open_text(path: Path) -> IO[str]:
    """Open a file as its byte-order mark says, as UTF-8 without one. Raises OSError.

    A byte that is no UTF-8 becomes a lone surrogate, so that the line that has it can be named.
    """
    data = path.open("rb")
    begins = data.read(2)
    data.seek(0)
    if begins in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return TextIOWrapper(data, encoding="utf-16", errors="surrogatepass", newline="")
    return TextIOWrapper(data, encoding="utf-8-sig", errors="surrogateescape", newline="")


def csv_rows(lines: Lines) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not empty, with the number of its first line; the first one is the header.

    The separator is the one that a `sep=` line names, or the first one in the header. Cells come without white space
    around them. Raises DamagedLineError for what is no CSV.
    """
    csv.field_size_limit(LONGEST_LINE)
    header, separator = _header(lines)
    if header is None:
        return
    reader = csv.reader(_followed(header, lines), strict=True, delimiter=separator)
    first = lines.number
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise DamagedLineError(first, f"not CSV, up to line {lines.number}: {error}") from None
        if any(cells):
            yield first, cells
        first = lines.number + 1


def _header(lines: Lines) -> tuple[str | None, str]:
    """Return the first line with a name in it, or None, and the separator."""
    named = None
    for line in lines:
        if said := _SEPARATOR_LINE.fullmatch(line.strip()):
            named = said[1]
        elif not _EMPTY_ROW.fullmatch(line) and not _TYPE_LINE.fullmatch(line):
            return line, named or next((each for each in line if each in _SEPARATORS), ",")
    return None, ","


def _followed(header: str, lines: Lines) -> Iterator[str]:
    yield header
    yield from lines
