"""What goes on after a refresh: rescued renewals, unfinished connections, and the schedules that hand them over."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.unit.services.test_refreshing import ACME, BEGAN, KEY, LIFE, Clock, World, between, issued
from zendesk_oauth.errors import (
    GrantRejectedError,
    KeyUnavailableError,
    ProviderError,
    ProviderUnavailableError,
    RefreshPendingError,
    SealBrokenError,
    StoreError,
    StoreUnavailableError,
    TokenRefusedError,
    UnintelligibleAnswerError,
)
from zendesk_oauth.models.connection import (
    SHARDS,
    ConnectionStatus,
    connection_key,
    keep_alive_shard,
    token_times,
)
from zendesk_oauth.models.refresh import (
    CLAIM_LIFE,
    REPLAY_ROUND,
    Claim,
    DueConnection,
    LossReason,
    RefreshOutcome,
    RefreshQuestion,
    Renewal,
    Version,
)
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import UnusableTokensError
from zendesk_oauth.services.disconnect_connection import DisconnectOutcome
from zendesk_oauth.services.finish_connection import (
    LONGEST_REFRESH_LIFE,
    LONGEST_WAIT,
    SHORTEST_WAIT,
    FinishAnswer,
    FinishConnection,
)
from zendesk_oauth.services.hand_over_due import HandOverDue, shards_from
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.replay_rescued import ReplayAnswer, ReplayOutcome, ReplayRescued
from zendesk_oauth.services.retire_pair import OVER

FORBIDDEN = TokenRefusedError("HTTP 403", status=403)
DOWN = ProviderUnavailableError("503")


@pytest.fixture
def world() -> World:
    """Return a world of the test's own."""
    return World()


# -- the rescue queue --


def rescued(world: World) -> Renewal:
    """Return the renewal of a refresh whose store stayed down; the store is up again."""
    world.rows.failing_commits = 1_000
    assert world.refresh() is RefreshOutcome.RESCUED
    world.rows.failing_commits = 0
    return world.queue.sent[0]


def replay(world: World, renewal: Renewal, seconds: float = 58.0) -> ReplayAnswer:
    """Replay it with that much time."""
    return ReplayRescued(world.ports)(renewal, world.clock.monotonic() + seconds)


def test_a_replay_restores_what_the_store_missed(world: World) -> None:
    """R6: the pair that was issued while the store was down becomes the row's, and the claim is gone."""
    answer = replay(world, rescued(world))
    assert (answer.outcome, answer.connection) == (ReplayOutcome.RESTORED, world.row)
    assert (world.row.version, world.row.claim) == (Version(1, 2), None)


def test_a_replay_can_be_repeated(world: World) -> None:
    """R8: the second delivery finds its own commit id, and changes nothing."""
    renewal = rescued(world)
    replay(world, renewal)
    before, posts = world.row, world.zendesk.posts
    assert replay(world, renewal).outcome is ReplayOutcome.RESTORED
    assert (world.row, world.zendesk.posts) == (before, posts)


FAR_OFF = BEGAN + timedelta(days=3650)
TERMS: dict[str, object] = {
    "replaces": Version(1, 2),
    "scopes": ("impersonate",),
    "lost_scopes": ("users:read",),
    "issued_at": FAR_OFF,
}


@pytest.mark.parametrize("term", [*TERMS, "expires_at", "refresh_at", "refresh_expires_at", "keep_alive_at"])
def test_a_replay_on_other_terms_is_refused(world: World, term: str) -> None:
    """Its seals open, for they were made here; but for this renewal, and not for what the message says of it now."""
    renewal = rescued(world)
    before = world.row
    times: dict[str, Any] = {"times": replace(renewal.times, **({} if term in TERMS else {term: FAR_OFF}))}
    forged: dict[str, Any] = {term: TERMS[term]} if term in TERMS else times
    with pytest.raises(SealBrokenError, match="other terms"):
        replay(world, replace(renewal, **forged))
    assert world.row == before
    assert replay(world, renewal).outcome is ReplayOutcome.RESTORED


