"""A worker is frozen (SIGSTOP) past its claim and thaws (SIGCONT), or its answer comes late.

The rule: a late 200 is committed as long as the generation is the same, whoever holds the claim by then and whatever
was said of the connection meanwhile; a late refusal changes nothing.
"""

import pytest

from tests.processes.child import Ended, Job, Reached, work
from tests.processes.children import Child, running
from tests.processes.flight import hold, in_flight, release, until, until_held
from tests.processes.relay import relaying
from tests.processes.scene import CLAIM_OVER, DUE, OVER, REPLAYED, Scene
from zendesk_oauth.models.refresh import LossReason, RefreshOutcome


def freeze_at(child: Child, point: str) -> None:
    """Let the worker refresh, and freeze it there."""
    child.tell(Job(stop_at=point))
    assert child.said() == Reached(point)
    child.freeze()


def thawed(child: Child) -> Ended:
    """Let a worker that stands at a point go on, and return how it ended."""
    child.tell()
    child.thaw()
    ended: Ended = child.said()
    return ended


def freeze_in_flight(scene: Scene, child: Child) -> None:
    """Freeze the worker while Zendesk rotates, and let the answer lie in its socket."""
    hold(scene)
    child.tell(Job())
    until_held(scene)
    child.freeze()
    release(scene)


@pytest.mark.parametrize(
    "age",
    [
        pytest.param(DUE, id="the second leader's probe says rotated"),
        pytest.param(OVER, id="the second leader cannot ask with the old token"),
    ],
)
def test_r4_a_late_200_is_committed_over_the_second_leaders_verdict(
    scene: Scene, child: Child, age: float
) -> None:
    """Frozen past its claim with the answer in its socket: what it holds is the only living refresh token."""
    scene.pass_time(age)
    freeze_in_flight(scene, child)
    scene.pass_time(REPLAYED)
    assert scene.ask().outcome is RefreshOutcome.RECONNECT_REQUIRED
    assert scene.connection().reconnect_reason == LossReason.ANSWER_LOST
    child.thaw()
    assert child.said() == Ended("refreshed")
    assert (scene.posts, scene.is_whole(2)) == (2, True)
    assert scene.connection().reconnect_reason is None


def test_r4_a_worker_frozen_before_its_commit_still_makes_it(scene: Scene, child: Child) -> None:
    """Its own time is over too, and it commits all the same, over a verdict once Zendesk has accepted the pair."""
    scene.pass_time(DUE)
    freeze_at(child, "before store.commit")
    scene.pass_time(REPLAYED)
    assert scene.ask().outcome is RefreshOutcome.RECONNECT_REQUIRED
    child.tell()
    child.thaw()
    assert child.said() == Reached("before store.commit")
    child.tell()
    assert child.said() == Ended("refreshed")
    assert (scene.posts, scene.is_whole(2)) == (2, True)


@pytest.mark.parametrize(
    "point", ["after store.claim", "after keyring.unlock", "before token_endpoint.refresh"]
)
def test_r4_a_worker_frozen_with_its_claim_looks_again_and_spends_nothing(
    scene: Scene, child: Child, point: str
) -> None:
    """There is no time left for a POST, nor a claim: it gives up, and changes nothing of the next one's."""
    scene.pass_time(DUE)
    freeze_at(child, point)
    scene.pass_time(CLAIM_OVER)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    before = scene.row()
    assert thawed(child) == Ended("postponed")
    assert (scene.posts, scene.row() == before, scene.is_whole(2)) == (1, True, True)


def test_r4_a_second_leader_that_finds_no_rotation_wins_and_the_first_one_loses_nothing(
    scene: Scene, child: Child
) -> None:
    """Zendesk has the first request and has not worked yet: the second is answered, the first one refused."""
    scene.pass_time(DUE)
    hold(scene, "late_work")
    child.tell(Job())
    until_held(scene)
    child.freeze()
    scene.pass_time(CLAIM_OVER)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    release(scene)
    child.thaw()
    assert child.said() == Ended("current")
    assert (scene.posts, scene.is_whole(2)) == (2, True)


@pytest.mark.parametrize("seconds", [12.0, 40.0])
def test_r4_a_late_answer_is_awaited_and_nobody_else_begins(scene: Scene, seconds: float) -> None:
    """Twelve or forty seconds late: whoever asks meanwhile is told that somebody is at it."""
    scene.pass_time(DUE)
    with in_flight(scene, scene.ask) as answer:
        scene.pass_time(seconds)
        assert scene.ask(ports=scene.cold()).outcome is RefreshOutcome.IN_PROGRESS
        release(scene)
        assert answer.result().outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, scene.is_whole(2)) == (1, True)


def test_r19_a_conversation_that_broke_while_frozen_poisons_nothing(scene: Scene, child: Child) -> None:
    """Zendesk hangs up in the middle of its answer: unresolved, and the same container refreshes the next time."""
    scene.pass_time(DUE)
    scene.zendesk.misbehave("dripping_body", grant_type="refresh_token", worked=False, every=600.0)
    child.tell(Job())
    until_held(scene)
    child.freeze()
    scene.zendesk.release()
    until(lambda: scene.zendesk.pause.waiting == 0)
    child.thaw()
    assert child.said() == Ended("unresolved")
    scene.pass_time(16.0)
    child.tell(Job())
    assert child.said() == Ended("refreshed")
    assert (scene.posts, scene.is_whole(2)) == (2, True)


def test_r19_connections_to_the_store_that_died_while_frozen_are_made_anew(
    scene: Scene, dynamodb_endpoint: str
) -> None:
    """A container thaws with dead sockets in its pool: the refresh is made, with one POST."""
    with relaying(dynamodb_endpoint) as relay:
        environ = {**scene.aws.environ(), "AWS_ENDPOINT_URL_DYNAMODB": relay.address}
        with running(work, scene.addresses, environ) as child:
            child.tell(Job())
            assert child.said() == Ended("current")
            child.freeze()
            relay.cut()
            scene.pass_time(DUE)
            child.thaw()
            child.tell(Job())
            assert child.said() == Ended("refreshed")
            assert relay.connections >= 2
    assert (scene.posts, scene.is_whole(2)) == (1, True)
