"""A refresh token that may have been spent, and its successor in the rescue queue: who waits, who asks, who posts.

The rule: a spent refresh token is posted again only after its successor had the time to be replayed, and what comes
out of the queue late, or over a verdict, is used only if Zendesk accepts it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.services.test_refreshing import ACME, LIFE, World, between, issued
from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    ProviderUnavailableError,
    StoreUnavailableError,
    UnrecognisedErrorError,
)
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import (
    CLAIM_LIFE,
    DEAD_HOLDER_ROUND,
    FRESH_REPLAY,
    REPLAY_ROUND,
    Claim,
    LossReason,
    RefreshAnswer,
    RefreshOutcome,
    RefreshQuestion,
    Renewal,
    Version,
)
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import LONGEST_REFRESH_LIFETIME, IssuedTokens, UnusableTokensError
from zendesk_oauth.ports.refresh import RefreshGrant
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.replay_rescued import ReplayAnswer, ReplayOutcome, ReplayRescued
from zendesk_oauth.services.revoke_token import Revocation

FUNCTION_SECONDS = 60.0
SERVED_WITHIN = 115.0
JUDGED = {
    "status": ConnectionStatus.RECONNECT_REQUIRED,
    "claim": None,
    "reconnect_reason": LossReason.ANSWER_LOST,
}


@pytest.fixture
def world() -> World:
    """Return a world of the test's own."""
    return World()


def ask(world: World) -> RefreshAnswer:
    """Ask for a refresh."""
    return RefreshConnection(world.ports)(
        RefreshQuestion("default", ACME), world.clock.monotonic() + FUNCTION_SECONDS
    )


def outcomes(world: World, seconds: float) -> list[tuple[float, RefreshOutcome]]:
    """Ask every second for so long, and return each new outcome with the time of its first."""
    began, seen = world.clock.seconds, [(0.0, ask(world).outcome)]
    while world.clock.seconds < began + seconds:
        world.clock.sleep(1)
        answer = ask(world).outcome
        if answer is not seen[-1][1]:
            seen.append((world.clock.seconds - began, answer))
    return seen


def rescued(world: World, age: float = 0.0) -> Renewal:
    """Return what a refresh had to leave in the queue, whose function has ended, after so many seconds more."""
    world.rows.failing_commits = 1_000
    assert world.refresh() is RefreshOutcome.RESCUED
    world.rows.failing_commits = 0
    (renewal,) = world.queue.sent
    world.queue.sent.clear()
    world.clock.sleep(age)
    return renewal


def replay(world: World, renewal: Renewal) -> ReplayAnswer:
    """Replay it, as the queue's consumer does."""
    return ReplayRescued(world.ports)(renewal, world.clock.monotonic() + FUNCTION_SECONDS - 2)


def late(world: World, **changes: object) -> Renewal:
    """Return a rescued renewal that is too old to be believed; its holder's claim has ended."""
    renewal = rescued(world, 600.0)
    world.change(**changes)
    return renewal


# -- who waits --


@pytest.mark.parametrize("hours", [47.9, 49.0], ids=["the old token dead", "the old token over"])
def test_r45_an_unresolved_refresh_token_is_posted_again_after_one_replay_round(
    world: World, hours: float
) -> None:
    """60 s from the moment the answer was lost, however often somebody asks; meanwhile nobody writes needlessly."""
    world.clock.seconds = timedelta(hours=hours).total_seconds()
    world.zendesk.refreshed = ProviderUnavailableError("HTTP 502")
    assert ask(world).outcome is RefreshOutcome.UNRESOLVED
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    world.zendesk.alive.clear()
    seen = {outcome: at for at, outcome in outcomes(world, 90)}
    assert seen[RefreshOutcome.RECONNECT_REQUIRED] == REPLAY_ROUND.total_seconds()
    assert seen.keys() == {
        RefreshOutcome.POSTPONED,
        RefreshOutcome.UNRESOLVED,
        RefreshOutcome.RECONNECT_REQUIRED,
    }
    assert world.zendesk.posts == 2


def test_r45_a_dead_holders_refresh_token_is_posted_again_in_time(world: World) -> None:
    """I10: its claim and the round after it leave a POST ten seconds of those within which a worker is served."""
    claim = Claim("theirs", world.clock.now() + CLAIM_LIFE)
    world.change(claim=claim)
    world.zendesk.alive.clear()
    seen = outcomes(world, SERVED_WITHIN - 10)
    assert seen[-1] == (105.0, RefreshOutcome.REFRESHED)
    assert world.zendesk.posts == 1


