"""`zendesk-oauth rekey`: seal everything in the table anew."""

from collections import Counter
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.desk import Desk
from cli.errors import RefusedError
from cli.exits import Exit
from cli.jobs.parallel import MOST_PARALLEL, PARALLEL
from cli.output import plain, table
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.models.rekey import RekeyAnswer, RekeyOutcome
from zendesk_oauth.web.rekey_events import CAMPAIGN

if TYPE_CHECKING:  # Rich and the SDK take a while to load
    from rich.console import Console

    from cli.jobs.rekey_table import RekeyReport

MEANING: Mapping[RekeyOutcome, str] = {
    RekeyOutcome.RESEALED: "sealed anew",
    RekeyOutcome.DONE: "sealed by this campaign before",
    RekeyOutcome.NOTHING: "nothing sealed in it",
    RekeyOutcome.LATER: "not yet: run it again",
    RekeyOutcome.BROKEN: "does not open: have the account connected again",
}
SHOWN = 20
"""So many rows are named one by one to people; JSON names all."""


def rekey(
    desk: Desk,
    campaign: Annotated[
        str | None,
        typer.Option(help="Go on with the round of this name, or begin one; a new one, unless it is said."),
    ] = None,
    parallel: Annotated[
        int, typer.Option(min=1, max=MOST_PARALLEL, help="Batches of 25 rows under way.")
    ] = PARALLEL,
) -> Exit:
    """Seal every token in the table anew, while everything goes on. If it is stopped, begin it again."""
    from cli.jobs.build import rekey_of  # noqa: PLC0415 - it loads the SDK
    from cli.jobs.shown_progress import shown_progress  # noqa: PLC0415 - it loads Rich
    from cli.stack import Stack  # noqa: PLC0415 - as above

    name = new_name() if campaign is None else campaign
    if not CAMPAIGN.fullmatch(name):
        raise RefusedError("a campaign is called by 1 to 64 letters, digits, '-' and '_'")
    stack = Stack(desk.stack)
    if campaign is None:
        desk.output.say(f"Campaign {name}: if this is stopped, go on with --campaign {name}")
    with shown_progress(desk.output.beside) as progress:
        report = rekey_of(desk.account, stack, name, progress, parallel)()
    desk.output.tell(summary(report, name), lambda out: _show(report, name, out))
    return Exit.DONE if report.is_whole else Exit.AMISS


def new_name() -> str:
    """Return a name that nobody has used: a name of before would find everything done by it."""
    return f"{SystemClock().now():%Y-%m-%d}-{token_hex(4)}"


def summary(report: "RekeyReport", campaign: str) -> dict[str, Any]:
    """Return what JSON says."""
    return {
        "campaign": campaign,
        "rows": _rows(report),
        "again": report.again,
        "left": list(map(_named, report.left)),
        "broken": list(map(_named, report.broken)),
        "seconds": round(report.seconds, 1),
    }


def _rows(report: "RekeyReport") -> dict[str, int]:
    rows = Counter({outcome.value: number for outcome, number in report.rows.items()})
    rows[RekeyOutcome.LATER.value] += len(report.left)
    return {outcome.value: rows[outcome.value] for outcome in RekeyOutcome if rows[outcome.value]}


def _named(answer: RekeyAnswer) -> dict[str, str | None]:
    row = {"grant": answer.grant, "subdomain": answer.subdomain, "cause": answer.cause}
    return row if answer.replaced is None else row | {"replaced": answer.replaced}


def _show(report: "RekeyReport", campaign: str, out: "Console") -> None:
    rows = ((name, f"{number:,}", MEANING[RekeyOutcome(name)]) for name, number in _rows(report).items())
    out.print(table("outcome", "rows", "what it means", rows=rows))
    _show_each("left", report.left, out)
    _show_each("broken", report.broken, out)
    if report.is_whole and report.rows[RekeyOutcome.DONE] and not report.rows[RekeyOutcome.RESEALED]:
        out.print(f"Campaign {campaign} had sealed everything before: nothing was sealed now.")
        out.print("For a new reason begin a new one: leave --campaign out.")
    elif report.is_whole:
        out.print(f"Campaign {campaign}: everything is sealed anew; {report.again} rows a second time.")
        out.print("What it does not reach, and what to wait for: docs/rekey.md.")
    else:
        out.print(f"Run it again with --campaign {campaign}; what is done is not done again.")


def _show_each(what: str, answers: Sequence[RekeyAnswer], out: "Console") -> None:
    for answer in answers[:SHOWN]:
        out.print(plain(f"{what}: {answer.grant} {answer.subdomain} {answer.cause or ''}"), markup=False)
    if len(answers) > SHOWN:
        out.print(f"{what}: and {len(answers) - SHOWN} more, which --json names")
