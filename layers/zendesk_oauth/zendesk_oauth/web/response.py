"""A response, and the headers that stand on every answer of ours, errors too."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

CSP = "Content-Security-Policy"
CLOSED_CSP = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
"""Nothing may be loaded and nobody may frame us."""
_ALWAYS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    CSP: f"{CLOSED_CSP}; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
TEXT = "text/plain; charset=utf-8"


class Response(NamedTuple):
    """Status, body, the headers beyond those of every answer, and whole `Set-Cookie` values."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = MappingProxyType({})
    cookies: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show the status alone: a state, an invitation or a handle can be in each of the other parts."""
        return f"Response({int(self.status)})"

    def as_payload(self) -> dict[str, object]:
        """Return what the gateway expects from a function (payload 2.0)."""
        payload: dict[str, object] = {
            "statusCode": int(self.status),
            "headers": {"Content-Type": TEXT, **_ALWAYS, **self.headers},
            "body": self.body,
            "isBase64Encoded": False,
        }
        if self.cookies:
            payload["cookies"] = list(self.cookies)
        return payload


def redirect(status: int, location: str, cookies: tuple[str, ...] = ()) -> Response:
    """Return a redirect; `location` is built from checked parts only."""
    return Response(status, headers={"Location": location}, cookies=cookies)
