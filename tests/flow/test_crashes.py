"""What breaks in the middle of an exchange, and what is left then: nothing alive that nobody knows of.

A fresh token ends as the connection's, as revoked, or sealed in its install's row until `revoke` has ended it.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from urllib.parse import urlsplit

import pytest

from local.zendesk.person import approve
from tests.flow.wire import (
    Fault,
    at_the_same_time,
    done_and_unanswered,
    refused,
    unanswered,
)
from tests.flow.world import Browser, MovableClock, World, state_of

TRANSACT = "dynamodb.TransactWriteItems"
UPDATE = "dynamodb.UpdateItem"
DATA_KEY = "kms.GenerateDataKey"
SECRET = "secretsmanager.GetSecretValue"
TRIES = 2
"""A call and the one repeat that bootstrap allows the SDK."""
CANDIDATE_OVER = timedelta(seconds=601)
ROUNDS = 6


def sealed_and_due(world: World, state: str) -> bool:
    """Tell whether the install's row keeps its token sealed, due for revocation."""
    return {"access_token", "access_token_key", "revoke_shard", "revoke_at"} <= world.install(state).keys()


def erased(world: World, state: str) -> bool:
    """Tell whether nothing sealed is left in the install's row, nor anything due."""
    return (
        not {"access_token", "access_token_key", "refresh_token", "revoke_at"} & world.install(state).keys()
    )


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between two tries."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@pytest.fixture(autouse=True)
def _at_once(no_pauses: None) -> None:
    """Let every test here have no pauses."""


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(unanswered, id="no answer"),
        pytest.param(refused("InternalServerError", 500), id="500"),
        pytest.param(refused("ThrottlingException"), id="throttled"),
        pytest.param(refused("ProvisionedThroughputExceededException"), id="out of throughput"),
    ],
)
def test_a_store_that_is_down_at_the_commit_leaves_a_sealed_token_to_revoke(
    world: World, browser: Browser, fault: Fault
) -> None:
    """The commit is not made: the install fails, keeps its token sealed, and the schedule revokes it."""
    callback = approve(browser.begin())
    world.wire.fail(TRANSACT, *[fault] * TRIES)

    assert browser.callback(callback).status == 503

    state = state_of(callback)
    assert world.status(state) == ("failed", "store_unavailable")
    assert (world.posts, world.alive, world.connection()) == (1, 1, None)
    assert sealed_and_due(world, state)
    assert world.revoke() == 0
    world.clock.advance(timedelta(seconds=61))
    assert world.revoke() == 1
    assert (world.alive, erased(world, state)) == (0, True)
    assert world.install(state)["revocation"]["S"] == "revoked"
    assert world.revoke() == 0


def test_a_commit_that_is_throttled_once_is_repeated(world: World, browser: Browser) -> None:
    """One throttle is nobody's business: the same commit is sent again."""
    world.wire.fail(TRANSACT, refused("ThrottlingException"))
    assert browser.connect().query["result"] == "connected"
    assert (world.posts, world.alive) == (1, 1)


def test_a_commit_that_was_made_although_its_answer_was_lost_is_recognised(
    world: World, browser: Browser
) -> None:
    """The SDK sends it again: one epoch, one POST, and the browser sees its success."""
    world.wire.fail(TRANSACT, done_and_unanswered)
    assert browser.connect().query["result"] == "connected"
    row = world.connection()
    assert row is not None
    assert (row["epoch"]["N"], row["generation"]["N"]) == ("1", "1")
    assert (world.posts, world.alive) == (1, 1)


def test_a_commit_whose_every_answer_was_lost_is_recognised(world: World, browser: Browser) -> None:
    """Made, and never answered: the failure cannot be written over it, so the connection stands."""
    callback = approve(browser.begin())
    world.wire.fail(TRANSACT, *[done_and_unanswered] * TRIES)
    assert browser.callback(callback).query["result"] == "connected"
    assert world.status(state_of(callback)) == ("connected", None)
    assert (world.posts, world.alive) == (1, 1)
    world.clock.advance(CANDIDATE_OVER)
    assert (world.revoke(), world.alive) == (0, 1)