def test_r45_while_the_old_token_lives_nobody_waits(world: World) -> None:
    """R5: 200 says that nothing was rotated, so nothing can be in the queue: the POST is made at the next question."""
    world.zendesk.refreshed = ProviderUnavailableError("HTTP 502")
    assert ask(world).outcome is RefreshOutcome.UNRESOLVED
    world.zendesk.refreshed = issued(2)
    world.clock.sleep(15)
    assert ask(world).outcome is RefreshOutcome.REFRESHED


def test_r45_a_wait_says_until_when_and_keeps_the_moment(world: World) -> None:
    """A visit during the round answers when to come again, and does not begin the round anew."""
    world.zendesk.refreshed = ProviderUnavailableError("HTTP 502")
    ask(world)
    began, claim = world.clock.now(), world.row.claim
    world.zendesk.alive.clear()
    for seconds in (15, 30, 45):
        world.clock.seconds += 15
        answer = ask(world)
        assert answer.outcome is RefreshOutcome.UNRESOLVED
        assert answer.retry_at == began + timedelta(seconds=seconds + 15)
        assert claim is not None
        assert world.row.claim is not None
        assert (world.row.claim.until, world.row.claim.unresolved) == (began, True)


def test_r45_the_successor_is_back_before_the_round_ends(world: World) -> None:
    """Rotated, table down, rescued: who asks before the replay waits, and finds the replayed pair."""
    renewal = rescued(world)
    world.zendesk.alive.clear()
    world.clock.sleep(25)
    assert ask(world).outcome is RefreshOutcome.UNRESOLVED
    world.clock.sleep(14)
    world.zendesk.alive.add("a2")
    assert replay(world, renewal).outcome is ReplayOutcome.RESTORED
    assert (ask(world).outcome, world.zendesk.posts) == (RefreshOutcome.CURRENT, 1)


# -- who asks --


def test_a_fresh_replay_asks_nobody(world: World) -> None:
    """R6: nobody can have posted since, so the pair is committed though Zendesk's API is down."""
    renewal = rescued(world)
    world.change(claim=None)
    world.zendesk.asked = ProviderUnavailableError("HTTP 503")
    world.clock.seconds = (renewal.issued_at - world.row.issued_at + FRESH_REPLAY).total_seconds() - 1
    assert replay(world, renewal).outcome is ReplayOutcome.RESTORED


def test_a_replay_during_its_own_holders_claim_asks_nobody(world: World) -> None:
    """The table was down for most of the function's time: nobody else can have posted while the claim lives."""
    renewal = rescued(world)
    assert world.clock.now() - renewal.issued_at > FRESH_REPLAY
    world.zendesk.asked = ProviderUnavailableError("HTTP 503")
    assert replay(world, renewal).outcome is ReplayOutcome.RESTORED


@pytest.mark.parametrize("changes", [{}, {"claim": None}, JUDGED], ids=["claimed", "free", "judged"])
def test_a_late_pair_that_zendesk_accepts_is_restored(world: World, changes: dict[str, object]) -> None:
    """R6: 200, and the connection is active with it, also over a verdict; nothing is posted."""
    renewal = late(world, **changes)
    assert replay(world, renewal).outcome is ReplayOutcome.RESTORED
    assert (world.row.is_active, world.row.sealed, world.row.claim) == (True, renewal.sealed, None)
    assert world.zendesk.posts == 1


def test_a_pair_out_of_the_future_is_asked_about(world: World) -> None:
    """R13: by a clock that is behind, a late pair looks as if it had yet to be issued."""
    renewal = late(world)
    world.clock.seconds -= 900
    world.change(claim=None)
    world.zendesk.asked = ProviderUnavailableError("HTTP 503")
    with pytest.raises(ProviderUnavailableError):
        replay(world, renewal)


@pytest.mark.parametrize("changes", [{}, {"claim": None}, JUDGED], ids=["claimed", "free", "judged"])
def test_a_late_pair_of_which_nobody_says_anything_waits(world: World, changes: dict[str, object]) -> None:
    """The API is down: the message comes again, and what the row says of earlier attempts stays."""
    renewal = late(world, **changes)
    world.zendesk.asked = ProviderUnavailableError("HTTP 503")
    before = world.row
    with pytest.raises(ProviderUnavailableError):
        replay(world, renewal)
    after = world.row
    assert (after.status, after.sealed, after.version) == (before.status, before.sealed, before.version)
    assert (after.claim is None) is (before.claim is None)
    world.zendesk.asked = None
    assert replay(world, renewal).outcome is ReplayOutcome.RESTORED