def test_a_pair_of_an_install_is_no_renewal(world: World) -> None:
    """The row's first pair was sealed for no terms at all: whoever has seen it cannot send it back."""
    row = world.row
    terms = (row.grant, row.subdomain, row.version, row.scopes, row.issued_at, row.times)
    with pytest.raises(SealBrokenError, match="other terms"):
        replay(world, Renewal(*terms, sealed=row.living_pair))


def test_a_replay_overrules_a_verdict(world: World) -> None:
    """Judged lost meanwhile, because nobody knew of the queue: the connection comes back."""
    renewal = rescued(world)
    judged = ConnectionStatus.RECONNECT_REQUIRED
    world.change(status=judged, reconnect_reason=LossReason.ANSWER_LOST, claim=None)
    assert replay(world, renewal).outcome is ReplayOutcome.RESTORED
    assert world.row.is_active


@pytest.mark.parametrize("status", [ConnectionStatus.DISCONNECTING, ConnectionStatus.ACTIVE])
def test_a_replay_that_nobody_wants_is_revoked(world: World, status: ConnectionStatus) -> None:
    """R14: disconnected or installed anew meanwhile: the pair is kept, revoked, forgotten; the row stays as it is."""
    renewal = rescued(world)
    elsewhere = Version(2, 2) if status is ConnectionStatus.ACTIVE else Version(1, 1)
    world.change(status=status, version=elsewhere, claim=None)
    before = world.row
    answer = replay(world, renewal)
    assert (answer.outcome, answer.revocation) == (ReplayOutcome.SUPERSEDED, "revoked")
    assert (world.row, world.zendesk.alive, world.rows.replaced) == (before, set(), [])


@pytest.mark.parametrize(
    ("seconds", "asked"), [(9.0, None), (58.0, DOWN)], ids=["no time", "Zendesk is down"]
)
def test_a_replay_that_cannot_revoke_leaves_it_to_the_schedule(
    world: World, seconds: float, asked: Exception | None
) -> None:
    """What lies in a row of its own is safe: the message is done with, and the row is named as unfinished."""
    renewal = rescued(world)
    world.change(version=Version(2, 2), claim=None)
    world.zendesk.asked = asked
    answer = replay(world, renewal, seconds)
    assert (answer.outcome, answer.revocation) == (ReplayOutcome.SUPERSEDED, None)
    [kept] = world.rows.replaced
    assert kept.sealed == renewal.sealed
    [unfinished] = world.rows.unfinished(keep_alive_shard(kept.key), world.clock.now())
    assert unfinished == DueConnection("default", ACME, renewal.issued_at, kept.replaced)


def test_a_replay_without_a_row_revokes(world: World) -> None:
    """The row was deleted by hand: nobody will use the pair, so it gets its own row, and must not live."""
    renewal = rescued(world)
    world.rows.rows.clear()
    answer = replay(world, renewal)
    assert (answer.outcome, answer.connection, answer.revocation) == (
        ReplayOutcome.SUPERSEDED,
        None,
        "revoked",
    )
    assert (world.zendesk.alive, world.rows.replaced) == (set(), [])


def test_a_replay_of_what_has_ended_changes_nothing(world: World) -> None:
    """R8: the second delivery finds the tombstone, and does not bring the pair back."""
    renewal = rescued(world)
    world.rows.rows.clear()
    replay(world, renewal)
    before = dict(world.rows.rows)
    assert replay(world, renewal) == ReplayAnswer(ReplayOutcome.SUPERSEDED)
    assert world.rows.rows == before


def test_a_replay_with_the_store_still_down_fails(world: World) -> None:
    """The queue keeps it."""
    renewal = rescued(world)
    world.rows.failing_commits = 1
    with pytest.raises(StoreUnavailableError):
        replay(world, renewal)


