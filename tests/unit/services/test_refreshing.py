"""The later life of a connection without races: every answer that Zendesk, the keys and the store can give.

The rows are the simulation's, whose conditions are those that the schedules prove necessary.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from tests.simulation.keys import SimulatedPair, opened, seal
from tests.simulation.store import ConditionalRows
from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    KeyUnavailableError,
    ProviderError,
    ProviderUnavailableError,
    StoreUnavailableError,
    TokenRefusedError,
    UnintelligibleAnswerError,
)
from zendesk_oauth.models.connection import ConnectionStatus, token_times
from zendesk_oauth.models.refresh import (
    CLAIM_LIFE,
    DEAD_HOLDER_ROUND,
    REPLAY_ROUND,
    Asked,
    Claim,
    Connection,
    LossReason,
    RefreshOutcome,
    RefreshQuestion,
    Renewal,
    Version,
)
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, IssuedTokens, SealContext, SealedPair
from zendesk_oauth.ports.refresh import RefreshGrant
from zendesk_oauth.services.disconnect_connection import DisconnectConnection, DisconnectOutcome
from zendesk_oauth.services.finish_connection import FinishAnswer, FinishConnection
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.services.replay_rescued import ReplayOutcome, ReplayRescued

ACME = Subdomain("acme")
KEY = "default#acme"
BEGAN = datetime.fromisoformat("2026-01-01T00:00:00Z")
LIFE = timedelta(hours=48)


def issued(number: int) -> IssuedTokens:
    """Return the pair of that number."""
    return IssuedTokens(
        Secret(f"a{number}"), Secret(f"r{number}"), ("tickets:read",), LIFE, timedelta(days=90)
    )


@dataclass
class Clock:
    """Time that the test moves."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Zendesk:
    """Answers what the test says; a token is alive if it is named so."""

    refreshed: IssuedTokens | Exception = field(default_factory=lambda: issued(2))
    alive: set[str] = field(default_factory=lambda: {"a1"})
    asked: Exception | None = None
    deleted: Exception | None = None
    posts: int = 0

    def refresh(self, grant: RefreshGrant, deadline: float) -> IssuedTokens:
        self.posts += 1
        if isinstance(self.refreshed, Exception):
            raise self.refreshed
        self.alive = {self.refreshed.access_token.reveal()}
        return self.refreshed

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        return AuthorizedUser(1, "admin")

    def find_token_id(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> int | None:
        if self.asked:
            raise self.asked
        return 1 if access_token.reveal() in self.alive else None

    def delete_token(
        self, subdomain: Subdomain, token_id: int, access_token: Secret, deadline: float
    ) -> None:
        if self.deleted:
            raise self.deleted
        self.alive.discard(access_token.reveal())


@dataclass
class Keyring:
    """Opens every pair, unless it is down."""

    error: Exception | None = None
    before: Callable[[], None] = lambda: None
    fresh_keys: list[bool] = field(default_factory=list)

    def unlock(self, context: SealContext, sealed: SealedPair, *, fresh_keys: bool = False) -> SimulatedPair:
        self.before()
        self.fresh_keys.append(fresh_keys)
        if self.error:
            raise self.error
        return SimulatedPair(
            Secret(opened(sealed.access_token, sealed.commit_id)),
            Secret(opened(sealed.refresh_token, sealed.commit_id)),
        )


@dataclass
class Rows(ConditionalRows):
    """Rows whose commits fail as often as the test says, and that remember how a revocation ended."""

    revocations: dict[str, str] = field(default_factory=dict)
    failing_commits: int = 0
    failing_keeps: int = 0

    @property
    def replaced(self) -> list[Connection]:
        """The rows of replaced pairs that are not ended."""
        return [row for row in self.rows.values() if row.replaced and row.sealed]

    def keep_replaced(self, renewal: Renewal) -> Connection:
        if self.failing_keeps:
            self.failing_keeps -= 1
            raise StoreUnavailableError("throttled")
        return super().keep_replaced(renewal)

    def erase(self, connection: Connection, revocation: str, now: datetime) -> bool:
        self.revocations[connection.key] = revocation
        return super().erase(connection, revocation, now)

    def commit(self, renewal: Renewal, **how: bool) -> Connection | None:
        if self.failing_commits:
            self.failing_commits -= 1
            raise StoreUnavailableError("throttled")
        return super().commit(renewal, **how)


class Store:
    """The port `RefreshStore` over rows, at the clock's time."""

    def __init__(self, rows: Rows, clock: Clock) -> None:
        self._rows, self._clock = rows, clock

    def __getattr__(self, name: str) -> object:
        return getattr(self._rows, name)

    def release(self, connection: Connection, claim: Claim, retry_at: datetime | None) -> None:
        self._rows.release(connection, claim, retry_at, self._clock.now())

    def leave_unresolved(self, connection: Connection, claim: Claim, retry_at: datetime) -> None:
        self._rows.leave_unresolved(connection, claim, retry_at, self._clock.now())


@dataclass
class Queue:
    """Keeps what is sent to it."""

    sent: list[Renewal] = field(default_factory=list)
    failing: int = 0

    def send(self, renewal: Renewal) -> None:
        if self.failing:
            self.failing -= 1
            raise StoreUnavailableError("down")
        self.sent.append(renewal)


class World:
    """One connection, due for a refresh."""

    def __init__(self) -> None:
        times = token_times(issued(1), BEGAN, 0.5)
        self.clock = Clock((times.refresh_at - BEGAN).total_seconds() + 1)
        self.zendesk, self.keyring, self.queue = Zendesk(), Keyring(), Queue()
        self.rows = Rows()
        self.rows.rows[KEY] = Connection(
            grant="default",
            subdomain=ACME,
            version=Version(1, 1),
            status=ConnectionStatus.ACTIVE,
            scopes=("tickets:read",),
            issued_at=BEGAN,
            times=times,
            sealed=seal("a1", "r1", "c1"),
        )
        self.drawn = 0

    def entropy(self, size: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(size, "big") if size > 1 else b"\x80"

    @property
    def ports(self) -> RefreshPorts:
        store = Store(self.rows, self.clock)
        return RefreshPorts(
            store,  # type: ignore[arg-type]  # it hands on what it does not define
            self.keyring,
            self.zendesk,
            self.zendesk,
            self.queue,
            self.clock,
            self.entropy,
        )

    @property
    def row(self) -> Connection:
        return self.rows.rows[KEY]

    def change(self, **changes: object) -> None:
        self.rows.rows[KEY] = replace(self.row, **changes)  # type: ignore[arg-type]  # any field

    def refresh(
        self, asked: Asked = Asked.DUE, seen: Version | None = None, seconds: float = 60.0
    ) -> RefreshOutcome:
        question = RefreshQuestion("default", ACME, asked, seen)
        return RefreshConnection(self.ports)(question, self.clock.monotonic() + seconds).outcome

    def disconnect(self, seconds: float = 58.0) -> DisconnectOutcome:
        """Mark it, as `connections` does, and look after it with that much time."""
        marked = self.ports.store.mark_disconnecting(self.row, self.clock.now())
        assert marked is not None
        return DisconnectConnection(self.ports)(marked, self.clock.monotonic() + seconds).outcome

    def supersede(self, access: str = "a0", **changes: object) -> Connection:
        """Let a pair have been replaced, whose access token lives, as an install does; return its row."""
        number = access.removeprefix("a")
        pair = {"sealed": seal(access, f"r{number}", f"c{number}"), "claim": None}
        row = replace(self.row, **(pair | changes)).as_replaced  # type: ignore[arg-type]  # any field
        self.rows.rows[row.key] = row
        self.rows.unfinished_at[row.key] = self.clock.now()
        self.zendesk.alive.add(access)
        return row

    def finish(self, row: Connection, seconds: float = 58.0) -> FinishAnswer:
        """Look after a row with that much time."""
        until = self.clock.monotonic() + seconds
        return FinishConnection(self.ports)(row.grant, row.subdomain, until, row.replaced)


@pytest.fixture
def world() -> World:
    """Return a world of the test's own."""
    return World()


def dead_claim(world: World) -> Claim:
    """Return the claim of a worker who died with it, and whose rescue messages have had their time to be replayed."""
    return Claim("theirs", world.clock.now() - DEAD_HOLDER_ROUND)


def test_a_due_token_is_refreshed_with_one_post(world: World) -> None:
    """Read, claim, keys, POST, commit: the next generation, without a claim."""
    assert world.refresh() is RefreshOutcome.REFRESHED
    assert (world.row.version, world.row.claim, world.zendesk.posts) == (Version(1, 2), None, 1)


def test_what_is_not_due_is_left_alone(world: World) -> None:
    """A second question right after a refresh, and one of the schedule before its time, write nothing."""
    world.refresh()
    assert world.refresh() is RefreshOutcome.CURRENT
    assert world.refresh(Asked.IDLE) is RefreshOutcome.CURRENT
    assert world.zendesk.posts == 1


def test_an_idle_connection_is_kept_alive(world: World) -> None:
    """When its keep-alive is due it is refreshed, though its access token is long over."""
    world.clock.seconds = (world.row.times.keep_alive_at - BEGAN).total_seconds()
    assert world.refresh(Asked.IDLE) is RefreshOutcome.REFRESHED


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"status": ConnectionStatus.DISCONNECTED}, RefreshOutcome.NOT_CONNECTED),
        ({"status": ConnectionStatus.DISCONNECTING}, RefreshOutcome.NOT_CONNECTED),
        ({"status": ConnectionStatus.RECONNECT_REQUIRED}, RefreshOutcome.RECONNECT_REQUIRED),
        ({"claim": Claim("theirs", BEGAN + timedelta(days=9))}, RefreshOutcome.IN_PROGRESS),
        ({"retry_at": BEGAN + timedelta(days=9)}, RefreshOutcome.POSTPONED),
    ],
    ids=str,
)
def test_the_row_decides(world: World, change: dict[str, object], outcome: RefreshOutcome) -> None:
    """Not active, at work already, or backed off: an answer, and not one write or POST."""
    world.change(**change)
    before = world.row
    assert world.refresh() is outcome
    assert (world.row, world.zendesk.posts) == (before, 0)


