"""Bring rows back out of a table that a point-in-time restore has made, into the stack's own, with raised epochs.

Consumers of events ignore what is not newer than what they know, and what they know may be newer than anything that the
backup knows. So every epoch is raised, and generously: rows that are gone may have had higher ones. Each row is one
conditional write and says afterwards where it came from, so a run that was killed is simply begun again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import batched
from typing import NamedTuple

from cli.jobs.batch_read import MOST_KEYS
from cli.jobs.parallel import in_parallel
from cli.jobs.restore_outcome import RAISED_BY, RestoreOutcome
from cli.jobs.restore_rows import RestoreRows
from cli.jobs.restore_update import BackupRow, LiveRow
from zendesk_oauth.errors import StoreUnavailableError
from zendesk_oauth.ports import Clock

ATTEMPTS = 3
"""How often a row is judged anew that changes under our eyes."""


_WRITES = frozenset({RestoreOutcome.RESTORED, RestoreOutcome.RAISED})


class RowReport(NamedTuple):
    """What became of one row, by its key."""

    key: str
    outcome: RestoreOutcome


@dataclass(frozen=True, slots=True)
class RestoreTable:
    """One run. `over_newer` writes over rows that are newer too; `dry_run` writes nothing."""

    rows: RestoreRows
    clock: Clock
    raised_by: int = RAISED_BY
    parallel: int = 4
    over_newer: bool = False
    dry_run: bool = False

    def __call__(self) -> Iterator[RowReport]:
        """Yield how each row of the backup has ended. Raises StoreUnavailableError where rows cannot be read."""
        yield from in_parallel(self._end_of, self._with_live_rows(), self.parallel)

    def _with_live_rows(self) -> Iterator[tuple[BackupRow, LiveRow | None]]:
        for batch in batched(self.rows.backup(), MOST_KEYS, strict=False):
            live = self.rows.live(row.key for row in batch)
            for row in batch:
                yield row, live.get(row.key)

    def _end_of(self, found: tuple[BackupRow, LiveRow | None]) -> RowReport:
        row, live = found
        if not row.is_ours:
            return RowReport(row.key, RestoreOutcome.BAD)
        try:
            return RowReport(row.key, self._outcome(row, live))
        except StoreUnavailableError:
            return RowReport(row.key, RestoreOutcome.LATER)

    def _outcome(self, row: BackupRow, live: LiveRow | None) -> RestoreOutcome:
        for _ in range(ATTEMPTS):
            judged = self._judged(row, live)
            if judged not in _WRITES or self.dry_run or self._is_written(judged, row, live):
                return judged
            live = self.rows.live([row.key]).get(row.key)
        return RestoreOutcome.LATER

    def _is_written(self, judged: RestoreOutcome, row: BackupRow, live: LiveRow | None) -> bool:
        epoch = max(row.version.epoch, live.version.epoch if live else 0) + self.raised_by
        now = self.clock.now()
        if live is not None and judged is RestoreOutcome.RAISED:
            return self.rows.raise_epoch(row, live, epoch, now)
        return self.rows.restore(row, live, epoch, now)

    def _judged(self, row: BackupRow, live: LiveRow | None) -> RestoreOutcome:
        """Return what is to become of a row."""
        if live is None:
            return RestoreOutcome.RESTORED
        if live.restored_from == self.rows.origin(row):
            return RestoreOutcome.DONE
        if self.over_newer:
            return RestoreOutcome.RESTORED
        if live.version >= row.version:
            return RestoreOutcome.KEPT
        return RestoreOutcome.RAISED if live.issued_at > row.issued_at else RestoreOutcome.RESTORED
