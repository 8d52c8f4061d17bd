"""The authorization page: who is asked what, and where they are sent."""

import re
from collections.abc import Callable

import pytest
import requests

from local.zendesk.person import NotAskedError, approve, deny
from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn
from tests.standin.client import CHALLENGE, REDIRECT_URI, PlainClient, answered


def get(url: str) -> requests.Response:
    """Open a page and follow nothing."""
    return requests.get(url, timeout=10, allow_redirects=False)


def test_allow_sends_code_and_state_and_nothing_else(client: PlainClient) -> None:
    """Proves that Allow leads to the callback with a code and the same state, without any name of the account."""
    location = approve(client.authorize_url(state="id.se+c r/et"))
    assert location.split("?")[0] == REDIRECT_URI
    assert set(answered(location)) == {"code", "state"}
    assert answered(location)["state"] == "id.se+c r/et"


def test_deny_sends_error_description_and_state(client: PlainClient) -> None:
    """Proves that Deny leads back with access_denied, a description and the state, and without a code."""
    query = answered(deny(client.authorize_url()))
    assert query.pop("error_description")
    assert query == {"error": "access_denied", "state": "id.secret"}


def test_state_can_be_dropped_on_deny(zendesk: StandIn, client: PlainClient) -> None:
    """Proves the switch for Zendesk's undocumented side: a denial without its state; Allow keeps it."""
    zendesk.switches.drop_state_on_deny = True
    assert "state" not in answered(deny(client.authorize_url()))
    assert answered(approve(client.authorize_url()))["state"] == "id.secret"


@pytest.mark.parametrize("press", [approve, deny])
def test_an_issuer_can_be_named(zendesk: StandIn, client: PlainClient, press: Callable[[str], str]) -> None:
    """Proves the switch that puts an issuer, right or wrong, into the redirect."""
    zendesk.switches.iss = "https://evil.example"
    assert answered(press(client.authorize_url()))["iss"] == "https://evil.example"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"client_id": None},
        {"redirect_uri": "https://evil.example/cb"},
        {"redirect_uri": REDIRECT_URI + "/"},
        {"redirect_uri": REDIRECT_URI.upper()},
        {"redirect_uri": None},
        {"redirect_uri": 'https://evil.example/"\\'},
        {"client_id": "another", "response_type": "token"},
        {"response_type": '"\\'},
    ],
)
def test_wrong_client_or_address_is_a_page_and_no_redirect(
    client: PlainClient, changes: dict[str, str | None]
) -> None:
    """Proves that nobody is sent anywhere when client or address are wrong: HTML, 400, no Location."""
    answer = get(client.authorize_url(**changes))
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Location" not in answer.headers
    assert "evil" not in answer.text
    with pytest.raises(NotAskedError) as caught:
        approve(client.authorize_url(**changes))
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
    ],
)
def test_other_mistakes_are_told_to_the_callback(
    client: PlainClient, changes: dict[str, str | None], error: str
) -> None:
    """Proves that a mistake of a known client is told at its callback, with the state."""
    query = answered(approve(client.authorize_url(**changes)))
    assert (query["error"], query["state"]) == (error, "id.secret")
    assert "code" not in query


def test_repeated_parameters_are_refused(client: PlainClient) -> None:
    """Proves that a repeated state ends at a page, as RFC 6749 section 3.1 demands."""
    assert get(client.authorize_url() + "&state=another").status_code == 400


def test_pkce_may_be_left_out(client: PlainClient) -> None:
    """Proves that a confidential client may come without PKCE, as at Zendesk."""
    assert "code" in answered(approve(client.authorize_url(code_challenge=None, code_challenge_method=None)))


def test_signing_in_is_a_choice_of_three(client: PlainClient) -> None:
    """Proves that the first page offers the three people of the account, and says that it is a stand-in."""
    page = get(client.authorize_url("globex"))
    assert page.status_code == 200
    assert re.findall(r'id="person-([a-z-]+)"', page.text) == ["admin", "agent", "end-user"]
    assert "This is a stand-in, not Zendesk." in page.text
    assert "globex" in page.text