def test_nothing_is_known_of_an_unknown_connection(world: World) -> None:
    """There is no row, and none is made."""
    world.rows.rows.clear()
    assert world.refresh() is RefreshOutcome.NOT_CONNECTED


def test_without_time_to_finish_none_begins(world: World) -> None:
    """A POST that could not be awaited is not made: neither at first, nor after keys that took long."""
    assert world.refresh(seconds=20) is RefreshOutcome.POSTPONED
    world.keyring.before = lambda: world.clock.sleep(30)
    assert world.refresh() is RefreshOutcome.POSTPONED
    assert (world.zendesk.posts, world.row.claim) == (0, None)


def test_a_claim_that_somebody_took_first_is_theirs(world: World) -> None:
    """The claim is conditional: a row that moved between read and claim is left alone."""
    find = world.rows.find

    def stale(grant: str, subdomain: Subdomain, replaced: str | None = None) -> Connection | None:
        row = find(grant, subdomain, replaced)
        world.change(claim=Claim("theirs", world.clock.now() + timedelta(seconds=70)))
        return row

    world.rows.find = stale  # type: ignore[method-assign]  # between read and claim
    assert world.refresh() is RefreshOutcome.IN_PROGRESS
    assert world.zendesk.posts == 0


@pytest.mark.parametrize(
    ("error", "outcome", "unresolved"),
    [
        (ClientRejectedError("invalid_client"), RefreshOutcome.CLIENT_REJECTED, False),
        (ProviderUnavailableError("refused", nothing_sent=True), RefreshOutcome.POSTPONED, False),
        (ProviderUnavailableError("429", throttled=True), RefreshOutcome.POSTPONED, False),
        (ProviderUnavailableError("503"), RefreshOutcome.UNRESOLVED, True),
        (UnintelligibleAnswerError("HTML"), RefreshOutcome.UNRESOLVED, True),
    ],
    ids=str,
)
def test_no_connection_dies_of_an_error(
    world: World, error: ProviderError, outcome: RefreshOutcome, *, unresolved: bool
) -> None:
    """The claim is given back where nothing was done, and left unresolved where Zendesk may have rotated."""
    world.zendesk.refreshed = error
    assert world.refresh() is outcome
    claim = world.row.claim
    assert (world.row.status, claim is not None and claim.unresolved) == (ConnectionStatus.ACTIVE, unresolved)
    assert world.row.retry_at is not None


