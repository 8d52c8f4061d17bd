"""Events as requests: nothing in them is believed, not even its type."""

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest

from tests.handlers.payloads import api_event
from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.web.request import method_of, parse_request, reference_of
from zendesk_oauth.web.response import Response


def test_an_event_becomes_a_request() -> None:
    """Method, route, path, query, cookies and body come out checked."""
    event = api_event("POST", "/x", "a=1", cookies=["c=1"], headers={"Cookie": "d=2"}, body="{}")
    request = parse_request(event)
    assert (request.method, request.route, request.path) == ("POST", "/x", "/x")
    assert request.unverified_query == "a=1"
    assert (request.cookies, request.body, request.is_prefetch) == ((("c", "1"), ("d", "2")), b"{}", False)


@pytest.mark.parametrize(
    ("key", "route"),
    [("ANY /x", "/x"), ("POST /x", "/x"), ("GET /x", ""), ("any /x", ""), ("/x", ""), ("$default", "")],
)
def test_the_route_is_that_of_any_method_or_of_the_request_s_own(key: str, route: str) -> None:
    """API Gateway names the route by ANY, `sam local start-api` by the method; another method's is no route of it."""
    assert parse_request(api_event("POST", "/x") | {"routeKey": key}).route == route


@pytest.mark.parametrize(
    "event", [{}, {"rawQueryString": None, "headers": None, "cookies": None, "body": None}]
)
def test_what_is_absent_is_empty(event: dict[str, Any]) -> None:
    """A null query, and an event with nothing in it, are an empty request."""
    request = parse_request(event)
    assert (request.method, request.route, request.path, request.unverified_query) == ("", "", "", "")
    assert request.body == b""


@pytest.mark.parametrize(
    "event", [None, [], "text", 7, {"headers": [1], "cookies": {"a": 1}, "requestContext": 3}]
)
def test_any_json_is_a_request_or_malformed(event: object) -> None:
    """Arbitrary JSON raises nothing but our own error."""
    assert parse_request(event).method == ""


@pytest.mark.parametrize(
    "broken",
    [
        {"rawQueryString": 7},
        {"rawPath": []},
        {"routeKey": 7},
        {"body": {}},
        {"body": "\ud800"},
        {"body": "x" * 4097},
        {"body": "x" * 6000},
        {"body": b64encode(b"x" * 4097).decode(), "isBase64Encoded": True},
        {"body": "no base64!", "isBase64Encoded": True},
        {"body": "é", "isBase64Encoded": True},
        {"requestContext": {"http": {"method": 7}}},
        {"requestContext": {"stage": 7}},
    ],
    ids=repr,
)
def test_wrong_types_and_sizes_are_malformed(broken: dict[str, Any]) -> None:
    """A part of the wrong type, encoding or size refuses the whole."""
    with pytest.raises(MalformedRequestError):
        parse_request(broken)


def test_a_base64_body_is_decoded() -> None:
    """The gateway may encode a body; it is the same body."""
    event = api_event("POST", "/x", body=b64encode(b"{}").decode()) | {"isBase64Encoded": True}
    assert parse_request(event).body == b"{}"


def test_the_stage_is_no_part_of_the_path() -> None:
    """A named stage stands in front of the path and is taken off; a path that only begins alike is left."""
    event = api_event("GET", "/prod/installs")
    event["requestContext"]["stage"] = "prod"
    assert parse_request(event).path == "/installs"
    event["rawPath"] = "/product"
    assert parse_request(event).path == "/product"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Sec-Purpose", "prefetch;prerender"),
        ("purpose", "Prefetch"),
        ("X-Purpose", "preview"),
        ("X-Moz", "prefetch"),
    ],
)
def test_looking_ahead_is_seen(header: str, value: str) -> None:
    """Every browser's way to say that nobody has asked yet is understood."""
    assert parse_request(api_event("GET", "/x", headers={header: value})).is_prefetch


def test_the_method_is_known_before_anything_else() -> None:
    """A broken query does not hide the method."""
    assert method_of(api_event("POST", "/x", "a=%")) == "POST"
    with pytest.raises(MalformedRequestError):
        method_of({"requestContext": {"http": {"method": 1}}})


@pytest.mark.parametrize(
    ("request_id", "aws_request_id", "reference"),
    [
        ("UhY_-qIA=", "lambda-1", "UhY_-qIA="),
        ("two\nlines", "lambda-1", "lambda-1"),
        ("x" * 65, "lambda-1", "lambda-1"),
        (None, None, "unknown"),
        (7, "<script>", "unknown"),
    ],
)
def test_a_reference_cannot_be_forged(request_id: object, aws_request_id: object, reference: str) -> None:
    """Only what has the form of an id is shown and logged as one."""
    event = {"requestContext": {"requestId": request_id}}
    assert reference_of(event, SimpleNamespace(aws_request_id=aws_request_id)) == reference


def test_neither_a_request_nor_a_response_shows_its_secrets() -> None:
    """Query, cookies, addresses and bodies can hold secrets: what ends in a traceback by accident shows none."""
    request = parse_request(api_event("GET", "/x", "code=secret", cookies=["c=secret"]))
    response = Response(303, "secret", {"Location": "secret"}, ("secret",))
    assert (repr(request), repr(response)) == ("Request('GET')", "Response(303)")


@pytest.mark.parametrize(
    ("headers", "is_one"),
    [
        ({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, True),
        ({"sec-fetch-mode": "navigate"}, True),
        ({"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, False),
        ({"sec-fetch-mode": "cors"}, False),
        ({"sec-fetch-dest": "document"}, False),
        ({"sec-fetch-user": "?1"}, False),
        ({}, False),
    ],
    ids=repr,
)
def test_a_navigation_is_seen(headers: dict[str, str], is_one: bool) -> None:  # noqa: FBT001 - a table's column
    """Only what a browser calls a navigation of a page is one; silence is not."""
    assert parse_request(api_event("GET", "/x", headers=headers)).is_navigation is is_one
