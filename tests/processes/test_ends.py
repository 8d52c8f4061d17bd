"""A connection is ended or made anew while it is being refreshed.

The rule: what was disconnected does not come back without a new install, and no pair lives on that no row knows.
"""

import pytest

from tests.flow.wire import at_the_same_time
from tests.processes.flight import in_flight, release
from tests.processes.scene import CLAIM_OVER, CLAIM_REPLAYED, DUE, Scene
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import RefreshOutcome, Version
from zendesk_oauth.services.disconnect_connection import DisconnectOutcome

UPDATE = "dynamodb.UpdateItem"


def is_gone(scene: Scene) -> bool:
    """Tell whether nothing lives at Zendesk and nothing sealed lies in the row, however often anybody asks."""
    sealed = {"access_token", "access_token_key", "refresh_token", "refresh_token_key"}
    for _ in range(3):
        scene.pass_time(CLAIM_OVER)
        if scene.ask().outcome is not RefreshOutcome.NOT_CONNECTED:
            return False
    is_tombstone = scene.connection().status is ConnectionStatus.DISCONNECTED
    return is_tombstone and not sealed & scene.row().keys() and scene.alive() == []


@pytest.mark.parametrize("kind", ["late_answer", "late_work"])
def test_r14_a_disconnect_during_a_refresh_ends_the_fresh_token_too(scene: Scene, kind: str) -> None:
    """The refresh finds the mark at its commit, revokes what it holds, and the disconnect goes on."""
    scene.pass_time(DUE)
    with in_flight(scene, scene.ask, kind) as answer:
        assert scene.disconnect().outcome is DisconnectOutcome.UNDER_WAY
        assert scene.connection().status is ConnectionStatus.DISCONNECTING
        release(scene)
        assert answer.result().outcome is RefreshOutcome.NOT_CONNECTED
    assert scene.alive() == []
    scene.pass_time(CLAIM_OVER)
    assert scene.disconnect().outcome is DisconnectOutcome.DISCONNECTED
    assert is_gone(scene)


def test_r14_a_disconnect_at_the_moment_of_the_commit_ends_the_fresh_token_too(scene: Scene) -> None:
    """The mark is written while the commit is on its way to the store."""
    scene.pass_time(DUE)
    other = scene.cold()
    mark = at_the_same_time(lambda: scene.disconnect(other))
    scene.wire.fail(UPDATE, lambda _: None, mark)
    assert scene.ask().outcome is RefreshOutcome.NOT_CONNECTED
    assert scene.alive() == []
    scene.pass_time(CLAIM_OVER)
    assert scene.disconnect().outcome is DisconnectOutcome.DISCONNECTED
    assert is_gone(scene)


def test_r14_a_disconnect_whose_refresh_died_finds_nothing_alive(scene: Scene) -> None:
    """Its answer is lost for good: what Zendesk rotated to cannot be revoked by anybody who never had it."""
    scene.pass_time(DUE)
    scene.zendesk.misbehave("lost", grant_type="refresh_token")
    assert scene.ask().outcome is RefreshOutcome.UNRESOLVED
    assert scene.disconnect().outcome is DisconnectOutcome.UNDER_WAY
    scene.pass_time(CLAIM_REPLAYED)
    assert scene.disconnect().outcome is DisconnectOutcome.DISCONNECTED
    assert scene.connection().status is ConnectionStatus.DISCONNECTED


@pytest.mark.parametrize("kind", ["late_answer", "late_work"])
def test_r14_a_reinstall_during_a_refresh_is_not_touched_by_its_late_answer(scene: Scene, kind: str) -> None:
    """The new epoch stands as it is; the late pair and the old one are revoked, and the new one alone lives."""
    scene.pass_time(DUE)
    with in_flight(scene, scene.ask, kind) as answer:
        scene.connect()
        fresh = scene.stored_pair().access_token.reveal()
        release(scene)
        assert answer.result().outcome is RefreshOutcome.CURRENT
    assert (scene.connection().version, scene.is_whole(2)) == (Version(2, 2), True)
    assert scene.alive() == [fresh]
    assert scene.retire() == 0
    assert scene.alive() == [fresh]


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client", "invalid_request"])
def test_r14_a_late_refusal_does_not_touch_a_reinstall(scene: Scene, error: str) -> None:
    """What Zendesk says of the old epoch is no verdict on the new one."""
    scene.pass_time(DUE)
    scene.zendesk.misbehave("oauth_error", grant_type="refresh_token", error=error)
    scene.ports = scene.cold()
    scene.wire.fail("kms.Decrypt", at_the_same_time(scene.connect))
    scene.ask()
    assert scene.connection().version == Version(2, 2)
    assert scene.connection().is_active
    assert scene.retire() == 1  # the claim has moved along with the pair before
    scene.pass_time(CLAIM_REPLAYED)
    assert scene.retire() == 0
    assert scene.is_whole(2)


def test_r14_disconnected_and_installed_again_while_a_refresh_was_out(scene: Scene) -> None:
    """The late answer belongs to an epoch that was ended: it is revoked, and the new install lives."""
    scene.pass_time(DUE)
    with in_flight(scene, scene.ask) as answer:
        assert scene.disconnect().outcome is DisconnectOutcome.UNDER_WAY
        scene.connect()
        release(scene)
        assert answer.result().outcome is RefreshOutcome.CURRENT
    assert scene.retire() == 0
    assert (scene.connection().version, scene.is_whole(2)) == (Version(2, 2), True)
