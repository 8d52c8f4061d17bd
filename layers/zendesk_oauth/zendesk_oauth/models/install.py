"""An install: one run of the flow, from the button to its outcome."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.subdomain import Subdomain

OFFER_LIFE = timedelta(seconds=60)
"""An invitation is pressed at once or not at all."""
PENDING_LIFE = timedelta(seconds=600)
"""The time a person has at Zendesk; also the cookie's Max-Age."""
EXCHANGE_LIFE = timedelta(seconds=60)
"""An `exchanging` older than this is dead: its function has ended, and the code (120 s) will."""
CANDIDATE_LIFE = timedelta(seconds=600)
"""The time the company's backend has to confirm; then the token is revoked."""
OUTCOME_KEPT = timedelta(days=7)
"""How long an outcome can be looked up by support; then DynamoDB may remove the row."""


class InstallStatus(StrEnum):
    """Where an install stands."""

    OFFERED = "offered"
    PENDING = "pending"
    EXCHANGING = "exchanging"
    CONNECTED = "connected"
    CANDIDATE = "candidate"
    DENIED = "denied"
    FAILED = "failed"
    ABANDONED = "abandoned"


class StartMode(StrEnum):
    """Who may start an install: anybody, or a user whom the company's backend invites and confirms."""

    OPEN = "open"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Install:
    """The row of an install, free of its secrets: of those it has the fingerprints.

    `subdomain` is None only while offered. `expires_at` is the end of the present status, where it has one.
    """

    install_id: str
    status: InstallStatus
    grant: str
    scopes: Scopes
    subdomain: Subdomain | None
    created_at: datetime
    expires_at: datetime
    return_to: str | None = None
    user_reference: str | None = None
    state_fingerprint: str | None = None
    browser_fingerprint: str | None = None
    invitation_fingerprint: str | None = None
    handle_fingerprint: str | None = None
    reason: str | None = None
    missing_scopes: Scopes = ()

    @property
    def account(self) -> Subdomain:
        """The subdomain of an install that has been started. Raises ValueError while it is only offered."""
        if self.subdomain is None:
            raise ValueError("an offered install may not know its subdomain yet")
        return self.subdomain

    @property
    def awaits_confirmation(self) -> bool:
        """Whether the company's backend has to confirm this install: it began with an invitation."""
        return self.invitation_fingerprint is not None

    def is_over(self, now: datetime) -> bool:
        """Whether the present status has outlived its time; DynamoDB removes such rows days late."""
        return now >= self.expires_at
