"""Store, key service and client secret fail around the one POST: what Zendesk gave is kept, or nothing was spent."""

import time

import pytest

from tests.flow.wire import Fault, done_and_unanswered, refused, unanswered
from tests.processes.scene import CLAIM_OVER, DUE, FUNCTION_SECONDS, REPLAYED, Scene
from zendesk_oauth.adapters.rescue_message import renewal_of
from zendesk_oauth.models.refresh import GENERATIONS_PER_DATA_KEY, LossReason, RefreshOutcome
from zendesk_oauth.services.replay_rescued import ReplayOutcome, ReplayRescued

UPDATE = "dynamodb.UpdateItem"
SEND = "sqs.SendMessage"
DOWN = 1000
"""As many failures as no refresh outlives."""
BACKED_OFF = 16.0


def served(_: object) -> None:
    """Do what is asked: no fault."""


def throttled() -> Fault:
    """Return what DynamoDB says to a hot partition."""
    return refused("ProvisionedThroughputExceededException")


def fail_commits(scene: Scene, fault: Fault, times: int) -> None:
    """Let the claim be taken, and the next writes go wrong; the SDK sends each twice."""
    scene.wire.fail(UPDATE, served, *[fault] * times)


def replay(scene: Scene, message: str) -> ReplayOutcome:
    """Replay a rescued message, as the queue's consumer does."""
    until = scene.clock.monotonic() + FUNCTION_SECONDS
    return ReplayRescued(scene.ports)(renewal_of(message), until).outcome


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(throttled(), id="throttled"),
        pytest.param(refused("InternalServerError", 500), id="500"),
        pytest.param(unanswered, id="no answer"),
    ],
)
@pytest.mark.parametrize("times", [1, 2, 7, 20])
def test_r6_a_commit_is_tried_until_the_store_answers(scene: Scene, fault: Fault, times: int) -> None:
    """However often it fails within the function's time: one POST, one generation.

    Where the SDK's own repeat failed too, one message lies in the rescue queue, and its replay changes nothing.
    """
    scene.pass_time(DUE)
    fail_commits(scene, fault, times)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, scene.is_whole(2), len(scene.aws.messages)) == (1, True, int(times > 1))
    before = scene.row()
    assert [replay(scene, message) for message in scene.aws.messages] == [ReplayOutcome.RESTORED] * (
        times > 1
    )
    assert scene.row() == before


def test_r6_a_store_that_stays_down_sends_the_answer_to_the_rescue_queue(scene: Scene) -> None:
    """Once, and the commit is tried on; the replay restores the connection, and a second replay changes nothing."""
    scene.pass_time(DUE)
    fail_commits(scene, throttled(), DOWN)
    begun, offset = time.monotonic(), scene.clock.offset
    assert scene.ask().outcome is RefreshOutcome.RESCUED
    assert scene.clock.offset - offset + time.monotonic() - begun <= FUNCTION_SECONDS
    assert scene.connection().version.generation == 1

    scene.wire.clear()
    (message,) = scene.aws.messages
    assert replay(scene, message) is ReplayOutcome.RESTORED
    before = scene.row()
    assert replay(scene, message) is ReplayOutcome.RESTORED
    assert (scene.posts, scene.is_whole(2), scene.row() == before) == (1, True, True)


def test_r6_a_rescued_answer_restores_a_connection_that_was_given_up_meanwhile(scene: Scene) -> None:
    """Whoever came after the round and before the replay was refused, and said lost: the replay takes that back."""
    scene.pass_time(DUE)
    fail_commits(scene, throttled(), DOWN)
    assert scene.ask().outcome is RefreshOutcome.RESCUED
    scene.wire.clear()
    scene.pass_time(REPLAYED)
    assert scene.ask().outcome is RefreshOutcome.RECONNECT_REQUIRED
    assert scene.connection().reconnect_reason == LossReason.ANSWER_LOST
    assert replay(scene, scene.aws.messages[0]) is ReplayOutcome.RESTORED
    assert (scene.posts, scene.is_whole(2), scene.connection().reconnect_reason) == (2, True, None)


def test_r6_a_queue_that_is_down_as_well_is_tried_again(scene: Scene) -> None:
    """Both are tried in turn until one of them takes it."""
    scene.pass_time(DUE)
    fail_commits(scene, throttled(), DOWN)
    scene.wire.fail(SEND, *[refused("ServiceUnavailable", 503)] * 5)
    assert scene.ask().outcome is RefreshOutcome.RESCUED
    scene.wire.clear()
    assert replay(scene, scene.aws.messages[0]) is ReplayOutcome.RESTORED
    assert scene.is_whole(2)