def test_an_earlier_attempt_stays_unresolved_when_ours_sends_nothing(world: World) -> None:
    """A 429 says nothing of what somebody else sent before."""
    world.change(claim=dead_claim(world))
    world.zendesk.asked = ProviderUnavailableError("429", throttled=True)
    world.zendesk.refreshed = ProviderUnavailableError("429", throttled=True)
    assert world.refresh() is RefreshOutcome.POSTPONED
    assert world.row.claim is not None
    assert world.row.claim.unresolved


def test_without_keys_no_refresh_token_is_spent(world: World) -> None:
    """R18: the keys come first."""
    world.keyring.error = KeyUnavailableError("disabled")
    answer = RefreshConnection(world.ports)(RefreshQuestion("default", ACME), world.clock.monotonic() + 60)
    assert (answer.outcome, answer.cause) == (RefreshOutcome.POSTPONED, "key_unavailable")
    assert (world.zendesk.posts, world.row.claim) == (0, None)


@pytest.mark.parametrize(
    ("generation", "fresh_keys"), [(1, False), (98, False), (99, True), (100, False), (199, True)]
)
def test_every_hundredth_generation_has_fresh_data_keys(
    world: World, generation: int, *, fresh_keys: bool
) -> None:
    """They are in hand with the old ones, before anything is spent; all others keep what readers have warm."""
    world.change(version=Version(1, generation))
    assert world.refresh() is RefreshOutcome.REFRESHED
    assert world.keyring.fresh_keys == [fresh_keys]


@pytest.mark.parametrize("kept", [False, True])
def test_a_refresh_token_that_was_kept_is_told(world: World, *, kept: bool) -> None:
    """The answer had none of its own: the refresh goes on, and somebody can count it."""
    world.zendesk.refreshed = replace(issued(2), kept_refresh_token=kept)
    answer = RefreshConnection(world.ports)(RefreshQuestion("default", ACME), world.clock.monotonic() + 60)
    assert (answer.outcome, answer.kept_refresh_token) == (RefreshOutcome.REFRESHED, kept)


@pytest.mark.parametrize(
    ("had", "lost"),
    [
        (("tickets:read",), ()),
        (("tickets:read", "users:read"), ("users:read",)),
        (("read",), ("read",)),
    ],
)
def test_scopes_that_went_lost_are_told(world: World, had: tuple[str, ...], lost: tuple[str, ...]) -> None:
    """R15: the answer grants less than the pair before it had; the row says what is left."""
    world.change(scopes=had)
    answer = RefreshConnection(world.ports)(RefreshQuestion("default", ACME), world.clock.monotonic() + 60)
    assert (answer.outcome, answer.lost_scopes) == (RefreshOutcome.REFRESHED, lost)
    assert world.row.scopes == ("tickets:read",)


