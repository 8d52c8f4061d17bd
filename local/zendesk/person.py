"""A person by script, for callers without a browser: reads the page, signs in, presses Allow or Deny.

The rule: it goes to loopback only, follows no redirect, and returns the address that a browser would be sent to.
"""

import http.client
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

_LOOPBACK = {"127.0.0.1", "localhost"}
_PATIENCE_SECONDS = 30


class NotAskedError(Exception):
    """There was no Allow or Deny to press: the page said something else, with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the page answered {status} and has no Allow and Deny")
        self.status = status


def approve(authorize_url: str, as_role: str = "admin") -> str:
    """Press Allow as `admin`, `agent` or `end-user` and return the callback's address; raises NotAskedError."""
    return _press("allow", authorize_url, as_role)


def deny(authorize_url: str, as_role: str = "admin") -> str:
    """Press Deny and return the callback's address; raises NotAskedError."""
    return _press("deny", authorize_url, as_role)


def _press(decision: str, authorize_url: str, as_role: str) -> str:
    url = urlsplit(authorize_url)
    if url.hostname not in _LOOPBACK:
        raise ValueError("a person by script goes to loopback only")
    query = urlencode([*parse_qsl(url.query, keep_blank_values=True), ("person", as_role)])
    signed_in = url._replace(query=query)
    status, location, page = _ask("GET", signed_in)
    if location:  # the request was refused with an error for the callback, and nobody was asked
        return location
    if status != http.client.OK or 'value="allow"' not in page:
        raise NotAskedError(status)
    status, location, _ = _ask("POST", signed_in, urlencode({"decision": decision}))
    if not location:
        raise NotAskedError(status)
    return location


def _ask(method: str, url: SplitResult, body: str | None = None) -> tuple[int, str, str]:
    """Return status, Location (or nothing) and text."""
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=_PATIENCE_SECONDS)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    try:
        connection.request(method, f"{url.path}?{url.query}", body, headers)
        response = connection.getresponse()
        return response.status, response.getheader("Location", ""), response.read().decode()
    finally:
        connection.close()