def test_a_pair_whose_access_token_is_over_is_due_at_once(world: World) -> None:
    """Its refresh token is the only judge: the connection is active, and the next refresh decides."""
    renewal = late(world, **JUDGED)
    world.clock.sleep(timedelta(hours=49).total_seconds())
    assert replay(world, renewal).outcome is ReplayOutcome.RESTORED
    assert world.row.times.keep_alive_at == world.clock.now()
    world.zendesk.refreshed = issued(3)
    assert ask(world).outcome is RefreshOutcome.REFRESHED


def test_a_late_pair_waits_for_who_is_refreshing(world: World) -> None:
    """Somebody else holds the claim and may be posting: the message comes again."""
    renewal = late(world, claim=Claim("theirs", world.clock.now() + timedelta(seconds=900)))
    with pytest.raises(StoreUnavailableError, match="somebody else"):
        replay(world, renewal)
    world.change(claim=None)
    between(world, "find", lambda: world.change(claim=Claim("theirs", world.clock.now() + CLAIM_LIFE)))
    with pytest.raises(StoreUnavailableError, match="somebody else"):
        replay(world, renewal)


def test_a_verdict_between_the_read_and_the_commit_is_seen(world: World) -> None:
    """A fresh pair is written over no verdict before Zendesk was asked."""
    renewal = rescued(world)
    between(world, "find", lambda: world.change(**JUDGED))
    world.zendesk.asked = ProviderUnavailableError("HTTP 503")
    with pytest.raises(ProviderUnavailableError):
        replay(world, renewal)
    assert world.row.status is ConnectionStatus.RECONNECT_REQUIRED


def test_a_pair_that_has_a_successor_in_the_row_is_left_alone(world: World) -> None:
    """To revoke it would post a spent refresh token, and a server with reuse detection would end the row's pair."""
    renewal = rescued(world)
    world.change(version=Version(1, 3), claim=None)
    before = world.row
    assert replay(world, renewal).outcome is ReplayOutcome.RESTORED
    assert (world.row, world.zendesk.posts, world.rows.replaced) == (before, 1, [])


# -- who posts --


@pytest.mark.parametrize("changes", [{"claim": None}, JUDGED], ids=["active", "judged"])
def test_a_late_pair_that_the_api_calls_dead_is_posted(world: World, changes: dict[str, object]) -> None:
    """I11: an API can lie, so its refresh token decides; what Zendesk gives for it is the row's."""
    renewal = late(world, **changes)
    world.zendesk.alive.clear()
    world.zendesk.refreshed = issued(3)
    assert replay(world, renewal).outcome is ReplayOutcome.RESTORED
    assert (world.row.is_active, world.row.version, world.zendesk.posts) == (True, Version(1, 2), 2)


@pytest.mark.parametrize("changes", [{"claim": None}, JUDGED], ids=["active", "judged"])
def test_a_late_pair_that_zendesk_refuses_never_becomes_active(
    world: World, changes: dict[str, object]
) -> None:
    """R45: the family was revoked: no worker gets the pair, the message is done with, and no claim stays."""
    renewal = late(world, **changes)
    world.zendesk.alive.clear()
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    answer = replay(world, renewal)
    assert (answer.outcome, world.row.claim) == (ReplayOutcome.REFUSED, None)
    assert world.row.status is ConnectionStatus.RECONNECT_REQUIRED
    assert world.row.sealed != renewal.sealed


@pytest.mark.parametrize(
    "error",
    [ProviderUnavailableError("HTTP 503"), ClientRejectedError("invalid_client")],
    ids=lambda error: error.code,
)
def test_a_late_pair_that_cannot_be_posted_stays_in_the_queue(world: World, error: Exception) -> None:
    """Nothing is decided, so the message comes again; what may have been spent waits for another round."""
    renewal = late(world, claim=None)
    world.zendesk.alive.clear()
    world.zendesk.refreshed = error
    with pytest.raises(ProviderUnavailableError):
        replay(world, renewal)
    assert world.row.is_active
    if isinstance(error, ProviderUnavailableError):
        world.zendesk.refreshed = issued(3)
        posts = world.zendesk.posts
        with pytest.raises(ProviderUnavailableError):
            replay(world, renewal)
        assert world.zendesk.posts == posts
        world.clock.sleep(REPLAY_ROUND.total_seconds())
        assert replay(world, renewal).outcome is ReplayOutcome.RESTORED


