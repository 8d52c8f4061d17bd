from dataclasses import replace
from datetime import timedelta

import pytest

from tests.doubles.samples import ACME
from tests.doubles.scripted import ScriptedZendesk, issued
from tests.unit.services.world import World
from zendesk_oauth.errors import (
    KeyUnavailableError,
    ProviderUnavailableError,
    SealBrokenError,
    TokenRefusedError,
    ZendeskOAuthError,
)
from zendesk_oauth.models.connection import LEFT_TO_REVOKE
from zendesk_oauth.models.install import CANDIDATE_LIFE, InstallStatus
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import AuthorizedUser
from zendesk_oauth.services.revoke_leftovers import GIVEN_UP, POSTPONED, UNREADABLE, RevocationEnded
from zendesk_oauth.services.revoke_token import Revocation, RevokeToken

TOKEN = Secret("access-1")
REFUSED = TokenRefusedError("HTTP 403", status=403)


def revoked(zendesk: ScriptedZendesk) -> Revocation:
    """Revoke the token."""
    return RevokeToken(zendesk)(ACME, TOKEN, 1.0)


def test_a_token_is_found_deleted_and_asked_for_again() -> None:
    """Only a token seen alive before and dead after was revoked."""
    zendesk = ScriptedZendesk(alive={"access-1"})
    assert revoked(zendesk) is Revocation.REVOKED
    assert zendesk.asked == ["find_token_id", "delete_token", "find_token_id"]


def test_a_dead_token_is_not_deleted() -> None:
    """There is nothing to find."""
    zendesk = ScriptedZendesk()
    assert revoked(zendesk) is Revocation.NOT_ALIVE
    assert zendesk.asked == ["find_token_id"]


def test_a_token_that_lives_on_was_not_revoked() -> None:
    """Zendesk is reported to answer 204 and leave the token alive."""
    assert revoked(ScriptedZendesk(alive={"access-1"}, deletion_works=False)) is Revocation.STILL_ALIVE


def test_a_grant_that_may_not_delete_is_told_apart() -> None:
    """Only the account's admin can then."""
    assert revoked(ScriptedZendesk(alive={"access-1"}, deletion=REFUSED)) is Revocation.REFUSED


def test_a_grant_that_may_not_even_ask_is_told_apart_too() -> None:
    """A 403 to the question says that the token lives, and that it cannot be revoked with its own rights."""
    assert revoked(ScriptedZendesk(alive={"access-1"}, find_error=REFUSED)) is Revocation.REFUSED


def test_a_token_that_died_before_it_was_deleted_is_not_alive() -> None:
    """A 401 to the deletion is no refusal: somebody else ended the token in between."""
    gone = TokenRefusedError("HTTP 401", status=401)
    assert revoked(ScriptedZendesk(alive={"access-1"}, deletion=gone)) is Revocation.NOT_ALIVE


def leftover(world: World) -> str:
    """Leave a candidate unconfirmed until its time is over; return its id."""
    completion, _ = world.candidate()
    world.clock.advance(CANDIDATE_LIFE)
    return completion.install.install_id


def run(world: World, seconds: float = 50.0) -> list[RevocationEnded]:
    """Let the schedule run once."""
    return list(world.revoke_leftovers(world.clock.monotonic() + seconds))


def test_the_unconfirmed_are_revoked_and_closed(world: World) -> None:
    """Ten minutes without a confirmation: abandoned, dead at Zendesk, erased."""
    install_id = leftover(world)
    assert run(world) == [RevocationEnded(install_id, "acme", "revoked")]
    row = world.installs.rows[install_id]
    assert (row.install.status, row.establishment, row.revocation) == (
        InstallStatus.ABANDONED,
        None,
        "revoked",
    )
    assert world.zendesk.alive == set()
    assert run(world) == []


@pytest.mark.parametrize("seconds", [300, 600, 749, 750, 172_800])
def test_a_candidate_is_revoked_while_its_access_token_lives(world: World, seconds: int) -> None:
    """However short that is: without it there would be nothing left to ask Zendesk with."""
    life = timedelta(seconds=seconds)
    world.zendesk.answer = replace(issued(), access_lifetime=life)
    completion, _ = world.candidate()
    ends = min(CANDIDATE_LIFE, life - LEFT_TO_REVOKE)
    assert completion.install.expires_at == world.clock.now() + ends
    world.clock.advance(ends - timedelta(seconds=1))
    assert run(world) == []
    world.clock.advance(timedelta(seconds=61))
    assert run(world) == [RevocationEnded(completion.install.install_id, "acme", "revoked")]


def test_a_candidate_in_time_is_left_alone(world: World) -> None:
    """It can still be confirmed."""
    world.candidate()
    assert run(world) == []


