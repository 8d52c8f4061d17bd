"""The example installs that `events/` speaks of: one letter each, which fills its id, its state and its cookie.

`seed` writes their rows. Only the fingerprints of these secrets ever lie in a table.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from zendesk_oauth.models.connection import Establishment, TokenTimes
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.models.secret import OneUseSecret, Secret, fingerprint
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, SealedPair, SealedToken
from zendesk_oauth.ports import InstallStore

SUBDOMAIN = Subdomain("acme")
SCOPES = ("users:read", "tickets:read")
RETURN_TO = "https://app.example.com/settings"
USER = "user-17"
ALLOWED, DENIED, PROVIDER_ERROR, INVITED, CANDIDATE = "A", "B", "C", "D", "E"
REVOCABLE, EXCHANGING, INVITED_WITHOUT_SUBDOMAIN, OVER = "F", "G", "H", "I"


def install_id(letter: str) -> str:
    """Return the id of an example."""
    return letter * 22


def state(letter: str) -> OneUseSecret:
    """Return the state of an example; also its invitation, or its handle."""
    return OneUseSecret(install_id(letter), Secret(letter.lower() * 43))


def browser(letter: str) -> Secret:
    """Return what the browser of an example holds."""
    return Secret(letter * 43)


def cookie(letter: str) -> str:
    """Return the cookie of an example's browser."""
    return f"__Host-install-{install_id(letter)}={browser(letter).reveal()}"


def pending(letter: str, **changes: object) -> Install:
    """Return an install that waits for Zendesk's answer."""
    now = datetime.now(UTC)
    fields: dict[str, object] = {
        "install_id": install_id(letter),
        "status": InstallStatus.PENDING,
        "grant": "default",
        "scopes": SCOPES,
        "subdomain": SUBDOMAIN,
        "created_at": now,
        "expires_at": now + timedelta(minutes=10),
        "state_fingerprint": state(letter).fingerprint,
        "browser_fingerprint": fingerprint(browser(letter)),
    }
    return Install(**(fields | changes))  # type: ignore[arg-type]  # the names are Install's own


def offered(letter: str, subdomain: Subdomain | None) -> Install:
    """Return an invitation that nobody has pressed yet."""
    return pending(
        letter,
        status=InstallStatus.OFFERED,
        subdomain=subdomain,
        expires_at=datetime.now(UTC) + timedelta(seconds=60),
        return_to=RETURN_TO,
        user_reference=USER,
        state_fingerprint=None,
        browser_fingerprint=None,
        invitation_fingerprint=state(letter).fingerprint,
    )


def establishment(sealed: SealedPair | None = None) -> Establishment:
    """Return what a candidate keeps; with no pair given, one that opens nowhere."""
    token = SealedToken(b"ciphertext", b"wrapped key")
    now = datetime.now(UTC)
    return Establishment(
        grant="default",
        subdomain=SUBDOMAIN,
        scopes=SCOPES,
        missing_scopes=(),
        sealed=sealed or SealedPair("commit", token, token),
        times=TokenTimes(
            now + timedelta(days=2),
            now + timedelta(days=1),
            now + timedelta(days=90),
            now + timedelta(days=50),
        ),
        authorized_by=AuthorizedUser(17, "admin"),
        established_at=now,
        user_reference=USER,
    )


def seed(installs: InstallStore, life: timedelta = timedelta(minutes=1)) -> None:
    """Write the rows that `events/` needs, each for so long; of the letter F there is none: it needs a living token."""
    now = datetime.now(UTC)
    for letter in (ALLOWED, DENIED, PROVIDER_ERROR):
        installs.put_if_absent(pending(letter, expires_at=now + life))
    for letter, subdomain in ((INVITED, SUBDOMAIN), (INVITED_WITHOUT_SUBDOMAIN, None)):
        installs.put_if_absent(replace(offered(letter, subdomain), expires_at=now + life))
    installs.put_if_absent(pending(EXCHANGING, status=InstallStatus.EXCHANGING, expires_at=now + life))
    installs.put_if_absent(pending(OVER, expires_at=now - timedelta(seconds=1)))
    keep_candidate(installs, CANDIDATE, now)


def keep_candidate(
    installs: InstallStore, letter: str, now: datetime, sealed: SealedPair | None = None
) -> None:
    """Write a candidate whose ten minutes begin now."""
    invited = pending(
        letter,
        status=InstallStatus.EXCHANGING,
        return_to=RETURN_TO,
        user_reference=USER,
        invitation_fingerprint=state(letter).fingerprint,
    )
    installs.put_if_absent(invited)
    installs.keep_candidate(install_id(letter), establishment(sealed), state(letter).fingerprint, now)
