"""Zendesk's redirect: read strictly, before any store is asked."""

from urllib.parse import urlencode

import pytest

from local.sam import example_installs as examples
from tests.handlers.payloads import api_event
from zendesk_oauth.errors import CallbackError, MalformedCallbackError, StateRejectedError
from zendesk_oauth.models.endpoints import ZENDESK_BASE_URL, Endpoints
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.services.complete_install import Allowed, Callback, Refused
from zendesk_oauth.web.callback_query import (
    ERROR_CODES,
    callback_parameters,
    is_denial_without_state,
    parse_callback,
)
from zendesk_oauth.web.request import Request, parse_request

ENDPOINTS = Endpoints(ZENDESK_BASE_URL, "https://connect.example.com")
STATE = examples.state("A").text


def request(letter: str = "A", **query: str) -> Request:
    """Return a request of the example's browser."""
    return parse_request(
        api_event("GET", "/oauth/callback", urlencode(query), cookies=[examples.cookie(letter)])
    )


def parse(**query: str) -> Callback:
    """Return the callback of a query."""
    asked = request(**query)
    return parse_callback(callback_parameters(asked), asked.cookies, ENDPOINTS)


def test_allowed() -> None:
    """Code, state and cookie make a callback; what else the query says is not looked at."""
    callback = parse(code="c", state=STATE, subdomain="evil", scope="read")
    assert callback == Callback(examples.state("A"), examples.browser("A"), Allowed(Secret("c")))


@pytest.mark.parametrize("code", sorted(ERROR_CODES))
def test_known_error_codes(code: str) -> None:
    """Each code of RFC 6749 section 4.1.2.1 passes as itself."""
    assert parse(error=code, state=STATE, error_description="<b>").answer == Refused(code)


@pytest.mark.parametrize("code", ["unheard_of", "Access_Denied", "<script>", "x" * 4000])
def test_unknown_error_codes(code: str) -> None:
    """Any other code becomes one word of ours."""
    assert parse(error=code, state=STATE).answer == Refused("unrecognised_error", code[:64])


@pytest.mark.parametrize("code", ['a"b', "a\\b", "caf\u00e9", "\u20ac"])
def test_no_error_code_breaks_the_log(code: str) -> None:
    """RFC 6749 section 4.1.2.1: neither a quote, nor a backslash, nor what is not ASCII gets into the log."""
    assert parse(error=code, state=STATE).answer == Refused("unrecognised_error")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"state": STATE},
        {"code": "", "state": STATE},
        {"code": "ü", "state": STATE},
        {"error": "", "state": STATE},
        {"error": "", "code": "c", "state": STATE},
        {"error": "access_denied", "code": "c", "state": STATE},
        {"code": "c"},
        {"code": "c", "state": ""},
        {"code": "c", "state": STATE + "x"},
        {"code": "c", "state": STATE.replace(".", "")},
        {"error": "server_error"},
        {"access_token": "t", "token_type": "bearer", "state": STATE},
    ],
    ids=repr,
)
def test_what_no_authorization_server_answers(query: dict[str, str]) -> None:
    """Neither or both of code and error, empty ones, and a state not of our form are malformed."""
    with pytest.raises(MalformedCallbackError):
        parse(**query)


def test_another_browser() -> None:
    """Without the cookie of this install there is nothing to ask the store for."""
    with pytest.raises(StateRejectedError):
        parse_callback({"code": "c", "state": STATE}, request("B").cookies, ENDPOINTS)


def test_the_issuer_is_the_account() -> None:
    """An `iss` of an account is handed on to be compared with the record's (RFC 9207)."""
    assert parse(code="c", state=STATE, iss="https://acme.zendesk.com").issuer == "acme"


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "acme",
        "https://acme.zendesk.com/",
        "http://acme.zendesk.com",
        "https://ACME.zendesk.com",
        "https://evil.example",
    ],
)
def test_an_issuer_that_is_no_account(issuer: str) -> None:
    """Anything but the exact issuer identifier of an account is rejected."""
    with pytest.raises(CallbackError):
        parse(code="c", state=STATE, iss=issuer)


@pytest.mark.parametrize(
    ("query", "is_one"),
    [
        ({"error": "access_denied"}, True),
        ({"error": "access_denied", "state": STATE}, False),
        ({"error": "access_denied", "state": ""}, False),
        ({"error": "access_denied", "code": "c"}, False),
        ({"error": "server_error"}, False),
    ],
    ids=repr,
)
def test_a_denial_without_state(query: dict[str, str], is_one: bool) -> None:  # noqa: FBT001 - a table's column
    """Only a bare denial is taken for one."""
    assert is_denial_without_state(callback_parameters(request(**query))) is is_one
