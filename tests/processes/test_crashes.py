"""A worker is killed (SIGKILL) at each point of a refresh; whoever comes next makes of it what can be made.

The rule: a refresh token is lost only between Zendesk's rotation and our first durable write, and then it is told.
"""

import pytest

from tests.processes.child import Job, Reached
from tests.processes.children import Child
from tests.processes.flight import hold, release, until_held
from tests.processes.scene import CLAIM_OVER, DUE, OVER, REPLAYED, Scene
from zendesk_oauth.models.refresh import LossReason, RefreshOutcome

AGES = [pytest.param(DUE, id="the token lives"), pytest.param(OVER, id="the token is over")]


def kill_at(child: Child, point: str) -> None:
    """Let the worker refresh, and kill it there."""
    child.tell(Job(stop_at=point))
    assert child.said() == Reached(point)
    child.kill()


def is_lost_and_told(scene: Scene) -> bool:
    """Tell whether the connection waits for a person, with the reason, and nobody posts after the one refusal."""
    verdict = scene.ask()
    scene.pass_time(CLAIM_OVER)
    again = scene.ask()
    return (
        (verdict.outcome, again.outcome) == (RefreshOutcome.RECONNECT_REQUIRED,) * 2
        and scene.connection().reconnect_reason == LossReason.ANSWER_LOST
        and scene.posts == 2
    )


@pytest.mark.parametrize("age", AGES)
def test_r2_a_worker_killed_before_its_claim_leaves_no_trace(scene: Scene, child: Child, age: float) -> None:
    """The next one refreshes at once: one POST, one generation."""
    scene.pass_time(age)
    kill_at(child, "before store.claim")
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, scene.is_whole(2)) == (1, True)


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize(
    "point", ["in store.claim", "after store.claim", "after keyring.unlock", "before token_endpoint.refresh"]
)
def test_r2_a_worker_killed_with_its_claim_has_spent_nothing(
    scene: Scene, child: Child, point: str, age: float
) -> None:
    """The claim is waited for, then looked into: the same refresh token is spent by the next one."""
    scene.pass_time(age)
    kill_at(child, point)
    assert scene.ask().outcome is RefreshOutcome.IN_PROGRESS
    scene.pass_time(CLAIM_OVER if age == DUE else REPLAYED)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, scene.is_whole(2)) == (1, True)


@pytest.mark.parametrize("kind", ["late_work", "late_answer"])
def test_r2_a_worker_killed_after_sending_has_lost_the_answer(scene: Scene, child: Child, kind: str) -> None:
    """Zendesk rotates for nobody: one further POST is refused, and the connection says why it is lost."""
    scene.pass_time(DUE)
    hold(scene, kind)
    child.tell(Job())
    until_held(scene)
    child.kill()
    release(scene)
    assert scene.ask().outcome is RefreshOutcome.IN_PROGRESS
    scene.pass_time(REPLAYED)
    assert is_lost_and_told(scene)


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("point", ["after token_endpoint.refresh", "before store.commit"])
def test_r2_a_worker_killed_with_the_answer_in_hand_has_lost_it(
    scene: Scene, child: Child, point: str, age: float
) -> None:
    """Between the rotation and the first durable write lies the one loss that cannot be prevented: it is told."""
    scene.pass_time(age)
    kill_at(child, point)
    scene.pass_time(REPLAYED)
    assert is_lost_and_told(scene)


@pytest.mark.parametrize("point", ["in store.commit", "after store.commit"])
def test_r2_a_worker_killed_in_its_commit_or_after_it_has_lost_nothing(
    scene: Scene, child: Child, point: str
) -> None:
    """The write is made, whether or not its answer was read: the next one finds the new generation."""
    scene.pass_time(DUE)
    kill_at(child, point)
    assert scene.ask().outcome is RefreshOutcome.CURRENT
    assert (scene.posts, scene.is_whole(2)) == (1, True)


def test_r2_a_new_install_heals_what_was_lost(scene: Scene, child: Child) -> None:
    """The way back from the one loss: connect again, and the next refresh is as any other."""
    scene.pass_time(DUE)
    kill_at(child, "before store.commit")
    scene.pass_time(REPLAYED)
    assert is_lost_and_told(scene)
    scene.zendesk.revoke_all("acme")
    scene.connect()
    assert (scene.connection().version.epoch, scene.is_whole(2)) == (2, True)
    scene.pass_time(DUE)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert scene.is_whole(3)


def test_r21_a_dead_holders_claim_is_taken_when_it_is_over_and_not_before(scene: Scene, child: Child) -> None:
    """A minute later it is still respected; when its 70 seconds are over, the next one has it."""
    scene.pass_time(DUE)
    kill_at(child, "after store.claim")
    scene.pass_time(60.0)
    assert scene.ask().outcome is RefreshOutcome.IN_PROGRESS
    assert scene.posts == 0
    scene.pass_time(CLAIM_OVER - 60.0)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, scene.is_whole(2)) == (1, True)
