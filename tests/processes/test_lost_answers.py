"""Zendesk's answer is lost, late or unreadable, or the request never came there: what it did is found out first.

The rule: at most two POSTs for what one refresh may have spent; a loss has a reason of its own, and ends the asking.
"""

import socket
from collections.abc import Mapping
from typing import Any

import pytest

from tests.processes.scene import DUE, OVER, Scene
from zendesk_oauth.models.refresh import LossReason, RefreshOutcome

BACKED_OFF = 16.0
"""After so many seconds an unresolved attempt may be looked into: the back-off is 15."""
ROUND = 61.0
"""After so many seconds a refresh token that may have been spent is posted again: its replay round is 60."""
UNREADABLE: Mapping[str, dict[str, Any]] = {
    "lost": {},
    "server_error": {"status": 502},
    "cut_body": {},
    "html": {},
    "empty_object": {},
    "no_content": {},
    "gzip_bomb": {},
    "big_body": {},
}
"""Misbehaviours after which nobody knows the new pair, although Zendesk has rotated."""
ALWAYS_ROTATE = {"cut_body", "big_body"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a POST be given up after half a second instead of 45."""
    monkeypatch.setattr("zendesk_oauth.services.refresh_attempt.POST_SECONDS", 0.5)
    monkeypatch.setattr("zendesk_oauth.adapters.zendesk_tokens.LEAST_SECONDS", 0.0)


def rotated(kind: str) -> dict[str, Any]:
    """Return the options under which Zendesk rotates all the same."""
    return UNREADABLE[kind] | ({} if kind in ALWAYS_ROTATE else {"worked": True})


def is_asked_no_more(scene: Scene) -> bool:
    """Tell whether everybody who asks for an hour is told to reconnect, without another word to Zendesk."""
    before = scene.posts, len(scene.zendesk.seen.api_calls)
    outcomes = set()
    for _ in range(6):
        outcomes.add(scene.ask().outcome)
        scene.pass_time(600.0)
    after = scene.posts, len(scene.zendesk.seen.api_calls)
    return outcomes == {RefreshOutcome.RECONNECT_REQUIRED} and before == after


@pytest.mark.parametrize("kind", UNREADABLE)
def test_r3_a_rotation_whose_answer_is_lost_is_found_by_one_more_post(scene: Scene, kind: str) -> None:
    """Unresolved; nobody asks at once; then the second POST is refused, the reason is told, and there is no third."""
    scene.pass_time(DUE)
    scene.zendesk.misbehave(kind, grant_type="refresh_token", **rotated(kind))
    assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
    assert scene.ask().outcome is RefreshOutcome.POSTPONED
    scene.pass_time(BACKED_OFF)
    assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
    scene.pass_time(ROUND - BACKED_OFF)
    assert scene.ask().outcome is RefreshOutcome.RECONNECT_REQUIRED
    assert scene.connection().reconnect_reason == LossReason.ANSWER_LOST
    assert (scene.posts, is_asked_no_more(scene)) == (2, True)


@pytest.mark.parametrize(
    ("kind", "options"), [("null_token", {}), ("token_type", {}), ("token_type", {"value": ["bearer"]})]
)
def test_r15_a_pair_whose_access_token_cannot_be_used_is_kept_and_refreshed(
    scene: Scene, kind: str, options: dict[str, Any]
) -> None:
    """Its refresh token is the only living one: no worker gets the access token, and a minute later all is well."""
    scene.pass_time(DUE)
    scene.zendesk.misbehave(kind, grant_type="refresh_token", **options)
    answer = scene.ask()
    assert (answer.outcome, answer.cause) == (RefreshOutcome.REFRESHED, "unusable_tokens")
    assert scene.connection().times.expires_at <= scene.clock.now()
    scene.pass_time(ROUND)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, scene.is_whole(3)) == (2, True)


def test_r15_a_pair_without_a_token_type_is_a_pair(scene: Scene) -> None:
    """To refuse it would lose the connection."""
    scene.pass_time(DUE)
    scene.zendesk.misbehave("token_type", grant_type="refresh_token", value=None)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, scene.is_whole(2)) == (1, True)


@pytest.mark.parametrize("kind", ["lost", "html", "server_error"])
def test_r3_where_the_old_token_is_over_one_more_post_decides(scene: Scene, kind: str) -> None:
    """Nothing can be asked with it: the second POST is refused, and there is no third."""
    scene.pass_time(OVER)
    scene.zendesk.misbehave(kind, grant_type="refresh_token", **rotated(kind))
    assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
    scene.pass_time(BACKED_OFF)
    assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
    scene.pass_time(ROUND - BACKED_OFF)
    assert scene.ask().outcome is RefreshOutcome.RECONNECT_REQUIRED
    assert scene.connection().reconnect_reason == LossReason.ANSWER_LOST
    assert (scene.posts, is_asked_no_more(scene)) == (2, True)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("age", [DUE, OVER])
def test_r3_an_answer_that_does_not_come_in_time_is_given_up_and_found_out(scene: Scene, age: float) -> None:
    """The POST is bounded; what Zendesk made of it is asked afterwards."""
    scene.pass_time(age)
    scene.zendesk.misbehave("late_answer", grant_type="refresh_token", seconds=600.0)
    assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
    scene.zendesk.release()
    scene.pass_time(BACKED_OFF)
    assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
    scene.pass_time(ROUND - BACKED_OFF)
    assert scene.ask().outcome is RefreshOutcome.RECONNECT_REQUIRED
    assert scene.connection().reconnect_reason == LossReason.ANSWER_LOST
    assert scene.posts == 2


def test_r3_a_gateway_time_out_of_zendesks_is_waited_out(scene: Scene) -> None:
    """504 for a rotation that was made: as any lost answer, and the account is left alone meanwhile."""
    scene.pass_time(DUE)
    scene.zendesk.misbehave("server_error", grant_type="refresh_token", status=504, worked=True)
    assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
    scene.pass_time(BACKED_OFF)
    assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
    scene.pass_time(ROUND - BACKED_OFF)
    assert scene.ask().outcome is RefreshOutcome.RECONNECT_REQUIRED
    assert scene.posts == 2


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("age", [DUE, OVER])
@pytest.mark.parametrize("kind", ["lost", "server_error", "html", "redirect", "dripping_headers"])
def test_r5_a_request_that_zendesk_never_worked_on_is_made_again(scene: Scene, kind: str, age: float) -> None:
    """Nothing was rotated: the same refresh token is spent by the second POST, and nothing is lost."""
    scene.pass_time(age)
    scene.zendesk.misbehave(kind, grant_type="refresh_token", worked=False)
    assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
    scene.pass_time(BACKED_OFF if age == DUE else ROUND)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, scene.is_whole(2)) == (2, True)


def test_r5_a_request_that_found_nobody_gives_the_claim_back(scene: Scene) -> None:
    """No byte was sent: there is nothing to find out, and the next one refreshes with one POST."""
    scene.pass_time(DUE)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}/{{subdomain}}"
    assert scene.ask(ports=scene.cold(zendesk_base_url=nobody)).outcome is RefreshOutcome.POSTPONED
    assert scene.connection().claim is None
    scene.pass_time(BACKED_OFF)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert (scene.posts, len(scene.zendesk.seen.api_calls), scene.is_whole(2)) == (1, 0, True)


def test_r5_many_lost_requests_are_no_loss(scene: Scene) -> None:
    """Ten requests in a row are swallowed while the old token lives or is over: the eleventh refreshes."""
    scene.pass_time(DUE)
    scene.zendesk.misbehave("lost", grant_type="refresh_token", worked=False, times=10)
    for _ in range(10):
        assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
        scene.pass_time(100.0)
    assert scene.ask().outcome is RefreshOutcome.REFRESHED
    assert scene.is_whole(2)