def test_a_rejected_grant_ends_the_connection(world: World) -> None:
    """R25: `invalid_grant`, the same version and nobody else at it: the person must connect again."""
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    assert world.refresh() is RefreshOutcome.RECONNECT_REQUIRED
    assert world.row.reconnect_reason is LossReason.GRANT_REJECTED


def test_a_lost_answer_is_told_by_its_own_reason(world: World) -> None:
    """R3: an earlier attempt is unresolved and the refresh token refused: Zendesk rotated, and its answer was lost."""
    world.clock.seconds = timedelta(hours=1).total_seconds()
    world.change(claim=dead_claim(world))
    world.zendesk.alive.clear()
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    assert world.refresh() is RefreshOutcome.RECONNECT_REQUIRED
    assert (world.row.reconnect_reason, world.zendesk.posts) == (LossReason.ANSWER_LOST, 1)


@pytest.mark.parametrize("minutes", [-10, -5, 0, 5, 10])
@pytest.mark.parametrize("hours", [1, 47, 48, 49], ids=lambda hours: f"after {hours} h")
def test_i11_a_probe_that_says_dead_ends_no_connection(world: World, hours: int, minutes: int) -> None:
    """R29: an API that lies, or a clock that is wrong, costs no connection whose refresh token was never spent."""
    world.clock.seconds = timedelta(hours=hours, minutes=minutes).total_seconds()
    world.change(claim=dead_claim(world))
    world.zendesk.alive.clear()
    assert world.refresh() is RefreshOutcome.REFRESHED
    assert (world.row.version, world.zendesk.posts) == (Version(1, 2), 1)


def test_i11_a_502_without_a_rotation_and_then_one_401_end_nothing(world: World) -> None:
    """R29: the token endpoint failed, the API said 401 once, and the refresh token was good all the time."""
    world.zendesk.refreshed = ProviderUnavailableError("HTTP 502")
    assert world.refresh() is RefreshOutcome.UNRESOLVED
    world.zendesk.refreshed = issued(2)
    world.zendesk.alive.clear()
    world.clock.sleep(80)
    assert world.refresh() is RefreshOutcome.REFRESHED


def test_a_living_old_token_clears_an_earlier_attempt(world: World) -> None:
    """R5: what was sent before never arrived: the same refresh token is good for one more POST."""
    world.change(claim=dead_claim(world))
    assert world.refresh() is RefreshOutcome.REFRESHED


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        (None, RefreshOutcome.CURRENT),
        (TokenRefusedError("HTTP 403", status=403), RefreshOutcome.CURRENT),
        (ProviderUnavailableError("503"), RefreshOutcome.POSTPONED),
    ],
    ids=str,
)
def test_a_worker_s_401_is_put_to_zendesk(
    world: World, asked: Exception | None, outcome: RefreshOutcome
) -> None:
    """R22: a token that Zendesk calls living is not rotated because a worker says that it failed."""
    world.clock.seconds = timedelta(hours=1).total_seconds()
    world.zendesk.asked = asked
    assert world.refresh(Asked.FAILED, Version(1, 1)) is outcome
    assert (world.zendesk.posts, world.row.claim) == (0, None)


def test_a_worker_s_401_with_a_dead_token_refreshes(world: World) -> None:
    """What Zendesk itself calls dead is refreshed before its time."""
    world.clock.seconds = timedelta(hours=1).total_seconds()
    world.zendesk.alive.clear()
    assert world.refresh(Asked.FAILED, Version(1, 1)) is RefreshOutcome.REFRESHED


@pytest.mark.parametrize("seen", [Version(1, 1), Version(1, 40)], ids=["what is stored", "before a restore"])
def test_a_401_right_after_the_issue_is_put_off_and_not_called_current(world: World, seen: Version) -> None:
    """R22: nobody has asked Zendesk yet, so nobody vouches for the token; who saw an older one is to read again."""
    world.clock.seconds = 59
    question = RefreshQuestion("default", ACME, Asked.FAILED, seen)
    answer = RefreshConnection(world.ports)(question, world.clock.monotonic() + 60)
    assert (answer.outcome, answer.retry_at) == (RefreshOutcome.POSTPONED, BEGAN + timedelta(seconds=60))
    assert world.refresh(Asked.FAILED, Version(0, 1)) is RefreshOutcome.CURRENT
    assert world.refresh() is RefreshOutcome.CURRENT
    world.clock.seconds = 60
    assert world.refresh(Asked.FAILED, seen) is RefreshOutcome.CURRENT
    world.zendesk.alive.clear()
    assert world.refresh(Asked.FAILED, seen) is RefreshOutcome.REFRESHED


def test_a_commit_is_tried_again(world: World) -> None:
    """R6: a store that throttles for a while costs time, not a token; what was sent to the queue does no harm."""
    world.rows.failing_commits = 4
    assert world.refresh() is RefreshOutcome.REFRESHED
    (renewal,), before = world.queue.sent, world.row
    answer = ReplayRescued(world.ports)(renewal, world.clock.monotonic() + 58)
    assert (answer.outcome, world.row) == (ReplayOutcome.RESTORED, before)


