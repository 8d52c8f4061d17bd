"""Both adapters that speak to Zendesk, set up for the stand-in."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from local.zendesk.person import approve
from local.zendesk.standin import StandIn
from tests.doubles.samples import ACME, pending
from tests.doubles.scripted import ScriptedClientSecret
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi
from zendesk_oauth.adapters.zendesk_tokens import AuthlibTokenEndpoint
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.secret import OneUseSecret, Secret
from zendesk_oauth.models.tokens import IssuedTokens, TokenLifetimes
from zendesk_oauth.ports import CodeExchange
from zendesk_oauth.services.authorization_request import BrowserBinding, authorization_url

CLOCK = SystemClock()
BINDING = BrowserBinding(OneUseSecret("A" * 22, Secret("s" * 43)), Secret("b" * 43))
LIFETIMES = TokenLifetimes(timedelta(hours=48), timedelta(days=90))
SCOPES = ("users:read", "tickets:read")
PATIENCE = 1.0


class Deployment:
    """Both adapters, set up for the stand-in."""

    def __init__(self, zendesk: StandIn) -> None:
        self.zendesk = zendesk
        self.endpoints = Endpoints(zendesk.base_url, "https://connect.example.com")
        self.client_secret = ScriptedClientSecret("stand-in-client-secret")
        self.tokens = AuthlibTokenEndpoint(
            "zdg-example", self.client_secret, self.endpoints, LIFETIMES, CLOCK
        )
        self.api = ZendeskHttpApi(self.endpoints, CLOCK)

    def allow(self, as_role: str = "admin") -> IssuedTokens:
        """Press Allow as somebody and exchange the code."""
        url = authorization_url(pending(), BINDING, "zdg-example", self.endpoints)
        code = parse_qs(urlsplit(approve(url, as_role)).query)["code"][0]
        exchange = CodeExchange(ACME, Secret(code), BINDING.code_verifier, SCOPES)
        return self.tokens.exchange(exchange, deadline())


def deadline() -> float:
    """Return an instant soon to come."""
    return CLOCK.monotonic() + PATIENCE
