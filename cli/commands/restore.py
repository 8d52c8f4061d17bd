"""`zendesk-oauth restore --from TABLE`: bring rows back out of a restored table."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.commands.deployment import DEFAULT_STACK, FAILED, AsJson, StackName, find_stack, told_plainly
from cli.commands.telling import counts, telling
from cli.jobs.build import MOST_PARALLEL, PARALLEL, HowToRestore, restore_of
from cli.jobs.progress import Progress
from cli.jobs.restore_table import RAISED_BY, RestoreOutcome, RestoreTable
from cli.jobs.shown_progress import shown_progress

MEANING = {
    RestoreOutcome.RESTORED: "brought back",
    RestoreOutcome.DONE: "brought back before",
    RestoreOutcome.KEPT: "the stack's own row is as new or newer, and was kept",
    RestoreOutcome.RAISED: "the stack's own row is younger, was kept, and only its epoch raised",
    RestoreOutcome.LATER: "written by others each time: run it again",
    RestoreOutcome.BAD: "no connection: left",
}
AFTERWARDS = """\
What happens now:
- Pairs that were rotated since the backup are dead. Their next refresh is refused once and ends in
  reconnect_required: within minutes for connections in use, by their keep-alive for idle ones.
- zendesk-oauth list --status reconnect_required says who has to connect again; the event ReconnectRequired
  tells your own systems, with the address.
- Accounts connected since the backup whose rows are gone are in neither table: have them connect again.
- Accounts disconnected since the backup may be back: disconnect them again.
- When all is well, delete the restored table: it holds sealed tokens."""
SHOWN = 20

From = Annotated[str, typer.Option("--from", help="The table that the point-in-time restore has made.")]
All = Annotated[bool, typer.Option("--all", help="Replace rows that are newer, too.")]
RaisedBy = Annotated[int, typer.Option("--raise-epoch-by", min=1, help="Beyond the higher of both epochs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")]
Parallel = Annotated[int, typer.Option(min=1, max=MOST_PARALLEL, help="Rows under way.")]
_LEFT = (RestoreOutcome.LATER, RestoreOutcome.BAD)


@dataclass(slots=True)
class Ended:
    """How the rows have ended, and the first keys of those that are left."""

    outcomes: Counter[RestoreOutcome] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many rows something is to be done about."""
        return sum(self.outcomes[outcome] for outcome in _LEFT)


def restore(  # noqa: PLR0913, PLR0917 - these are the command's options
    backup_table: From,
    stack: StackName = DEFAULT_STACK,
    raised_by: RaisedBy = RAISED_BY,
    parallel: Parallel = PARALLEL,
    over_newer: All = False,  # noqa: FBT002 - an option
    dry_run: DryRun = False,  # noqa: FBT002 - as above
    as_json: AsJson = False,  # noqa: FBT002 - as above
) -> None:
    """Bring rows back out of a restored table, with raised epochs. Begin it again if it is killed."""
    ways = telling(as_json=as_json)
    with told_plainly(), shown_progress(ways.beside) as progress:
        found = find_stack(stack)
        if backup_table == found.table:
            raise typer.BadParameter("that is the stack's own table", param_hint="--from")
        how = HowToRestore(raised_by, parallel, over_newer, dry_run)
        ended = run(restore_of(found, backup_table, how), progress)
    ways.tell(summary(ended, dry_run=dry_run), lambda console: _show(ended, console, dry_run=dry_run))
    if ended.left:
        raise typer.Exit(FAILED)


def run(restoring: RestoreTable, progress: Progress) -> Ended:
    """Go through the restored table. Raises StoreUnavailableError."""
    ended = Ended()
    progress.begin("looking" if restoring.dry_run else "restoring")
    for row in restoring():
        ended.outcomes[row.outcome] += 1
        if row.outcome in _LEFT and len(ended.first) < SHOWN:
            ended.first.append(row.key)
        progress.advance()
    return ended


def summary(ended: Ended, *, dry_run: bool) -> dict[str, Any]:
    """Return what JSON says."""
    return {
        "rows": ended.outcomes.total(),
        "outcomes": _rows(ended),
        "left": ended.left,
        "first_left": ended.first,
        "dry_run": dry_run,
    }


def _rows(ended: Ended) -> dict[str, int]:
    return {outcome.value: ended.outcomes[outcome] for outcome in RestoreOutcome if ended.outcomes[outcome]}


def _show(ended: Ended, console: Console, *, dry_run: bool) -> None:
    meaning = {outcome.value: text for outcome, text in MEANING.items()}
    console.print(counts("what would be done" if dry_run else "restore", _rows(ended), meaning))
    for key in ended.first:
        console.print(f"left: {key}", highlight=False, markup=False)
    if not dry_run:
        console.print(AFTERWARDS, highlight=False, markup=False, soft_wrap=True)
