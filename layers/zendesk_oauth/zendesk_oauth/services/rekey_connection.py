"""Seal a row anew: its pair is opened with its old data keys, and laid under fresh ones by one write.

Nothing is rotated and nobody is told: a pair keeps its commit id, and the row its version. Whoever reads the row gets
ciphertext and wrapped key of one write, so no read fails meanwhile. A refresh that had read the row before may bring
the old keys back with its commit; the mark does not fit then, and the next visit seals the row once more.
"""

from dataclasses import dataclass

from zendesk_oauth.errors import KeyUnavailableError, SealBrokenError, StoreUnavailableError
from zendesk_oauth.models.rekey import RekeyAnswer, RekeyOutcome, SealedRow, rekey_mark
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair
from zendesk_oauth.ports import Clock
from zendesk_oauth.ports.refresh import Keyring
from zendesk_oauth.ports.rekey import RekeyStore
from zendesk_oauth.services.refresh_ports import KEY_SECONDS, STORE_SECONDS

PAIR_SECONDS = 4 * KEY_SECONDS + STORE_SECONDS
"""What a pair may take: two keys to open it, two fresh ones, and its write."""
ROW_SECONDS = STORE_SECONDS + PAIR_SECONDS
"""What has to be left to begin with a row, which is read first."""

type Ended = tuple[RekeyOutcome, str | None]
"""How it went with one pair, and the code of the error that stood in the way."""


@dataclass(frozen=True, slots=True)
class RekeyConnection:
    """One read, and for a pair that the campaign has not sealed at most four keys and one write."""

    store: RekeyStore
    keyring: Keyring
    clock: Clock

    def __call__(
        self, grant: str, subdomain: Subdomain, replaced: str | None, campaign: str, until: float
    ) -> RekeyAnswer:
        """Return how it went; safe to repeat. Nothing is begun that could not end by `until` (monotonic seconds).

        `replaced` names the row of a replaced pair; None: it is a connection's. Raises StoreError where the table may
        never be read or written.
        """
        if self.clock.monotonic() + ROW_SECONDS > until:
            return RekeyAnswer(grant, subdomain, RekeyOutcome.LATER, None, replaced)
        try:
            row = self.store.find_sealed(grant, subdomain, replaced)
            outcome, cause = (RekeyOutcome.NOTHING, None) if row is None else self._visit(row, campaign)
        except StoreUnavailableError as error:
            outcome, cause = RekeyOutcome.LATER, error.code
        return RekeyAnswer(grant, subdomain, outcome, cause, replaced)

    def _visit(self, row: SealedRow, campaign: str) -> Ended:
        sealed = row.connection.sealed
        if sealed is None:
            return RekeyOutcome.NOTHING, None
        if rekey_mark(campaign, sealed) == row.mark:
            return RekeyOutcome.DONE, None
        if row.connection.claimed_at(self.clock.now()):
            # its holder is about to commit another pair, under the old keys
            return RekeyOutcome.LATER, None
        return self._seal_anew(row, sealed, campaign)

    def _seal_anew(self, row: SealedRow, sealed: SealedPair, campaign: str) -> Ended:
        """Lay the same pair of the same commit under keys that were never used."""
        try:
            pair = self.keyring.unlock(row.connection.context, sealed, fresh_keys=True)
        except SealBrokenError as error:
            return RekeyOutcome.BROKEN, error.code
        except KeyUnavailableError as error:
            return RekeyOutcome.LATER, error.code
        resealed = pair.seal(pair.access_token, pair.refresh_token, sealed.commit_id)
        mark = rekey_mark(campaign, resealed)
        is_made = self.store.reseal(row.connection, resealed, mark, self.clock.now())
        return (RekeyOutcome.RESEALED if is_made else RekeyOutcome.LATER), None
