"""The rows as they are sealed anew, with each condition of both writes under its own name."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.simulation.store import ConditionalRows, Row
from zendesk_oauth.models.refresh import Superseded
from zendesk_oauth.models.rekey import SealedRow
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair

JUDGED_BY_A_FLAG = "a row is done once a campaign was there"
"""How it must not be judged: a refresh that read the row before brings the old keys back."""


class _Anything(frozenset[str]):
    """Marks that fit whatever lies in the row."""

    def __contains__(self, mark: object) -> bool:
        return True


@dataclass(slots=True)
class RekeyRows(ConditionalRows):
    """The port `RekeyStore` too, without faults."""

    marks: dict[str, frozenset[str]] = field(default_factory=dict)

    def find_sealed(self, grant: str, subdomain: Subdomain) -> SealedRow | None:
        row = self.find(grant, subdomain)
        if row is None:
            return None
        marks = self.marks.get(row.key, frozenset())
        if marks and JUDGED_BY_A_FLAG in self.added:
            marks = _Anything(marks)
        return SealedRow(row, tuple(self.replaced.get(row.key, ())), marks)

    def reseal(self, connection: Row, resealed: SealedPair, marks: frozenset[str], now: datetime) -> bool:
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
            self.marks[row.key] = marks
            return True
        return False

    def reseal_superseded(self, connection: Row, resealed: Superseded, mark: str) -> bool:
        if connection.key not in self.rows:
            return False
        kept = self.replaced[connection.key]
        commit_id = resealed.sealed.commit_id
        places = [place for place, each in enumerate(kept) if each.sealed.commit_id == commit_id]
        if not self.holds("reseal superseded: still there", fact=bool(places)):
            return False
        for place in places:
            kept[place] = resealed
        if not places:
            kept.append(resealed)
        self.marks[connection.key] = self.marks.get(connection.key, frozenset()) | {mark}
        return True