def test_a_late_pair_whose_row_moves_during_its_post_is_superseded(world: World) -> None:
    """R14: a new install came in between: what the POST brought is revoked, and the row stays as it is."""
    renewal = late(world, claim=None)
    world.zendesk.alive.clear()
    world.zendesk.refreshed = issued(3)
    between(world, "claim", lambda: world.change(version=Version(2, 2), claim=None))
    answer = replay(world, renewal)
    assert (answer.outcome, answer.revocation) == (ReplayOutcome.SUPERSEDED, "revoked")
    assert (world.row.version, world.zendesk.alive) == (Version(2, 2), set())


# -- the late holder --


def test_r45_the_age_of_a_pair_counts_from_before_its_post(world: World) -> None:
    """R4: frozen between its last look at the clock and the POST, a holder leaves a late pair, and its replay asks."""
    post, asked_at = world.zendesk.refresh, world.clock.now()

    def frozen(grant: RefreshGrant, deadline: float) -> IssuedTokens:
        world.clock.sleep(300)
        return post(grant, deadline)

    world.zendesk.refresh = frozen  # type: ignore[method-assign]  # the same, late
    world.rows.failing_commits = 1_000
    assert ask(world).outcome is RefreshOutcome.RESCUED
    renewal = world.queue.sent[0]
    assert (renewal.issued_at, renewal.times.expires_at) == (asked_at, asked_at + LIFE)
    world.rows.failing_commits = 0
    world.zendesk.asked = ProviderUnavailableError("HTTP 503")
    with pytest.raises(ProviderUnavailableError):
        replay(world, renewal)
    assert (world.row.version, world.row.is_active) == (Version(1, 1), True)


def judging(world: World, then: Callable[[], None] = lambda: None) -> None:
    """Let the row be judged while the holder waits for Zendesk."""
    post = world.zendesk.refresh

    def answered(*arguments: object) -> object:
        fresh = post(*arguments)  # type: ignore[arg-type]  # handed on as they come
        world.change(**JUDGED)
        then()
        return fresh

    world.zendesk.refresh = answered  # type: ignore[assignment,method-assign]  # the same, with a verdict meanwhile


@pytest.mark.parametrize("failing", [0, 1])
def test_r4_a_late_answer_that_zendesk_accepts_takes_a_verdict_back(world: World, failing: int) -> None:
    """It is in the queue before it is asked about; the row is active again, though the queue fails once."""
    world.queue.failing = failing
    judging(world)
    assert ask(world).outcome is RefreshOutcome.REFRESHED
    assert (world.row.is_active, len(world.queue.sent)) == (True, 1 - failing)


def test_r45_a_late_answer_that_zendesk_has_revoked_is_left_to_its_replay(world: World) -> None:
    """Whoever judged has posted the token again, and the family is revoked: the verdict stays."""

    def revoke() -> None:
        world.zendesk.alive.clear()

    judging(world, revoke)
    assert ask(world).outcome is RefreshOutcome.RESCUED
    assert world.row.status is ConnectionStatus.RECONNECT_REQUIRED
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    world.zendesk.refresh = type(world.zendesk).refresh.__get__(world.zendesk)  # type: ignore[method-assign]
    assert {replay(world, renewal).outcome for renewal in world.queue.sent} == {ReplayOutcome.REFUSED}
    assert world.row.status is ConnectionStatus.RECONNECT_REQUIRED


def test_a_late_answer_whose_row_ends_during_the_question_is_revoked(world: World) -> None:
    """R14: a disconnect between the question and the commit finds the pair as superseded."""

    def end() -> None:
        find = world.zendesk.find_token_id

        def answered(*arguments: object) -> int | None:
            world.change(status=ConnectionStatus.DISCONNECTING)
            return find(*arguments)  # type: ignore[arg-type]  # handed on as they come

        world.zendesk.find_token_id = answered  # type: ignore[method-assign,assignment]

    judging(world, end)
    assert ask(world).outcome is RefreshOutcome.NOT_CONNECTED
    assert world.zendesk.alive == set()


# -- what came with a failure --


@pytest.mark.parametrize("refresh_token", [Secret("r2"), None], ids=["both tokens", "the access token"])
@pytest.mark.parametrize("failing", [0, 1], ids=["the table takes them", "the queue takes them"])
def test_r15_tokens_that_came_with_a_failure_are_kept_to_be_revoked(
    world: World, refresh_token: Secret | None, failing: int
) -> None:
    """They may live, so a job revokes them; they are never laid over the row's pair, which may live as well."""
    world.rows.failing_keeps = failing
    world.zendesk.refreshed = UnusableTokensError("tokens with HTTP 400", Secret("a2"), refresh_token)
    answer = ask(world)
    assert (answer.outcome, answer.cause) == (RefreshOutcome.UNRESOLVED, "unusable_tokens")
    assert (world.row.version, world.row.is_active) == (Version(1, 1), True)
    world.zendesk.alive.add("a2")
    for renewal in world.queue.sent:
        assert replay(world, renewal).outcome is ReplayOutcome.SUPERSEDED
    if not failing:
        (row,) = world.rows.replaced
        assert row.times.refresh_expires_at - row.issued_at == LONGEST_REFRESH_LIFETIME
        assert world.finish(row).finished
        assert world.rows.revocations[row.key] == Revocation.REVOKED
    assert world.zendesk.alive == {"a1"}


