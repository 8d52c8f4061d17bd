"""Make sure that nothing of a pair lives on at Zendesk.

A living access token is revoked by its id. One that is over, or dead without having been seen alive, proves nothing
about its refresh token: that is spent once, to get something that can be revoked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from zendesk_oauth.errors import GrantRejectedError
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.ports import Clock, ZendeskApi
from zendesk_oauth.ports.refresh import RefreshEndpoint, RefreshGrant, UnlockedPair
from zendesk_oauth.services.revoke_token import Revocation, RevokeToken

POST_SECONDS = 45.0
"""The answer may be the only living refresh token in the world, so it is awaited long."""
REVOKE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RetirePair:
    """Revoke by id; where there is nothing to ask with, refresh once and revoke what comes of it."""

    token_endpoint: RefreshEndpoint
    api: ZendeskApi
    clock: Clock

    def __call__(
        self,
        account: tuple[Subdomain, Scopes],
        pair: UnlockedPair,
        access_expires_at: datetime,
        keep: Callable[[IssuedTokens], None],
    ) -> Revocation:
        """Return how it ended; `keep` makes a fresh pair durable before it is revoked.

        Raises a ProviderError where Zendesk gives no answer, and whatever `keep` raises.
        """
        subdomain, scopes = account
        if self.clock.now() < access_expires_at:
            revocation = RevokeToken(self.api)(subdomain, pair.access_token, self._in(REVOKE_SECONDS))
            if revocation is not Revocation.NOT_ALIVE:
                return revocation
        try:
            grant = RefreshGrant(subdomain, pair.refresh_token, scopes)
            fresh = self.token_endpoint.refresh(grant, self._in(POST_SECONDS))
        except GrantRejectedError:
            return Revocation.NOT_ALIVE
        keep(fresh)
        return RevokeToken(self.api)(subdomain, fresh.access_token, self._in(REVOKE_SECONDS))

    def _in(self, seconds: float) -> float:
        return self.clock.monotonic() + seconds
