"""What sealing rows anew needs from outside: the row with all that is sealed in it, and a write for each pair."""

from datetime import datetime
from typing import Protocol

from zendesk_oauth.models.refresh import Connection, Superseded
from zendesk_oauth.models.rekey import SealedRow
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair


class RekeyStore(Protocol):
    """The connections' rows, as they are sealed anew. Every method raises StoreUnavailableError.

    A pair keeps its commit id, and the row its version: for everybody else it is the same row as before.
    """

    def find_sealed(self, grant: str, subdomain: Subdomain) -> SealedRow | None:
        """Read one strongly; None: there is none."""

    def reseal(
        self, connection: Connection, resealed: SealedPair, marks: frozenset[str], now: datetime
    ) -> bool:
        """Lay the row's pair under other keys, both halves at once, and let these be its marks.

        False, and nothing is written, where the row has another pair by now or none, or bears a living claim.
        """

    def reseal_superseded(self, connection: Connection, resealed: Superseded, mark: str) -> bool:
        """Lay a superseded pair under other keys, and add a mark; False where it was forgotten meanwhile."""