def test_a_store_that_refuses_the_commit_is_no_reason_to_lose_it(world: World) -> None:
    """R6: a request that can never be right, by a fault of ours: the only living pair goes into the queue."""

    def refuse(*_: object, **__: object) -> None:
        raise StoreError("ValidationException")

    world.rows.commit = refuse  # type: ignore[method-assign]  # whatever is written
    assert world.refresh() is RefreshOutcome.RESCUED
    assert len(world.queue.sent) == 1


def test_a_refresh_says_how_an_unwanted_pair_ended(world: World) -> None:
    """A fresh pair that may not be revoked is told, not swallowed."""
    between(world, "claim", lambda: world.change(version=Version(2, 2), claim=None))
    world.zendesk.deleted = FORBIDDEN
    question = RefreshQuestion("default", ACME)
    answer = RefreshConnection(world.ports)(question, world.clock.monotonic() + 60)
    assert (answer.outcome, answer.revocation) == (RefreshOutcome.CURRENT, "refused")


# -- unfinished connections --


def finish(world: World, seconds: float = 58.0) -> FinishAnswer:
    """Look after the connection with that much time."""
    return FinishConnection(world.ports)("default", ACME, world.clock.monotonic() + seconds)


def mark(world: World) -> None:
    """Begin a disconnect."""
    world.rows.mark_disconnecting(world.row, world.clock.now())


def ended(answer: FinishAnswer) -> str | None:
    """Return how what was looked after has ended."""
    return answer.disconnect.revocation if answer.disconnect else None


def test_each_replaced_pair_ends_by_itself(world: World) -> None:
    """Both die at Zendesk, the living pair does not, and the schedule comes no more."""
    for access in ("a0", "a9"):
        row = world.supersede(access)
        answer = world.finish(row)
        assert (answer.finished, ended(answer)) == (True, "revoked")
        assert world.finish(row) == FinishAnswer(finished=True)
    assert (world.zendesk.alive, world.rows.unfinished_at) == ({"a1"}, {})


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ProviderUnavailableError("HTTP 504"), "given_up"),
        (UnintelligibleAnswerError("HTML"), "given_up"),
        (ProviderUnavailableError("no route", nothing_sent=True), "not_alive"),
        (ProviderUnavailableError("HTTP 429", throttled=True), "not_alive"),
    ],
)
def test_a_replaced_pair_whose_answer_was_lost_is_not_called_dead(
    world: World, error: ProviderError, told: str
) -> None:
    """It had to be refreshed to be revoked; where Zendesk may have rotated it, what came in its place may live."""
    row = world.supersede()
    world.zendesk.alive.discard("a0")
    world.zendesk.refreshed = error
    first = world.finish(row)
    assert (first.finished, ended(first)) == (False, None)
    (left,) = world.rows.replaced
    assert left.may_have_lost is (told == "given_up")
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    world.clock.sleep((CLAIM_LIFE + REPLAY_ROUND).total_seconds())
    second = world.finish(row)
    assert (second.finished, ended(second)) == (True, told)
    assert world.rows.replaced == []


def test_tokens_that_come_with_a_failure_instead_of_a_replaced_pair_are_revoked(world: World) -> None:
    """They can be read, so they are stored and revoked as any pair that was issued to revoke another."""
    row = world.supersede()
    world.zendesk.alive = {"a2"}
    world.zendesk.refreshed = UnusableTokensError("tokens with HTTP 400", Secret("a2"), Secret("r2"))
    answer = world.finish(row)
    assert (answer.finished, ended(answer), world.zendesk.alive) == (True, "revoked", set())


@pytest.mark.parametrize(
    ("trace", "told"), [({}, OVER), ({"reconnect_reason": LossReason.ANSWER_LOST}, "given_up")]
)
def test_a_replaced_pair_that_is_over_says_nothing_of_one_that_was_lost(
    world: World, trace: dict[str, Any], told: str
) -> None:
    """When even the longest life is over, what was lost on the way may still have some."""
    row = world.supersede(**trace)
    world.clock.seconds += (LIFE + LONGEST_REFRESH_LIFE).total_seconds()
    assert ended(world.finish(row)) == told


