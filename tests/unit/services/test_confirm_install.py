from dataclasses import replace

import pytest

from tests.doubles.in_memory_stores import Fault
from tests.unit.services.world import World
from zendesk_oauth.errors import ConfirmationRejectedError, StoreUnavailableError
from zendesk_oauth.models.install import CANDIDATE_LIFE, InstallStatus, StartMode
from zendesk_oauth.models.secret import Secret


def test_its_own_user_makes_the_candidate_the_connection(world: World) -> None:
    """One read, one transaction."""
    _, handle = world.candidate()
    world.installs.calls.clear()
    install = world.confirm(handle, "user-7")
    assert install.status is InstallStatus.CONNECTED
    assert world.connections.rows["default#acme"].establishment.user_reference == "user-7"
    assert (world.installs.calls, world.connections.calls) == (["find_candidate"], ["confirm"])


def test_confirming_twice_gives_the_same_answer(world: World) -> None:
    """The second changes nothing."""
    _, handle = world.candidate()
    first = world.confirm(handle, "user-7")
    assert world.confirm(handle, "user-7") == first
    assert world.connections.rows["default#acme"].epoch == 1


@pytest.mark.parametrize("user", ["user-8", "", "USER-7"])
def test_another_user_confirms_nothing(world: World, user: str) -> None:
    """A victim who was sent through an attacker's invitation is signed in as somebody else."""
    _, handle = world.candidate()
    with pytest.raises(ConfirmationRejectedError):
        world.confirm(handle, user)
    assert world.connections.rows == {}
    assert world.confirm(handle, "user-7").status is InstallStatus.CONNECTED


def test_a_guessed_handle_confirms_nothing(world: World) -> None:
    """The id alone is no handle, and an unknown id is no different."""
    _, handle = world.candidate()
    for wrong in (replace(handle, secret=Secret("g" * 43)), replace(handle, install_id="Z" * 22)):
        with pytest.raises(ConfirmationRejectedError):
            world.confirm(wrong, "user-7")
    assert world.connections.rows == {}


def test_a_candidate_that_is_over_is_rejected(world: World) -> None:
    """After ten minutes nothing is written, though the row is still there."""
    _, handle = world.candidate()
    world.clock.advance(CANDIDATE_LIFE)
    with pytest.raises(ConfirmationRejectedError):
        world.confirm(handle, "user-7")
    assert world.connections.calls == []


def test_an_abandoned_candidate_is_rejected(world: World) -> None:
    """Its token is being revoked."""
    completion, handle = world.candidate()
    world.installs.lease_revocation(completion.install.install_id, completion.install.expires_at)
    with pytest.raises(ConfirmationRejectedError):
        world.confirm(handle, "user-7")


def test_whoever_loses_to_the_same_confirmation_gets_the_same_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two calls of one backend at once: both hear that it is connected."""
    _, handle = world.candidate()
    store = world.installs
    find = store.find_candidate
    seen = [find(handle.install_id)]
    world.confirm(handle, "user-7")
    assert seen[0] is not None
    store.rows[handle.install_id].commit_id = "as if another commit had won"
    monkeypatch.setattr(type(store), "find_candidate", lambda *_: seen[0])
    assert world.confirm(handle, "user-7").status is InstallStatus.CONNECTED


@pytest.mark.parametrize("gone", [False, True])
def test_whoever_loses_to_a_revocation_is_rejected(
    world: World, monkeypatch: pytest.MonkeyPatch, *, gone: bool
) -> None:
    """Between the read and the write the candidate was abandoned, or its row removed."""
    completion, handle = world.candidate()
    seen = world.installs.find_candidate(handle.install_id)
    world.installs.lease_revocation(completion.install.install_id, completion.install.expires_at)
    if gone:
        world.installs.rows.clear()
    monkeypatch.setattr(type(world.installs), "find_candidate", lambda *_: seen)
    with pytest.raises(ConfirmationRejectedError):
        world.confirm(handle, "user-7")
    assert world.connections.rows == {}


def test_an_open_install_has_no_handle_to_confirm(world: World) -> None:
    """A row without a handle's fingerprint equals no handle."""
    started = world.started()
    world.allow(started)
    world.mode = StartMode.CONFIRMED
    with pytest.raises(ConfirmationRejectedError):
        world.confirm(started.binding.handle, "user-7")


@pytest.mark.parametrize("method", ["find_candidate", "confirm"])
def test_a_store_that_is_down_can_be_asked_again(world: World, method: str) -> None:
    """The backend is told to try again, and then it works."""
    _, handle = world.candidate()
    store = world.installs if method == "find_candidate" else world.connections
    store.faults[method] = [Fault.LOST]
    with pytest.raises(StoreUnavailableError):
        world.confirm(handle, "user-7")
    assert world.confirm(handle, "user-7").status is InstallStatus.CONNECTED
    assert world.connections.rows["default#acme"].epoch == 1
