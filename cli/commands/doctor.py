"""`zendesk-oauth doctor`: whether everything is in place, and of what is not, what to do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.checkup.checks import Finding, findings
from cli.checkup.patient import Patient
from cli.desk import Desk
from cli.exits import Exit
from cli.output import plain, shown
from zendesk_oauth.models.subdomain import parse_subdomain

if TYPE_CHECKING:  # Rich takes a while to load
    from rich.console import Console

GOOD, BAD = ("✔", "green"), ("✘", "red")
"""The mark of a line, and its colour at a terminal."""
WITHOUT_MARKS = {"✔": "+", "✘": "x"}
"""What stands for a mark that the encoding of the output does not have."""

Account = Annotated[
    str | None,
    typer.Argument(
        metavar="SUBDOMAIN",
        help="An account at Zendesk to ask; one that is connected, unless it is said.",
        show_default=False,
    ),
]
OwnAccount = Annotated[
    bool, typer.Option("--own-account", help="The client is for one account alone, and need not be global.")
]


def doctor(desk: Desk, account: Account = None, own_account: OwnAccount = False) -> Exit:  # noqa: FBT002 - an option
    """Look whether everything is in place; where something is not, say what to do. Nothing is changed by it."""
    patient = Patient(desk, parse_subdomain(account) if account else None, is_own_account=own_account)
    _ = desk.stack  # where there is none, nothing else can be looked at
    found = list(findings(patient))
    desk.output.tell([each._asdict() for each in found], lambda out: _show(found, out))
    return Exit.DONE if all(each.ok for each in found) else Exit.AMISS


def _show(found: Sequence[Finding], out: "Console") -> None:
    """Print each on a line of its own, however long it is: there may be a command to be copied in it."""
    from rich.text import Text  # noqa: PLC0415 - as cli.output says

    width = max(len(each.check) for each in found)
    for each in found:
        line = f"   {each.check:<{width}}   {plain(each.mend or '')}".rstrip()
        mark, colour = GOOD if each.ok else BAD
        out.print(Text.assemble((shown(mark, WITHOUT_MARKS[mark], out), colour), line), soft_wrap=True)
