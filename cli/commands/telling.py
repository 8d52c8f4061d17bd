"""What a command says in the end: a table for people, or one line of JSON; what it says on the way goes elsewhere."""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

import typer
from rich.console import Console
from rich.table import Table


class Telling(NamedTuple):
    """The two ways out: what was asked for, and what is said beside it."""

    out: Console
    beside: Console
    as_json: bool

    def tell(self, summary: Mapping[str, object], show: Callable[[Console], None]) -> None:
        """Say the summary as JSON, or show it to people."""
        if self.as_json:
            typer.echo(json.dumps(summary))
        else:
            show(self.out)


def telling(*, as_json: bool) -> Telling:
    """Return the usual ways out: standard output, and standard error."""
    return Telling(Console(), Console(stderr=True), as_json)


def counts(title: str, rows: Mapping[str, int], meaning: Mapping[str, str]) -> Table:
    """Return a table of how many ended how, and what each of that means."""
    table = Table("outcome", title=title, title_justify="left")
    table.add_column("rows", justify="right")
    table.add_column("what it means")
    for name, number in rows.items():
        table.add_row(name, f"{number:,}", meaning[name])
    return table
