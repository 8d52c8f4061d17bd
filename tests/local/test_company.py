"""The company's example site believes its own session and its backend, and no address."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

import pytest
import requests
from flask.testing import FlaskClient

from local.backend import Backend
from local.company.site import CompanySite, create_app

HANDLE = f"{'i' * 22}.{'s' * 43}"


@dataclass
class ScriptedBackend:
    """Answers as it is told and keeps what it was asked."""

    status: int
    body: str
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def invite(self, user: str) -> requests.Response:
        """Answer an invitation."""
        self.asked.append((user,))
        return self._answer()

    def confirm(self, handle: str, user: str) -> requests.Response:
        """Answer a confirmation."""
        self.asked.append((handle, user))
        return self._answer()

    def _answer(self) -> requests.Response:
        response = requests.Response()
        response.status_code = self.status
        response._content = self.body.encode()
        return response


def visit(backend: ScriptedBackend | None = None) -> tuple[CompanySite, FlaskClient]:
    """Return a site with this backend, and somebody who visits it."""
    site = CompanySite("http://localhost:1", "http://localhost:2/oauth/start", cast("Backend", backend))
    return site, create_app(site).test_client()


def test_the_open_button_is_a_link_with_a_way_back() -> None:
    """In open mode the button is a plain link to start, which names the page to return to."""
    _, client = visit()
    page = client.get("/").text
    assert "http://localhost:2/oauth/start?return_to=http%3A//localhost%3A1/zendesk/back" in page


def test_the_confirmed_button_leads_through_an_invitation() -> None:
    """The backend invites the signed-in user, and the browser goes where it says."""
    backend = ScriptedBackend(
        HTTPStatus.CREATED, '{"start_url": "http://localhost:3/oauth/start?invitation=x"}'
    )
    _, client = visit(backend)
    client.get("/as/bob")
    answer = client.post("/connect")
    assert (answer.status_code, answer.location) == (303, "http://localhost:3/oauth/start?invitation=x")
    assert backend.asked == [("bob",)]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (HTTPStatus.OK, '{"subdomain": "acme"}', "acme is connected, confirmed for Ann."),
        (HTTPStatus.FORBIDDEN, '{"message": "There is none."}', "Not confirmed for Ann: There is none."),
    ],
)
def test_a_handle_is_confirmed_for_who_is_signed_in(status: int, body: str, said: str) -> None:
    """The backend asks for its own user, and the handle does not stay in the address."""
    backend = ScriptedBackend(status, body)
    _, client = visit(backend)
    answer = client.get(f"/zendesk/back?handle={HANDLE}")
    assert (answer.status_code, answer.location) == (303, "/")
    assert backend.asked == [(HANDLE, "ann")]
    assert said in client.get("/").text
    assert said not in client.get("/").text


def test_a_hand_typed_result_changes_nothing() -> None:
    """Without a handle the site asks nobody and claims nothing."""
    backend = ScriptedBackend(HTTPStatus.OK, "{}")
    _, client = visit(backend)
    client.get("/zendesk/back?result=connected")
    assert "The address proves nothing" in client.get("/").text
    assert backend.asked == []


def test_an_unknown_user_is_nobody_new() -> None:
    """A made-up session is the first user's, whose name is no markup of the visitor's choice."""
    _, client = visit()
    client.get("/as/<script>")
    page: Any = client.get("/").text
    assert "<script>" not in page
    assert "Signed in as <strong>Ann</strong>" in page


def test_a_refused_invitation_is_said() -> None:
    """Where the service refuses, the person sees why."""
    backend = ScriptedBackend(HTTPStatus.CONFLICT, '{"message": "open mode"}')
    _, client = visit(backend)
    assert client.post("/connect").status_code == 303
    assert "The invitation was refused: open mode" in client.get("/").text
