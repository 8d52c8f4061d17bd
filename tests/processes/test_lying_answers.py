"""What Zendesk's API says of the old access token is wrong: no connection ends because of it.

The rule: a refresh token that was never spent is spent by the next POST, whatever a probe has said of its access token.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.processes.child import Job, Reached
from tests.processes.children import Child
from tests.processes.scene import CLAIM_OVER, DUE, OVER, Scene
from zendesk_oauth.models.refresh import RefreshOutcome

BACKED_OFF = 16.0
LIES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "the API's own 401": ("invalid_token", {}),
    "a proxy's 401 page": ("html", {"status": 401, "worked": False}),
    "401 and JSON of a gateway": ("answer", {"status": 401, "body": '{"message": "Unauthorized"}'}),
}


def refreshed_in_the_end(scene: Scene) -> bool:
    """Ask for a minute and a half, and tell whether the connection was refreshed, and nothing was lost."""
    for _ in range(6):
        if scene.ask().outcome is RefreshOutcome.REFRESHED:
            break
        scene.pass_time(BACKED_OFF)
    return scene.is_whole(2)


@pytest.mark.parametrize("lie", LIES)
def test_r29_a_502_without_a_rotation_and_then_one_401_end_nothing(scene: Scene, lie: str) -> None:
    """The token endpoint failed before it rotated, and one 401 is said of a token that lives: the POST decides."""
    kind, options = LIES[lie]
    scene.pass_time(DUE)
    scene.zendesk.misbehave("server_error", grant_type="refresh_token", status=502, worked=False)
    scene.zendesk.misbehave(kind, endpoint="current_token", **options)
    assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
    scene.pass_time(BACKED_OFF)
    assert refreshed_in_the_end(scene)
    assert scene.posts == 2


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("age", [DUE, OVER])
def test_r29_a_dead_holder_that_never_sent_and_a_401_page_end_nothing(
    scene: Scene, child: Child, lie: str, age: float
) -> None:
    """A worker died with its claim before its POST, and the API says 401 to whoever asks next."""
    kind, options = LIES[lie]
    scene.pass_time(age)
    child.tell(Job(stop_at="before token_endpoint.refresh"))
    assert child.said() == Reached("before token_endpoint.refresh")
    child.kill()
    scene.zendesk.misbehave(kind, endpoint="current_token", times=None, **options)
    scene.pass_time(CLAIM_OVER)
    assert refreshed_in_the_end(scene)
    assert scene.posts == 1


@pytest.mark.parametrize("skew", [300.0, -300.0])
@pytest.mark.parametrize("age", [DUE, OVER])
def test_r29_wrong_clocks_and_a_401_end_nothing(scene: Scene, age: float, skew: float) -> None:
    """One clock wrote the row, another reads it, and both are wrong: a token that has expired is told so by 401."""
    scene.zendesk.revoke_all("acme")
    scene.clock.advance(skew)
    scene.connect()
    scene.clock.advance(-2 * skew)
    scene.pass_time(age)
    scene.zendesk.misbehave("server_error", grant_type="refresh_token", status=502, worked=False)
    for _ in range(60):
        if scene.ask().outcome is RefreshOutcome.REFRESHED:
            break
        scene.pass_time(BACKED_OFF)
    assert (scene.posts, scene.is_whole(3)) == (2, True)
