"""Examine what a deployment needs of others: the client secret, Zendesk's knowledge of our client, the token key.

Only `refresh` has them all, so it looks where nobody else can. A refresh token that nobody has ever issued is posted
once: `invalid_grant` tells that Zendesk knows us, `invalid_client` that it does not (RFC 6749 section 5.2). The RFC
fixes no order, and that Zendesk looks at the client first is taken for granted, as docs/zendesk.md says.
"""

from dataclasses import dataclass

from zendesk_oauth.errors import ConfigurationError, ProviderError, SealError, SecretUnavailableError
from zendesk_oauth.models.inquiry import OK, Examination
from zendesk_oauth.models.secret import Entropy, new_secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealContext
from zendesk_oauth.ports import ClientSecret, Clock
from zendesk_oauth.ports.inquiry import ClientInquiry, KeyTrial
from zendesk_oauth.ports.refresh import RefreshGrant

NO_GRANT = "examine"
"""In the place of a grant's name in the key's context: nothing is ever sealed under it."""
NOT_KNOWN = "client_rejected"
POST_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ExamineDeployment:
    """Read the secret anew, post with it once, try the key."""

    client_secret: ClientSecret
    token_endpoint: ClientInquiry
    key: KeyTrial
    clock: Clock
    entropy: Entropy

    def __call__(self, subdomain: Subdomain) -> Examination:
        """Return how each of them is; none keeps another from being looked at, but the client needs its secret."""
        secret, problem = self._secret()
        client = self._client(subdomain) if secret == OK else None
        return Examination(secret, client, self._key(subdomain), problem)

    def _secret(self) -> tuple[str, str | None]:
        """Return a code, and what is wrong with the secret itself, as far as that is known."""
        self.client_secret.forget()
        try:
            self.client_secret()
        except ConfigurationError as error:
            return error.code, str(error)
        except SecretUnavailableError as error:
            return error.code, None
        return OK, None

    def _client(self, subdomain: Subdomain) -> str:
        made_up = new_secret(self.entropy)
        deadline = self.clock.monotonic() + POST_SECONDS
        try:
            is_known = self.token_endpoint.knows_client(RefreshGrant(subdomain, made_up, ()), deadline)
        except ProviderError as error:
            return error.code
        return OK if is_known else NOT_KNOWN

    def _key(self, subdomain: Subdomain) -> str:
        try:
            self.key.try_key(SealContext(NO_GRANT, subdomain))
        except SealError as error:
            return error.code
        return OK
