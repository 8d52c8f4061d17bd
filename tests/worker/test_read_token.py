"""Reading a token: what each state of the row leads to, in which calls, and within which time."""

from datetime import timedelta

import pytest

from tests.worker.doubles import ACME, BEGAN, START, World, failing, row, token_of
from zendesk_oauth.errors import (
    ConfigurationError,
    MissingScopeError,
    ReconnectRequiredError,
    RefreshPendingError,
)
from zendesk_oauth.models.refresh import RefreshOutcome
from zendesk_oauth.models.token import (
    HANDED_OVER,
    IN_PROGRESS,
    LEAST_LIFE,
    AccessToken,
    RefreshRequest,
    TokenQuestion,
)
from zendesk_oauth.services.await_token import GRACE_SECONDS, LONGEST_PAUSE, READ_AGAIN, WAIT, pauses

UNTIL = 55.0
DUE = 300.0
"""Seconds left of a token that is due for refresh, and still lives."""


def ask(world: World, **question: object) -> AccessToken:
    """Ask for the token."""
    return world.read_token(TokenQuestion("default", ACME, **question), UNTIL)  # type: ignore[arg-type] # the test's own names


def claimed(generation: int = 1, lives: float = DUE, until: float = 70.0) -> object:
    """Return a row that somebody refreshes."""
    return row(generation, lives, claimed_until=BEGAN + timedelta(seconds=until))


def test_a_cold_read_costs_one_cheap_read_and_one_key() -> None:
    """Nothing else is asked for a token that is not due."""
    world = World(row())
    assert ask(world) == token_of(row())
    assert (world.rows.reads, world.keys.opened, world.refresh.asked) == (["eventual"], [1], [])


def test_all_that_is_asked_for_is_looked_at_in_one_read() -> None:
    """Scopes that are covered and time that is left cost nothing more."""
    world = World(row())
    assert ask(world, scopes=("tickets:read",), min_ttl=timedelta(minutes=30)).generation == 1
    assert world.rows.reads == ["eventual"]


@pytest.mark.parametrize(
    "stale", [None, row(status="reconnect_required"), row(scopes=("users:read",)), row(lives=DUE)]
)
def test_a_stale_read_never_gives_a_verdict(stale: object) -> None:
    """What an eventually consistent read shows against the token is read again before it is believed."""
    world = World(row(2))
    world.rows.stale = [stale]  # type: ignore[list-item]
    assert ask(world, scopes=("tickets:read",)).generation == 2
    assert (world.rows.reads, world.refresh.asked) == (["eventual", "strong"], [])


@pytest.mark.parametrize(
    ("stored", "reason", "since"),
    [
        (None, "not_connected", None),
        (row(status="reconnect_required", reason="answer_lost", since=BEGAN), "answer_lost", BEGAN),
        (row(status="disconnecting", since=BEGAN), "disconnecting", BEGAN),
        (row(status="disconnected"), "disconnected", None),
    ],
)
def test_i4_no_token_of_a_connection_that_is_not_active(stored: object, reason: str, since: object) -> None:
    """The error says why, since when, and where to connect again; nobody is asked to refresh."""
    world = World(stored)  # type: ignore[arg-type]
    with pytest.raises(ReconnectRequiredError) as caught:
        ask(world)
    assert (caught.value.reason, caught.value.since) == (reason, since)
    assert caught.value.reconnect_url == f"{START}?subdomain=acme&grant=default"
    assert (world.rows.reads, world.keys.opened, world.refresh.asked) == (["eventual", "strong"], [], [])


def test_without_an_open_start_there_is_no_link() -> None:
    """Where installs begin by invitation, nobody is sent to an address that would refuse them."""
    world = World()
    world.read_token.reconnect_url = None
    with pytest.raises(ReconnectRequiredError) as caught:
        ask(world)
    assert caught.value.reconnect_url is None