def test_a_store_that_stays_down_leaves_the_answer_in_the_queue(world: World) -> None:
    """R6: the sealed answer is sent to the queue once, again where that fails, and the commit is tried on."""
    world.rows.failing_commits = 1_000
    world.queue.failing = 1
    assert world.refresh() is RefreshOutcome.RESCUED
    assert [renewal.replaces for renewal in world.queue.sent] == [Version(1, 1)]
    assert 1_000 - world.rows.failing_commits > 10


def test_a_disconnect_revokes_before_it_erases(world: World) -> None:
    """Marked, revoked by id, seen dead, erased."""
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED
    assert (world.row.status, world.row.sealed) == (ConnectionStatus.DISCONNECTED, None)
    assert world.zendesk.alive == set()


def test_a_disconnect_after_the_token_s_end_refreshes_to_have_something_to_revoke(world: World) -> None:
    """An access token that is over cannot be asked with, and its refresh token may live."""
    world.clock.seconds = timedelta(days=5).total_seconds()
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED
    assert (world.zendesk.posts, world.zendesk.alive) == (1, set())


@pytest.mark.parametrize(
    "error",
    [ProviderUnavailableError("503"), UnintelligibleAnswerError("HTML")],
    ids=str,
)
def test_a_disconnect_goes_on_until_zendesk_answers(world: World, error: ProviderError) -> None:
    """The mark stays, so nobody uses the connection; the next try begins where this one ended."""
    world.zendesk.asked = error
    assert world.disconnect() is DisconnectOutcome.UNDER_WAY
    assert world.row.status is ConnectionStatus.DISCONNECTING
    world.zendesk.asked = None
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED


def test_a_disconnect_waits_for_a_refresh_in_flight(world: World) -> None:
    """The refresh finds the mark at its commit; until its claim is over nothing is revoked."""
    world.change(claim=Claim("theirs", world.clock.now() + timedelta(seconds=70)))
    assert world.disconnect() is DisconnectOutcome.UNDER_WAY
    assert world.zendesk.alive == {"a1"}


def test_a_token_that_cannot_be_revoked_is_no_reason_to_keep_it(world: World) -> None:
    """A 403: the copy is erased all the same, and how it ended stands in the row for the operator."""
    world.zendesk.deleted = TokenRefusedError("HTTP 403", status=403)
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED


def test_a_replaced_pair_is_revoked_and_erased(world: World) -> None:
    """What a new install replaced dies at Zendesk, and stays in its row until it has."""
    row = world.supersede()
    world.zendesk.asked = ProviderUnavailableError("503")
    answer = world.finish(row)
    assert answer.disconnect is not None
    assert (answer.finished, answer.disconnect.cause) == (False, "provider_unavailable")
    assert [left.key for left in world.rows.replaced] == [row.key]
    world.zendesk.asked = None
    assert world.finish(row).finished
    assert (world.zendesk.alive, world.rows.replaced, world.rows.revocations) == (
        {"a1"},
        [],
        {row.key: "revoked"},
    )


def between(world: World, method: str, then: Callable[[], None]) -> None:
    """Let something happen right after one call of the rows has been answered."""
    answer = getattr(world.rows, method)

    def answered(*arguments: object, **options: object) -> object:
        result = answer(*arguments, **options)
        setattr(world.rows, method, answer)
        then()
        return result

    setattr(world.rows, method, answered)


@pytest.mark.parametrize(("commits", "sends"), [(1, 0), (3, 2), (1_000, 1_000)])
def test_a_pair_that_is_only_to_be_revoked_is_kept_first(world: World, commits: int, sends: int) -> None:
    """R6: by the row, or else by the queue; where both stay down, it is revoked all the same."""
    world.clock.seconds = timedelta(days=5).total_seconds()
    world.rows.failing_commits, world.queue.failing = commits, sends
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED
    assert len(world.queue.sent) == (commits < 1_000)
    assert world.zendesk.alive == set()


def test_a_new_install_during_a_disconnect_is_not_erased(world: World) -> None:
    """R14: the disconnect's fresh pair finds another epoch; it gets its own row and is revoked, and the row stays."""
    world.clock.seconds = timedelta(days=5).total_seconds()
    again = {"version": Version(2, 2), "status": ConnectionStatus.ACTIVE, "claim": None}
    between(world, "claim", lambda: world.change(**again))
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED
    assert (world.row.version, world.row.status) == (Version(2, 2), ConnectionStatus.ACTIVE)
    assert world.row.sealed is not None
    assert (world.rows.replaced, world.zendesk.alive) == ([], set())


def test_a_row_that_is_gone_during_its_disconnect_stays_gone(world: World) -> None:
    """What was to be revoked has a row of its own until it is."""
    world.clock.seconds = timedelta(days=5).total_seconds()
    between(world, "claim", world.rows.rows.clear)
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED
    assert (KEY in world.rows.rows, world.rows.replaced, world.zendesk.alive) == (False, [], set())