def test_a_lost_commit_leaves_the_old_connection_as_it_was(world: World, browser: Browser) -> None:
    """A reinstall that cannot be stored changes nothing of what works."""
    browser.connect()
    before = world.connection()
    world.wire.fail(TRANSACT, *[unanswered] * TRIES)
    assert browser.connect().status == 503
    assert world.connection() == before
    world.clock.advance(timedelta(seconds=61))
    assert world.revoke() == 1
    assert world.connection() == before
    assert world.alive == 1


def test_a_store_that_is_down_for_good_revokes_at_once(world: World, browser: Browser) -> None:
    """Where not even the failure can be written, the token is revoked there and then."""
    callback = approve(browser.begin())
    world.wire.fail(TRANSACT, *[unanswered] * TRIES)
    world.wire.fail(UPDATE, lambda _: None, *[unanswered] * TRIES)
    assert browser.callback(callback).status == 503
    assert (world.posts, world.alive, world.connection()) == (1, 0, None)
    assert world.status(state_of(callback)) == ("exchanging", None)
    world.clock.advance(timedelta(seconds=61))
    again = browser.callback(callback)
    assert (again.status, "interrupted" in again.body) == (500, True)


def test_a_store_that_is_down_at_the_beginning_asks_nobody(world: World, browser: Browser) -> None:
    """The install cannot be consumed: 503 with a Retry-After, no POST, and the same address works later."""
    callback = approve(browser.begin())
    world.wire.fail(UPDATE, *[unanswered] * TRIES)
    answer = browser.callback(callback)
    assert (answer.status, answer.headers["retry-after"], world.posts) == (503, "5", 0)
    assert browser.callback(callback).query["result"] == "connected"


def test_a_consumption_whose_answer_was_lost_is_recognised(world: World, browser: Browser) -> None:
    """The SDK's repeat finds its own attempt in the row, and goes on with the one exchange."""
    callback = approve(browser.begin())
    world.wire.fail(UPDATE, done_and_unanswered)
    assert browser.callback(callback).query["result"] == "connected"
    assert world.posts == 1


def test_a_start_whose_answer_was_lost_is_recognised(world: World, browser: Browser) -> None:
    """A put that was made is not taken for somebody else's."""
    world.wire.fail("dynamodb.PutItem", done_and_unanswered)
    assert browser.connect().query["result"] == "connected"
    assert len(world.rows("installs")) == 1


def test_a_start_without_a_store_sends_nobody_to_zendesk(world: World, browser: Browser) -> None:
    """503 without a cookie and without a way to go."""
    world.wire.fail("dynamodb.PutItem", *[unanswered] * TRIES)
    answer = browser.start()
    assert (answer.status, answer.location, answer.cookies) == (503, "", ())


@pytest.mark.parametrize(
    ("operation", "fault", "reason", "status"),
    [
        (DATA_KEY, refused("AccessDeniedException"), "key_unavailable", 503),
        (DATA_KEY, refused("ThrottlingException"), "key_unavailable", 503),
        (DATA_KEY, refused("DisabledException"), "key_unavailable", 503),
        (DATA_KEY, refused("KMSInvalidStateException"), "key_unavailable", 503),
        (DATA_KEY, unanswered, "key_unavailable", 503),
        (SECRET, refused("AccessDeniedException"), "configuration", 500),
        (SECRET, refused("ResourceNotFoundException"), "configuration", 500),
        (SECRET, refused("InternalServiceError", 500), "secret_unavailable", 503),
        (SECRET, unanswered, "secret_unavailable", 503),
    ],
)
@pytest.mark.parametrize("calls_before", [0, 1])
def test_without_a_key_or_the_secret_no_code_is_spent(
    world: World, browser: Browser, operation: str, fault: Fault, reason: str, status: int, calls_before: int
) -> None:
    """What is needed to send and to keep is in hand before the one POST; here none is made."""
    if operation == SECRET and calls_before:
        world.zendesk.client.accept_secrets("another-one")
        container = world.account.cold("callback")
        browser.callback(approve(browser.begin()), container)
        world.zendesk.seen.clear()
    else:
        container = world.account.cold("callback")
        world.wire.fail(operation, *[lambda _: None] * calls_before)
    callback = approve(browser.begin())
    world.wire.fail(operation, *[fault] * TRIES)

    answer = browser.callback(callback, container)

    assert (answer.status, reason in answer.body) == (status, True)
    assert world.status(state_of(callback)) == ("failed", reason)
    assert (world.posts, world.alive, world.connection()) == (0, 0, None)


