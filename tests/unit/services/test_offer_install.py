import pytest

from tests.doubles.samples import ACME
from tests.unit.services.world import SITE, World, query_of
from zendesk_oauth.errors import (
    InvitationsNotOfferedError,
    MalformedRequestError,
    RequestError,
    ReturnToRefusedError,
    SubdomainRefusedError,
    UnknownGrantError,
)
from zendesk_oauth.models.install import OFFER_LIFE, InstallStatus, StartMode
from zendesk_oauth.services.offer_install import Offer


@pytest.fixture
def invited(world: World) -> World:
    """Return a world in which installs start by invitation."""
    world.mode = StartMode.CONFIRMED
    return world


def test_an_offer_is_one_row_and_a_link(invited: World) -> None:
    """The row knows the user and the invitation's fingerprint; the link carries the secret."""
    invitation = invited.offer(Offer("user-7", "reporting", "https://acme.zendesk.com/agent", "/x"))
    assert invited.installs.calls == ["put_if_absent"]
    row = invited.installs.rows[invitation.install.install_id].install
    assert row == invitation.install
    assert (row.status, row.grant, row.scopes) == (InstallStatus.OFFERED, "reporting", ("read",))
    assert (row.subdomain, row.user_reference) == (ACME, "user-7")
    assert row.return_to == "https://www.example.com/x"
    assert row.expires_at == invited.clock.now() + OFFER_LIFE
    assert row.invitation_fingerprint == invitation.secret.fingerprint
    assert invitation.start_url.startswith("https://connect.example.com/oauth/start?")
    assert query_of(invitation.start_url) == {"invitation": invitation.secret.text}


def test_an_offer_needs_only_a_user(invited: World) -> None:
    """The default grant, the site to return to, and the account to be asked for."""
    install = invited.offer(Offer("user-7")).install
    assert (install.grant, install.subdomain, install.return_to) == ("default", None, SITE)


@pytest.mark.parametrize(
    ("offer", "error"),
    [
        (Offer(""), MalformedRequestError),
        (Offer("x" * 257), MalformedRequestError),
        (Offer("a\nb"), MalformedRequestError),
        (Offer("user-7", "unknown"), UnknownGrantError),
        (Offer("user-7", None, "acme.evil"), SubdomainRefusedError),
        (Offer("user-7", None, None, "https://evil.example"), ReturnToRefusedError),
    ],
)
def test_everything_is_checked_before_anything_is_written(
    invited: World, offer: Offer, error: type[RequestError]
) -> None:
    """A refused offer leaves nothing behind."""
    with pytest.raises(error):
        invited.offer(offer)
    assert invited.installs.calls == []


def test_a_reference_may_be_long_and_of_any_script(invited: World) -> None:
    """It is the company's own, opaque to us."""
    assert invited.offer(Offer("é" * 256)).install.user_reference == "é" * 256


def test_in_open_mode_there_are_no_invitations(world: World) -> None:
    """A backend that asks for one is told so."""
    with pytest.raises(InvitationsNotOfferedError):
        world.offer(Offer("user-7"))
