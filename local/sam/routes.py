"""Every route of the API through one `sam local start-api`: one install from its invitation to its disconnect.

It is the confirmed deployment, because it alone serves every route.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from rich.console import Console

from local import places
from local.ministack import free_port
from local.processes import Processes, wait_until_it_listens
from local.sam.expected import CONFIRMED
from local.sam.settings import API_ADDRESS, CONFIG
from local.zendesk.person import approve

if TYPE_CHECKING:
    from pathlib import Path

SUBDOMAIN = "globex"
USER = "user-17"
CONNECTION = f"/connections/default/{SUBDOMAIN}"
_START_SECONDS = 120.0
_ANSWER_SECONDS = 120.0
_NAVIGATION = {"Sec-Fetch-Mode": "navigate"}


class RouteFailedError(Exception):
    """A route answered otherwise than API Gateway would have it answer."""


@contextmanager
def running_api(processes: Processes, environment: Mapping[str, str]) -> Iterator[str]:
    """Give the address of `sam local start-api` while the block runs. Raises CommandFailedError."""
    port = free_port()
    command: list[str | Path] = [
        *(places.SAM, "local", "start-api", "--config-file", CONFIG, "--config-env", CONFIRMED),
        *("--port", str(port), "--warm-containers", "LAZY"),
    ]
    running = processes.start("sam local start-api", command, environment, places.SAM_LOCAL / "start-api.log")
    try:
        wait_until_it_listens(port, running, _START_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.end()


@dataclass(slots=True)
class Story:
    """One install through the API at `address`, and what each step leaves for the next."""

    address: str
    session: requests.Session = field(default_factory=requests.Session)
    start_url: str = ""
    cookie: str = ""
    authorize_url: str = ""
    handle: str = ""

    def invitations(self) -> None:
        """Invite the user for an account, as the backend does."""
        answer = self._send("POST", "/invitations", json={"user": USER, "subdomain": SUBDOMAIN})
        _expect(answer, HTTPStatus.CREATED)
        self.start_url = answer.json()["start_url"]

    def start(self) -> None:
        """Open the invitation, as the user does, and be sent to Zendesk."""
        answer = self._send("GET", _target(self.start_url), headers=_NAVIGATION)
        _expect(answer, HTTPStatus.FOUND)
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        self.authorize_url = answer.headers["Location"]

    def callback(self) -> None:
        """Allow access, as the admin does, and come back with the code."""
        target = _target(approve(self.authorize_url))
        answer = self._send("GET", target, headers=_NAVIGATION | {"Cookie": self.cookie})
        _expect(answer, HTTPStatus.SEE_OTHER)
        self.handle = parse_qs(urlsplit(answer.headers["Location"]).query)["handle"][0]

    def confirm(self) -> None:
        """Confirm who is signed in, as the backend does."""
        answer = self._send("POST", f"/installs/{self.handle}/confirm", json={"user": USER})
        _expect(answer, HTTPStatus.OK, ("status", "connected"))

    def list_connections(self) -> None:
        """Find the connection in the list."""
        answer = self._send("GET", "/connections")
        _expect(answer, HTTPStatus.OK)
        if SUBDOMAIN not in [one["subdomain"] for one in answer.json()["connections"]]:
            raise RouteFailedError("the list lacks the connection")

    def token(self) -> None:
        """Read its access token."""
        _expect(self._send("GET", f"{CONNECTION}/token"), HTTPStatus.OK, ("token_type", "Bearer"))

    def connection(self) -> None:
        """Show the connection, and end it."""
        _expect(self._send("GET", CONNECTION), HTTPStatus.OK, ("status", "active"))
        _expect(self._send("DELETE", CONNECTION), HTTPStatus.ACCEPTED, ("status", "disconnecting"))

    def _send(self, method: str, target: str, **options: Any) -> requests.Response:  # noqa: ANN401 - requests' own
        self.session.trust_env = False
        return self.session.request(
            method, f"{self.address}{target}", allow_redirects=False, timeout=_ANSWER_SECONDS, **options
        )


ROUTES: Mapping[str, Callable[[Story], None]] = {
    "POST /invitations": Story.invitations,
    "GET /oauth/start": Story.start,
    "GET /oauth/callback": Story.callback,
    "POST /installs/{handle}/confirm": Story.confirm,
    "GET /connections": Story.list_connections,
    "GET /connections/{grant}/{subdomain}/token": Story.token,
    "GET and DELETE /connections/{grant}/{subdomain}": Story.connection,
}


def play_routes(address: str, console: Console) -> list[bool]:
    """Play the story and print a line for each route; after a failure the rest counts as not answered."""
    story, results = Story(address), [False] * len(ROUTES)
    for number, (route, step) in enumerate(ROUTES.items()):
        try:
            step(story)
        except (RouteFailedError, requests.RequestException, KeyError, ValueError) as error:
            console.print(f"  ✘ {route}: {error}", markup=False, highlight=False)
            break
        results[number] = True
        console.print(f"  ✔ {route}", markup=False, highlight=False)
    return results


def _target(url: str) -> str:
    """Return the path and query of an address of ours, whose host is that of the settings."""
    if not url.startswith(API_ADDRESS):
        raise RouteFailedError("an address of another place was given")
    return url.removeprefix(API_ADDRESS)


def _expect(answer: requests.Response, status: HTTPStatus, member: tuple[str, str] | None = None) -> None:
    if answer.status_code != status:
        raise RouteFailedError(f"answered {answer.status_code}: {answer.text[:300]}")
    if member is not None and answer.json().get(member[0]) != member[1]:
        raise RouteFailedError(f"its {member[0]} is {answer.json().get(member[0])!r}")