@pytest.mark.parametrize("kind", ["server_error", "lost", "too_many_requests", "html", "redirect"])
def test_a_revocation_that_fails_is_left_sealed_and_done_later(
    world: World, browser: Browser, kind: str
) -> None:
    """The token of a wrong role lives on at Zendesk: it waits sealed, and the schedule ends it after a minute."""
    callback = approve(browser.begin(), "agent")
    world.zendesk.misbehave(kind, endpoint="current_token")
    assert browser.callback(callback).status == 403
    state = state_of(callback)
    assert world.status(state) == ("failed", "wrong_role")
    assert (world.alive, sealed_and_due(world, state)) == (1, True)
    world.clock.advance(timedelta(seconds=61))
    assert world.revoke() == 1
    assert (world.alive, erased(world, state)) == (0, True)
    assert world.status(state) == ("failed", "wrong_role")


def test_a_revocation_that_keeps_failing_is_tried_again_after_its_lease(
    world: World, browser: Browser
) -> None:
    """A run that is answered badly loses nothing: five minutes later the next takes it up."""
    callback = approve(browser.begin(), "agent")
    world.zendesk.misbehave("server_error", endpoint="current_token", times=2)
    browser.callback(callback)
    for wait, alive in ((61, 1), (200, 1), (101, 0)):
        world.clock.advance(timedelta(seconds=wait))
        world.revoke()
        assert world.alive == alive
    assert erased(world, state_of(callback))


def test_a_run_that_dies_after_its_lease_loses_nothing(world: World, browser: Browser) -> None:
    """KMS is away when the token is to be opened: the run ends with an error, and a later one does it."""
    callback = approve(browser.begin(), "agent")
    world.zendesk.misbehave("server_error", endpoint="current_token")
    browser.callback(callback)
    world.clock.advance(timedelta(seconds=61))
    world.wire.fail("kms.Decrypt", *[refused("ThrottlingException")] * TRIES)
    with pytest.raises(Exception, match="ThrottlingException"):
        world.revoke()
    world.clock.advance(timedelta(seconds=301))
    assert (world.revoke(), world.alive) == (1, 0)
    assert erased(world, state_of(callback))


def test_a_revocation_that_zendesk_does_not_permit_is_told_and_ended(world: World, browser: Browser) -> None:
    """A grant that may not delete its token is not asked for ever; the row says that it was refused."""
    callback = approve(browser.begin(), "agent")
    world.zendesk.switches.refuse_delete = True
    browser.callback(callback)
    world.clock.advance(timedelta(seconds=61))
    assert world.revoke() == 1
    assert world.install(state_of(callback))["revocation"]["S"] == "refused"
    assert erased(world, state_of(callback))


def test_an_unconfirmed_candidate_is_revoked_after_its_time(confirmed: World) -> None:
    """Ten minutes after Allow without a confirmation the token is dead at Zendesk, and the install abandoned."""
    handle = candidate(confirmed)
    confirmed.clock.advance(timedelta(seconds=595))
    assert (confirmed.revoke(), confirmed.alive) == (0, 1)
    confirmed.clock.advance(timedelta(seconds=10))
    assert (confirmed.revoke(), confirmed.alive) == (1, 0)
    assert confirmed.status(handle) == ("abandoned", "unconfirmed")
    assert erased(confirmed, handle)
    assert confirmed.confirm(handle).status == 403


def test_a_confirmed_candidate_is_left_alone(confirmed: World) -> None:
    """Nothing is due once the candidate has become the connection; confirming again says the same."""
    handle = candidate(confirmed)
    answers = [confirmed.confirm(handle) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].body == answers[1].body
    assert erased(confirmed, handle)
    confirmed.clock.advance(CANDIDATE_OVER)
    assert (confirmed.revoke(), confirmed.alive) == (0, 1)
    row = confirmed.connection()
    assert row is not None
    assert row["epoch"]["N"] == "1"


def test_a_confirmation_whose_answer_was_lost_is_recognised(confirmed: World) -> None:
    """Made and unanswered, once or for good: asking again gives the connection, of one epoch."""
    handle = candidate(confirmed)
    confirmed.wire.fail(TRANSACT, *[done_and_unanswered] * TRIES)
    assert confirmed.confirm(handle).status == 503
    assert confirmed.confirm(handle).status == 200
    row = confirmed.connection()
    assert row is not None
    assert row["epoch"]["N"] == "1"


