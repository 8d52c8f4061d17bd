"""A campaign over the whole table, on a clock that moves when it is slept on: what is asked for, and when."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from cli.jobs.listing import Named
from cli.jobs.rekey_table import PATIENCE_SECONDS, SETTLED_SECONDS, TRIES, RekeyReport, RekeyTable
from tests.jobs.doubles import Clock, Seen
from zendesk_oauth.errors import ConfigurationError, RefreshPendingError
from zendesk_oauth.models.rekey import MOST_ROWS, RekeyAnswer, RekeyOutcome
from zendesk_oauth.models.subdomain import Subdomain

RESEALED, DONE, LATER = RekeyOutcome.RESEALED, RekeyOutcome.DONE, RekeyOutcome.LATER
NOTHING, BROKEN = RekeyOutcome.NOTHING, RekeyOutcome.BROKEN


def named(number: int) -> Named:
    """Return one of many rows: of a connection, or of a replaced pair."""
    return Named("default", Subdomain(f"account-{number}"), f"c{number}" if number % 2 else None)


def answer(row: Named, outcome: RekeyOutcome, cause: str | None = None) -> RekeyAnswer:
    """Return the answer for a row."""
    return RekeyAnswer(row.grant, row.subdomain, outcome, cause, row.replaced)


@dataclass
class Function:
    """What `refresh` does, over rows that remember whether they are sealed; a test scripts what it does otherwise."""

    rows: list[Named]
    clock: Clock = field(default_factory=Clock)
    sealed: set[Named] = field(default_factory=set)
    scripted: dict[Named, list[RekeyOutcome]] = field(default_factory=dict)
    asked: Counter[Named] = field(default_factory=Counter)
    batches: list[tuple[float, int]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    late: list[Named] = field(default_factory=list)
    """Rows that come after the first look."""

    def __iter__(self) -> Iterator[Named]:
        """Name each."""
        return iter([*self.rows, *(self.late if self.clock.seconds else [])])

    def count(self) -> int:
        """Count them."""
        return len(self.rows)

    def __call__(self, rows: Sequence[Named]) -> Sequence[RekeyAnswer]:
        """Seal them."""
        self.before()
        self.batches.append((self.clock.seconds, len(rows)))
        return [answer(row, self._outcome(row)) for row in rows]

    def _outcome(self, row: Named) -> RekeyOutcome:
        self.asked[row] += 1
        script = self.scripted.get(row)
        if script:
            outcome = script.pop(0)
            if outcome is RESEALED:
                self.sealed.add(row)
            return outcome
        if row in self.sealed:
            return DONE
        self.sealed.add(row)
        return RESEALED

    def run(self, seen: Seen | None = None) -> RekeyReport:
        """Run the campaign, one batch at a time."""
        return RekeyTable(self, self, self.clock, seen or Seen(), parallel=1)()


def test_every_row_is_sealed_and_looked_at_once_more() -> None:
    """In batches; the last look comes when nobody is at work any more who had read a row before."""
    function, seen = Function([named(number) for number in range(60)]), Seen()
    report = function.run(seen)
    assert report == RekeyReport(Counter({RESEALED: 60}), 0, (), (), 0.0)
    assert report.is_whole
    assert function.batches == [(at, size) for at in (0.0, SETTLED_SECONDS) for size in (25, 25, 10)]
    assert MOST_ROWS == 25
    assert seen.parts == [
        ("sealing rows anew", 60, 60),
        ("waiting for refreshes that had read their row before", None, 0),
        ("looking once more", 60, 60),
    ]


def test_a_second_run_finds_all_done() -> None:
    """And waits all the same: the first may have been killed a moment ago."""
    function = Function([named(number) for number in range(3)])
    function.run()
    began = function.clock.seconds
    assert function.run().rows == {DONE: 3}
    assert function.clock.seconds == began + SETTLED_SECONDS


def test_a_run_that_was_broken_off_is_taken_up() -> None:
    """What was sealed is not sealed again."""
    function = Function([named(number) for number in range(60)])

    def die() -> None:
        if len(function.batches) == 1:
            raise ConfigurationError(("killed",))

    function.before = die
    with pytest.raises(ConfigurationError):
        function.run()
    function.before = lambda: None
    assert function.run().rows == {DONE: 25, RESEALED: 35}


def test_old_keys_that_came_back_are_sealed_and_looked_at_again() -> None:
    """The last look finds one; then only that one is looked at again, after another wait."""
    function = Function([named(number) for number in range(30)])
    function.scripted[named(7)] = [RESEALED, RESEALED]
    report = function.run()
    assert (report.is_whole, report.again, report.rows) == (True, 1, {RESEALED: 30})
    assert function.batches[-1] == (2 * SETTLED_SECONDS, 1)
    assert function.asked[named(7)] == 3
    assert set(function.asked.values()) == {2, 3}


def test_a_row_that_is_new_is_sealed_by_the_last_look() -> None:
    """A new install keeps no campaign from its end."""
    function = Function([named(0)], late=[named(1)])
    report = function.run()
    assert (report.is_whole, report.rows, report.again) == (True, {RESEALED: 1}, 1)


def test_rows_that_are_being_refreshed_are_asked_for_again() -> None:
    """After growing pauses, and they alone."""
    function, seen = Function([named(number) for number in range(3)]), Seen()
    function.scripted[named(1)] = [LATER, LATER, LATER]
    report = function.run(seen)
    assert (report.is_whole, report.rows) == (True, {RESEALED: 3})
    assert function.batches[:4] == [(0.0, 3), (2.0, 1), (6.0, 1), (14.0, 1)]
    assert seen.parts[0] == ("sealing rows anew", 3, 3)


def test_rows_that_never_come_to_an_end_are_told() -> None:
    """After some minutes without any progress; the last look is spared, because it could not be the last."""
    function = Function([named(0), named(1)])
    function.scripted[named(1)] = [LATER] * 1000
    report = function.run()
    assert not report.is_whole
    assert report.left == (answer(named(1), LATER),)
    assert PATIENCE_SECONDS <= function.clock.seconds <= PATIENCE_SECONDS + 60
    assert report.rows == {RESEALED: 1}


def test_patience_begins_anew_with_each_row_that_ends() -> None:
    """A slow key service is no reason to give up."""
    function = Function([named(0), named(1)])
    function.scripted = {named(0): [LATER] * 8, named(1): [LATER] * 14}
    assert function.run().is_whole
    assert function.clock.seconds > PATIENCE_SECONDS


def test_a_row_that_does_not_open_is_told_and_keeps_nobody_up() -> None:
    """It stays so, however often it is looked at; one that opens by the last look is none."""
    function = Function([named(0), named(1), named(2)])
    function.scripted = {named(1): [BROKEN] * 10, named(2): [BROKEN, RESEALED]}
    report = function.run()
    assert not report.is_whole
    assert report.broken == (answer(named(1), BROKEN),)
    assert report.rows == {RESEALED: 1, BROKEN: 2}
    assert report.left == ()


def test_a_row_that_breaks_while_it_is_looked_at_again_is_told_too() -> None:
    """It was sealed by the last look, and does not open by the one after it."""
    function = Function([named(0)])
    function.scripted = {named(0): [RESEALED, RESEALED, BROKEN]}
    assert function.run().broken == (answer(named(0), BROKEN),)


def test_what_is_not_sealed_is_counted_as_nothing() -> None:
    """Tombstones are rows too."""
    function = Function([named(0)])
    function.scripted = {named(0): [NOTHING] * 3}
    report = function.run()
    assert (report.is_whole, report.rows) == (True, {NOTHING: 1})


def test_a_function_that_cannot_be_asked_is_asked_again() -> None:
    """At once a few times, and then with the other rows that are left for later."""
    function = Function([named(0)])
    tries: list[float] = []

    def throttle() -> None:
        tries.append(function.clock.seconds)
        if len(tries) <= TRIES + 1:
            raise RefreshPendingError("throttled")

    function.before = throttle
    assert function.run().is_whole
    assert tries[:TRIES] == [0.0, 2.0, 6.0, 14.0]


def test_a_function_that_can_never_be_asked_leaves_its_rows() -> None:
    """Each with the cause."""

    def throttle() -> None:
        raise RefreshPendingError("throttled")

    function = Function([named(0)], before=throttle)
    (left,) = function.run().left
    assert left == answer(named(0), LATER, "refresh_pending")


def test_an_empty_table_is_whole() -> None:
    """There is nothing to seal."""
    report = Function([]).run()
    assert (report.is_whole, report.rows) == (True, {})


def test_a_long_look_needs_no_wait_after_it() -> None:
    """Whoever had read a row before its last write is gone by then."""
    function, seen = Function([named(number) for number in range(60)]), Seen()
    function.sealed = {named(number) for number in range(25, 60)}

    def take_long() -> None:
        function.clock.seconds += SETTLED_SECONDS

    function.before = take_long
    assert function.run(seen).is_whole
    assert [what for what, *_ in seen.parts] == ["sealing rows anew", "looking once more"]
