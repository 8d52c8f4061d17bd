"""The rows as they are sealed anew, with each condition of the write under its own name."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.simulation.store import ConditionalRows, Row
from zendesk_oauth.models.rekey import SealedRow
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair

JUDGED_BY_A_FLAG = "a row is done once a campaign was there"
"""How it must not be judged: a refresh that read the row before brings the old keys back."""


class _Anything(str):
    """A mark that fits whatever lies in the row."""

    __slots__ = ()

    def __eq__(self, mark: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


@dataclass(slots=True)
class RekeyRows(ConditionalRows):
    """The port `RekeyStore` too, without faults."""

    marks: dict[str, str] = field(default_factory=dict)

    def find_sealed(self, grant: str, subdomain: Subdomain, replaced: str | None = None) -> SealedRow | None:
        row = self.find(grant, subdomain, replaced)
        if row is None:
            return None
        mark = self.marks.get(row.key)
        if mark and JUDGED_BY_A_FLAG in self.added:
            mark = _Anything(mark)
        return SealedRow(row, mark)

    def reseal(self, connection: Row, resealed: SealedPair, mark: str, now: datetime) -> bool:
        row = self.rows.get(connection.key)
        if row is None:
            return False
        pair, claim = row.sealed or resealed, row.claim
        if (
            self.holds("reseal: same pair", fact=pair.commit_id == resealed.commit_id)
            and self.holds("reseal: not erased", fact=row.sealed is not None)
            and self.holds("reseal: no living claim", fact=claim is None or not claim.lives(now))
        ):
            if claim is not None and claim.lives(now):
                self.trespasses.append(f"I6: a pair was sealed anew beside the living claim {claim.claim_id}")
            self.rows[row.key] = replace(row, sealed=replace(resealed, commit_id=pair.commit_id))
            self.marks[row.key] = mark
            return True
        return False