def test_the_page_lists_scopes_in_words(client: PlainClient) -> None:
    """Proves that the person reads what is asked for, the unknown scope left out, and who asks."""
    scope = "users:read tickets:write moon:read impersonate auditlogs:read"
    page = get(client.authorize_url(scope=scope) + "&person=agent").text
    assert re.findall(r"<li>(.*)</li>", page) == [
        "Read users",
        "Create, change and delete tickets",
        "Act in the name of your end users",
        "Read the audit log",
    ]
    assert "zdg-example" in page
    assert "Gus Agent" in page
    assert "This is a stand-in, not Zendesk." in page


def test_a_scope_that_nobody_knows_is_said_to_be_nothing(client: PlainClient) -> None:
    """Proves that a request for unknown scopes only is shown as one for nothing."""
    assert (
        "no scope that is known here" in get(client.authorize_url(scope="moon:read") + "&person=admin").text
    )


def test_an_empty_scope_means_everything(client: PlainClient) -> None:
    """Proves Zendesk's trap: without a scope the person is asked for all of it."""
    page = get(client.authorize_url(scope=None) + "&person=admin").text
    assert "Read everything that you may see" in page
    assert "Create, change and delete everything that you may" in page


def test_pages_have_no_script_and_echo_nothing_unescaped(client: PlainClient) -> None:
    """Proves that the pages allow no script, are not stored, and escape what comes in by the address."""
    page = get(client.authorize_url(state="<script>alert(1)</script>") + "&x=%22%3E%3Cscript%3E")
    assert "<script" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action" not in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_a_decision_is_allow_or_deny(client: PlainClient) -> None:
    """Proves that a form without one of the two decisions leads nowhere."""
    answer = requests.post(
        client.authorize_url() + "&person=admin",
        data={"decision": "maybe"},
        timeout=10,
        allow_redirects=False,
    )
    assert answer.status_code == 400


def test_what_was_asked_is_seen(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that the record names PKCE's method and keeps state and challenge out of its plain form."""
    approve(client.authorize_url())
    seen = zendesk.seen.authorizations[0]
    assert seen.parameters["code_challenge_method"] == "S256"
    assert seen.parameters["state"].startswith("sha256:")
    assert "id.secret" not in repr(zendesk.seen.authorizations)
    assert seen.raw is not None
    assert seen.raw["code_challenge"] == CHALLENGE
    assert [one.method for one in zendesk.seen.authorizations] == ["GET", "POST"]


@pytest.mark.parametrize("subdomain", ["-a", "a_b", "a.b", "a" * 64, "A", "%D0%B0"])
def test_what_is_no_subdomain_is_nobodys(client: PlainClient, subdomain: str) -> None:
    """Proves that a name which is no DNS label has no account: HTML, 404."""
    answer = get(client.authorize_url(subdomain))
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_person_by_script_stays_on_loopback() -> None:
    """Proves that the scripted person refuses any address but loopback, before a look-up."""
    with pytest.raises(ValueError, match="loopback"):
        approve("https://acme.zendesk.com/oauth/authorizations/new?x=1")


class TestAllowedScopes:
    """A client with a list of allowed scopes."""

    @pytest.fixture
    def zendesk_settings(self) -> Settings:
        """Return settings with a list of one scope."""
        return Settings(allowed_scopes=frozenset({"users:read"}))

    def test_outside_the_list_is_invalid_scope(self, client: PlainClient) -> None:
        """Proves that a known scope outside the client's list is refused, an unknown one is not."""
        assert answered(approve(client.authorize_url(scope="tickets:read")))["error"] == "invalid_scope"
        assert "code" in answered(approve(client.authorize_url(scope="users:read moon:read")))


def test_a_client_can_register_another_address(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a second redirect address can be registered while the stand-in runs."""
    zendesk.client.register("http://localhost:9/cb")
    assert approve(client.authorize_url(redirect_uri="http://localhost:9/cb")).startswith(
        "http://localhost:9/cb?code="
    )
