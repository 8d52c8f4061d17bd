"""A reverse proxy on loopback: gives the deployed API an address of our choice.

The emulator serves an API under `<id>.execute-api.localhost:PORT`, which Python does not resolve and whose id is
unknown before the deploy. The rule: it sets that Host and changes nothing else, either way, but the framing.
"""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

from local.served import served

HOST = "127.0.0.1"
_PATIENCE_SECONDS = 60
_FRAMING = frozenset({"host", "connection", "keep-alive", "transfer-encoding", "content-length"})
"""Headers that belong to one connection (RFC 9110 section 7.6.1) or are set anew here."""
_BODYLESS = frozenset({http.client.NO_CONTENT, http.client.NOT_MODIFIED})


class ReverseProxy(ThreadingHTTPServer):
    """Passes requests on to the emulator; `host` is the API's own name there, set once it is deployed."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, upstream_port: int) -> None:
        super().__init__((HOST, port), _Passage)
        self.upstream_port = upstream_port
        self.host = ""

    def server_bind(self) -> None:
        """Bind without asking any name server for our own name, as the standard library would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that went away."""


class _Passage(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ReverseProxy

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upstream = http.client.HTTPConnection(HOST, self.server.upstream_port, timeout=_PATIENCE_SECONDS)
        try:
            self._send_upstream(upstream, body)
            self._answer(upstream.getresponse())
        except (OSError, http.client.HTTPException):
            self.send_error(http.client.BAD_GATEWAY)
        finally:
            upstream.close()

    def _send_upstream(self, upstream: http.client.HTTPConnection, body: bytes) -> None:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        upstream.putheader("Host", self.server.host)
        for name, value in self.headers.items():
            if name.lower() not in _FRAMING:
                upstream.putheader(name, value)
        if body or "Content-Length" in self.headers:
            upstream.putheader("Content-Length", str(len(body)))
        upstream.endheaders(body)

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        body = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _FRAMING:
                self.send_header(name, value)
        if answer.status not in _BODYLESS:
            length = answer.headers.get("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _pass_on  # noqa: N815 - the base's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Log nothing: a query string has a code and a state in it."""


@contextmanager
def running_proxy(port: int, upstream_port: int) -> Iterator[ReverseProxy]:
    """Give a proxy that listens on `port` of loopback while the block runs; port 0 takes any that is free."""
    with served(ReverseProxy(port, upstream_port), "proxy") as server:
        yield server