def test_a_disconnect_goes_on_by_schedule(world: World) -> None:
    """The mark is there and nothing else has happened: revoked, erased, finished."""
    mark(world)
    answer = finish(world)
    assert answer.finished
    assert answer.disconnect is not None
    assert (answer.disconnect.outcome, answer.disconnect.revocation) == (
        DisconnectOutcome.DISCONNECTED,
        "revoked",
    )
    assert (world.row.sealed, world.zendesk.alive, world.rows.unfinished_at) == (None, set(), {})


def test_a_403_ends_it_and_is_told(world: World) -> None:
    """The grant may not delete, and no later try could: our copy is erased, and the answer says `refused`."""
    mark(world)
    world.zendesk.deleted = FORBIDDEN
    for row in (world.supersede(), world.row):
        answer = world.finish(row)
        assert (answer.finished, ended(answer)) == (True, "refused")
    assert (world.row.sealed, world.rows.replaced) == (None, [])


def test_nothing_is_left_to_do_where_there_is_no_row(world: World) -> None:
    """An index may be behind the table."""
    world.rows.rows.clear()
    assert finish(world) == FinishAnswer(finished=True)


def test_what_is_not_being_disconnected_is_left_alone(world: World) -> None:
    """An index may be behind the table: an install has come over it."""
    before = world.row
    assert finish(world) == FinishAnswer(finished=True)
    assert world.row == before


def test_without_time_nothing_begins(world: World) -> None:
    """A revocation that could not be awaited is not begun: neither of a replaced pair nor of a disconnect."""
    mark(world)
    for row in (world.supersede(), world.row):
        assert not world.finish(row, seconds=9).finished
        assert world.rows.rows[row.key] == row
    assert world.zendesk.alive == {"a0", "a1"}


def test_a_key_that_is_gone_leaves_the_pair_where_it_is(world: World) -> None:
    """R18: nothing is asked of Zendesk and nothing is erased."""
    row = world.supersede()
    world.keyring.error = KeyUnavailableError("disabled")
    answer = world.finish(row)
    assert answer.disconnect is not None
    assert (answer.finished, answer.disconnect.cause) == (False, "key_unavailable")
    assert [left.sealed for left in world.rows.replaced] == [row.sealed]


@pytest.mark.parametrize("is_replaced", [False, True])
def test_the_waits_of_a_disconnect_double_up_to_an_hour(world: World, *, is_replaced: bool) -> None:
    """R26: an account that never answers is asked ever less often; the row itself says when it was last."""
    mark(world)
    row = world.supersede() if is_replaced else world.row
    world.zendesk.asked = world.zendesk.refreshed = DOWN
    waits = []
    for _ in range(9):
        answer = world.finish(row)
        assert answer.retry_at is not None
        waits.append((answer.retry_at - world.clock.now()).total_seconds())
        assert world.rows.unfinished_at[row.key] == answer.retry_at
        world.clock.seconds = (answer.retry_at - BEGAN).total_seconds()
    assert waits[0] == SHORTEST_WAIT.total_seconds()
    assert waits == sorted(waits)
    assert all(later <= 2 * wait for wait, later in pairwise(waits))
    assert waits[-1] == LONGEST_WAIT.total_seconds()


def test_zendesk_s_own_wait_is_honoured(world: World) -> None:
    """R16: a Retry-After longer than our own wait is waited for."""
    mark(world)
    world.zendesk.asked = ProviderUnavailableError("429", throttled=True, retry_after=timedelta(minutes=9))
    assert finish(world).retry_at == world.clock.now() + timedelta(minutes=9)


def test_a_refresh_in_flight_is_waited_for(world: World) -> None:
    """Its claim is over before anybody revokes."""
    claim = Claim("theirs", world.clock.now() + CLAIM_LIFE)
    world.change(claim=claim)
    mark(world)
    assert finish(world).retry_at == claim.until


