"""An API Gateway event (HTTP API, payload 2.0) becomes a checked `Request`, or is refused.

The event is believed in nothing, not even in its types: whoever may invoke the function can send any JSON.
Source: API Gateway, "Create AWS Lambda proxy integrations for HTTP APIs".
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import NamedTuple

from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.web.cookies import Cookies, parse_cookies

LONGEST_BODY = 4096
"""In bytes: more than any body we answer to needs."""
_LONGEST_BASE64 = LONGEST_BODY * 4 // 3 + 4
_REFERENCE = re.compile(r"[A-Za-z0-9=_-]{1,64}")
_LOOKING_AHEAD = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
_PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")
"""Where browsers say that nobody has asked for the page yet."""
_PAGE = "document"
_UNKNOWN = "unknown"


class Request(NamedTuple):
    """A request whose parts are well-formed; what they mean is not judged yet.

    `route` is the path of the gateway's route (`/connections/{grant}/{subdomain}`), for which it has authorized the
    caller, or empty where the event names no route for this method.
    `unverified_query` is the raw text: each reader parses the parameters that it knows (`query.parse_query`).
    `is_navigation` is True only where the browser says that it opens the address as a page of its own: a link preview
    or a mail scanner does not, and neither does a browser from before Fetch Metadata.
    `path` has been percent-decoded by the gateway: a slash in it may have been `%2F`.
    """

    method: str
    route: str
    path: str
    unverified_query: str
    cookies: Cookies
    body: bytes
    is_prefetch: bool
    is_navigation: bool

    def __repr__(self) -> str:
        """Show the method alone: each of the other parts can hold a secret."""
        return f"Request({self.method!r})"


def parse_request(event: object) -> Request:
    """Return the request. Raises MalformedRequestError."""
    headers = _headers(event)
    return Request(
        method=method_of(event),
        route=_route(event),
        path=_path(event),
        unverified_query=_text(event, "rawQueryString"),
        cookies=parse_cookies(_cookie_headers(event, headers)),
        body=_body(event),
        is_prefetch=any(_LOOKING_AHEAD.search(headers.get(name, "")) for name in _PURPOSES),
        is_navigation=_is_navigation(headers),
    )


def method_of(event: object) -> str:
    """Return the HTTP method, or nothing where the event names none."""
    return _text(_part(_part(event, "requestContext"), "http"), "method")


def reference_of(event: object, context: object) -> str:
    """Return what finds this request's log line: the gateway's request id, or else the function's own."""
    candidates = (
        _part(_part(event, "requestContext"), "requestId"),
        getattr(context, "aws_request_id", None),
    )
    fitting = (text for text in candidates if isinstance(text, str) and _REFERENCE.fullmatch(text))
    return next(fitting, _UNKNOWN)


def _part(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _text(value: object, name: str) -> str:
    text = _part(value, name)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise MalformedRequestError(f"{name} is not a text")
    return text


def _route(event: object) -> str:
    """Return the path of the route key. Its method is ANY at API Gateway and the request's own in `sam local`."""
    method, _, path = _text(event, "routeKey").partition(" ")
    return path if method in {"ANY", method_of(event)} else ""


def _path(event: object) -> str:
    """Return the path without the stage, which the gateway puts in front where it has a name."""
    path = _text(event, "rawPath")
    stage = _text(_part(event, "requestContext"), "stage")
    return path.removeprefix(f"/{stage}") if path.startswith(f"/{stage}/") else path


def _headers(event: object) -> dict[str, str]:
    headers = _part(event, "headers")
    pairs = headers.items() if isinstance(headers, Mapping) else ()
    return {str(name).lower(): value for name, value in pairs if isinstance(value, str)}


def _is_navigation(headers: Mapping[str, str]) -> bool:
    """Judge by W3C, "Fetch Metadata Request Headers": not a frame, where nobody could be sent to Zendesk either."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", _PAGE) == _PAGE


def _cookie_headers(event: object, headers: Mapping[str, str]) -> list[str]:
    """Return what the gateway set apart as `cookies`, and the plain header, where a stand-in leaves it."""
    apart = _part(event, "cookies")
    texts = [text for text in apart if isinstance(text, str)] if isinstance(apart, list) else []
    return [*texts, headers.get("cookie", "")]


def _body(event: object) -> bytes:
    text = _text(event, "body")
    if len(text) > _LONGEST_BASE64:
        raise MalformedRequestError("body too long")
    try:
        body = b64decode(text, validate=True) if _part(event, "isBase64Encoded") else text.encode()
    except ValueError:
        raise MalformedRequestError("body encoding") from None
    if len(body) > LONGEST_BODY:
        raise MalformedRequestError("body too long")
    return body
