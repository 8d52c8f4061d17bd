"""Revoke a token at Zendesk, and believe it only when it was seen alive before and dead after.

Revoking by `current` is reported to answer 204 and leave the token alive, so: find the id, delete by id, ask again.
Source: Zendesk, "OAuth tokens" API reference.
"""

from dataclasses import dataclass
from enum import StrEnum

from zendesk_oauth.errors import TokenRefusedError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.ports import ZendeskApi

UNAUTHORIZED = 401


class Revocation(StrEnum):
    """How a revocation ended."""

    REVOKED = "revoked"
    """Seen alive, deleted, seen dead."""
    NOT_ALIVE = "not_alive"
    """Already dead when first asked."""
    STILL_ALIVE = "still_alive"
    """Deleted, and yet alive: try again."""
    REFUSED = "refused"
    """The grant's scopes do not allow it: only the account's admin can, in Admin Center."""
    GIVEN_UP = "given_up"
    """What we hold is dead, and yet something may live that we have nothing to ask with: for the admin as well."""


ENDED = frozenset({Revocation.REVOKED, Revocation.NOT_ALIVE, Revocation.REFUSED})
"""After these there is nothing more to try with this token."""


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """Find the id, delete by id, ask once more."""

    api: ZendeskApi

    def __call__(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> Revocation:
        """Return how it ended. Raises ProviderUnavailableError and UnintelligibleAnswerError."""
        try:
            token_id = self.api.find_token_id(subdomain, access_token, deadline)
            if token_id is None:
                return Revocation.NOT_ALIVE
            self.api.delete_token(subdomain, token_id, access_token, deadline)
        except TokenRefusedError as error:
            return Revocation.NOT_ALIVE if error.status == UNAUTHORIZED else Revocation.REFUSED
        alive = self.api.find_token_id(subdomain, access_token, deadline)
        return Revocation.REVOKED if alive is None else Revocation.STILL_ALIVE
