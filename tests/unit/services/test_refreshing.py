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
    Asked,
    Claim,
    Connection,
    LossReason,
    RefreshOutcome,
    RefreshQuestion,
    Renewal,
    Superseded,
    Version,
)
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, IssuedTokens, SealContext, SealedPair
from zendesk_oauth.ports.refresh import RefreshGrant
from zendesk_oauth.services.disconnect_connection import DisconnectConnection, DisconnectOutcome
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.services.retire_superseded import RetireSuperseded

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

    def unlock(self, context: SealContext, sealed: SealedPair) -> SimulatedPair:
        self.before()
        if self.error:
            raise self.error
        return SimulatedPair(
            Secret(opened(sealed.access_token, sealed.commit_id)),
            Secret(opened(sealed.refresh_token, sealed.commit_id)),
        )


@dataclass
class Rows(ConditionalRows):
    """Rows whose commits fail as often as the test says."""

    failing_commits: int = 0

    def commit(self, renewal: Renewal, *, disconnecting: bool = False) -> Connection | None:
        if self.failing_commits:
            self.failing_commits -= 1
            raise StoreUnavailableError("throttled")
        return super().commit(renewal, disconnecting=disconnecting)


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

    def disconnect(self) -> DisconnectOutcome:
        return DisconnectConnection(self.ports)("default", ACME).outcome


@pytest.fixture
def world() -> World:
    """Return a world of the test's own."""
    return World()


def dead_claim(world: World) -> Claim:
    """Return the claim of a worker who died with it."""
    return Claim("theirs", world.clock.now() - timedelta(seconds=1))


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
    assert world.disconnect() is DisconnectOutcome.NOT_CONNECTED
    assert RetireSuperseded(world.ports)("default", ACME) == 0


def test_without_time_to_finish_none_begins(world: World) -> None:
    """A POST that could not be awaited is not made: neither at first, nor after keys that took long."""
    assert world.refresh(seconds=20) is RefreshOutcome.POSTPONED
    world.keyring.before = lambda: world.clock.sleep(30)
    assert world.refresh() is RefreshOutcome.POSTPONED
    assert (world.zendesk.posts, world.row.claim) == (0, None)


def test_a_claim_that_somebody_took_first_is_theirs(world: World) -> None:
    """The claim is conditional: a row that moved between read and claim is left alone."""
    find = world.rows.find

    def stale(grant: str, subdomain: Subdomain) -> Connection | None:
        row = find(grant, subdomain)
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
    assert world.refresh() is RefreshOutcome.POSTPONED
    assert (world.zendesk.posts, world.row.claim) == (0, None)


def test_a_rejected_grant_ends_the_connection(world: World) -> None:
    """R25: `invalid_grant`, the same version and nobody else at it: the person must connect again."""
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    assert world.refresh() is RefreshOutcome.RECONNECT_REQUIRED
    assert world.row.reconnect_reason is LossReason.GRANT_REJECTED


def test_a_lost_answer_is_told_by_its_own_reason(world: World) -> None:
    """R3: an earlier attempt is unresolved and the old token dead long before its time: Zendesk rotated."""
    world.clock.seconds = timedelta(hours=1).total_seconds()
    world.change(claim=dead_claim(world))
    world.zendesk.alive.clear()
    assert world.refresh() is RefreshOutcome.RECONNECT_REQUIRED
    assert (world.row.reconnect_reason, world.zendesk.posts) == (LossReason.ANSWER_LOST, 0)


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


def test_a_commit_is_tried_again(world: World) -> None:
    """R6: a store that throttles for a while costs time, not a token."""
    world.rows.failing_commits = 4
    assert world.refresh() is RefreshOutcome.REFRESHED


def test_a_store_that_stays_down_leaves_the_answer_in_the_queue(world: World) -> None:
    """R6: near the end of the time the sealed answer is sent to the queue, again where that fails once."""
    world.rows.failing_commits = 1_000
    world.queue.failing = 1
    assert world.refresh() is RefreshOutcome.RESCUED
    assert [renewal.replaces for renewal in world.queue.sent] == [Version(1, 1)]


def test_a_disconnect_revokes_before_it_erases(world: World) -> None:
    """Marked, revoked by id, seen dead, erased; asked again, it is done."""
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED
    assert (world.row.status, world.row.sealed) == (ConnectionStatus.DISCONNECTED, None)
    assert world.zendesk.alive == set()
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED


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


def test_a_superseded_pair_is_revoked_and_forgotten(world: World) -> None:
    """What a new install replaced dies at Zendesk, and stays in the row until it has."""
    old = Superseded(seal("a1", "r1", "c0"), world.row.times.expires_at)
    world.rows.replaced.append(old)
    world.zendesk.asked = ProviderUnavailableError("503")
    assert RetireSuperseded(world.ports)("default", ACME) == 1
    world.zendesk.asked = None
    assert RetireSuperseded(world.ports)("default", ACME) == 0
    assert (world.zendesk.alive, world.rows.replaced) == (set(), [])


def between(world: World, method: str, then: Callable[[], None]) -> None:
    """Let something happen right after one call of the rows has been answered."""
    answer = getattr(world.rows, method)

    def answered(*arguments: object, **options: object) -> object:
        result = answer(*arguments, **options)
        setattr(world.rows, method, answer)
        then()
        return result

    setattr(world.rows, method, answered)


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


def test_a_disconnect_does_not_end_a_newer_install(world: World) -> None:
    """Asked of one epoch, it leaves the next alone."""
    between(world, "find", lambda: world.change(version=Version(2, 2)))
    assert world.disconnect() is DisconnectOutcome.REPLACED
    assert world.row.is_active


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


def test_a_disconnect_whose_row_is_gone_still_revokes(world: World) -> None:
    """The fresh pair that was to be kept first has no row: it is revoked all the same."""
    world.clock.seconds = timedelta(days=5).total_seconds()
    renewals: list[Renewal] = []

    def nowhere(renewal: Renewal, **_: bool) -> None:
        renewals.append(renewal)

    world.rows.commit = nowhere  # type: ignore[method-assign]  # as of a deleted row
    assert world.disconnect() is DisconnectOutcome.DISCONNECTED
    assert (len(renewals), world.zendesk.alive) == (1, set())
