"""What sealing rows anew needs from outside: the row, and the write of its pair."""

from datetime import datetime
from typing import Protocol

from zendesk_oauth.models.refresh import Connection
from zendesk_oauth.models.rekey import SealedRow
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair


class RekeyStore(Protocol):
    """The connections' rows, as they are sealed anew. Every method raises StoreUnavailableError.

    A pair keeps its commit id, and the row its version: for everybody else it is the same row as before.
    """

    def find_sealed(self, grant: str, subdomain: Subdomain, replaced: str | None = None) -> SealedRow | None:
        """Read one strongly, a replaced pair's where `replaced` names it; None: there is none."""

    def reseal(self, connection: Connection, resealed: SealedPair, mark: str, now: datetime) -> bool:
        """Lay the row's pair under other keys, both halves at once, and leave the mark.

        False, and nothing is written, where the row has another pair by now or none, or bears a living claim.
        """
