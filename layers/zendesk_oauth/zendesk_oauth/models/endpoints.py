"""The addresses at Zendesk of one account, and our own that it redirects to.

Every address is built from a checked `Subdomain` and a base address that settings has checked.
"""

from dataclasses import dataclass

from zendesk_oauth.models.subdomain import Subdomain

ZENDESK_BASE_URL = "https://{subdomain}.zendesk.com"
START_PATH = "/oauth/start"
CALLBACK_PATH = "/oauth/callback"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Builds addresses from the base of Zendesk and the base of this deployment."""

    zendesk_base_url: str
    public_base_url: str

    def account(self, subdomain: Subdomain) -> str:
        """Return the base address of the account, also its issuer identifier (RFC 9207)."""
        return self.zendesk_base_url.format(subdomain=subdomain)

    def authorize(self, subdomain: Subdomain) -> str:
        """Return the authorization endpoint (RFC 6749 section 3.1)."""
        return f"{self.account(subdomain)}/oauth/authorizations/new"

    @property
    def redirect_uri(self) -> str:
        """The same bytes in both legs of the flow, from settings, whatever a Host header says."""
        return f"{self.public_base_url}{CALLBACK_PATH}"

    @property
    def start(self) -> str:
        """Where an install begins."""
        return f"{self.public_base_url}{START_PATH}"