def test_what_is_over_by_every_clock_is_not_asked_about(world: World) -> None:
    """R26: 90 days later nothing of it can live, so an account that never answered ends here too."""
    row = world.supersede()
    mark(world)
    world.zendesk.asked = DOWN
    world.clock.seconds += (LONGEST_REFRESH_LIFE + LIFE).total_seconds()
    assert ended(world.finish(row)) == OVER
    answer = finish(world)
    assert answer.finished
    assert answer.disconnect is not None
    assert (answer.disconnect.outcome, answer.disconnect.revocation) == (DisconnectOutcome.DISCONNECTED, OVER)
    assert (world.row.status, world.row.sealed) == (ConnectionStatus.DISCONNECTED, None)
    assert world.zendesk.posts == 0


def test_what_is_over_stays_while_somebody_holds_the_claim(world: World) -> None:
    """A disconnect at work may have a fresh pair in hand: it is not erased under it."""
    mark(world)
    world.clock.seconds += (LONGEST_REFRESH_LIFE + LIFE).total_seconds()
    world.change(claim=Claim("theirs", world.clock.now() + CLAIM_LIFE))
    assert not finish(world).finished
    assert world.row.sealed is not None


def test_a_new_pair_meanwhile_is_not_erased_as_over(world: World) -> None:
    """The row moved between the read and the erasing: it is another version now."""
    mark(world)
    world.clock.seconds += (LONGEST_REFRESH_LIFE + LIFE).total_seconds()
    now = world.clock.now()
    renewed = replace(world.row, version=Version(1, 2), times=token_times(issued(2), now, 0.5))
    between(world, "find", lambda: world.rows.rows.update({KEY: renewed}))
    answer = finish(world)
    assert answer.disconnect is not None
    assert answer.disconnect.outcome is DisconnectOutcome.UNDER_WAY
    assert world.row.sealed is not None


def test_a_replaced_pair_that_is_dead_already_ends(world: World) -> None:
    """Deleted by the account's admin: the refresh token is refused as well."""
    row = world.supersede()
    world.zendesk.alive.discard("a0")
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    assert ended(world.finish(row)) == "not_alive"


# -- the schedules --


class Index:
    """The connections that are due, by their shards."""

    def __init__(self, number: int) -> None:
        self.names = [("default", Subdomain(f"acme{count}")) for count in range(number)]
        self.asked: list[str] = []

    def __call__(self, shard: str, now: datetime) -> Iterable[DueConnection]:
        """List one shard, whatever the time."""
        self.asked.append(shard)
        return [
            DueConnection(*name, now)
            for name in self.names
            if keep_alive_shard(connection_key(*name)) == shard
        ]


def test_every_due_connection_is_handed_over_once() -> None:
    """All the shards are listed, each once."""
    index, handed = Index(200), list[DueConnection]()
    yielded = list(HandOverDue(index, lambda connection: handed.append(connection), Clock())(60.0))  # noqa: PLW0108 - by its name
    assert sorted((each.grant, each.subdomain) for each in handed) == sorted(index.names)
    assert yielded == handed
    assert sorted(index.asked) == list(SHARDS)


def test_a_tick_stops_in_time() -> None:
    """Each handover takes five seconds: what does not fit is left to the next tick."""
    index, clock = Index(200), Clock()
    assert len(list(HandOverDue(index, lambda *_: clock.sleep(5.0), clock)(58.0))) == 12


def test_a_handover_that_fails_ends_the_tick() -> None:
    """What has been handed over stays so; the error is for the alarm."""
    handed: list[DueConnection] = []

    def throttled(connection: DueConnection) -> None:
        if len(handed) == 3:
            raise RefreshPendingError("throttled")
        handed.append(connection)

    tick = HandOverDue(Index(200), throttled, Clock())(60.0)
    with pytest.raises(RefreshPendingError):
        list(tick)
    assert len(handed) == 3


def test_no_shard_comes_last_for_ever() -> None:
    """Each tick of five minutes begins with another shard, until all have been first."""
    firsts = [next(shards_from(BEGAN + timedelta(minutes=5 * tick))) for tick in range(len(SHARDS))]
    assert sorted(firsts) == list(SHARDS)
