"""A deployment in memory: the services, wired by hand to doubles."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from tests.doubles.in_memory_stores import InMemoryConnectionStore, InMemoryInstallStore
from tests.doubles.samples import ACME
from tests.doubles.scripted import CountingEntropy, ScriptedClock, ScriptedSealer, ScriptedZendesk
from zendesk_oauth.models.endpoints import ZENDESK_BASE_URL, Endpoints
from zendesk_oauth.models.grant import Grant
from zendesk_oauth.models.install import StartMode
from zendesk_oauth.models.return_to import ReturnPolicy
from zendesk_oauth.models.secret import OneUseSecret, Secret
from zendesk_oauth.services.complete_install import Allowed, Callback, CompleteInstall, Completion, Refused
from zendesk_oauth.services.confirm_install import ConfirmInstall
from zendesk_oauth.services.exchange_code import ExchangeCode
from zendesk_oauth.services.offer_install import Offer, OfferInstall
from zendesk_oauth.services.revoke_leftovers import RevokeLeftovers
from zendesk_oauth.services.revoke_token import RevokeToken
from zendesk_oauth.services.start_install import Started, StartInstall, StartRequest

SITE = "https://www.example.com/zendesk"
CODE = Secret("code-1")


@dataclass(slots=True)
class World:
    """Everything that the services touch, and the services."""

    mode: StartMode = StartMode.OPEN
    clock: ScriptedClock = field(default_factory=ScriptedClock)
    entropy: CountingEntropy = field(default_factory=CountingEntropy)
    installs: InMemoryInstallStore = field(default_factory=InMemoryInstallStore)
    sealer: ScriptedSealer = field(default_factory=ScriptedSealer)
    zendesk: ScriptedZendesk = field(default_factory=ScriptedZendesk)
    endpoints: Endpoints = field(
        default_factory=lambda: Endpoints(ZENDESK_BASE_URL, "https://connect.example.com")
    )
    policy: ReturnPolicy = field(
        default_factory=lambda: ReturnPolicy(SITE, frozenset({"https://app.example.com"}))
    )
    grants: dict[str, Grant] = field(
        default_factory=lambda: {
            "default": Grant("default", ("users:read", "tickets:read")),
            "reporting": Grant("reporting", ("read",)),
        }
    )
    connections: InMemoryConnectionStore = field(init=False)

    def __post_init__(self) -> None:
        self.connections = InMemoryConnectionStore(self.installs)

    @property
    def start(self) -> StartInstall:
        """Begin an install."""
        return StartInstall(
            self.installs,
            self.clock,
            self.entropy,
            self.mode,
            "zdg-example",
            self.endpoints,
            self.grants,
            self.policy,
        )

    @property
    def offer(self) -> OfferInstall:
        """Offer an install."""
        return OfferInstall(
            self.installs, self.clock, self.entropy, self.mode, self.endpoints, self.grants, self.policy
        )

    @property
    def complete(self) -> CompleteInstall:
        """Complete an install."""
        exchange = ExchangeCode(
            self.installs,
            self.connections,
            self.sealer,
            self.zendesk,
            self.zendesk,
            self.clock,
            self.entropy,
            frozenset({"admin"}),
        )
        return CompleteInstall(self.installs, exchange, self.clock, self.entropy)

    @property
    def confirm(self) -> ConfirmInstall:
        """Confirm an install."""
        return ConfirmInstall(self.installs, self.connections, self.clock)

    @property
    def revoke_leftovers(self) -> RevokeLeftovers:
        """Revoke what must not live on."""
        return RevokeLeftovers(self.installs, self.sealer, RevokeToken(self.zendesk), self.clock)

    def started(self) -> Started:
        """Start an install of acme: openly, or by an invitation that was just offered."""
        request = StartRequest(ACME)
        if self.mode is StartMode.CONFIRMED:
            invitation = self.offer(Offer("user-7")).secret.text
            request = StartRequest(ACME, unverified_invitation=invitation, may_spend=True)
        started = self.start(request)
        assert isinstance(started, Started)
        return started

    def allow(self, started: Started) -> Completion:
        """Come back from Zendesk with a code."""
        return self.complete(self.callback(started, Allowed(CODE)))

    def callback(self, started: Started, answer: Allowed | Refused) -> Callback:
        """Return the redirect that the rightful browser follows."""
        return Callback(started.binding.state, started.binding.browser, answer)

    def candidate(self) -> tuple[Completion, OneUseSecret]:
        """Bring an invited install as far as its confirmation; give the handle too."""
        self.mode = StartMode.CONFIRMED
        completion = self.allow(self.started())
        assert completion.handle is not None
        return completion, completion.handle


def query_of(url: str) -> dict[str, str]:
    """Return the query of a URL; no parameter may stand in it twice."""
    pairs = parse_qsl(urlsplit(url).query, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)