def test_what_a_failed_install_left_alive_is_revoked(world: World) -> None:
    """The failure stays the outcome."""
    world.zendesk.user = AuthorizedUser(8, "agent")
    world.zendesk.find_error = ProviderUnavailableError("HTTP 503")
    install = world.allow(world.started()).install
    world.zendesk.find_error = None
    world.clock.advance(timedelta(seconds=60))
    assert run(world) == [RevocationEnded(install.install_id, "acme", "revoked")]
    assert world.installs.rows[install.install_id].install.reason == "wrong_role"


@pytest.mark.parametrize(
    ("deletion", "alive", "outcome"),
    [(REFUSED, {"access-1"}, "refused"), (None, set(), "not_alive")],
)
def test_what_cannot_be_helped_is_closed_too(
    world: World, deletion: Exception | None, alive: set[str], outcome: str
) -> None:
    """It would be no different the next minute."""
    install_id = leftover(world)
    world.zendesk.deletion, world.zendesk.alive = deletion, alive
    assert run(world) == [RevocationEnded(install_id, "acme", outcome)]
    assert world.installs.rows[install_id].revocation == outcome


@pytest.mark.parametrize("call", ["find_token_id", "delete_token"])
def test_a_401_that_comes_once_ends_nothing(world: World, call: str) -> None:
    """The API calls a living token dead, once: it is asked again before the pair is given out of hand."""
    install_id = leftover(world)
    world.zendesk.lies = {call}
    assert run(world) == [RevocationEnded(install_id, "acme", "revoked")]
    assert (world.zendesk.alive, world.zendesk.lies) == (set(), set())


def test_a_401_near_the_end_of_a_token_is_reported(world: World) -> None:
    """It may have expired by Zendesk's clock, and then its refresh token may live: an admin has to look."""
    world.zendesk.answer = replace(issued(), access_lifetime=timedelta(minutes=15))
    install_id = leftover(world)
    world.zendesk.alive.clear()
    assert run(world) == [RevocationEnded(install_id, "acme", GIVEN_UP)]


def test_a_token_that_is_over_by_a_wrong_clock_is_revoked_all_the_same(world: World) -> None:
    """Two clocks of five minutes make ten: while Zendesk may take the token, it is asked."""
    world.zendesk.answer = replace(issued(), access_lifetime=timedelta(minutes=15))
    install_id = leftover(world)
    world.clock.advance(timedelta(minutes=14))
    assert run(world) == [RevocationEnded(install_id, "acme", "revoked")]


@pytest.mark.parametrize("problem", ["unreachable", "lives on"])
def test_what_may_pass_is_tried_again_after_the_lease(world: World, problem: str) -> None:
    """Not in the next run, but in the one after five minutes."""
    install_id = leftover(world)
    world.zendesk.deletion_works = problem != "lives on"
    world.zendesk.find_error = ProviderUnavailableError("HTTP 503") if problem == "unreachable" else None
    assert run(world) == [RevocationEnded(install_id, "acme", POSTPONED)]
    assert run(world) == []
    world.zendesk.deletion_works, world.zendesk.find_error = True, None
    world.clock.advance(timedelta(minutes=5))
    assert run(world) == [RevocationEnded(install_id, "acme", "revoked")]


def test_a_token_that_is_over_is_given_up(world: World) -> None:
    """There is nothing left to ask Zendesk with, and nobody is asked."""
    install_id = leftover(world)
    world.clock.advance(issued().access_lifetime)
    world.zendesk.asked.clear()
    assert run(world) == [RevocationEnded(install_id, "acme", GIVEN_UP)]
    assert world.zendesk.asked == []


def test_a_seal_that_is_broken_is_told(world: World) -> None:
    """It cannot be revoked from here, and trying again would not mend it."""
    install_id = leftover(world)
    world.sealer.error = SealBrokenError("tampered with")
    assert run(world) == [RevocationEnded(install_id, "acme", UNREADABLE)]
    assert world.installs.rows[install_id].revocation == UNREADABLE


def test_a_key_service_that_is_down_ends_the_run_and_loses_nothing(world: World) -> None:
    """The lease ends, and a later run takes it up."""
    install_id = leftover(world)
    world.sealer.error = KeyUnavailableError("throttled")
    with pytest.raises(ZendeskOAuthError):
        run(world)
    world.sealer.error = None
    world.clock.advance(timedelta(minutes=5))
    assert run(world) == [RevocationEnded(install_id, "acme", "revoked")]


def test_a_run_without_time_begins_nothing(world: World) -> None:
    """What it would not finish stays for the next."""
    install_id = leftover(world)
    assert run(world, seconds=0) == []
    assert world.installs.rows[install_id].install.status is InstallStatus.CANDIDATE


def test_what_was_confirmed_meanwhile_is_passed_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list was read before the confirmation; the lease decides."""
    completion, handle = world.candidate()
    world.confirm(handle, "user-7")
    monkeypatch.setattr(
        type(world.installs), "due_for_revocation", lambda *_: iter([completion.install.install_id])
    )
    assert run(world) == []
    assert world.zendesk.alive == {"access-1"}
