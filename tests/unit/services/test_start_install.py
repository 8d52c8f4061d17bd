import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.doubles.samples import ACME, GLOBEX
from tests.unit.services.world import SITE, World, query_of
from zendesk_oauth.errors import (
    InvitationRejectedError,
    InvitationRequiredError,
    RequestError,
    ReturnToRefusedError,
    UnknownGrantError,
)
from zendesk_oauth.models.install import PENDING_LIFE, InstallStatus, StartMode
from zendesk_oauth.models.secret import base64url, fingerprint
from zendesk_oauth.services.offer_install import Offer
from zendesk_oauth.services.start_install import ConsentNeeded, Started, StartRequest, SubdomainNeeded


def test_an_open_start_writes_one_pending_row(world: World) -> None:
    """It holds fingerprints where the browser holds secrets, and ten minutes."""
    started = world.started()
    assert world.installs.calls == ["put_if_absent"]
    row = world.installs.rows[started.install.install_id].install
    assert row == started.install
    assert (row.status, row.grant, row.subdomain) == (InstallStatus.PENDING, "default", ACME)
    assert row.return_to == SITE
    assert row.expires_at == world.clock.now() + PENDING_LIFE
    assert row.state_fingerprint == started.binding.state.fingerprint
    assert row.browser_fingerprint == fingerprint(started.binding.browser)
    assert started.binding.browser.reveal() not in repr(row)


def test_the_way_to_zendesk_is_exactly_this(world: World) -> None:
    """PKCE with S256, the scopes of the grant, our redirect URI, and the state; nothing else."""
    started = world.started()
    assert started.location.startswith("https://acme.zendesk.com/oauth/authorizations/new?")
    challenge = hashlib.sha256(started.binding.code_verifier.reveal().encode()).digest()
    assert query_of(started.location) == {
        "response_type": "code",
        "client_id": "zdg-example",
        "redirect_uri": "https://connect.example.com/oauth/callback",
        "scope": "users:read tickets:read",
        "state": started.binding.state.text,
        "code_challenge": base64url(challenge),
        "code_challenge_method": "S256",
    }
    assert "+" not in started.location
    assert started.binding.code_verifier.reveal() not in started.location


def test_no_two_installs_share_a_secret(world: World) -> None:
    """Id, state, cookie, verifier and handle are fresh each time, and all different."""
    bindings = [world.started().binding for _ in range(2)]
    secrets = [
        secret
        for binding in bindings
        for secret in (
            binding.state.install_id,
            binding.state.secret.reveal(),
            binding.browser.reveal(),
            binding.code_verifier.reveal(),
            binding.handle.secret.reveal(),
        )
    ]
    assert len(set(secrets)) == 10


def test_another_grant_and_place_to_return_to(world: World) -> None:
    """Both are checked and kept in the row."""
    started = world.start(
        StartRequest(ACME, unverified_grant="reporting", unverified_return_to="https://app.example.com/x")
    )
    assert isinstance(started, Started)
    assert (started.install.grant, started.install.scopes) == ("reporting", ("read",))
    assert started.install.return_to == "https://app.example.com/x"


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (StartRequest(ACME, unverified_grant="unknown"), UnknownGrantError),
        (StartRequest(ACME, unverified_return_to="https://evil.example/"), ReturnToRefusedError),
        (StartRequest(ACME, unverified_invitation="x"), InvitationRejectedError),
        (StartRequest(None, unverified_grant="unknown"), UnknownGrantError),
        (StartRequest(None, unverified_return_to="//evil.example"), ReturnToRefusedError),
    ],
)
def test_everything_is_checked_before_anything_is_written(
    world: World, request_: StartRequest, error: type[RequestError]
) -> None:
    """A refused start leaves nothing behind."""
    with pytest.raises(error):
        world.start(request_)
    assert world.installs.calls == []


def test_without_a_subdomain_nothing_is_written(world: World) -> None:
    """The form gets what is checked already."""
    needed = world.start(StartRequest(None, unverified_grant="reporting", unverified_return_to="/x"))
    assert needed == SubdomainNeeded(grant="reporting", return_to="https://www.example.com/x")
    assert world.installs.calls == []


