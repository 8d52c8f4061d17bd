"""Seal a row anew: each pair in it is opened with its old data keys, and laid under fresh ones by one write.

Nothing is rotated and nobody is told: a pair keeps its commit id, and the row its version. Whoever reads the row gets
ciphertext and wrapped key of one write, so no read fails meanwhile. A refresh that had read the row before may bring
the old keys back with its commit; the mark does not fit then, and the next visit seals the row once more.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from zendesk_oauth.errors import KeyUnavailableError, SealBrokenError, StoreUnavailableError
from zendesk_oauth.models.refresh import Superseded
from zendesk_oauth.models.rekey import RekeyAnswer, RekeyOutcome, SealedRow, rekey_mark
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair
from zendesk_oauth.ports import Clock
from zendesk_oauth.ports.refresh import Keyring
from zendesk_oauth.ports.rekey import RekeyStore
from zendesk_oauth.services.refresh_ports import KEY_SECONDS, STORE_SECONDS

PAIR_SECONDS = 4 * KEY_SECONDS + STORE_SECONDS
"""What the row's own pair may take: two keys to open it, two fresh ones, and its write."""
SUPERSEDED_SECONDS = PAIR_SECONDS + STORE_SECONDS
"""What a superseded pair may take, whose places are looked up once more before its write."""
ROW_SECONDS = STORE_SECONDS + PAIR_SECONDS
"""What has to be left to begin with a row: it is read, and its own pair comes first."""
_WORST_FIRST = (RekeyOutcome.BROKEN, RekeyOutcome.LATER, RekeyOutcome.RESEALED)

type Ended = tuple[RekeyOutcome, str | None]
"""How it went with one pair, and the code of the error that stood in the way."""


@dataclass(frozen=True, slots=True)
class RekeyConnection:
    """One read, and for each pair that the campaign has not sealed at most four keys and one write."""

    store: RekeyStore
    keyring: Keyring
    clock: Clock

    def __call__(self, grant: str, subdomain: Subdomain, campaign: str, until: float) -> RekeyAnswer:
        """Return how it went; safe to repeat. Nothing is begun that could not end by `until` (monotonic seconds).

        Raises StoreError where the table may never be read or written.
        """
        try:
            outcome, cause = self._visit(grant, subdomain, campaign, until)
        except StoreUnavailableError as error:
            outcome, cause = RekeyOutcome.LATER, error.code
        return RekeyAnswer(grant, subdomain, outcome, cause)

    def _visit(self, grant: str, subdomain: Subdomain, campaign: str, until: float) -> Ended:
        if not self._has_time(ROW_SECONDS, until):
            return RekeyOutcome.LATER, None
        row = self.store.find_sealed(grant, subdomain)
        if row is None or not _pairs(row):
            return RekeyOutcome.NOTHING, None
        if all(_is_done(pair, row, campaign) for pair in _pairs(row)):
            return RekeyOutcome.DONE, None
        if row.connection.claimed_at(self.clock.now()):
            # its holder is about to commit another pair, under the old keys
            return RekeyOutcome.LATER, None
        ended = list(self._each_pair(row, campaign, until))
        return min(ended, key=lambda one: _WORST_FIRST.index(one[0]))

    def _each_pair(self, row: SealedRow, campaign: str, until: float) -> Iterator[Ended]:
        """Seal what is not done, the row's own pair first, because its write says anew which marks there are."""
        own = row.connection.sealed
        if own is not None and not _is_done(own, row, campaign):
            yield self._seal_anew(row, own, partial(self._write_own, row, campaign))
        for each in row.superseded:
            if not self._has_time(SUPERSEDED_SECONDS, until):
                yield RekeyOutcome.LATER, None
            elif not _is_done(each.sealed, row, campaign):
                yield self._seal_anew(row, each.sealed, partial(self._write_superseded, row, campaign, each))

    def _seal_anew(self, row: SealedRow, sealed: SealedPair, write: Callable[[SealedPair], bool]) -> Ended:
        """Lay the same pair of the same commit under keys that were never used."""
        try:
            pair = self.keyring.unlock(row.connection.context, sealed, fresh_keys=True)
        except SealBrokenError as error:
            return RekeyOutcome.BROKEN, error.code
        except KeyUnavailableError as error:
            return RekeyOutcome.LATER, error.code
        resealed = pair.seal(pair.access_token, pair.refresh_token, sealed.commit_id)
        return (RekeyOutcome.RESEALED if write(resealed) else RekeyOutcome.LATER), None

    def _write_own(self, row: SealedRow, campaign: str, resealed: SealedPair) -> bool:
        others = {rekey_mark(campaign, each.sealed) for each in row.superseded}
        marks = frozenset({rekey_mark(campaign, resealed)}) | (row.marks & others)
        return self.store.reseal(row.connection, resealed, marks, self.clock.now())

    def _write_superseded(
        self, row: SealedRow, campaign: str, superseded: Superseded, resealed: SealedPair
    ) -> bool:
        mark = rekey_mark(campaign, resealed)
        return self.store.reseal_superseded(row.connection, replace(superseded, sealed=resealed), mark)

    def _has_time(self, seconds: float, until: float) -> bool:
        return self.clock.monotonic() + seconds <= until


def _pairs(row: SealedRow) -> list[SealedPair]:
    own = row.connection.sealed
    return [*([own] if own is not None else []), *(each.sealed for each in row.superseded)]


def _is_done(sealed: SealedPair, row: SealedRow, campaign: str) -> bool:
    """Whether the pair lies under the very keys that the campaign has made for it."""
    return rekey_mark(campaign, sealed) in row.marks
