"""Bring the tokens that a company already has into the table: line by line, checked at Zendesk, sealed, written once.

Each line is looked for in the table before anybody is asked anything: a row that it has made bears an id made of the
line itself. So a run that was killed is simply begun again, loses nothing, doubles nothing, and goes fast over what is
done. A living connection is never replaced by a pair that Zendesk does not vouch for.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import NamedTuple, Protocol

from cli.jobs.batch_read import MOST_KEYS
from cli.jobs.check_token import CheckToken, Vouched
from cli.jobs.import_line import BadLine, Line
from cli.jobs.import_outcome import ImportOutcome, LineReport
from cli.jobs.import_pair import establishment_of
from cli.jobs.import_rows import ImportRows, NewRow, Over, SeenRow
from cli.jobs.parallel import in_parallel
from zendesk_oauth.errors import (
    KeyUnavailableError,
    ProviderError,
    RefreshPendingError,
    StoreUnavailableError,
    TokenRefusedError,
    UnintelligibleAnswerError,
    WrongRoleError,
)
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.grant import Grant
from zendesk_oauth.models.secret import Entropy, base64url
from zendesk_oauth.models.token import RefreshReport, RefreshRequest
from zendesk_oauth.models.tokens import SealContext
from zendesk_oauth.ports import Clock, Sealer
from zendesk_oauth.services.refresh_ports import ID_BYTES

REFRESH_SECONDS = 65
"""How long the end of a refresh is awaited: longer than the function may run."""
_REFRESHED, _LOST = "refreshed", "reconnect_required"
_UNVOUCHED = {
    WrongRoleError: ImportOutcome.WRONG_ROLE,
    TokenRefusedError: ImportOutcome.REFUSED,
    UnintelligibleAnswerError: ImportOutcome.UNCLEAR,
}
"""What Zendesk's answers come to after which nothing is written, and asking again alone does not help."""
_ELSEWHERE = frozenset({ConnectionStatus.ACTIVE, ConnectionStatus.DISCONNECTING})
"""A connection of another origin that is left alone, unless it is to be replaced."""


class Refresher(Protocol):
    """Whoever may refresh."""

    def ask(self, request: RefreshRequest, seconds: float) -> RefreshReport:
        """Return how it ended. Raise RefreshPendingError where nobody could be asked now."""


class ImportPorts(NamedTuple):
    """What an import needs from outside."""

    rows: ImportRows
    check: CheckToken
    sealer: Sealer
    refresher: Refresher
    clock: Clock
    entropy: Entropy


@dataclass(frozen=True, slots=True)
class ImportTokens:
    """Works through lines, a few at a time. `replace` writes over living connections, `dry_run` writes nothing."""

    ports: ImportPorts
    grants: Mapping[str, Grant]
    parallel: int = 4
    replace: bool = False
    dry_run: bool = False

    def __call__(self, lines: Iterable[Line | BadLine]) -> Iterator[LineReport]:
        """Yield how each line has ended, in their order.

        Raises what ends the whole: StoreUnavailableError where rows cannot be read, StoreError, ConfigurationError.
        """
        yield from in_parallel(self._end_of, self._with_rows(lines), self.parallel)

    def _with_rows(self, lines: Iterable[Line | BadLine]) -> Iterator[tuple[Line | BadLine, SeenRow | None]]:
        """Yield each line with the row that there is, read a batch at a time."""
        for batch in batched(lines, MOST_KEYS, strict=False):
            rows = self.ports.rows.find(line.key for line in batch if isinstance(line, Line))
            for line in batch:
                yield line, rows.get(line.key) if isinstance(line, Line) else None

    def _end_of(self, found: tuple[Line | BadLine, SeenRow | None]) -> LineReport:
        line, row = found
        if isinstance(line, BadLine):
            return LineReport(line.number, line.grant, line.subdomain, ImportOutcome.BAD, line.reason)
        outcome, reason = self._outcome(line, row)
        return LineReport(line.number, line.grant, line.subdomain, outcome, reason)

    def _outcome(self, line: Line, row: SeenRow | None) -> tuple[ImportOutcome, str]:
        if line.refresh_token is None:
            return ImportOutcome.CANNOT_REFRESH, "no_refresh_token"
        if row is not None and row.install_id == line.install_id:
            return self._imported_before(line, row)
        if row is not None and row.status in _ELSEWHERE and not self.replace:
            return ImportOutcome.CONNECTED, row.status.value
        try:
            vouched = self.ports.check(line)
        except (WrongRoleError, ProviderError) as error:
            return _UNVOUCHED.get(type(error), ImportOutcome.LATER), error.code
        return self._write(line, row, vouched)

    def _imported_before(self, line: Line, row: SeenRow) -> tuple[ImportOutcome, str]:
        """Judge what became of the line's own row: it may still wait for its first refresh."""
        if row.status is ConnectionStatus.RECONNECT_REQUIRED:
            return ImportOutcome.LOST, row.status.value
        if row.status is not ConnectionStatus.ACTIVE:
            return ImportOutcome.CONNECTED, row.status.value
        if row.refresh_at is None or row.refresh_at > self.ports.clock.now():
            return ImportOutcome.DONE, ""
        return (ImportOutcome.PENDING, "due") if self.dry_run else self._refreshed(line)

    def _write(self, line: Line, row: SeenRow | None, vouched: Vouched | None) -> tuple[ImportOutcome, str]:
        if row is not None and row.status in _ELSEWHERE and vouched is None:
            return (
                ImportOutcome.CONNECTED,
                "a living connection is not replaced by a token that Zendesk refuses",
            )
        good = ImportOutcome.IMPORTED if vouched else ImportOutcome.PENDING
        if self.dry_run:
            return good, "" if vouched else "due"
        try:
            is_written = self._is_written(line, row, vouched)
        except (KeyUnavailableError, StoreUnavailableError) as error:
            return ImportOutcome.LATER, error.code
        if not is_written:
            return ImportOutcome.LATER, "the connection has changed meanwhile"
        return (good, "") if vouched else self._refreshed(line)

    def _is_written(self, line: Line, row: SeenRow | None, vouched: Vouched | None) -> bool:
        """Seal and write, and tell whether it is there: a write whose answer was lost is known by the line's id."""
        ports, now = self.ports, self.ports.clock.now()
        keys = ports.sealer.prepare(SealContext(line.grant, line.subdomain))
        sealed = keys.seal(line.access_token, line.sure_refresh_token, base64url(ports.entropy(ID_BYTES)))
        made = establishment_of(line, vouched, sealed, self.grants[line.grant], now)
        if ports.rows.write(NewRow(made, line.install_id, _over(row), row), now):
            return True
        current = ports.rows.find([line.key]).get(line.key)
        return current is not None and current.install_id == line.install_id

    def _refreshed(self, line: Line) -> tuple[ImportOutcome, str]:
        """Have the row refreshed: what comes of it is the check."""
        try:
            request = RefreshRequest(line.grant, line.subdomain)
            outcome = self.ports.refresher.ask(request, REFRESH_SECONDS).outcome
        except RefreshPendingError as error:
            return ImportOutcome.PENDING, error.code
        if outcome == _LOST:
            return ImportOutcome.LOST, outcome
        return (ImportOutcome.REFRESHED, "") if outcome == _REFRESHED else (ImportOutcome.PENDING, outcome)


def _over(row: SeenRow | None) -> Over:
    """Return what the row may be that is written over."""
    if row is None or row.is_erased:
        return Over.NOTHING
    return Over.LOST if row.status is ConnectionStatus.RECONNECT_REQUIRED else Over.ANY