@pytest.mark.parametrize("lives", [3600.0, DUE, -1.0])
def test_a_missing_scope_is_said_at_once(lives: float) -> None:
    """Even where a refresh is due: it would not help, and so nobody is asked for one."""
    world = World(row(lives=lives))
    with pytest.raises(MissingScopeError) as caught:
        ask(world, scopes=("tickets:read", "tickets:write", "read"))
    assert caught.value.scopes == ("tickets:write", "read")
    assert (world.rows.reads, world.refresh.asked) == (["eventual", "strong"], [])


@pytest.mark.parametrize("outcome", ["refreshed", "current"])
@pytest.mark.parametrize("lives", [DUE, -1.0])
def test_a_due_token_is_refreshed_by_one_request(outcome: str, lives: float) -> None:
    """One cheap read, one strong one, one request with all the time there is, one strong read of what it brought."""
    world = World(row(lives=lives))
    world.refresh.acts = [world.report(outcome, row(2))]
    assert ask(world).generation == 2
    assert world.rows.reads == ["eventual", "strong", "strong"]
    assert world.refresh.asked == [(RefreshRequest("default", ACME), UNTIL)]
    assert (world.keys.opened, world.time.sleeps) == ([2], [])


def test_r22_a_401_is_answered_by_a_newer_token_that_is_there_already() -> None:
    """A strong read finds what somebody else's refresh has left, and nobody is asked."""
    world = World(row(8))
    assert ask(world, newer_than=7).generation == 8
    assert (world.rows.reads, world.refresh.asked) == (["strong"], [])


def test_r22_a_401_with_the_stored_token_is_put_to_refresh() -> None:
    """The request names the version that failed: only then does `refresh` look into a token that is not due."""
    world = World(row(7))
    world.refresh.acts = [world.report("refreshed", row(8))]
    assert ask(world, newer_than=7).generation == 8
    assert [request for request, _ in world.refresh.asked] == [RefreshRequest("default", ACME, (1, 7))]
    assert world.rows.reads == ["strong", "strong"]


def test_a_failed_token_that_zendesk_calls_alive_is_given_again() -> None:
    """`current` is Zendesk's own word, so the 401 was about something else; the generation shows it."""
    world = World(row(7))
    world.refresh.acts = [world.report("current")]
    assert ask(world, newer_than=7).generation == 7
    assert len(world.refresh.asked) == 1


def test_a_row_older_than_the_failed_token_is_put_to_zendesk_before_it_is_believed() -> None:
    """A table restored from a backup: its token is most likely over, and given only if Zendesk calls it alive."""
    world = World(row(5))
    world.refresh.acts = [world.report("postponed"), world.report("current")]
    with pytest.raises(RefreshPendingError):
        ask(world, newer_than=7)
    assert ask(world, newer_than=7).generation == 5
    assert [request.failed for request, _ in world.refresh.asked] == [(1, 5), (1, 5)]
    assert world.keys.opened == [5]


@pytest.mark.parametrize("stored", [row(5), claimed(5)])
def test_what_replaces_an_older_row_is_new_although_it_counts_less(stored: object) -> None:
    """Its own refresh, or somebody else's: generation 6 is not older than 7 in anything but its number."""
    world = World(stored)  # type: ignore[arg-type]
    world.refresh.acts = [world.report("refreshed", row(6))]
    world.time.then = [(0.4, lambda: world.become(row(6)))]
    assert ask(world, newer_than=7).generation == 6
    assert len(world.refresh.asked) == (1 if stored == row(5) else 0)


@pytest.mark.parametrize("outcome", ["postponed", "unresolved", "client_rejected", "rescued", "unheard of"])
def test_where_no_refresh_can_be_had_the_old_token_is_given_as_long_as_it_lives(outcome: str) -> None:
    """One request, no further read."""
    world = World(row(lives=DUE))
    world.refresh.acts = [world.report(outcome)]
    assert ask(world).generation == 1
    assert (world.rows.reads, world.time.sleeps) == (["eventual", "strong"], [])


