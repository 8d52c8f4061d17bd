"""Revoke what must not live on: candidates nobody confirmed, and tokens of failed installs still alive.

Each is leased for a while before Zendesk is asked, so that a run that dies loses nothing: the lease ends and
the next run takes it up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from zendesk_oauth.errors import ProviderError, SealBrokenError
from zendesk_oauth.models.refresh import EXPIRY_SKEW
from zendesk_oauth.ports import Clock, DueRevocation, InstallStore, Opener
from zendesk_oauth.services.revoke_token import ENDED, Revocation, RevokeToken

REVOKE_SECONDS = 10.0
GIVEN_UP = "given_up"
"""The access token is over, by its own clock or near its end by Zendesk's answer: there is nothing to ask with."""
UNREADABLE = "unreadable"
"""The sealed token does not open: it was tampered with, and cannot be revoked from here."""
POSTPONED = "postponed"
"""Zendesk did not answer, or the token lived on: the next lease tries again."""


@dataclass(frozen=True, slots=True)
class RevocationEnded:
    """One leftover and how it ended: a `Revocation`, or one of the outcomes above."""

    install_id: str
    subdomain: str
    outcome: str


@dataclass(frozen=True, slots=True)
class RevokeLeftovers:
    """Works through what is due, one after the other, while there is time."""

    installs: InstallStore
    opener: Opener
    revoke_token: RevokeToken
    clock: Clock

    def __call__(self, until: float) -> Iterator[RevocationEnded]:
        """Yield each as it ends; begin none after `until` (monotonic seconds). Raises StoreUnavailableError."""
        for install_id in self.installs.due_for_revocation(self.clock.now()):
            if self.clock.monotonic() >= until:
                return
            due = self.installs.lease_revocation(install_id, self.clock.now())
            if due is not None:
                outcome = self._outcome(due)
                if outcome != POSTPONED:
                    self.installs.close_revocation(install_id, outcome)
                yield RevocationEnded(install_id, due.context.subdomain, outcome)

    def _outcome(self, due: DueRevocation) -> str:
        if self.clock.now() >= due.access_expires_at + EXPIRY_SKEW:
            return GIVEN_UP
        try:
            token = self.opener.open_access_token(due.access_token, due.context, due.commit_id)
            deadline = self.clock.monotonic() + REVOKE_SECONDS
            revocation = self.revoke_token(due.context.subdomain, token, deadline)
            if revocation == Revocation.NOT_ALIVE:  # the API can lie once
                revocation = self.revoke_token(due.context.subdomain, token, deadline)
        except SealBrokenError:
            return UNREADABLE
        except ProviderError:
            return POSTPONED
        if revocation == Revocation.NOT_ALIVE and self.clock.now() + EXPIRY_SKEW >= due.access_expires_at:
            return GIVEN_UP  # it may have expired by Zendesk's clock, which says nothing of its refresh token
        return revocation if revocation in ENDED else POSTPONED