def test_a_claim_that_an_install_took_along_is_given_back(world: World) -> None:
    """The disconnect's fresh pair is stored: the pair before is dead, and nothing of it was lost."""
    world.clock.seconds = timedelta(days=5).total_seconds()

    def install() -> None:
        world.rows.rows[world.row.as_replaced.key] = world.row.as_replaced
        world.change(version=Version(2, 2), status=ConnectionStatus.ACTIVE, claim=None)

    between(world, "claim", install)
    world.disconnect()
    assert [(row.replaced, row.claim) for row in world.rows.replaced] == [("c1", None)]


@pytest.mark.parametrize(
    ("commits", "sends", "renewed", "sent"),
    [(0, 0, True, 0), (2, 0, False, 1), (2, 2, True, 0), (1_000, 1_000, False, 0)],
)
def test_a_replaced_pair_that_is_over_leaves_no_orphan(
    world: World, commits: int, sends: int, sent: int, *, renewed: bool
) -> None:
    """The pair it is refreshed into lies in its row before it is revoked, or in the queue, if either takes it."""
    row = world.supersede(times=replace(world.row.times, expires_at=BEGAN))
    world.rows.failing_commits, world.queue.failing = commits, sends
    world.zendesk.deleted = ProviderUnavailableError("503")
    assert not world.finish(row).finished
    (left,) = world.rows.replaced
    assert (left.key, left.version.generation == 2, len(world.queue.sent)) == (row.key, renewed, sent)
    assert left.may_have_lost is not renewed


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_rescued_pair_that_is_only_to_be_revoked_is_never_committed(world: World, *, is_gone: bool) -> None:
    """Its replay finds its row, or makes it one: a connection of the same version is not overwritten."""
    row = world.supersede(times=replace(world.row.times, expires_at=BEGAN))
    world.rows.failing_commits = 1
    world.zendesk.deleted = ProviderUnavailableError("503")
    world.finish(row)
    world.zendesk.deleted = None
    (renewal,), before = world.queue.sent, world.row
    assert (renewal.replaces, renewal.replaced) == (before.version, "c0")
    if is_gone:
        del world.rows.rows[row.key]
    answer = ReplayRescued(world.ports)(renewal, world.clock.monotonic() + 58)
    assert (answer.outcome, answer.revocation, world.row) == (ReplayOutcome.SUPERSEDED, "revoked", before)
    assert (world.rows.replaced, world.zendesk.alive) == ([], set())


def test_two_visits_at_once_send_one_post(world: World) -> None:
    """R31: whoever does not get the claim asks Zendesk nothing, and comes again when it is over."""
    row = world.supersede(times=replace(world.row.times, expires_at=BEGAN))
    seen: list[FinishAnswer] = []
    between(world, "claim", lambda: seen.append(world.finish(row)))
    assert world.finish(row).finished
    assert [(answer.finished, world.zendesk.posts) for answer in seen] == [(False, 1)]


def test_two_visits_that_read_at_once_send_one_post(world: World) -> None:
    """R31: both have seen the row without a claim: the write decides."""
    row = world.supersede(times=replace(world.row.times, expires_at=BEGAN))
    seen: list[FinishAnswer] = []
    between(world, "find", lambda: seen.append(world.finish(row)))
    assert not world.finish(row).finished
    assert ([answer.finished for answer in seen], world.zendesk.posts) == ([True], 1)


class Died(BaseException):
    """The function was stopped."""


@pytest.mark.parametrize("method", ["refresh", "delete_token"])
def test_a_death_while_a_replaced_pair_is_revoked_is_not_called_dead(world: World, method: str) -> None:
    """R31: the refresh token may have been spent by who died with its claim: `given_up`, after one replay round."""
    row = world.supersede(times=replace(world.row.times, expires_at=BEGAN))
    real = getattr(world.zendesk, method)

    def die(*arguments: object) -> None:
        real(*arguments)
        raise Died

    setattr(world.zendesk, method, die)
    world.rows.failing_commits = 1_000
    world.queue.failing = 1_000
    with pytest.raises(Died):
        world.finish(row)
    setattr(world.zendesk, method, real)
    world.rows.failing_commits = 0
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    claim = world.rows.rows[row.key].claim
    assert claim is not None
    for at, retry_at in (
        (claim.until - timedelta(seconds=1), claim.until),
        (claim.until, claim.until + DEAD_HOLDER_ROUND),
        (claim.until + DEAD_HOLDER_ROUND - timedelta(seconds=1), claim.until + DEAD_HOLDER_ROUND),
    ):
        world.clock.seconds = (at - BEGAN).total_seconds()
        answer = world.finish(row)
        assert answer.disconnect is not None
        assert (answer.finished, answer.disconnect.retry_at, world.zendesk.posts) == (False, retry_at, 1)
    world.clock.seconds = (claim.until + REPLAY_ROUND - BEGAN).total_seconds()
    assert world.finish(row).finished
    assert (world.rows.revocations[row.key], world.zendesk.posts) == ("given_up", 2)