@pytest.mark.parametrize("outcome", ["postponed", "unresolved", "client_rejected", "rescued"])
@pytest.mark.parametrize(("lives", "newer_than"), [(-1.0, None), (4.0, None), (3600.0, 1)])
def test_i4_a_token_that_is_over_or_has_failed_is_never_given(
    outcome: str, lives: float, newer_than: int | None
) -> None:
    """The error says when to ask again."""
    world = World(row(lives=lives))
    world.refresh.acts = [world.report(outcome, retry_at=BEGAN + timedelta(seconds=15))]
    with pytest.raises(RefreshPendingError) as caught:
        ask(world, newer_than=newer_than)
    assert caught.value.retry_after == timedelta(seconds=15)
    assert world.keys.opened == []


def test_an_instant_that_is_over_means_at_once() -> None:
    """Never a negative time to wait."""
    world = World(row(lives=-1.0))
    world.refresh.acts = [world.report("postponed", retry_at=BEGAN - timedelta(seconds=5))]
    with pytest.raises(RefreshPendingError) as caught:
        ask(world)
    assert caught.value.retry_after == timedelta()


@pytest.mark.parametrize("outcome", ["reconnect_required", "not_connected"])
def test_a_verdict_of_refresh_is_read_in_the_row(outcome: str) -> None:
    """The row knows the reason, and since when."""
    world = World(row(lives=DUE))
    judged = row(status="reconnect_required", reason="grant_rejected", since=BEGAN)
    world.refresh.acts = [world.report(outcome, judged)]
    with pytest.raises(ReconnectRequiredError) as caught:
        ask(world)
    assert caught.value.reason == "grant_rejected"
    assert world.rows.reads == ["eventual", "strong", "strong"]


def test_a_new_install_in_between_outlives_the_verdict() -> None:
    """Whoever connected again while the old connection was judged has a token, and gets it."""
    world = World(row(lives=DUE))
    world.refresh.acts = [world.report("reconnect_required", row(2, epoch=2))]
    assert ask(world).epoch == 2


def test_an_unreachable_refresh_does_not_stop_a_token_that_lives() -> None:
    """The old one is given, and when it is over, the error is that of the request."""
    pending = RefreshPendingError("throttled", retry_after=timedelta(seconds=1))
    world = World(row(lives=DUE))
    world.refresh.acts = [failing(pending), failing(pending)]
    assert ask(world).generation == 1
    world.become(row(lives=-1.0))
    with pytest.raises(RefreshPendingError) as caught:
        ask(world)
    assert caught.value is pending


def test_a_role_that_may_not_ask_is_told_at_once() -> None:
    """Not only when the last token is over."""
    world = World(row(lives=DUE))
    world.refresh.acts = [failing(ConfigurationError(("may not",)))]
    with pytest.raises(ConfigurationError):
        ask(world)


def test_an_ordinary_refresh_by_somebody_else_is_waited_for() -> None:
    """Its old token would die under the call; a few looks, and nobody else is asked."""
    world = World(claimed())  # type: ignore[arg-type]
    world.time.then = [(0.4, lambda: world.become(row(2)))]
    assert ask(world).generation == 2
    assert world.time.sleeps == pytest.approx([0.1, 0.16, 0.256])
    assert (world.rows.reads, world.refresh.asked) == (["eventual"] + ["strong"] * 4, [])


def test_a_slow_refresh_by_somebody_else_holds_nobody_up_while_the_old_token_lives() -> None:
    """After two seconds it is given: Zendesk is slow, or the holder is dead, and then it lives on."""
    world = World(claimed())  # type: ignore[arg-type]
    assert ask(world).generation == 1
    assert sum(world.time.sleeps) == pytest.approx(GRACE_SECONDS)
    assert world.refresh.asked == []


@pytest.mark.parametrize(
    ("lives", "question"),
    [(-1.0, {}), (3600.0, {"newer_than": 1}), (DUE, {"min_ttl": timedelta(minutes=8)})],
)
def test_what_cannot_be_given_is_waited_for_as_long_as_there_is_time(
    lives: float, question: dict[str, object]
) -> None:
    """A token that is over, failed, or shorter than wished: the refresh that is under way brings a better one."""
    world = World(claimed(lives=lives))  # type: ignore[arg-type]
    world.time.then = [(40.0, lambda: world.become(row(2)))]
    assert ask(world, **question).generation == 2
    assert 40 <= sum(world.time.sleeps) <= 40 + LONGEST_PAUSE


