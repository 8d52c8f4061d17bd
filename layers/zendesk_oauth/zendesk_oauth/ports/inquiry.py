"""What an operator's questions need from outside. Nothing behind these ports changes anything."""

from typing import Protocol

from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, LivingToken, SealContext
from zendesk_oauth.ports.refresh import RefreshGrant


class TokenInquiry(Protocol):
    """Zendesk's API, asked about a token by the token itself. Every method raises a ProviderError."""

    def find_token(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> LivingToken | None:
        """Return what Zendesk says of it; None: it is not alive (401)."""

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        """Return whose token this is. Raise WrongRoleError for an anonymous one."""


class ClientInquiry(Protocol):
    """Zendesk's token endpoint, asked about our client by a refresh token that nobody has issued."""

    def knows_client(self, grant: RefreshGrant, deadline: float) -> bool:
        """Tell whether Zendesk takes the current client secret: one POST, with no other secret tried.

        Raise a ProviderError where Zendesk does not say, and what the port `ClientSecret` raises.
        """


class KeyTrial(Protocol):
    """The token key."""

    def try_key(self, context: SealContext) -> None:
        """Have a data key made and opened again, and keep nothing. Raise KeyUnavailableError, or SealBrokenError."""
