"""The whole flow at the edge, with everything outside it in memory: fast, and every part can be looked at."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from secrets import token_bytes
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.doubles.in_memory_stores import InMemoryConnectionStore, InMemoryInstallStore
from tests.doubles.scripted import ScriptedClock, ScriptedSealer, ScriptedZendesk
from tests.handlers.payloads import api_event
from zendesk_oauth.bootstrap.edge import refuse_with_page
from zendesk_oauth.flow_settings import PageSettings
from zendesk_oauth.models.endpoints import ZENDESK_BASE_URL, Endpoints
from zendesk_oauth.models.grant import Grant
from zendesk_oauth.models.install import StartMode
from zendesk_oauth.models.return_to import ReturnPolicy
from zendesk_oauth.services.complete_install import CompleteInstall
from zendesk_oauth.services.confirm_install import ConfirmInstall
from zendesk_oauth.services.exchange_code import ExchangeCode
from zendesk_oauth.services.offer_install import OfferInstall
from zendesk_oauth.services.start_install import StartInstall
from zendesk_oauth.web.answer_callback import AnswerCallback
from zendesk_oauth.web.answer_installs import AnswerInstalls
from zendesk_oauth.web.answer_start import AnswerStart
from zendesk_oauth.web.edge import Answer, Edge
from zendesk_oauth.web.json_text import json_problem

BASE_URL = "https://connect.example.com"
SITE_URL = "https://app.example.com/settings"
PAGES = PageSettings("Example & Sons", "help@example.com")
GRANTS = {
    "default": Grant("default", ("users:read", "tickets:read")),
    "reporting": Grant("reporting", ("read",)),
}

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')

type Payload = Mapping[str, Any]


class KeptJournal:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.entries: list[tuple[Answer, str, float]] = []

    def record(self, answer: Answer, reference: str, seconds: float) -> None:
        """Keep an entry."""
        self.entries.append((answer, reference, seconds))


@dataclass
class Flow:
    """A deployment of one's own: stores, Zendesk, a clock, and the three edges over them."""

    mode: StartMode = StartMode.OPEN
    site_url: str | None = None
    base_url: str = BASE_URL
    zendesk_base_url: str = ZENDESK_BASE_URL
    installs_store: InMemoryInstallStore = field(default_factory=InMemoryInstallStore)
    zendesk: ScriptedZendesk = field(default_factory=ScriptedZendesk)
    sealer: ScriptedSealer = field(default_factory=ScriptedSealer)
    clock: ScriptedClock = field(default_factory=ScriptedClock)
    journal: KeptJournal = field(default_factory=KeptJournal)

    def __post_init__(self) -> None:
        """Put the edges together, the way bootstrap does."""
        self.connections = InMemoryConnectionStore(self.installs_store)
        endpoints = Endpoints(self.zendesk_base_url, self.base_url)
        policy = ReturnPolicy(self.site_url, frozenset({"https://other.example.com"}))
        start_url = endpoints.start if self.mode is StartMode.OPEN else None
        pages = replace(PAGES, start_url=start_url, site_url=self.site_url)
        store, clock, refuse = self.installs_store, self.clock, refuse_with_page(pages)
        start = StartInstall(store, clock, token_bytes, self.mode, "zdg-example", endpoints, GRANTS, policy)
        exchange = ExchangeCode(
            store,
            self.connections,
            self.sealer,
            self.zendesk,
            self.zendesk,
            clock,
            token_bytes,
            frozenset({"admin"}),
        )
        complete = CompleteInstall(store, exchange, clock, token_bytes)
        offer = OfferInstall(store, clock, token_bytes, self.mode, endpoints, GRANTS, policy)
        confirm = ConfirmInstall(store, self.connections, clock)
        self.start = Edge(
            {"GET", "POST"},
            AnswerStart(start, pages, endpoints.start, token_bytes),
            refuse,
            self.journal,
            clock,
        )
        self.callback = Edge("GET", AnswerCallback(complete, pages, endpoints), refuse, self.journal, clock)
        self.installs = Edge("POST", AnswerInstalls(offer, confirm), json_problem, self.journal, clock)

    @property
    def statuses(self) -> list[str]:
        """What has become of each install, in their order."""
        return [row.install.status.value for row in self.installs_store.rows.values()]


class Browser:
    """A browser at the edge: it keeps its cookies and follows nothing."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.jar: dict[str, str] = {}

    def start(self, query: str = "subdomain=acme", **headers: str) -> Payload:
        """Open the start address."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._send(self.flow.start, "/oauth/start", query, headers=named)

    def press_continue(self, query: str, page: Payload) -> Payload:
        """Press the button of a page that asks first, at the same address."""
        body = urlencode(dict(_HIDDEN.findall(page["body"])))
        return self._send(self.flow.start, "/oauth/start", query, method="POST", body=body)

    def begin(self, query: str = "subdomain=acme") -> str:
        """Start, and return the state that travels to Zendesk."""
        return sent_to(self.start(query))["state"]

    def callback(self, **query: str) -> Payload:
        """Come back from Zendesk."""
        return self.callback_raw(urlencode(query))

    def callback_raw(self, query: str) -> Payload:
        """Come back from Zendesk with these very characters."""
        return self._send(self.flow.callback, "/oauth/callback", query)

    def _send(  # the parts of a request, all but the first three by name
        self,
        edge: Edge,
        path: str,
        query: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: str | None = None,
    ) -> Payload:
        cookies = [f"{name}={value}" for name, value in self.jar.items()]
        headers = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"} | (headers or {})
        event = api_event(method, path, query, headers=headers, cookies=cookies, body=body)
        payload: Payload = edge(event, None)
        for cookie in payload.get("cookies", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.jar[name] = value
            if "Max-Age=0" in cookie:
                del self.jar[name]
        return payload


def sent_to(payload: Payload) -> dict[str, str]:
    """Return the query of the address that an answer sends the browser to."""
    return dict(parse_qsl(urlsplit(payload["headers"]["Location"]).query, keep_blank_values=True))
