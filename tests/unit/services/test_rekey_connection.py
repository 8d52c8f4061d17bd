"""Sealing a row anew without races: every end that a visit can have; the schedules are the simulation's."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from tests.simulation.keys import OLD_KEY, SimulatedPair, opened, seal
from tests.simulation.rekey_rows import RekeyRows
from tests.unit.services.test_refreshing import ACME, BEGAN, KEY, Clock
from zendesk_oauth.errors import (
    KeyUnavailableError,
    SealBrokenError,
    StoreError,
    StoreUnavailableError,
)
from zendesk_oauth.models.connection import ConnectionStatus, TokenTimes
from zendesk_oauth.models.refresh import Claim, Connection, Version
from zendesk_oauth.models.rekey import RekeyAnswer, RekeyOutcome, SealedRow, rekey_mark
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealContext, SealedPair
from zendesk_oauth.services.rekey_connection import ROW_SECONDS, RekeyConnection

CAMPAIGN = "2027-01"
ROW = Connection(
    grant="default",
    subdomain=ACME,
    version=Version(3, 40),
    status=ConnectionStatus.ACTIVE,
    scopes=("tickets:read",),
    issued_at=BEGAN,
    times=TokenTimes(*[BEGAN + timedelta(days=2)] * 4),
    sealed=seal("a1", "r1", "c1"),
)


@dataclass
class Keyring:
    """Opens every pair but those of a broken commit; a fresh key is one that was never given before."""

    broken: set[str] = field(default_factory=set)
    error: Exception | None = None
    unlocked: list[str] = field(default_factory=list)
    clock: Clock | None = None
    seconds: float = 0.0

    def unlock(self, context: SealContext, sealed: SealedPair, *, fresh_keys: bool = False) -> SimulatedPair:
        """Return the pair, under fresh keys."""
        assert (context, fresh_keys) == (ROW.context, True)
        if self.clock:
            self.clock.seconds += self.seconds
        if self.error:
            raise self.error
        if sealed.commit_id in self.broken:
            raise SealBrokenError("does not open")
        self.unlocked.append(sealed.commit_id)
        access, refresh = (
            opened(each, sealed.commit_id) for each in (sealed.access_token, sealed.refresh_token)
        )
        return SimulatedPair(Secret(access), Secret(refresh), f"key {len(self.unlocked)}".encode())


@dataclass
class Rows(RekeyRows):
    """Rows whose reads may fail."""

    error: Exception | None = None

    def find_sealed(self, grant: str, subdomain: Subdomain, replaced: str | None = None) -> SealedRow | None:
        """Read, or fail as the test says."""
        if self.error:
            raise self.error
        return RekeyRows.find_sealed(self, grant, subdomain, replaced)


@dataclass
class World:
    """A row, its keys and the time."""

    rows: Rows = field(default_factory=lambda: Rows({KEY: ROW}))
    keyring: Keyring = field(default_factory=Keyring)
    clock: Clock = field(default_factory=Clock)

    def visit(self, seconds: float = 60.0, campaign: str = CAMPAIGN) -> RekeyAnswer:
        """Visit the row with that much time."""
        rekey = RekeyConnection(self.rows, self.keyring, self.clock)
        return rekey("default", ACME, None, campaign, self.clock.monotonic() + seconds)

    def outcome(self, campaign: str = CAMPAIGN) -> RekeyOutcome:
        """Visit, and return how that ended."""
        return self.visit(campaign=campaign).outcome

    @property
    def row(self) -> Connection:
        """The row."""
        return self.rows.rows[KEY]

    @property
    def keys(self) -> set[bytes]:
        """The key that the row's pair is sealed under."""
        found = self.rows.find_sealed("default", ACME)
        assert found is not None
        return {found.connection.living_pair.access_token.wrapped_key}


@pytest.fixture
def world() -> World:
    """Return a world of the test's own."""
    return World()


def test_a_row_is_sealed_anew_once(world: World) -> None:
    """Both tokens under a fresh key, with the same commit; the campaign's second visit finds it done."""
    assert world.outcome() is RekeyOutcome.RESEALED
    sealed = world.row.living_pair
    assert (opened(sealed.access_token, "c1"), opened(sealed.refresh_token, "c1")) == ("a1", "r1")
    assert world.row == replace(ROW, sealed=sealed)
    assert world.keys == {b"key 1"}
    assert world.outcome() is RekeyOutcome.DONE
    assert world.keyring.unlocked == ["c1"]


def test_another_campaign_seals_it_again(world: World) -> None:
    """What one campaign has done says nothing to the next."""
    assert world.outcome() is RekeyOutcome.RESEALED
    assert world.outcome("2028-01") is RekeyOutcome.RESEALED
    assert world.keys == {b"key 2"}
    assert world.outcome() is RekeyOutcome.RESEALED


def test_old_keys_that_come_back_are_noticed(world: World) -> None:
    """By a refresh that had read the row before: its commit lies under the old keys, and the mark does not fit."""
    world.visit()
    world.rows.rows[KEY] = replace(world.row, version=Version(3, 41), sealed=seal("a2", "r2", "c2"))
    assert world.outcome() is RekeyOutcome.RESEALED
    assert world.keys == {b"key 2"}