def test_waiting_ends_in_time() -> None:
    """A claim that outlives the caller's patience: the error is worth another try, and no look comes too late."""
    world = World(claimed(lives=-1.0))  # type: ignore[arg-type]
    with pytest.raises(RefreshPendingError) as caught:
        ask(world)
    assert caught.value.retry_after is None
    assert world.time.seconds == UNTIL
    assert world.refresh.asked == []


def test_r21_a_claim_whose_holder_died_is_taken_over_when_it_is_over() -> None:
    """The waiting worker itself asks, with the time that is left to it."""
    world = World(claimed(lives=-1.0, until=10.0))  # type: ignore[arg-type]
    world.refresh.acts = [world.report("refreshed", row(2))]
    assert ask(world).generation == 2
    [(_, seconds)] = world.refresh.asked
    assert UNTIL - 10 - LONGEST_PAUSE <= seconds <= UNTIL - 10


def test_in_progress_is_waited_for_and_asked_again_only_when_it_came_to_nothing() -> None:
    """The first request asked nobody for anything; the second hears why there is no token."""
    world = World(row(lives=-1.0))
    world.refresh.acts = [world.report("in_progress"), world.report("postponed")]
    with pytest.raises(RefreshPendingError):
        ask(world)
    assert (len(world.refresh.asked), world.time.sleeps) == (2, [0.1])
    assert world.rows.reads == ["eventual", "strong", "strong"]


def test_what_was_handed_over_is_only_looked_for() -> None:
    """No second request, whatever the row looks like; the token is taken when it comes."""
    world = World(row(lives=-1.0))
    world.refresh.acts = [world.report("handed_over")]
    world.time.then = [(20.0, lambda: world.become(row(2)))]
    assert ask(world).generation == 2
    assert len(world.refresh.asked) == 1


def test_a_wish_that_no_token_could_fulfil_is_looked_into_once() -> None:
    """One strong read, and then the best there is, with its real end; where it is due, one request."""
    world = World(row())
    token = ask(world, min_ttl=timedelta(days=400))
    assert (token.expires_at, world.refresh.asked) == (row().expires_at, [])
    assert world.rows.reads == ["eventual", "strong"]
    world.become(row(lives=DUE))
    world.refresh.acts = [world.report("refreshed", row(2))]
    assert ask(world, min_ttl=timedelta(days=400)).generation == 2
    assert world.rows.reads[2:] == ["eventual", "strong", "strong"]
    assert len(world.refresh.asked) == 1


def test_a_token_on_its_last_seconds_counts_as_over() -> None:
    """It would be over before a call arrives."""
    at_the_edge = row(lives=LEAST_LIFE.total_seconds())
    world = World(at_the_edge)
    world.refresh.acts = [world.report("postponed")]
    assert ask(world).generation == 1
    world.time.seconds = 0.001
    world.refresh.acts = [world.report("postponed")]
    with pytest.raises(RefreshPendingError):
        ask(world)


def test_pauses_grow_and_are_drawn() -> None:
    """Between half and whole, so that a thousand workers part ways; never longer than the longest."""
    longest, shortest = pauses(lambda: 1.0), pauses(lambda: 0.0)
    grown = [0.1, 0.16, 0.256, 0.4096, 0.65536, 1.048576, 1.6777216, 2.0, 2.0]
    assert [next(longest) for _ in grown] == pytest.approx(grown)
    assert [next(shortest) for _ in grown] == pytest.approx([pause / 2 for pause in grown])


def test_the_outcomes_are_those_of_refresh() -> None:
    """They stand here as texts, so that a worker does not import the protocol; they must not drift."""
    known = {outcome.value for outcome in RefreshOutcome}
    assert READ_AGAIN | {IN_PROGRESS} <= known
    assert {IN_PROGRESS, HANDED_OVER} == WAIT
    assert HANDED_OVER not in known
