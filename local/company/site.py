"""The company's site on loopback: who is signed in, a Connect button for each start mode, and the way back.

It shows what a company writes itself. The rule: nothing that comes back in an address is believed; in confirmed
mode its backend confirms for the user whom its own session names.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import requests
from flask import Flask, redirect, render_template, request
from werkzeug.wrappers import Response

from local.backend import Backend
from local.served import served
from local.zendesk.server import LoopbackServer

USERS = {"ann": "Ann", "bob": "Bob"}
RETURN_PATH = "/zendesk/back"
_SESSION = "example-user"


@dataclass(slots=True)
class CompanySite:
    """The site; it learns of the deployments once they are there. `said` is shown once."""

    origin: str
    open_start_url: str = ""
    backend: Backend | None = None
    said: str = ""

    @property
    def return_url(self) -> str:
        """Where browsers come back to."""
        return f"{self.origin}{RETURN_PATH}"

    def say(self, text: str) -> Response:
        """Keep a text for the home page and go there: a handle does not stay in the address bar."""
        self.said = text
        return redirect("/", HTTPStatus.SEE_OTHER)


def create_app(site: CompanySite) -> Flask:
    """Return the application."""
    app = Flask(__name__, template_folder=str(Path(__file__).parent))

    @app.get("/")
    def home() -> str:
        said, site.said = site.said, ""
        return render_template("home.html", site=site, said=said, users=USERS, user=_user())

    @app.get("/as/<user>")
    def sign_in(user: str) -> Response:
        answer = redirect("/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(_SESSION, user, httponly=True, samesite="Lax")
        return answer

    @app.post("/connect")
    def connect() -> Response:
        answer = _backend(site).invite(_user())
        if answer.status_code != HTTPStatus.CREATED:
            return site.say(f"The invitation was refused: {_why(answer)}")
        return redirect(answer.json()["start_url"], HTTPStatus.SEE_OTHER)

    @app.get(RETURN_PATH)
    def come_back() -> Response:
        handle = request.args.get("handle")
        if handle is None:
            return site.say("You are back. The address proves nothing; the connections table knows.")
        answer = _backend(site).confirm(handle, _user())
        if answer.status_code != HTTPStatus.OK:
            return site.say(f"Not confirmed for {USERS[_user()]}: {_why(answer)}")
        return site.say(f"{answer.json()['subdomain']} is connected, confirmed for {USERS[_user()]}.")

    return app


def _user() -> str:
    """Return who is signed in: a cookie is enough for an example."""
    user = request.cookies.get(_SESSION, "")
    return user if user in USERS else "ann"


def _backend(site: CompanySite) -> Backend:
    if site.backend is None:
        raise RuntimeError("the deployment in confirmed mode is not there yet")
    return site.backend


def _why(answer: requests.Response) -> str:
    return str(answer.json().get("message", answer.status_code))


@contextmanager
def running_company(port: int = 0) -> Iterator[CompanySite]:
    """Give the site, which answers on loopback while the block runs; port 0 takes any that is free."""
    site = CompanySite("")
    server = LoopbackServer(create_app(site), port)
    site.origin = f"http://localhost:{server.port}"
    with served(server, "company"):
        yield site