def test_a_candidate_whose_write_was_lost_is_recognised(confirmed: World) -> None:
    """The SDK's repeat finds its own commit in the row: still a candidate, still to be confirmed."""
    browser = Browser(confirmed)
    callback = approve(browser.begin(urlsplit(confirmed.invite()).query))
    confirmed.wire.fail(UPDATE, lambda _: None, done_and_unanswered)
    handle = browser.callback(callback).query["handle"]
    assert confirmed.confirm(handle).status == 200


@pytest.mark.parametrize("number", range(ROUNDS))
def test_confirming_and_revoking_at_the_last_second_never_both_win(confirmed: World, number: int) -> None:
    """With clocks apart and both at once: a connection with a living token, or neither."""
    handle = candidate(confirmed)
    late = MovableClock(CANDIDATE_OVER)
    confirming = confirmed.handler("installs")
    revoking = confirmed.account.cold("revoke", clock=late)
    gate = Barrier(2)

    def confirm() -> int:
        gate.wait()
        return confirmed.confirm(handle, handler=confirming).status

    def revoke() -> int:
        gate.wait()
        return confirmed.revoke(revoking)

    works = (confirm, revoke) if number % 2 else (revoke, confirm)
    with ThreadPoolExecutor(2) as pool:
        futures = {work.__name__: pool.submit(work) for work in works}
        ended = {name: future.result() for name, future in futures.items()}

    connected = confirmed.connection() is not None
    assert ended == ({"confirm": 200, "revoke": 0} if connected else {"confirm": 403, "revoke": 1})
    assert confirmed.alive == int(connected)
    assert erased(confirmed, handle)


@pytest.mark.parametrize("first", ["confirm", "revoke"])
def test_confirming_and_revoking_between_read_and_write(confirmed: World, first: str) -> None:
    """Whoever comes in between the other's look and its write has won, and the other changes nothing."""
    handle = candidate(confirmed)
    revoking = confirmed.account.cold("revoke", clock=MovableClock(CANDIDATE_OVER))
    if first == "revoke":
        confirmed.wire.fail(TRANSACT, at_the_same_time(lambda: confirmed.revoke(revoking)))
        assert confirmed.confirm(handle).status == 403
        assert (confirmed.alive, confirmed.connection()) == (0, None)
    else:
        confirmed.wire.fail(UPDATE, at_the_same_time(lambda: confirmed.confirm(handle)))
        assert confirmed.revoke(revoking) == 0
        assert confirmed.alive == 1
        assert confirmed.connection() is not None


def test_a_confirmation_that_cannot_be_stored_changes_nothing(confirmed: World) -> None:
    """503 to the backend, the candidate as it was, and the next try succeeds."""
    handle = candidate(confirmed)
    before = confirmed.install(handle)
    confirmed.wire.fail(TRANSACT, *[unanswered] * TRIES)
    assert confirmed.confirm(handle).status == 503
    assert (confirmed.install(handle), confirmed.connection()) == (before, None)
    assert confirmed.confirm(handle).status == 200


def test_a_sealed_token_moved_to_another_row_is_not_opened(world: World, browser: Browser) -> None:
    """Two sealed tokens are swapped in the table: neither opens there, and the run says so and goes on."""
    states = []
    for subdomain in ("acme", "globex"):
        callback = approve(browser.begin(f"subdomain={subdomain}"), "agent")
        world.zendesk.misbehave("server_error", endpoint="current_token")
        browser.callback(callback)
        states.append(state_of(callback))
    rows = [world.install(state) for state in states]
    for row, other in (rows, rows[::-1]):
        swapped = row | {name: other[name] for name in ("access_token", "access_token_key")}
        world.account.dynamodb.put_item(TableName=world.account.tables.installs, Item=swapped)
    world.clock.advance(timedelta(seconds=61))
    assert world.revoke() == 2
    assert [world.install(state)["revocation"]["S"] for state in states] == ["unreadable"] * 2


def candidate(world: World) -> str:
    """Press an invitation and Allow; return the handle that comes back."""
    return Browser(world).connect(urlsplit(world.invite()).query).query["handle"]
