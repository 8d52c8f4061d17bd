"""`zendesk-oauth doctor`: whether everything is in place, and of what is not, what to do."""

from typing import Annotated

import typer

from cli.checkup.checks import findings
from cli.checkup.patient import Patient
from cli.desk import Desk
from cli.exits import Exit
from cli.output import table

GOOD, BAD = "✔", "✘"

Account = Annotated[
    str | None,
    typer.Argument(
        metavar="[SUBDOMAIN]",
        help="An account at Zendesk to ask; one that is connected, unless it is said.",
        show_default=False,
    ),
]
OwnAccount = Annotated[
    bool, typer.Option("--own-account", help="The client is for one account alone, and need not be global.")
]


def doctor(desk: Desk, account: Account = None, own_account: OwnAccount = False) -> Exit:  # noqa: FBT002 - an option
    """Look whether everything is in place, and say of what is not what to do. Nothing is changed by it."""
    patient = Patient(desk, account, is_own_account=own_account)
    _ = desk.stack  # where there is none, nothing else can be looked at
    found = list(findings(patient))
    rows = [(GOOD if each.ok else BAD, each.check, each.mend or "") for each in found]
    desk.output.tell([each._asdict() for each in found], lambda out: out.print(table(rows=rows)))
    return Exit.DONE if all(each.ok for each in found) else Exit.AMISS
