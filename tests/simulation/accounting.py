"""I12: every pair that Zendesk has issued lies in exactly one place that a job will visit, or is reported, or dead.

It looks at Zendesk's own ledger and at every row of the table, and at nothing that a service says of itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.simulation.keys import number_of
from tests.simulation.store import ConditionalRows
from tests.simulation.world import World
from tests.simulation.zendesk import Issued, SimulatedZendesk
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import Renewal

REPORTS_A_LOSS = frozenset({"given_up"})
"""How the end of a pair is reported, where another that was issued in its place may live."""
_READ = (ConnectionStatus.ACTIVE, ConnectionStatus.RECONNECT_REQUIRED)


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the table where a pair lies: whether a job comes by, and whether it says that one may be lost."""

    name: str
    number: int
    is_visited: bool
    says_lost: bool
    is_in_use: bool


@dataclass(slots=True)
class Accounting:
    """Compares what Zendesk has issued with what lies somewhere."""

    world: World
    zendesk: SimulatedZendesk
    rows: ConditionalRows
    waiting: list[Renewal]
    late: set[int]
    """The pairs that came to a place, or to wait in the rescue queue, when their holder's claim was over."""
    ended: dict[int, str] = field(default_factory=dict)
    """How the end of each pair was reported, by its number."""

    stored: set[int] = field(default_factory=set)
    """All pairs that have ever lain somewhere."""

    def places(self) -> Iterator[Place]:
        """Yield all places of the table where a pair lies."""
        for key, row in self.rows.rows.items():
            if row.sealed is not None:
                is_visited = row.status in _READ or key in self.rows.unfinished_at
                yield Place(key, number_of(row.sealed), is_visited, row.may_have_lost, row.status in _READ)

    def wrong(self) -> str | None:
        """Tell which pair is not accounted for."""
        places: dict[int, Place] = {}
        for place in self.places():
            other = places.get(place.number)
            if other is not None and self.zendesk.pairs[place.number - 1].alive:
                return f"I12: the living pair {place.number} lies in {other.name} and in {place.name}"
            places[place.number] = place
        for number in places.keys() - self.stored:
            receiver = self.zendesk.pairs[number - 1].receiver
            if receiver is not None and self.zendesk.is_over(receiver):
                self.late.add(number)
        self.stored.update(places)
        for pair in self.zendesk.pairs:
            if pair.alive:
                wrong = self._wrong_place(pair, places)
                if wrong:
                    return wrong
        return None

    def _wrong_place(self, pair: Issued, places: dict[int, Place]) -> str | None:
        place = places.get(pair.number)
        if place is not None:
            return (
                None
                if place.is_visited
                else f"I12: nobody will come to {place.name}, where {pair.refresh} lies"
            )
        if self._is_in_hand(pair) or self._waits(pair):
            return None
        if pair.receiver is not None and not pair.receiver.killed:
            return f"I12: {pair.refresh} was received by an actor who lived, and lies nowhere"
        return self._unreported(pair, places)

    def _unreported(self, pair: Issued, places: dict[int, Place]) -> str | None:
        """Tell where the loss of a pair is not reported; that of an install's own pair is, by the install's row."""
        if pair.number in self.ended:
            return f"I12: {pair.refresh} lives, and its end is reported as {self.ended[pair.number]}"
        if pair.number in self.stored:
            return f"I12: {pair.refresh} lives, was stored, and lies nowhere any more"
        return None if pair.parent is None else self._silent(pair, pair.parent, places)

    def _silent(self, pair: Issued, parent: int, places: dict[int, Place]) -> str | None:
        """Tell where nothing says of the pair before this one that a living one may have been lost after it."""
        place, said = places.get(parent), self.ended.get(parent, "nothing")
        if place is None and said not in REPORTS_A_LOSS:
            return f"I12: {pair.refresh} lives and is lost, and of the pair before it is said: {said}"
        if place is not None and not place.says_lost:
            return f"I12: {pair.refresh} lives and is lost, and nothing in {place.name} says so"
        return None

    def is_wanted(self, pair: Issued) -> bool:
        """Tell whether a pair is, or will be, a connection's own: it lies there, waits, or is about to be stored.

        One whose holder's claim is over may arrive at any time, also while another is about to post: nobody can
        wait for that.
        """
        places = {place.number: place for place in self.places()}
        place, parent = places.get(pair.number), places.get(pair.parent or 0)
        if place is not None:
            return place.is_in_use and pair.number not in self.late
        if parent is not None and not parent.is_in_use:
            return False
        holder = pair.holder
        in_time = holder is not None and holder.claimed_until > self.world.seconds
        waits_in_time = self._waits(pair) and pair.number not in self.late
        return waits_in_time or (self._is_in_hand(pair) and in_time)

    def _is_in_hand(self, pair: Issued) -> bool:
        return pair.holder is not None and pair.holder in self.world.alive

    def _waits(self, pair: Issued) -> bool:
        return any(number_of(renewal.sealed) == pair.number for renewal in self.waiting)