@pytest.mark.parametrize(
    "theirs", [Claim("theirs", BEGAN, unresolved=True), None], ids=["unresolved", "gone"]
)
def test_r31_a_refusal_after_another_s_claim_is_no_end(world: World, theirs: Claim | None) -> None:
    """The holder was frozen at the POST, another has spent the token meanwhile and lost the answer: `given_up`."""
    row = world.supersede(times=replace(world.row.times, expires_at=BEGAN))

    def refuse(*_arguments: object) -> IssuedTokens:
        world.rows.rows[row.key] = replace(world.rows.rows[row.key], claim=theirs)
        raise GrantRejectedError("invalid_grant")

    world.zendesk.refresh = refuse  # type: ignore[assignment,method-assign]  # another meanwhile
    assert world.finish(row).finished
    assert world.rows.revocations[row.key] == "given_up"


def test_a_holder_who_was_frozen_does_not_post(world: World) -> None:
    """R31: the clock has gone on though the process has not, and the claim does not last for a POST any more."""
    row = world.supersede(times=replace(world.row.times, expires_at=BEGAN))
    now, frozen = world.clock.now, timedelta(seconds=41)
    between(world, "claim", lambda: setattr(world.clock, "now", lambda: now() + frozen))
    assert not world.finish(row).finished
    assert world.zendesk.posts == 0


def test_a_rejection_after_somebody_else_s_attempt_is_a_loss(world: World) -> None:
    """R3: another claim on the row, over or unresolved, says who spent the token: that is no admin's revocation."""
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    theirs = Claim("theirs", BEGAN + timedelta(days=9), unresolved=True)
    between(world, "claim", lambda: world.change(claim=theirs))
    assert world.refresh() is RefreshOutcome.RECONNECT_REQUIRED
    assert world.row.reconnect_reason == LossReason.ANSWER_LOST


def test_an_erased_connection_has_no_pair(world: World) -> None:
    """Whoever asks a tombstone for its tokens is told so."""
    world.disconnect()
    with pytest.raises(ValueError, match="erased"):
        _ = world.row.living_pair


def test_near_its_end_a_dead_token_says_nothing(world: World) -> None:
    """R13: within the error of clocks a 401 may be the token's natural end, so one more POST decides."""
    world.clock.seconds = (world.row.times.expires_at - BEGAN).total_seconds() - 60
    world.change(claim=dead_claim(world))
    world.zendesk.alive.clear()
    assert world.refresh() is RefreshOutcome.REFRESHED


@pytest.mark.parametrize("status", [ConnectionStatus.DISCONNECTING, ConnectionStatus.ACTIVE])
def test_a_fresh_pair_that_nobody_wants_is_retired(world: World, status: ConnectionStatus) -> None:
    """R14: a disconnect or a new install came in between: what we hold is kept, revoked, forgotten."""
    elsewhere = Version(2, 2) if status is ConnectionStatus.ACTIVE else Version(1, 1)
    between(world, "claim", lambda: world.change(status=status, version=elsewhere, claim=None))
    outcome = world.refresh()
    assert outcome in {RefreshOutcome.CURRENT, RefreshOutcome.NOT_CONNECTED}
    assert (world.zendesk.alive, world.rows.replaced) == (set(), [])
    assert world.row.status is status


@pytest.mark.parametrize("is_installed", [False, True])
def test_a_refresh_in_flight_gives_its_claim_back_wherever_it_lies(
    world: World, *, is_installed: bool
) -> None:
    """R30: its fresh pair is stored, so the pair before is dead, and its end is no alarm."""

    def come_between() -> None:
        if is_installed:
            world.rows.rows[world.row.as_replaced.key] = world.row.as_replaced
            world.change(version=Version(2, 2), claim=None, sealed=seal("a9", "r9", "c9"))
        else:
            world.rows.mark_disconnecting(world.row, world.clock.now())

    between(world, "claim", come_between)
    world.refresh()
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    row = world.rows.replaced[0] if is_installed else world.row
    assert row.claim is None
    assert world.finish(row).finished
    assert world.rows.revocations[row.key] == "not_alive"


def test_a_fresh_pair_that_cannot_be_ended_now_is_left_to_the_schedule(world: World) -> None:
    """R6: the table fails once the pair is stored: nothing is lost, and the refresh has ended all the same."""
    between(world, "claim", lambda: world.change(version=Version(2, 2), claim=None))

    def fail(*_: object) -> bool:
        raise StoreUnavailableError("throttled")

    between(world, "keep_replaced", lambda: setattr(world.rows, "claim", fail))
    world.rows.release = fail  # type: ignore[method-assign,assignment]  # whatever is released
    assert world.refresh() is RefreshOutcome.CURRENT
    assert [row.sealed is not None for row in world.rows.replaced] == [True]
    assert [row.key for row in world.rows.replaced] == list(world.rows.unfinished_at)


