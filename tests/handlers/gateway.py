"""A gateway on loopback: turns HTTP requests into payload 2.0 events for our handlers, and their answers back.

It stands for API Gateway where a browser or a client over HTTP is to meet the real handlers in one process.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from local.served import served
from tests.handlers.payloads import api_event

type Handler = Callable[[object, object], Mapping[str, Any]]


class Gateway(ThreadingHTTPServer):
    """Finds the handler by the path's beginning; `address` has the host name that browsers take Secure cookies on."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.routes: dict[str, Handler] = {}
        self.events: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://localhost:{self.server_port}"

    def queries(self, path: str) -> list[dict[str, str]]:
        """Return the queries that a path was asked with."""
        return [event.get("queryStringParameters", {}) for event in self.events if event["rawPath"] == path]

    def invoke(self, path: str, event: dict[str, Any]) -> Mapping[str, Any]:
        """Return the answer of the handler whose route the path begins with."""
        self.events.append(event)
        for prefix, handler in self.routes.items():
            if path.startswith(prefix):
                return handler(event, None)
        return {
            "statusCode": 404,
            "headers": {"Content-Type": "application/json"},
            "body": '{"message":"Not Found"}',
        }


class _Exchange(BaseHTTPRequestHandler):
    """One request and its answer."""

    server: Gateway
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        cookies = _cookies(headers.pop("cookie", ""))
        length = int(headers.get("content-length", "0"))
        body = self.rfile.read(length).decode() if length else None
        event = api_event(self.command, url.path, url.query, headers=headers, cookies=cookies, body=body)
        self._write(self.server.invoke(url.path, event))

    def _write(self, payload: Mapping[str, Any]) -> None:
        data = payload["body"].encode()
        self.send_response(payload["statusCode"])
        for name, value in payload["headers"].items():
            self.send_header(name, value)
        for cookie in payload.get("cookies", []):
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = _answer  # noqa: N815 - the base's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: a request line holds code and state."""


def _cookies(header: str) -> list[str]:
    """Return the pairs as the gateway hands them on: as UTF-8, and no character of a name is normalized."""
    text = header.encode("latin-1").decode(errors="replace")
    return [part.strip(" ") for part in text.split(";") if part.strip(" ")]


@contextmanager
def running_gateway() -> Iterator[Gateway]:
    """Give a gateway that answers while the block runs."""
    with served(Gateway()) as gateway:
        yield gateway
