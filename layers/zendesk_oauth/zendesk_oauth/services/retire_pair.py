"""Make sure that nothing of a pair lives on at Zendesk.

A living access token is revoked by its id. One that is over, or dead without having been seen alive, proves nothing
about its refresh token: that is spent once, to get something that can be revoked. Nothing is begun that could not end
in time; what does not end now is tried again later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    ProviderError,
    ProviderUnavailableError,
    SealError,
)
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens, UnusableTokensError
from zendesk_oauth.ports import Clock, ZendeskApi
from zendesk_oauth.ports.refresh import RefreshEndpoint, RefreshGrant, UnlockedPair
from zendesk_oauth.services.refresh_ports import RETIRE_POST_SECONDS, RETIRE_SECONDS, REVOKE_SECONDS
from zendesk_oauth.services.revoke_token import ENDED, Revocation, RevokeToken

OVER = "over"
"""Both tokens of a pair are over by their own clocks."""

type Keep = Callable[[IssuedTokens, float], None]
"""Makes a fresh pair durable, as far as that can be done until then (monotonic seconds)."""


class Retired(NamedTuple):
    """How it has ended; None: not now, by this error or for want of time.

    `is_spent` says that Zendesk may have rotated the pair: what a later try is told of it proves less.
    """

    revocation: str | None = None
    error: ProviderError | SealError | None = None
    is_spent: bool = False

    @property
    def cause(self) -> str | None:
        """The error's code."""
        return self.error.code if self.error else None


@dataclass(frozen=True, slots=True)
class RetirePair:
    """Revoke by id; where there is nothing to ask with, refresh once and revoke what comes of it.

    No POST is begun that could not end by `until` (monotonic seconds) and while the claim lasts: a holder who was
    frozen meanwhile may not be the only one.
    """

    token_endpoint: RefreshEndpoint
    api: ZendeskApi
    clock: Clock
    until: float
    claimed_until: datetime

    def __call__(
        self, account: tuple[Subdomain, Scopes], pair: UnlockedPair, access_expires_at: datetime, keep: Keep
    ) -> Retired:
        """Return how it ended; `keep` has made a fresh pair durable before that was revoked."""
        subdomain, scopes = account
        if self.clock.now() < access_expires_at:
            if not self._has_time(REVOKE_SECONDS):
                return Retired()
            retired = self._revoke(subdomain, pair.access_token)
            if retired.revocation != Revocation.NOT_ALIVE:
                return retired
        if not self._may_post():
            return Retired()
        return self._renew_to_revoke(RefreshGrant(subdomain, pair.refresh_token, scopes), keep)

    def _renew_to_revoke(self, grant: RefreshGrant, keep: Keep) -> Retired:
        try:
            fresh = self.token_endpoint.refresh(grant, self.clock.monotonic() + RETIRE_POST_SECONDS)
        except GrantRejectedError:
            return Retired(Revocation.NOT_ALIVE)
        except UnusableTokensError as unusable:
            fresh = unusable.to_revoke(grant.scopes)
        except ProviderError as error:
            return Retired(error=error, is_spent=not _is_unspent(error))
        keep(fresh, self.until - REVOKE_SECONDS)
        retired = self._revoke(grant.subdomain, fresh.access_token)
        # The API can lie once: of a pair that was issued a moment ago, the token endpoint decides at the next visit.
        lives = retired.revocation == Revocation.NOT_ALIVE
        return Retired(is_spent=True) if lives else retired._replace(is_spent=True)

    def _revoke(self, subdomain: Subdomain, access_token: Secret) -> Retired:
        try:
            deadline = self.clock.monotonic() + REVOKE_SECONDS
            revocation = RevokeToken(self.api)(subdomain, access_token, deadline)
        except ProviderError as error:
            return Retired(error=error)
        return Retired(revocation if revocation in ENDED else None)

    def _may_post(self) -> bool:
        ends_at = self.clock.now() + timedelta(seconds=RETIRE_POST_SECONDS)
        return self._has_time(RETIRE_SECONDS) and ends_at <= self.claimed_until

    def _has_time(self, seconds: float) -> bool:
        return self.clock.monotonic() + seconds <= self.until


def told_end(revocation: str, *, may_have_lost: bool) -> str:
    """Return how a pair has ended: one that is dead says nothing of another that was lost after it."""
    is_dead = revocation in {Revocation.NOT_ALIVE, OVER}
    return Revocation.GIVEN_UP if is_dead and may_have_lost else revocation


def _is_unspent(error: ProviderError) -> bool:
    """Whether Zendesk has certainly not rotated."""
    if isinstance(error, ProviderUnavailableError):
        return error.nothing_sent or error.throttled
    return isinstance(error, ClientRejectedError)
