"""`zendesk-oauth import FILE`: bring tokens that a company already has."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.desk import Desk
from cli.errors import RefusedError
from cli.exits import Exit
from cli.jobs.import_file import FileFormat, ImportFileError, TokenFile, format_of
from cli.jobs.import_outcome import GOOD, ImportOutcome, LineReport
from cli.jobs.import_survey import survey
from cli.jobs.parallel import MOST_PARALLEL, PARALLEL
from cli.jobs.report_file import ReportError, refuse_existing, report_file
from cli.output import plain, table
from zendesk_oauth.errors import ZendeskOAuthError

if TYPE_CHECKING:  # Rich and the SDK take a while to load
    from rich.console import Console

    from cli.jobs.import_tokens import ImportTokens
    from cli.jobs.progress import Progress

MEANING: Mapping[ImportOutcome, str] = {
    ImportOutcome.IMPORTED: "written; Zendesk vouches for it",
    ImportOutcome.REFRESHED: "written and refreshed",
    ImportOutcome.DONE: "imported before",
    ImportOutcome.CONNECTED: "has a connection of another origin, or has disconnected this one",
    ImportOutcome.PENDING: "written; its refresh has not ended: run it again, to see",
    ImportOutcome.LATER: "not written, nobody answered: run it again",
    ImportOutcome.CANNOT_REFRESH: "not written, no refresh token: connect the account again",
    ImportOutcome.LOST: "Zendesk does not take its refresh token: connect the account again",
    ImportOutcome.WRONG_ROLE: "not written, somebody else's token: connect the account again",
    ImportOutcome.REFUSED: "not written, may not ask whose it is: connect the account again",
    ImportOutcome.UNCLEAR: "not written, no answer of an account: is its name right?",
    ImportOutcome.BAD: "not written: correct the line",
}
DRY: Mapping[ImportOutcome, str] = {
    ImportOutcome.IMPORTED: "would be written; Zendesk vouches for it",
    ImportOutcome.PENDING: "would be written; its first refresh would be the check",
}
"""The same of a dry run, where it is something else."""
SHOWN = 20
"""So many lines are named one by one to people; the report names all."""

_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header, or JSON lines.")]
_Format = Annotated[
    FileFormat | None, typer.Option("--format", help="Where the file's name does not say it.")
]
_Report = Annotated[Path | None, typer.Option("--report", help="A file (.csv, .jsonl) for each line's end.")]
_Replace = Annotated[bool, typer.Option("--replace", help="Replace living connections of another origin.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, and write nothing.")]
_Parallel = Annotated[int, typer.Option(min=1, max=MOST_PARALLEL, help="Lines under way.")]


@dataclass(slots=True)
class Ended:
    """How the lines have ended: how many how, and the first of those that something is to be done about."""

    start_url: str | None
    outcomes: Counter[ImportOutcome] = field(default_factory=Counter)
    first: list[LineReport] = field(default_factory=list)

    def note(self, report: LineReport) -> None:
        """Take note of a line."""
        self.outcomes[report.outcome] += 1
        if report.outcome not in GOOD and len(self.first) < SHOWN:
            self.first.append(report)

    @property
    def left(self) -> int:
        """How many lines something is to be done about."""
        return self.outcomes.total() - sum(self.outcomes[outcome] for outcome in GOOD)


def import_tokens(  # noqa: PLR0913, PLR0917 - these are the command's options
    desk: Desk,
    file: _File,
    file_format: _Format = None,
    report: _Report = None,
    parallel: _Parallel = PARALLEL,
    replace: _Replace = False,  # noqa: FBT002 - an option
    dry_run: _DryRun = False,  # noqa: FBT002 - as above
) -> Exit:
    """Bring the tokens of a file, each line once. If it is stopped, begin it again."""
    from cli.jobs.build import HowToImport, import_of  # noqa: PLC0415 - it loads the SDK
    from cli.jobs.shown_progress import shown_progress  # noqa: PLC0415 - it loads Rich
    from cli.stack import Stack  # noqa: PLC0415 - as above

    _check_files(file, report)
    stack = Stack(desk.stack)
    tokens = TokenFile(file, file_format or format_of(file), frozenset(stack.grants))
    importing = import_of(desk.account, stack, HowToImport(parallel, replace, dry_run))
    ended = Ended(stack.start_url)
    try:
        with shown_progress(desk.output.beside) as progress:
            run(importing, tokens, report, ended, progress)
    except (KeyboardInterrupt, ZendeskOAuthError, ReportError):
        desk.output.say(_how_to_go_on(ended, report))
        raise
    except ImportFileError:
        if ended.outcomes:  # somebody has changed the file after its first reading
            desk.output.say(_how_to_go_on(ended, report))
        raise
    desk.output.tell(
        summary(ended, report, dry_run=dry_run), lambda out: _show(ended, report, out, dry_run=dry_run)
    )
    return Exit.AMISS if ended.left else Exit.DONE


def _how_to_go_on(ended: Ended, report: Path | None) -> str:
    missing = (
        " The report lacks the lines that were under way; name a new one for the whole." if report else ""
    )
    return (
        f"After {ended.outcomes.total():,} lines: begin it again with the same file, and what is done is found done."
        f"{missing}"
    )


def _check_files(file: Path, report: Path | None) -> None:
    """Refuse what would be read twice and is there once, and a report in the place of what is there."""
    if not file.is_file():
        raise RefusedError(f"{file.name} is read twice, so it has to be a file and no pipe")
    if report:
        refuse_existing(report)


def run(
    importing: "ImportTokens", tokens: TokenFile, report: Path | None, ended: Ended, progress: "Progress"
) -> None:
    """Go through the file twice: to see what there is, and to import it. Raises what an import raises."""
    now = importing.ports.clock.now()
    report_format = format_of(report) if report else tokens.file_format
    progress.begin("reading the file")
    seen = survey(_advancing(tokens.read(now), progress))
    if not seen.lines:
        raise RefusedError(f"{tokens.path.name} has no line with a token")
    progress.begin("importing", seen.lines)
    with report_file(report, report_format, ended.start_url) as write:
        for line in _advancing(importing(map(seen.judge, tokens.read(now))), progress):
            write(line)
            ended.note(line)


def _advancing[T](items: Iterable[T], progress: "Progress") -> Iterator[T]:
    for item in items:
        yield item
        progress.advance()


def summary(ended: Ended, report: Path | None, *, dry_run: bool) -> dict[str, Any]:
    """Return what JSON says."""
    return {
        "lines": ended.outcomes.total(),
        "outcomes": _rows(ended),
        "left": ended.left,
        "report": str(report) if report else None,
        "dry_run": dry_run,
    }


def _rows(ended: Ended) -> dict[str, int]:
    return {outcome.value: ended.outcomes[outcome] for outcome in ImportOutcome if ended.outcomes[outcome]}


def _show(ended: Ended, report: Path | None, out: "Console", *, dry_run: bool) -> None:
    meaning = {**MEANING, **(DRY if dry_run else {})}
    rows = ((name, f"{number:,}", meaning[ImportOutcome(name)]) for name, number in _rows(ended).items())
    out.print(table("outcome", "lines", "what it means", rows=rows))
    for line in ended.first:
        name = " ".join(filter(None, (line.grant, line.subdomain)))
        said = f"{line.outcome.value} {line.reason}; {line.to_do(ended.start_url)}"
        out.print(
            plain(": ".join(filter(None, (f"line {line.number}", name, said)))), markup=False, soft_wrap=True
        )
    if ended.left > len(ended.first):
        out.print(f"and {ended.left - len(ended.first)} more lines, which --report FILE names")
    if report:
        out.print(plain(f"every line: {report}"), markup=False, soft_wrap=True)
    if dry_run:
        out.print("A dry run: nothing was written.")
    if ended.outcomes[ImportOutcome.LOST] == ended.outcomes.total():
        out.print("All are lost: is ZendeskClientId the client that these tokens were issued to?")
