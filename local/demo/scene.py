"""What a step has at hand: the running stack, browsers, a person at Zendesk, the rows, and what it expects."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from local.demo.browser import Answer, Browser
from local.demo.redaction import shown_url
from local.demo.rows import Row, Rows
from local.demo.teller import Teller
from local.deployment import Deployment
from local.stack import OPEN, LocalStack
from local.zendesk import person
from local.zendesk.accounts import ROLES

CODE_GRANT = "authorization_code"
REFRESH_GRANT = "refresh_token"
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_INSTALL_ID = re.compile(r"__Host-install-([A-Za-z0-9_-]{22})")


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An install that a browser has started: its id and the address at Zendesk."""

    install_id: str
    authorize_url: str


@dataclass(frozen=True, slots=True)
class Scene:
    """One deployment of the stack, and who plays in it."""

    stack: LocalStack
    teller: Teller
    mode: str = OPEN

    @property
    def deployment(self) -> Deployment:
        """The deployment."""
        return self.stack.deployments[self.mode]

    @property
    def rows(self) -> Rows:
        """The deployment's tables."""
        return Rows(self.stack.emulator, self.deployment)

    def browser(self, name: str = "browser") -> Browser:
        """Return a fresh browser, without cookies."""
        return Browser(name, self.teller)

    def start_url(self, **query: str) -> str:
        """Return the address where an install begins."""
        base = self.deployment.outputs["StartUrl"]
        return f"{base}?{urlencode(query)}" if query else base

    def start(self, browser: Browser, url: str) -> UnderWay:
        """Open a start address, expect to be sent to Zendesk, and return the install."""
        answer = browser.get(url)
        self.expect("sent to Zendesk", answer.status, HTTPStatus.FOUND)
        found = _INSTALL_ID.search(" ".join(answer.cookie_names))
        return UnderWay(found[1] if found else "", answer.location)

    def allow(self, under_way: UnderWay, role: str = "admin") -> str:
        """Sign in at the stand-in, press Allow, and return the callback's address."""
        return self._press("Allow", under_way, role)

    def deny(self, under_way: UnderWay, role: str = "admin") -> str:
        """Sign in at the stand-in, press Deny, and return the callback's address."""
        return self._press("Deny", under_way, role)

    def _press(self, button: str, under_way: UnderWay, role: str) -> str:
        press = person.approve if button == "Allow" else person.deny
        callback_url = press(under_way.authorize_url, role)
        self.teller.told("Zendesk", f"{ROLES[role]}, {role}, presses {button}")
        self.teller.received(HTTPStatus.FOUND, callback_url)
        return callback_url

    def connect(self, browser: Browser, subdomain: str, *, is_greeted: bool = True) -> Answer:
        """Play a whole install that an admin allows, and return the callback's answer.

        The worker greets whoever has connected in open mode; it is waited for, so that it needs no token later on.
        """
        before = len(self.notes(subdomain))
        answer = browser.get(self.allow(self.start(browser, self.start_url(subdomain=subdomain))))
        if is_greeted and self.mode == OPEN and answer.status == HTTPStatus.OK:
            eventually(lambda: len(self.notes(subdomain)), lambda count: count > before)
        return answer

    def notes(self, subdomain: str, number: int | None = None) -> list[str]:
        """Return the internal notes of an account's tickets, or of this one."""
        comments = self.stack.zendesk.accounts.get(subdomain).comments
        wanted = comments.values() if number is None else [comments[number]]
        return [str(one["body"]) for ticket in wanted for one in ticket if not one["public"]]

    def invite(self, user: str, **options: str) -> str:
        """Have the backend invite its user, expect that it may, and return the start address."""
        answer = self.stack.backend.invite(user, **options)
        self.backend_says("POST /invitations", {"user": user, **options}, answer)
        self.expect("invited", answer.status_code, HTTPStatus.CREATED)
        return str(answer.json()["start_url"])

    def confirm(self, handle: str, user: str) -> int:
        """Have the backend confirm a handle for the user who is signed in, and return the status."""
        answer = self.stack.backend.confirm(handle, user)
        self.backend_says(f"POST /installs/{handle}/confirm", {"user": user}, answer)
        return answer.status_code

    def backend_says(self, request: str, body: Mapping[str, str], answer: requests.Response) -> None:
        """Show a request of the company's backend and its answer; a start address is an invitation, a secret."""
        said = answer.json()
        if "start_url" in said:
            said["start_url"] = shown_url(said["start_url"])
        self.teller.told("backend", f"{request}  {json.dumps(body)}", "→")
        self.teller.told("", f"{answer.status_code}  {json.dumps(said, ensure_ascii=False)}", "←")

    def posts(self, subdomain: str) -> int:
        """Return how many codes were posted to the token endpoint of an account."""
        return self.stack.zendesk.seen.count(CODE_GRANT, subdomain)

    def refreshes(self, subdomain: str) -> int:
        """Return how many refresh tokens were posted to the token endpoint of an account."""
        return self.stack.zendesk.seen.count(REFRESH_GRANT, subdomain)

    def living_tokens(self, subdomain: str) -> int:
        """Return how many token pairs of an account are alive at Zendesk."""
        return len(self.stack.zendesk.alive(subdomain))

    def expect(self, what: str, seen: object, wanted: object) -> None:
        """Say what should be so, and whether it is."""
        self.teller.expected(what, seen=seen, wanted=wanted)

    def expect_row(self, what: str, row: Row, **wanted: object) -> None:
        """Say what a row should hold, of these attributes."""
        self.expect(what, {name: row.get(name) for name in wanted}, wanted)


def eventually[T](look: Callable[[], T], good: Callable[[T], bool]) -> T:
    """Look until it is good or the patience is over, and return what was seen last."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not good(seen := look()) and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
    return seen


def query_of(url: str) -> dict[str, list[str]]:
    """Return the query of an address."""
    return parse_qs(urlsplit(url).query, keep_blank_values=True)


def handle_of(url: str) -> str:
    """Return the handle that an address carries, or nothing."""
    return query_of(url).get("handle", [""])[0]
