"""Values to start from: installs and establishments as they are in most tests."""

from dataclasses import replace
from datetime import timedelta

from tests.doubles.scripted import NOON
from zendesk_oauth.models.connection import Establishment, TokenTimes
from zendesk_oauth.models.install import OFFER_LIFE, PENDING_LIFE, Install, InstallStatus
from zendesk_oauth.models.secret import OneUseSecret, Secret, fingerprint
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, SealedPair, SealedToken
from zendesk_oauth.ports import OfferedStart, Proof, Verdict

ACME = Subdomain("acme")
GLOBEX = Subdomain("globex")
INSTALL_ID = "AAAAAAAAAAAAAAAAAAAAAA"
STATE = OneUseSecret(INSTALL_ID, Secret("s" * 43))
BROWSER = Secret("b" * 43)
INVITATION = OneUseSecret(INSTALL_ID, Secret("i" * 43))
HANDLE = OneUseSecret(INSTALL_ID, Secret("h" * 43))
USER = "user-7"


def pending() -> Install:
    """Return an install that waits for Zendesk's redirect."""
    return Install(
        install_id=INSTALL_ID,
        status=InstallStatus.PENDING,
        grant="default",
        scopes=("users:read", "tickets:read"),
        subdomain=ACME,
        created_at=NOON,
        expires_at=NOON + PENDING_LIFE,
        return_to="https://app.example.com/connected",
        state_fingerprint=STATE.fingerprint,
        browser_fingerprint=fingerprint(BROWSER),
    )


def offered(subdomain: Subdomain | None = ACME) -> Install:
    """Return an invitation's install, before anybody pressed anything."""
    return replace(
        pending(),
        status=InstallStatus.OFFERED,
        subdomain=subdomain,
        expires_at=NOON + OFFER_LIFE,
        user_reference=USER,
        state_fingerprint=None,
        browser_fingerprint=None,
        invitation_fingerprint=INVITATION.fingerprint,
    )


def start(subdomain: Subdomain | None = None, browser: Secret = BROWSER) -> OfferedStart:
    """Return the invitation, pressed."""
    return OfferedStart(INVITATION, subdomain, STATE.fingerprint, fingerprint(browser))


def proof(state: OneUseSecret = STATE, browser: Secret = BROWSER, issuer: Subdomain | None = None) -> Proof:
    """Return what the rightful browser can show, unless told otherwise."""
    return Proof(state.install_id, state.fingerprint, fingerprint(browser), issuer)


def allowed(attempt_id: str = "attempt-1") -> Verdict:
    """Return the verdict of a callback with a code."""
    return Verdict(attempt_id, InstallStatus.EXCHANGING)


def denied(attempt_id: str = "attempt-1") -> Verdict:
    """Return the verdict of a callback with a denial."""
    return Verdict(attempt_id, InstallStatus.DENIED, "access_denied")


def establishment(commit_id: str = "commit-1", user_reference: str | None = None) -> Establishment:
    """Return a connection about to be; its ciphertexts name their commit."""
    return Establishment(
        grant="default",
        subdomain=ACME,
        scopes=("users:read",),
        missing_scopes=("tickets:read",),
        sealed=SealedPair(
            commit_id,
            SealedToken(f"access of {commit_id}".encode(), b"access key"),
            SealedToken(f"refresh of {commit_id}".encode(), b"refresh key"),
        ),
        times=TokenTimes(
            expires_at=NOON + timedelta(hours=48),
            refresh_at=NOON + timedelta(hours=47),
            refresh_expires_at=NOON + timedelta(days=90),
            keep_alive_at=NOON + timedelta(days=50),
        ),
        authorized_by=AuthorizedUser(7, "admin"),
        established_at=NOON,
        user_reference=user_reference,
    )