@pytest.fixture
def invited(world: World) -> World:
    """Return a world in which installs start by invitation."""
    world.mode = StartMode.CONFIRMED
    return world


def test_an_invitation_starts_its_own_row(invited: World) -> None:
    """One conditional write of the offered row; who was invited stays in it."""
    invitation = invited.offer(Offer("user-7", "reporting", "acme", "/x"))
    invited.installs.calls.clear()
    started = invited.start(StartRequest(None, unverified_invitation=invitation.secret.text, may_spend=True))
    assert isinstance(started, Started)
    assert invited.installs.calls == ["start_offered"]
    install = started.install
    assert (install.install_id, install.status) == (invitation.install.install_id, InstallStatus.PENDING)
    assert (install.user_reference, install.subdomain, install.grant) == ("user-7", ACME, "reporting")
    assert query_of(started.location)["scope"] == "read"


def test_an_invitation_is_used_by_a_person_alone(invited: World) -> None:
    """Without a person's act nothing is read or written, and the invitation still works afterwards."""
    invitation = invited.offer(Offer("user-7", None, "acme")).secret
    invited.installs.calls.clear()
    asked = invited.start(StartRequest(None, unverified_invitation=invitation.text))
    assert (asked, invited.installs.calls) == (ConsentNeeded(invitation), [])
    started = invited.start(StartRequest(None, unverified_invitation=invitation.text, may_spend=True))
    assert isinstance(started, Started)


@pytest.mark.parametrize("text", ["x", "A" * 22 + "." + "s" * 43])
def test_an_unknown_invitation_is_rejected(invited: World, text: str) -> None:
    """Whether it has the right form or not."""
    with pytest.raises(InvitationRejectedError):
        invited.start(StartRequest(ACME, unverified_invitation=text, may_spend=True))


def test_without_an_invitation_nobody_starts(invited: World) -> None:
    """Not even with a subdomain."""
    with pytest.raises(InvitationRequiredError):
        invited.start(StartRequest(ACME))
    assert invited.installs.calls == []


def test_an_invitation_works_once(invited: World) -> None:
    """The second browser learns only that it is used."""
    invitation = invited.offer(Offer("user-7")).secret.text
    assert isinstance(
        invited.start(StartRequest(ACME, unverified_invitation=invitation, may_spend=True)), Started
    )
    with pytest.raises(InvitationRejectedError):
        invited.start(StartRequest(ACME, unverified_invitation=invitation, may_spend=True))


def test_an_invitation_is_over_after_a_minute(invited: World) -> None:
    """Whether it knew its account or not."""
    for subdomain in ("acme", None):
        invitation = invited.offer(Offer("user-7", unverified_subdomain=subdomain)).secret.text
        invited.clock.advance(timedelta(seconds=60))
        with pytest.raises(InvitationRejectedError):
            invited.start(StartRequest(None, unverified_invitation=invitation, may_spend=True))


def test_an_invitation_without_an_account_asks_for_it(invited: World) -> None:
    """Nothing is used up by asking."""
    invitation = invited.offer(Offer("user-7")).secret
    needed = invited.start(StartRequest(None, unverified_invitation=invitation.text, may_spend=True))
    assert needed == SubdomainNeeded(invitation=invitation)
    started = invited.start(StartRequest(GLOBEX, unverified_invitation=invitation.text, may_spend=True))
    assert isinstance(started, Started)
    assert started.install.subdomain == GLOBEX


def test_a_guessed_invitation_does_not_learn_that_its_row_is_there(invited: World) -> None:
    """The form is shown only to who has the secret."""
    invitation = invited.offer(Offer("user-7")).secret
    guessed = replace(invitation, secret=type(invitation.secret)("g" * 43))
    with pytest.raises(InvitationRejectedError):
        invited.start(StartRequest(None, unverified_invitation=guessed.text, may_spend=True))