def test_a_refresh_under_the_new_keys_leaves_it_done(world: World) -> None:
    """It has read the row after: nothing is to be done again."""
    world.visit()
    world.rows.rows[KEY] = replace(world.row, version=Version(3, 41), sealed=seal("a2", "r2", "c2", b"key 1"))
    assert world.outcome() is RekeyOutcome.DONE


def test_a_living_claim_is_waited_for(world: World) -> None:
    """Nothing is asked of the key service; when the claim is over, the row is sealed."""
    until = BEGAN + timedelta(seconds=70)
    world.rows.rows[KEY] = replace(ROW, claim=Claim("theirs", until))
    assert world.visit() == RekeyAnswer("default", ACME, RekeyOutcome.LATER)
    assert world.keyring.unlocked == []
    world.clock.seconds = 70.0
    assert world.outcome() is RekeyOutcome.RESEALED


def test_a_row_that_is_done_is_done_beside_a_claim_too(world: World) -> None:
    """Whoever took the claim since has read the new keys."""
    world.visit()
    world.rows.rows[KEY] = replace(world.row, claim=Claim("theirs", BEGAN + timedelta(seconds=70)))
    assert world.outcome() is RekeyOutcome.DONE


def test_whoever_was_faster_is_not_written_over(world: World) -> None:
    """The row has another pair by the time of the write: it is looked at again later."""

    def overtake(row: Connection) -> None:
        world.rows.rows[KEY] = replace(row, sealed=seal("a2", "r2", "c2"))

    class Overtaken(Rows):
        def reseal(self, connection: Connection, resealed: SealedPair, mark: str, now: datetime) -> bool:
            overtake(connection)
            return RekeyRows.reseal(self, connection, resealed, mark, now)

    world.rows = Overtaken({KEY: ROW})
    assert world.outcome() is RekeyOutcome.LATER
    assert world.keys == {OLD_KEY}


@pytest.mark.parametrize("rows", [{}, {KEY: replace(ROW, status=ConnectionStatus.DISCONNECTED, sealed=None)}])
def test_there_is_nothing_to_do_where_nothing_is_sealed(rows: dict[str, Connection]) -> None:
    """No row, or a tombstone."""
    assert World(Rows(rows)).outcome() is RekeyOutcome.NOTHING


def test_the_row_of_a_replaced_pair_is_sealed_anew(world: World) -> None:
    """It is a row like any other, which the answer names; the connection's is not touched."""
    row = ROW.as_replaced
    world.rows.rows[row.key] = row
    rekey = RekeyConnection(world.rows, world.keyring, world.clock)
    answers = [rekey("default", ACME, "c1", CAMPAIGN, 60.0) for _ in range(2)]
    outcomes = (RekeyOutcome.RESEALED, RekeyOutcome.DONE)
    assert answers == [RekeyAnswer("default", ACME, outcome, None, "c1") for outcome in outcomes]
    assert world.rows.rows[row.key].living_pair.access_token.wrapped_key == b"key 1"
    assert world.row == ROW


def test_a_pair_that_does_not_open_is_told(world: World) -> None:
    """It stays as it lies; nobody comes to an end with it, and the answer names the error."""
    world.keyring.broken = {"c1"}
    for _ in range(2):
        assert world.visit() == RekeyAnswer("default", ACME, RekeyOutcome.BROKEN, "seal_broken")
    assert world.row == ROW


def test_without_keys_it_is_done_later(world: World) -> None:
    """The answer names the error, and nothing was written."""
    world.keyring.error = KeyUnavailableError("throttled")
    assert world.visit() == RekeyAnswer("default", ACME, RekeyOutcome.LATER, "key_unavailable")
    assert world.row == ROW


def test_a_table_that_does_not_answer_is_asked_later(world: World) -> None:
    """So that the other rows of a batch are told of all the same; one that never will is told to the caller."""
    world.rows.error = StoreUnavailableError("throttled")
    assert world.visit() == RekeyAnswer("default", ACME, RekeyOutcome.LATER, "store_unavailable")
    world.rows.error = StoreError("AccessDenied")
    with pytest.raises(StoreError):
        world.visit()


def test_nothing_is_begun_that_could_not_end_in_time(world: World) -> None:
    """A row is not even read with less time than it may take."""
    world.rows.error = StoreError("must not be read")
    assert world.visit(ROW_SECONDS - 0.1).outcome is RekeyOutcome.LATER


def test_a_mark_is_of_the_campaign_and_of_both_keys() -> None:
    """Another campaign, or one key that is another, is another mark; the ciphertexts do not matter."""
    pair = seal("a1", "r1", "c1")
    other_half = replace(pair, refresh_token=seal("a1", "r1", "c1", b"key 1").refresh_token)
    marks = {rekey_mark(CAMPAIGN, pair), rekey_mark("2028-01", pair), rekey_mark(CAMPAIGN, other_half)}
    assert len(marks) == 3
    assert {len(mark) for mark in marks} == {32}
    assert rekey_mark(CAMPAIGN, seal("a2", "r2", "c2")) in marks
