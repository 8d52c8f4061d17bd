"""Answers that have nothing to do with what was asked.

The rule: a success is sent after the work was done, an error instead of it, unless the option `worked` says otherwise.
"""

import gzip
from email.utils import formatdate

from flask import Response

from local.zendesk.misbehaviours.call import Call, as_json

_HTML = "<!doctype html><html lang=en><title>Zendesk</title><h1>Something went wrong</h1>"
_MEGABYTE = 1_000_000


def answer(
    call: Call,
    *,
    status: int = 200,
    body: str = "",
    content_type: str = "application/json",
    worked: bool = False,
) -> Response:
    """Send anything at all, word for word."""
    call.work_if(worked)
    return Response(body, status, content_type=content_type)


def html(call: Call, *, status: int = 200, worked: bool = True) -> Response:
    """Send an HTML page where JSON is due."""
    call.work_if(worked)
    return Response(_HTML, status, content_type="text/html; charset=utf-8")


def server_error(call: Call, *, status: int = 503, worked: bool = False) -> Response:
    """Send 500, 502, 503 or 504 with an HTML page."""
    return html(call, status=status, worked=worked)


def empty_object(call: Call, *, worked: bool = True) -> Response:
    """Send 200 and `{}`."""
    call.work_if(worked)
    return as_json({})


def gzip_bomb(call: Call, *, megabytes: int = 100, worked: bool = True) -> Response:
    """Send a few kilobytes that unpack to very many."""
    call.work_if(worked)
    # Members of one gzip stream may follow each other (RFC 1952, section 2.2), so one megabyte is packed once only.
    packed = gzip.compress(b" " * _MEGABYTE) * megabytes + gzip.compress(b"{}")
    return Response(packed, content_type="application/json", headers={"Content-Encoding": "gzip"})


def no_content(call: Call, *, worked: bool = True) -> Response:
    """Send 204, and nothing."""
    call.work_if(worked)
    return Response(status=204)


def redirect(call: Call, *, status: int = 307, location: str | None = None, worked: bool = False) -> Response:
    """Send a redirect to another host; whoever follows it is counted there."""
    call.work_if(worked)
    return Response(status=status, headers={"Location": location or call.elsewhere})


def too_many_requests(call: Call, *, retry_after: str | int | None = None) -> Response:
    """Send 429, with a `Retry-After` of seconds, of a `date` 60 s from now, of garbage, or without one."""
    response = as_json({"error": "TooManyRequests", "description": "Slow down"}, 429)
    if retry_after is not None:
        is_date = retry_after == "date"
        response.headers["Retry-After"] = (
            formatdate(call.now() + 60, usegmt=True) if is_date else str(retry_after)
        )
    return response


def oauth_error(call: Call, *, error: str = "invalid_grant", status: int | None = None) -> Response:
    """Send an error of RFC 6749, or of nobody; `invalid_client` for ever is a client whose secret is wrong."""
    del call
    body = {"error": error, "error_description": "The stand-in was told to say so."}
    return as_json(body, status or (401 if error == "invalid_client" else 400))


def invalid_token(call: Call) -> Response:
    """Send 401 from the API, to a token that may be good."""
    del call
    return as_json(
        {"error": "invalid_token", "error_description": "The access token expired or was revoked."}, 401
    )


def forbidden(call: Call) -> Response:
    """Send 403 from the API, as for a missing scope."""
    del call
    return as_json(
        {"error": "Forbidden", "description": "You are missing the following required scopes: read"}, 403
    )
