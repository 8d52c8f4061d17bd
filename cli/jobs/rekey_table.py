"""Seal every row anew: name them all, ask `refresh` in batches, and ask again until none is left.

What is done is judged by `refresh`, row by row, so a run that is killed is simply begun again: it finds done what is
done. A refresh that had read its row before it was sealed may bring the old keys back, for as long as the function may
run. So the whole table is looked at once more when that time is over, and whatever is sealed then is looked at again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import NamedTuple, Protocol

from cli.jobs.listing import Named
from cli.jobs.parallel import in_parallel
from cli.jobs.progress import Progress
from zendesk_oauth.errors import RefreshPendingError
from zendesk_oauth.models.refresh import CLAIM_LIFE
from zendesk_oauth.models.rekey import MOST_ROWS, RekeyAnswer, RekeyOutcome
from zendesk_oauth.ports.refresh import PatientClock

SETTLED_SECONDS = CLAIM_LIFE.total_seconds()
"""After this nobody is at work any more who had read a row before: no refresh lives longer than its claim."""
PATIENCE_SECONDS = 300.0
"""How long rows are asked for again while none of them comes to its end."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0
"""Seconds between two questions for the same rows, doubled each time."""
TRIES = 4
"""How often one batch is asked for at once where nobody can be asked; then its rows wait for the others."""

type Rekey = Callable[[Sequence[Named]], Sequence[RekeyAnswer]]
"""Asks `refresh` for rows and returns how each has ended. Raises RefreshPendingError where nobody can be asked now."""


class Listing(Protocol):
    """Names every row."""

    def __iter__(self) -> Iterator[Named]:
        """Name each that is there all the while, once."""

    def count(self) -> int:
        """Return how many there are."""


class RekeyReport(NamedTuple):
    """What a run has done. `rows` counts by how each ended at first, `again` those that were sealed once more.

    `left` are those that came to no end in time, `broken` those that do not open; `seconds` is what the first took.
    """

    rows: Counter[RekeyOutcome]
    again: int
    left: tuple[RekeyAnswer, ...]
    broken: tuple[RekeyAnswer, ...]
    seconds: float

    @property
    def is_whole(self) -> bool:
        """Whether nothing in the table lies under older keys than the campaign's."""
        return not (self.left or self.broken)


@dataclass(slots=True)
class _Look:
    """One look at rows: how many ended how, what is left for later, and which were sealed anew, if that is kept."""

    keeps_resealed: bool
    rows: Counter[RekeyOutcome] = field(default_factory=Counter)
    later: dict[Named, RekeyAnswer] = field(default_factory=dict)
    broken: dict[Named, RekeyAnswer] = field(default_factory=dict)
    resealed: list[Named] = field(default_factory=list)

    def note(self, answer: RekeyAnswer) -> bool:
        """Take note of an answer, and tell whether it is a row's last."""
        named = Named(answer.grant, answer.subdomain, answer.replaced)
        if answer.outcome is RekeyOutcome.LATER:
            self.later[named] = answer
            return False
        self.later.pop(named, None)
        self.rows[answer.outcome] += 1
        if answer.outcome is RekeyOutcome.BROKEN:
            self.broken[named] = answer
        elif answer.outcome is RekeyOutcome.RESEALED and self.keeps_resealed:
            self.resealed.append(named)
        return True


@dataclass(slots=True)
class RekeyTable:
    """One run of a campaign, with a few batches under way at a time."""

    listing: Listing
    rekey: Rekey
    clock: PatientClock
    progress: Progress
    parallel: int = 4
    _changed_at: float = field(init=False, default=0.0)

    def __call__(self) -> RekeyReport:
        """Seal, wait, and look again until a look finds all done. Raises StoreUnavailableError, ConfigurationError."""
        self._changed_at = began = self.clock.monotonic()
        number = self.listing.count()
        self.progress.begin("sealing rows anew", number)
        first = last = self._look(self.listing)
        seconds, again, broken = self.clock.monotonic() - began, 0, first.broken
        names: Iterable[Named] = self.listing
        while not last.later and (last is first or last.resealed):
            self._settle()
            self.progress.begin("looking once more", number)
            last = self._look(names, keeps_resealed=True)
            again += len(last.resealed)
            broken = last.broken if names is self.listing else broken | last.broken
            names, number = last.resealed, len(last.resealed)
        return RekeyReport(first.rows, again, tuple(last.later.values()), tuple(broken.values()), seconds)

    def _look(self, names: Iterable[Named], *, keeps_resealed: bool = False) -> _Look:
        """Ask for all of them, and again for those that are left, as long as some of them come to their end."""
        look = _Look(keeps_resealed)
        self._ask_for(names, look)
        pause, until = FIRST_PAUSE, self.clock.monotonic() + PATIENCE_SECONDS
        while look.later and self.clock.monotonic() < until:
            self.clock.sleep(pause)
            pause, left = min(pause * 2, LONGEST_PAUSE), len(look.later)
            self._ask_for(list(look.later), look)
            if len(look.later) < left:
                until = self.clock.monotonic() + PATIENCE_SECONDS
        return look

    def _ask_for(self, names: Iterable[Named], look: _Look) -> None:
        for answers in in_parallel(self._ask, batched(names, MOST_ROWS, strict=False), self.parallel):
            ended = sum(look.note(answer) for answer in answers)
            if any(answer.outcome is RekeyOutcome.RESEALED for answer in answers):
                self._changed_at = self.clock.monotonic()
            self.progress.advance(ended)

    def _ask(self, rows: Sequence[Named]) -> Sequence[RekeyAnswer]:
        pause = FIRST_PAUSE
        for attempt in range(TRIES):
            try:
                return self.rekey(rows)
            except RefreshPendingError as error:
                cause = error.code
            if attempt + 1 < TRIES:
                self.clock.sleep(pause)
                pause *= 2
        return [
            RekeyAnswer(row.grant, row.subdomain, RekeyOutcome.LATER, cause, row.replaced) for row in rows
        ]

    def _settle(self) -> None:
        """Wait until nobody can bring back what he had read before this run, or before its last write."""
        wait = self._changed_at + SETTLED_SECONDS - self.clock.monotonic()
        if wait > 0:
            self.progress.begin("waiting for refreshes that had read their row before")
            self.clock.sleep(wait)
