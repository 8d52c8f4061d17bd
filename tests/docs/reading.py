"""The documents and other texts of this project, as git knows them: tracked, or new and not ignored."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
_RULER = re.compile(r"[-|: ]+")
_CELL_ENDS = re.compile(r"\s\|(?=\s)")
"""A bar between spaces: one within a word is part of it."""
_FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@cache
def files() -> tuple[Path, ...]:
    """Return every file of the project that is there."""
    named = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whichever git there is
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(sorted({ROOT / name for name in named.split("\0") if name and (ROOT / name).is_file()}))


def documents() -> list[Path]:
    """Return every Markdown file."""
    return [path for path in files() if path.suffix == ".md"]


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every file that is text, with its text."""
    for path in files():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def name_of(path: Path) -> str:
    """Return a file's name as it stands in a list of what is wrong."""
    return str(path.relative_to(ROOT))


def table_rows(path: Path) -> list[list[str]]:
    """Return the cells of all rows of all tables in a document, without their backquotes."""
    rows = (
        _CELL_ENDS.split(f"{row} ") for row in _ROW.findall(path.read_text()) if not _RULER.fullmatch(row)
    )
    return [[cell.strip().strip("`") for cell in row] for row in rows]


def prose(path: Path) -> str:
    """Return a document without its fenced blocks."""
    return _FENCED.sub("", path.read_text())


def anchors(path: Path) -> set[str]:
    """Return the anchors that a web view gives the headings of a document."""
    headings = _HEADING.findall(prose(path))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
