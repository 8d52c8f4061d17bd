"""`zendesk-oauth restore --from TABLE`: bring rows back out of a restored table."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.desk import Desk
from cli.errors import RefusedError
from cli.exits import Exit
from cli.jobs.parallel import MOST_PARALLEL, PARALLEL
from cli.jobs.restore_outcome import RAISED_BY, RestoreOutcome
from cli.output import plain, table

if TYPE_CHECKING:  # Rich and the SDK take a while to load
    from rich.console import Console

    from cli.jobs.progress import Progress
    from cli.jobs.restore_table import RestoreTable

MEANING: Mapping[RestoreOutcome, str] = {
    RestoreOutcome.RESTORED: "brought back",
    RestoreOutcome.DONE: "brought back before",
    RestoreOutcome.KEPT: "the stack's own row is as new or newer, and was kept",
    RestoreOutcome.RAISED: "the stack's own row is younger, was kept, and only its epoch raised",
    RestoreOutcome.LATER: "written or refreshed by others just then, or the table did not answer: run it again",
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
_LEFT = (RestoreOutcome.LATER, RestoreOutcome.BAD)

_From = Annotated[str, typer.Option("--from", help="The table that the point-in-time restore has made.")]
_All = Annotated[bool, typer.Option("--all", help="Replace rows that are newer, too.")]
_RaisedBy = Annotated[int, typer.Option("--raise-epoch-by", min=1, help="Beyond the higher of both epochs.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")]
_Parallel = Annotated[int, typer.Option(min=1, max=MOST_PARALLEL, help="Rows under way.")]


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
    desk: Desk,
    backup_table: _From,
    raised_by: _RaisedBy = RAISED_BY,
    parallel: _Parallel = PARALLEL,
    over_newer: _All = False,  # noqa: FBT002 - an option
    dry_run: _DryRun = False,  # noqa: FBT002 - as above
) -> Exit:
    """Bring rows back out of a restored table, with raised epochs. If it is stopped, begin it again."""
    from cli.jobs.build import HowToRestore, restore_of  # noqa: PLC0415 - it loads the SDK
    from cli.jobs.shown_progress import shown_progress  # noqa: PLC0415 - it loads Rich
    from cli.stack import Stack  # noqa: PLC0415 - as above

    stack = Stack(desk.stack)
    if backup_table == stack.table:
        raise RefusedError("--from names the stack's own table; a point-in-time restore makes another")
    how = HowToRestore(raised_by, parallel, over_newer, dry_run)
    with shown_progress(desk.output.beside) as progress:
        ended = run(restore_of(desk.account, stack, backup_table, how), progress)
    desk.output.tell(summary(ended, dry_run=dry_run), lambda out: _show(ended, out, dry_run=dry_run))
    return Exit.AMISS if ended.left else Exit.DONE


def run(restoring: "RestoreTable", progress: "Progress") -> Ended:
    """Go through the restored table. Raises RefusedError where there is none, and StoreUnavailableError."""
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


def _show(ended: Ended, out: "Console", *, dry_run: bool) -> None:
    rows = ((name, f"{number:,}", MEANING[RestoreOutcome(name)]) for name, number in _rows(ended).items())
    out.print(table("outcome", "rows", "what it means", rows=rows))
    for key in ended.first:
        out.print(plain(f"left: {key}"), markup=False, soft_wrap=True)
    out.print("Nothing was written." if dry_run else AFTERWARDS, markup=False, soft_wrap=True)
