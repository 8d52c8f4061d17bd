"""Clocks that are wrong, and lifetimes that are odd: at most one refresh a minute, and never a token for ever."""

from datetime import timedelta
from typing import Any

import pytest

from tests.processes.clock import SharedClock
from tests.processes.flight import in_flight, release
from tests.processes.scene import CLAIM_OVER, DUE, OVER, Scene
from zendesk_oauth.models.refresh import Asked, RefreshOutcome

SKEWS = [5.0, -5.0, 300.0, -300.0]
MINUTE = 60


@pytest.mark.parametrize("value", [0, -1, "1800", 1e12, "soon", None, "missing"])
def test_r13_an_odd_lifetime_is_clamped_and_refreshed_at_most_once_a_minute(scene: Scene, value: Any) -> None:
    """Whatever the answer says, a token lives five minutes to 48 hours, and nobody rotates it within a minute."""
    scene.pass_time(DUE)
    if value == "missing":
        scene.zendesk.misbehave("no_expires_in", grant_type="refresh_token")
    else:
        scene.zendesk.misbehave("expires_in", grant_type="refresh_token", value=value)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    connection = scene.connection()
    life = connection.times.expires_at - connection.issued_at
    assert timedelta(minutes=5) <= life <= timedelta(hours=48)
    for _ in range(MINUTE - 5):
        assert scene.ask(Asked.FAILED, connection.version).outcome is RefreshOutcome.POSTPONED
        scene.pass_time(1.0)
    assert (scene.posts, scene.zendesk.seen.api_calls, scene.is_whole(2)) == (1, [], True)


@pytest.mark.parametrize("skew", SKEWS)
@pytest.mark.parametrize("age", [DUE, OVER])
def test_r13_our_clock_may_be_wrong_by_five_minutes(scene: Scene, skew: float, age: float) -> None:
    """Fast or slow, asked every second for two minutes: one refresh, and both ends have the same pair."""
    scene.pass_time(age + 600.0)
    scene.clock.advance(skew)
    outcomes = set()
    for _ in range(2 * MINUTE):
        outcomes.add(scene.ask().outcome)
        scene.pass_time(1.0)
    assert outcomes == {RefreshOutcome.REFRESHED, RefreshOutcome.CURRENT}
    assert (scene.posts, scene.is_whole(2)) == (1, True)


@pytest.mark.parametrize("skew", SKEWS)
def test_r13_a_lost_answer_under_a_wrong_clock_is_no_loop(scene: Scene, skew: float) -> None:
    """The probe may say nothing near the token's end; then one more POST decides, and no third."""
    scene.pass_time(DUE)
    scene.clock.advance(skew)
    scene.zendesk.misbehave("lost", grant_type="refresh_token")
    for _ in range(3 * MINUTE):
        scene.ask()
        scene.pass_time(1.0)
    assert scene.posts <= 2
    assert scene.ask().outcome in {RefreshOutcome.RECONNECT_REQUIRED, RefreshOutcome.CURRENT}


@pytest.mark.parametrize("kind", ["late_work", "late_answer"])
def test_r13_a_claim_taken_too_soon_by_a_fast_clock_loses_nothing(
    scene: Scene, tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    """A worker ten minutes ahead takes the claim while its holder waits for Zendesk: the one living pair is stored."""
    scene.pass_time(DUE)
    ahead = SharedClock(tmp_path_factory.mktemp("ahead") / "clock")
    ahead.advance(scene.clock.offset + 600.0)
    with in_flight(scene, scene.ask, kind) as answer:
        scene.ask(ports=scene.cold(ahead))
        release(scene)
        answer.result()
    scene.pass_time(CLAIM_OVER)
    assert scene.ask().outcome is RefreshOutcome.CURRENT
    assert scene.is_whole(2)
    assert scene.posts <= 2