def test_an_access_token_that_cannot_be_used_is_told(world: World) -> None:
    """The pair is kept for its refresh token: no worker gets it, and a minute later it is refreshed."""
    world.zendesk.refreshed = replace(issued(2), access_lifetime=timedelta())
    answer = ask(world)
    assert (answer.outcome, answer.cause) == (RefreshOutcome.REFRESHED, "unusable_tokens")
    assert world.row.times.expires_at <= world.clock.now()
    world.zendesk.refreshed = issued(3)
    assert ask(world).outcome is RefreshOutcome.CURRENT
    world.clock.sleep(60)
    assert ask(world).outcome is RefreshOutcome.REFRESHED


def test_an_unknown_error_code_is_told(world: World) -> None:
    """For the log: what Zendesk calls it."""
    world.zendesk.refreshed = UnrecognisedErrorError("temporarily_unavailable")
    answer = ask(world)
    assert (answer.outcome, answer.cause) == (RefreshOutcome.UNRESOLVED, "unrecognised_error")
    assert answer.server_error == "temporarily_unavailable"


# -- what an API's word is worth --


def test_i12_a_probe_that_says_alive_leaves_the_doubt(world: World) -> None:
    """An earlier holder may post after the probe: a later refusal is told as a lost answer, not as an admin's doing."""
    world.change(claim=Claim("frozen", world.clock.now()))
    world.zendesk.refreshed = GrantRejectedError("invalid_grant")
    answer = ask(world)
    assert (answer.outcome, world.zendesk.posts) == (RefreshOutcome.RECONNECT_REQUIRED, 1)
    assert world.row.reconnect_reason == LossReason.ANSWER_LOST


def test_i12_the_doubt_outlives_a_post_that_was_not_sent(world: World) -> None:
    """The next visit still knows that the refresh token may have been spent before."""
    world.change(claim=Claim("frozen", world.clock.now()))
    world.zendesk.refreshed = ProviderUnavailableError("no connection", nothing_sent=True)
    assert ask(world).outcome is RefreshOutcome.POSTPONED
    assert world.row.claim is not None
    assert world.row.claim.unresolved


@pytest.mark.parametrize("lives", [True, False], ids=["lives", "is dead"])
def test_r45_a_holder_who_comes_too_late_asks_before_it_commits(world: World, *, lives: bool) -> None:
    """R4: another may have posted since, and a server with reuse detection has revoked what this one holds."""
    answered = world.zendesk.refresh

    def late_answer(grant: RefreshGrant, deadline: float) -> IssuedTokens:
        tokens = answered(grant, deadline)
        world.clock.sleep((CLAIM_LIFE + DEAD_HOLDER_ROUND).total_seconds())
        if not lives:
            world.zendesk.alive.clear()
        return tokens

    world.zendesk.refresh = late_answer  # type: ignore[method-assign] # the answer is late
    outcome = ask(world).outcome
    assert outcome is (RefreshOutcome.REFRESHED if lives else RefreshOutcome.RESCUED)
    assert (world.row.version == Version(1, 2)) is lives
    assert world.queue.sent


def test_i12_one_lying_401_does_not_end_a_fresh_pair(world: World) -> None:
    """A pair that was issued to be revoked, and that the API then calls dead, is asked of the token endpoint again."""
    row = world.supersede(times=replace(world.row.times, expires_at=world.clock.now()))
    world.zendesk.asked = None
    alive = world.zendesk.find_token_id
    world.zendesk.find_token_id = lambda *_: None  # type: ignore[method-assign] # it lies
    assert not world.finish(row).finished
    (kept,) = world.rows.replaced
    world.zendesk.find_token_id = alive  # type: ignore[method-assign] # and no more
    world.zendesk.alive = {"a2"}
    world.clock.sleep(REPLAY_ROUND.total_seconds())
    assert world.finish(kept).finished
    assert (world.rows.revocations[kept.key], world.zendesk.alive) == (Revocation.REVOKED, set())