def test_r6_a_store_that_cannot_be_read_costs_nothing(scene: Scene) -> None:
    """Before the claim everything can be tried again: no POST."""
    scene.pass_time(DUE)
    scene.wire.fail("dynamodb.GetItem", throttled(), throttled())
    with pytest.raises(Exception, match="ProvisionedThroughputExceeded"):
        scene.ask()
    assert scene.posts == 0
    assert scene.ask().outcome is RefreshOutcome.REFRESHED


@pytest.mark.parametrize("times", [1, 2, 5])
def test_r7_a_commit_that_was_applied_is_recognised_though_its_answer_was_lost(
    scene: Scene, times: int
) -> None:
    """By the SDK's repeat or by ours: the generation rises by one, and there is no second refresh."""
    scene.pass_time(DUE)
    fail_commits(scene, done_and_unanswered, times)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, scene.is_whole(2)) == (1, True)
    assert scene.ask().outcome is RefreshOutcome.CURRENT


@pytest.mark.parametrize("times", [1, 2])
def test_r7_a_claim_whose_answer_was_lost_is_recognised_or_waited_out(scene: Scene, times: int) -> None:
    """The SDK's repeat finds its own claim; where that is lost too, nothing was spent, and the claim runs out."""
    scene.pass_time(DUE)
    scene.wire.fail(UPDATE, *[done_and_unanswered] * times)
    if times == 1:
        assert scene.ask().outcome is RefreshOutcome.REFRESHED
    else:
        with pytest.raises(Exception, match="ReadTimeoutError"):
            scene.ask()
        assert scene.posts == 0
        scene.pass_time(CLAIM_OVER)
        assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, scene.is_whole(2)) == (1, True)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(refused("ThrottlingException"), id="throttled"),
        pytest.param(refused("AccessDeniedException"), id="denied"),
        pytest.param(refused("DisabledException"), id="disabled"),
        pytest.param(refused("KMSInvalidStateException"), id="to be deleted"),
        pytest.param(unanswered, id="no answer"),
    ],
)
@pytest.mark.parametrize("keys_before", [0, 1])
def test_r18_no_refresh_token_is_spent_without_its_keys(scene: Scene, fault: Fault, keys_before: int) -> None:
    """The first or the second key is missing: no POST, the claim is given back, and later all goes well."""
    scene.pass_time(DUE)
    ports = scene.cold()
    scene.wire.fail("kms.Decrypt", *[served] * keys_before, fault, fault)
    assert scene.ask(ports=ports).outcome is RefreshOutcome.POSTPONED
    assert (scene.posts, scene.connection().claim) == (0, None)
    scene.wire.clear()
    scene.pass_time(BACKED_OFF)
    assert scene.ask(ports=ports).outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, scene.is_whole(2)) == (1, True)


def test_r18_fresh_keys_are_in_hand_too_before_the_refresh_token_is_spent(scene: Scene) -> None:
    """A hundredth generation wants new keys: where there are none, it waits."""
    row = scene.row()
    row["generation"] = {"N": str(GENERATIONS_PER_DATA_KEY - 1)}
    scene.put_row(row)
    scene.pass_time(DUE)
    scene.wire.fail("kms.GenerateDataKey", *[refused("ThrottlingException")] * 2)
    assert scene.ask().outcome is RefreshOutcome.POSTPONED
    assert scene.posts == 0
    scene.pass_time(BACKED_OFF)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert scene.is_whole(GENERATIONS_PER_DATA_KEY)
    assert scene.row()["access_token_key"] != row["access_token_key"]


def test_r17_a_client_that_zendesk_does_not_know_ends_no_connection(scene: Scene) -> None:
    """invalid_client for everybody: nothing of any row changes but when to ask again, and then all are refreshed."""
    accounts = ["acme", "globex", "initech"]
    for name in accounts[1:]:
        scene.connect(name)
    scene.pass_time(DUE)
    scene.zendesk.client.accept_secrets("another one")
    before = [scene.row(name) for name in accounts]
    assert {scene.ask(subdomain=name).outcome for name in accounts} == {RefreshOutcome.CLIENT_REJECTED}
    after = [scene.row(name) for name in accounts]
    assert all(row.pop("retry_at") for row in after)
    assert after == before

    scene.zendesk.client.accept_secrets(scene.aws.client_secret)
    scene.pass_time(BACKED_OFF)
    assert {scene.ask(subdomain=name).outcome for name in accounts} == {RefreshOutcome.REFRESHED}
    assert all(scene.is_whole(2, name) for name in accounts)


def test_r17_a_client_that_stays_unknown_is_no_storm(scene: Scene) -> None:
    """A minute of questions every second makes as many POSTs as there are back-offs in it."""
    scene.pass_time(DUE)
    scene.zendesk.client.accept_secrets("another one")
    for _ in range(60):
        scene.ask()
        scene.pass_time(1.0)
    assert scene.posts <= 5
    assert scene.connection().is_active