def test_a_row_that_is_gone_takes_nothing(world: World) -> None:
    """A row that was deleted by hand meanwhile: there is no connection, and the fresh pair is revoked."""
    between(world, "claim", world.rows.rows.clear)
    question = RefreshQuestion("default", ACME)
    answer = RefreshConnection(world.ports)(question, world.clock.monotonic() + 60)
    assert (answer.outcome, answer.connection) == (RefreshOutcome.NOT_CONNECTED, None)
    assert world.zendesk.alive == set()


@pytest.mark.parametrize(
    ("meanwhile", "outcome"),
    [
        ({"version": Version(1, 2)}, RefreshOutcome.CURRENT),
        ({"claim": Claim("theirs", BEGAN + timedelta(days=9))}, RefreshOutcome.IN_PROGRESS),
    ],
    ids=str,
)
def test_a_rejection_proves_nothing_by_itself(
    world: World, meanwhile: dict[str, object], outcome: RefreshOutcome
) -> None:
    """R4: `invalid_grant` may mean that somebody else was first: a strong read decides."""
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    between(world, "claim", lambda: world.change(**meanwhile))
    assert world.refresh() is outcome
    assert world.row.status is ConnectionStatus.ACTIVE


def test_a_verdict_that_came_too_late_is_none(world: World) -> None:
    """The row moved between the strong read and the verdict: it is somebody else's matter now."""
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    between(world, "claim", lambda: between(world, "find", lambda: world.change(version=Version(1, 2))))
    assert world.refresh() is RefreshOutcome.IN_PROGRESS
    assert world.row.status is ConnectionStatus.ACTIVE


def test_only_one_disconnect_is_at_work(world: World) -> None:
    """Whoever loses the claim comes again."""
    theirs = Claim("theirs", BEGAN + timedelta(days=9))
    between(world, "mark_disconnecting", lambda: world.change(claim=theirs))
    assert world.disconnect() is DisconnectOutcome.UNDER_WAY
    assert world.zendesk.alive == {"a1"}


def test_an_install_during_a_disconnect_is_not_erased(world: World) -> None:
    """The old pair is revoked, and the new one, in the next epoch, stays."""
    between(
        world,
        "claim",
        lambda: world.change(
            version=Version(2, 2), status=ConnectionStatus.ACTIVE, sealed=seal("a9", "r9", "c9")
        ),
    )
    assert world.disconnect() is DisconnectOutcome.UNDER_WAY
    assert (world.row.is_active, world.zendesk.alive) == (True, set())


def test_a_token_that_lives_on_is_not_erased(world: World) -> None:
    """Zendesk answered 204 and the token is alive: the mark stays, and the schedule goes on."""
    world.zendesk.delete_token = lambda *_: None  # type: ignore[method-assign]  # it does nothing
    assert world.disconnect() is DisconnectOutcome.UNDER_WAY
    assert world.row.sealed is not None


def test_a_pair_that_is_wholly_dead_is_retired(world: World) -> None:
    """Neither token lives: there is nothing to revoke, and the connection ends."""
    world.zendesk.alive.clear()
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED
    assert world.rows.revocations[KEY] == "not_alive"


@pytest.mark.parametrize(
    "trace",
    [
        {"claim": Claim("theirs", BEGAN, unresolved=True)},
        {"reconnect_reason": "answer_lost", "status": ConnectionStatus.RECONNECT_REQUIRED},
    ],
    ids=["unresolved", "judged"],
)
def test_a_pair_that_was_lost_is_not_called_dead(world: World, trace: dict[str, object]) -> None:
    """R3: what we hold is dead, and Zendesk's last answer never came: whoever ends it is told that a pair may live."""
    world.change(**trace)
    world.zendesk.alive.clear()
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED
    assert world.rows.revocations[KEY] == "given_up"


@pytest.mark.parametrize(
    ("error", "revocation"),
    [
        (ProviderUnavailableError("504"), "given_up"),
        (UnintelligibleAnswerError("HTML"), "given_up"),
        (ProviderUnavailableError("429", throttled=True), "not_alive"),
        (ClientRejectedError("invalid_client"), "not_alive"),
    ],
    ids=str,
)
def test_a_disconnect_knows_what_it_may_have_spent_itself(
    world: World, error: ProviderError, revocation: str
) -> None:
    """Its own POST that got no answer may have rotated, and the next try is told so; one that was refused has not."""
    world.zendesk.alive.clear()
    world.zendesk.refreshed = error
    assert world.disconnect() is DisconnectOutcome.UNDER_WAY
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    world.clock.sleep((CLAIM_LIFE + REPLAY_ROUND).total_seconds())
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED
    assert world.rows.revocations[KEY] == revocation


def test_a_disconnect_without_its_keys_says_why(world: World) -> None:
    """R18: nothing is asked of Zendesk, the claim is given back, and the answer has the error's code."""
    world.keyring.error = KeyUnavailableError("denied")
    marked = world.ports.store.mark_disconnecting(world.row, world.clock.now())
    assert marked is not None
    answer = DisconnectConnection(world.ports)(marked, world.clock.monotonic() + 58)
    assert (answer.outcome, answer.cause) == (DisconnectOutcome.UNDER_WAY, "key_unavailable")
    assert (world.row.claim, world.zendesk.posts) == (None, 0)
