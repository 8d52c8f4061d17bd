from dataclasses import replace
from datetime import timedelta

import pytest

from tests.doubles.in_memory_stores import Fault
from tests.doubles.samples import ACME, GLOBEX
from tests.unit.services.world import CODE, World
from zendesk_oauth.errors import StateRejectedError, StoreUnavailableError
from zendesk_oauth.models.install import EXCHANGE_LIFE, PENDING_LIFE, InstallStatus, StartMode
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.services.complete_install import Allowed, Completion, Refused, as_seen


def test_allow_makes_the_connection(world: World) -> None:
    """One write consumes, one POST exchanges, one question asks who it was, one commit keeps."""
    started = world.started()
    world.installs.calls.clear()
    completion = world.allow(started)
    assert completion == Completion(world.installs.rows[started.install.install_id].install)
    assert completion.install.status is InstallStatus.CONNECTED
    assert world.installs.calls == ["consume"]
    assert world.zendesk.asked == ["exchange", "who_authorized"]
    assert world.connections.calls == ["establish"]


def test_deny_is_an_outcome_and_asks_nobody(world: World) -> None:
    """One write, no POST, no key."""
    started = world.started()
    world.installs.calls.clear()
    completion = world.complete(world.callback(started, Refused("access_denied")))
    assert (completion.install.status, completion.install.reason) == (InstallStatus.DENIED, "access_denied")
    assert world.installs.calls == ["consume"]
    assert world.zendesk.asked == []
    assert world.sealer.prepared == []


def test_any_other_error_is_a_failure(world: World) -> None:
    """It was not the person's answer."""
    completion = world.complete(world.callback(world.started(), Refused("invalid_scope")))
    assert (completion.install.status, completion.install.reason) == (InstallStatus.FAILED, "invalid_scope")


@pytest.mark.parametrize("answer", [Allowed(CODE), Refused("access_denied")])
def test_the_same_callback_again_shows_the_same_and_does_nothing(
    world: World, answer: Allowed | Refused
) -> None:
    """Ten openings, one exchange."""
    started = world.started()
    first = world.complete(world.callback(started, answer))
    asked = list(world.zendesk.asked)
    for _ in range(9):
        again = world.complete(world.callback(started, answer))
        assert again == replace(first, replayed=True)
    assert world.zendesk.asked == asked


def test_a_replay_while_the_first_is_at_work_sees_it_exchanging(world: World) -> None:
    """And no Lambda is held."""
    started = world.started()
    seen: list[Completion] = []
    callback = world.callback(started, Allowed(CODE))
    world.zendesk.on_exchange = lambda: seen.append(world.complete(callback))
    world.complete(callback)
    assert [completion.install.status for completion in seen] == [InstallStatus.EXCHANGING]
    assert seen[0].replayed
    assert world.zendesk.asked.count("exchange") == 1


@pytest.mark.parametrize("wrong", ["browser", "state", "issuer", "install"])
@pytest.mark.parametrize("finished", [False, True])
def test_a_stranger_sees_and_changes_nothing(world: World, wrong: str, *, finished: bool) -> None:
    """Neither before nor after the rightful browser came; and that one still finishes."""
    started = world.started()
    callback = world.callback(started, Allowed(CODE))
    if finished:
        world.complete(callback)
    state = callback.state
    strange = {
        "browser": replace(callback, browser=Secret("x" * 43)),
        "state": replace(callback, state=replace(state, secret=Secret("x" * 43))),
        "issuer": replace(callback, issuer=GLOBEX),
        "install": replace(callback, state=replace(state, install_id="Z" * 22)),
    }[wrong]
    before = world.installs.rows[state.install_id].install
    with pytest.raises(StateRejectedError):
        world.complete(strange)
    assert world.installs.rows[state.install_id].install == before
    assert world.complete(callback).install.status is InstallStatus.CONNECTED


def test_the_right_issuer_is_fine(world: World) -> None:
    """RFC 9207, should Zendesk ever send it."""
    callback = replace(world.callback(world.started(), Allowed(CODE)), issuer=ACME)
    assert world.complete(callback).install.status is InstallStatus.CONNECTED


def test_an_install_that_is_over_is_abandoned(world: World) -> None:
    """Ten minutes later nothing is exchanged, though the row is still there."""
    started = world.started()
    world.clock.advance(PENDING_LIFE)
    completion = world.allow(started)
    assert (completion.install.status, completion.install.reason) == (InstallStatus.ABANDONED, "over")
    assert world.zendesk.asked == []


def test_an_exchange_that_died_is_seen_as_failed(world: World) -> None:
    """A minute later, whoever asks learns that it was interrupted."""
    started = world.started()

    def die() -> None:
        raise KeyboardInterrupt

    world.zendesk.on_exchange = die
    with pytest.raises(KeyboardInterrupt):
        world.allow(started)
    world.clock.advance(EXCHANGE_LIFE)
    completion = world.allow(started)
    assert (completion.install.status, completion.install.reason) == (InstallStatus.FAILED, "interrupted")


def test_an_invited_install_waits_as_a_candidate(world: World) -> None:
    """Its handle is given to the browser, each time the same; there is no connection yet."""
    world.mode = StartMode.CONFIRMED
    started = world.started()
    completion = world.allow(started)
    assert completion.install.status is InstallStatus.CANDIDATE
    assert completion.handle == started.binding.handle
    assert world.connections.rows == {}
    again = world.allow(started)
    assert again == replace(completion, replayed=True)


def test_a_confirmed_install_still_gives_its_handle(world: World) -> None:
    """Who opens the callback again afterwards comes to the same page of the company."""
    world.mode = StartMode.CONFIRMED
    started = world.started()
    completion = world.allow(started)
    assert completion.handle is not None
    world.confirm(completion.handle, "user-7")
    again = world.allow(started)
    assert (again.install.status, again.handle) == (InstallStatus.CONNECTED, completion.handle)


def test_a_failed_invited_install_gives_no_handle(world: World) -> None:
    """There is nothing to confirm."""
    world.mode = StartMode.CONFIRMED
    completion = world.complete(world.callback(world.started(), Refused("access_denied")))
    assert completion.handle is None


def test_a_candidate_that_is_over_is_seen_as_abandoned(world: World) -> None:
    """Even before its token is revoked."""
    completion, _ = world.candidate()
    seen = as_seen(completion.install, completion.install.expires_at)
    assert (seen.status, seen.reason) == (InstallStatus.ABANDONED, "over")


def test_an_outcome_does_not_age(world: World) -> None:
    """Denied stays denied, however late."""
    denied = world.complete(world.callback(world.started(), Refused("access_denied"))).install
    assert as_seen(denied, world.clock.now() + timedelta(days=3)) == denied


def test_a_store_that_is_down_consumes_nothing(world: World) -> None:
    """The person can open the same address again."""
    started = world.started()
    world.installs.faults["consume"] = [Fault.REFUSED]
    with pytest.raises(StoreUnavailableError):
        world.allow(started)
    assert world.zendesk.asked == []
    assert world.allow(started).install.status is InstallStatus.CONNECTED
