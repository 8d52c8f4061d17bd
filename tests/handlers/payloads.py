"""Payload 2.0 events, as files and as HTTP requests become them."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

EVENTS = Path(__file__).parents[2] / "events"
HOST = "connect.example.com"
_WITH_NAMES = (
    "/installs/{handle}/confirm",
    "/connections/{grant}/{subdomain}",
    "/connections/{grant}/{subdomain}/token",
)


def load_event(name: str) -> dict[str, Any]:
    """Return the event of `events/<name>.json`."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def event_names() -> list[str]:
    """Return every event there is, as `<function>/<situation>`."""
    return sorted(str(path.relative_to(EVENTS).with_suffix("")) for path in EVENTS.glob("*/*.json"))


def route_key(path: str) -> str:
    """Return the key of the route that the gateway finds for a path."""
    for route in _WITH_NAMES:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), path):
            return f"ANY {route}"
    return f"ANY {path}"


def api_event(  # the parts of a request, all but the first three by name
    method: str,
    path: str,
    query: str = "",
    *,
    headers: dict[str, str] | None = None,
    cookies: list[str] | None = None,
    body: str | None = None,
) -> dict[str, Any]:
    """Return the event that API Gateway makes of a request."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key(path),
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": HOST} | (headers or {}),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcde12345",
            "domainName": HOST,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.10"},
            "requestId": "UhYtestqIAMEexample=",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    if cookies:
        event["cookies"] = cookies
    if body is not None:
        event["body"] = body
    return event
