"""`zendesk-oauth rekey`: seal everything in the table anew."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.commands.deployment import DEFAULT_STACK, FAILED, AsJson, StackName, find_stack, told_plainly
from cli.commands.telling import Telling, counts, telling
from cli.jobs.build import MOST_PARALLEL, PARALLEL, rekey_of
from cli.jobs.rekey_table import RekeyReport
from cli.jobs.shown_progress import shown_progress
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.models.rekey import RekeyAnswer, RekeyOutcome
from zendesk_oauth.web.rekey_events import CAMPAIGN

MEANING = {
    RekeyOutcome.RESEALED: "sealed anew",
    RekeyOutcome.DONE: "sealed by this campaign before",
    RekeyOutcome.NOTHING: "nothing sealed in it",
    RekeyOutcome.LATER: "not yet: run it again",
    RekeyOutcome.BROKEN: "does not open: have the account connected again",
}
SHOWN = 20
"""So many rows are named one by one to people; JSON names all."""


def rekey(
    stack: StackName = DEFAULT_STACK,
    campaign: Annotated[
        str | None, typer.Option(help="What this round is called; the month, unless it is said.")
    ] = None,
    parallel: Annotated[
        int, typer.Option(min=1, max=MOST_PARALLEL, help="Batches of 25 rows under way.")
    ] = PARALLEL,
    *,
    as_json: AsJson = False,
) -> None:
    """Seal every token in the table anew, while everything goes on. Begin it again if it is killed."""
    name = campaign or f"{SystemClock().now():%Y-%m}"
    if not CAMPAIGN.fullmatch(name):
        raise typer.BadParameter("1 to 64 letters, digits, '-' and '_'", param_hint="--campaign")
    ways = telling(as_json=as_json)
    with told_plainly(), shown_progress(ways.beside) as progress:
        report = rekey_of(find_stack(stack), name, progress, parallel)()
    tell(report, name, ways)
    if not report.is_whole:
        raise typer.Exit(FAILED)


def tell(report: RekeyReport, campaign: str, ways: Telling) -> None:
    """Say how it ended."""
    ways.tell(summary(report, campaign), lambda console: _show(report, campaign, console))


def summary(report: RekeyReport, campaign: str) -> dict[str, Any]:
    """Return what JSON says."""
    return {
        "campaign": campaign,
        "rows": _rows(report),
        "again": report.again,
        "left": list(map(_named, report.left)),
        "broken": list(map(_named, report.broken)),
        "seconds": round(report.seconds, 1),
    }


def _rows(report: RekeyReport) -> dict[str, int]:
    rows = Counter({outcome.value: number for outcome, number in report.rows.items()})
    rows[RekeyOutcome.LATER.value] += len(report.left)
    return {outcome.value: rows[outcome.value] for outcome in RekeyOutcome if rows[outcome.value]}


def _named(answer: RekeyAnswer) -> dict[str, str | None]:
    return {"grant": answer.grant, "subdomain": answer.subdomain, "cause": answer.cause}


def _show(report: RekeyReport, campaign: str, console: Console) -> None:
    meaning = {outcome.value: text for outcome, text in MEANING.items()}
    console.print(counts(f"campaign {campaign}", _rows(report), meaning))
    _show_each("left", report.left, console)
    _show_each("broken", report.broken, console)
    if report.is_whole:
        console.print(f"Everything is sealed anew; {report.again} rows were sealed a second time.")
        console.print("What it does not reach, and what to wait for: docs/rekey.md.")
    else:
        console.print(f"Run it again with --campaign {campaign}; what is done is not done again.")


def _show_each(what: str, answers: Sequence[RekeyAnswer], console: Console) -> None:
    for answer in answers[:SHOWN]:
        console.print(f"{what}: {answer.grant} {answer.subdomain} {answer.cause or ''}", highlight=False)
    if len(answers) > SHOWN:
        console.print(f"{what}: and {len(answers) - SHOWN} more, which --json names")
