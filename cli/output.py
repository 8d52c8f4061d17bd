"""What a command says: its result on standard output, for people or as JSON, and all else on standard error.

The rule: with `--json` there is JSON on standard output and nothing else, whatever happens.
It is ASCII, so that every terminal and every file can take it. In what is for people, a mark stands for what a terminal
cannot show.
"""

import io
import json
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from cli.errors import writing

if TYPE_CHECKING:  # Rich takes a while to load, and machines do not need it
    from rich.console import Console
    from rich.table import Table


class Output:
    """The two ways out of a command."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    @cached_property
    def out(self) -> "Console":
        """Standard output, for people."""
        return _console(stderr=False)

    @cached_property
    def beside(self) -> "Console":
        """Standard error, for what is said on the way."""
        return _console(stderr=True)

    @property
    def is_watched(self) -> bool:
        """Whether somebody sits at a terminal and can be asked."""
        return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))

    def tell(self, result: object, show: Callable[["Console"], None]) -> None:
        """Say the result: as JSON, or as `show` shows it to people."""
        if self.as_json:
            with writing():
                sys.stdout.write(json_text(result) + "\n")
        else:
            show(self.out)

    def say(self, text: str) -> None:
        """Say something beside the result."""
        self.beside.print(plain(text), markup=False, highlight=False, soft_wrap=True)


def write_what_can_be_encoded() -> None:
    """Let standard output have a mark for what its encoding has not, as a console of cp1252; standard error does so."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def json_text(result: object) -> str:
    """Return JSON in printable ASCII: all else is escaped, so that it moves no cursor and needs no encoding."""
    return json.dumps(result, indent=2).replace("\x7f", "\\u007f")


def shown(text: str, otherwise: str, out: "Console") -> str:
    """Return the text if the console's encoding has it, and something else where it has not."""
    try:
        text.encode(out.encoding)
    except UnicodeEncodeError:
        return otherwise
    return text


def plain(value: object) -> str:
    """Return text as it may go to a terminal: what came from elsewhere moves no cursor and changes no colour."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(value)
    )


def table(*columns: str, rows: Iterable[Iterable[str]]) -> "Table":
    """Return a table of plain texts, without a frame, so that it can be searched and cut too.

    Without names of columns it has no head: each row is a name and what is said of it.
    """
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    made = Table(*columns, box=SIMPLE_HEAD, pad_edge=False, show_header=bool(columns), show_edge=False)
    for row in rows:
        made.add_row(*(Text(plain(cell)) for cell in row))
    return made


def _console(*, stderr: bool) -> "Console":
    from cli.console import PlainConsole  # noqa: PLC0415 - as above

    return PlainConsole(stderr=stderr)
