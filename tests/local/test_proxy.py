"""The reverse proxy sets the API's Host and changes nothing else."""

import http.client
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from local.proxy import HOST, ReverseProxy, running_proxy
from local.served import served

API = "0123abcd.execute-api.localhost:4566"


class Upstream(BaseHTTPRequestHandler):
    """Answers with what it was asked, and with whatever the path names."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Answer as the path says."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = {
            "method": self.command,
            "path": self.path,
            "headers": [[name, value] for name, value in self.headers.items()],
            "body": body.decode(),
        }
        answer = b"" if "204" in self.path else json.dumps(seen).encode()
        self.send_response_only(204 if "204" in self.path else 200)
        self.send_header("Set-Cookie", "__Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600")
        self.send_header("Set-Cookie", "__Host-b=2; Path=/; Secure")
        self.send_header("X-Seen", self.command)
        if "204" not in self.path:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer if self.command != "HEAD" else b"")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer  # noqa: N815 - the base's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Say nothing."""


@pytest.fixture
def proxy() -> Iterator[ReverseProxy]:
    """Give a proxy before an upstream on loopback."""
    with (
        served(ThreadingHTTPServer((HOST, 0), Upstream)) as upstream,
        running_proxy(0, upstream.server_port) as server,
    ):
        server.host = API
        yield server


def ask(
    proxy: ReverseProxy,
    method: str,
    path: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[http.client.HTTPResponse, str]:
    """Send a request through the proxy and return its answer with its text."""
    connection = http.client.HTTPConnection(HOST, proxy.server_port, timeout=10)
    try:
        connection.request(method, path, body and body.encode(), headers or {})
        response = connection.getresponse()
        return response, response.read().decode()
    finally:
        connection.close()


def seen(text: str) -> dict[str, Any]:
    """Return what the upstream saw, its headers as a dictionary."""
    request: dict[str, Any] = json.loads(text)
    return request | {"headers": dict(request["headers"])}


def test_the_host_is_the_apis(proxy: ReverseProxy) -> None:
    """The upstream sees the API's own name, whatever the caller said, and no header of ours."""
    _, text = ask(proxy, "GET", "/", headers={"Host": "evil.example", "Accept": "*/*"})
    assert seen(text)["headers"] == {"Host": API, "Accept": "*/*", "Accept-Encoding": "identity"}


def test_path_and_query_pass_as_they_are(proxy: ReverseProxy) -> None:
    """Not a byte of the path and the query is decoded, sorted or joined."""
    path = "/oauth/callback?code=a%2Bb&code=c&state=%00&empty=&x=%zz"
    _, text = ask(proxy, "GET", path)
    assert seen(text)["path"] == path


def test_each_cookie_keeps_a_header_of_its_own(proxy: ReverseProxy) -> None:
    """Set-Cookie headers come back one by one and unchanged, and a Cookie header goes through."""
    response, text = ask(proxy, "GET", "/", headers={"Cookie": "__Host-a=1; __Host-b=2"})
    assert response.headers.get_all("Set-Cookie") == [
        "__Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600",
        "__Host-b=2; Path=/; Secure",
    ]
    assert seen(text)["headers"]["Cookie"] == "__Host-a=1; __Host-b=2"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_and_its_body_pass(method: str, proxy: ReverseProxy) -> None:
    """The upstream sees the method and the body that were sent."""
    _, text = ask(proxy, method, "/x", body='{"user": "é"}' if method != "GET" else None)
    request = seen(text)
    assert request["method"] == method
    assert request["body"] == ("" if method == "GET" else '{"user": "é"}')


def test_head_has_headers_and_no_body(proxy: ReverseProxy) -> None:
    """HEAD is passed on as HEAD; its Content-Length is the upstream's."""
    response, text = ask(proxy, "HEAD", "/")
    assert (response.headers["X-Seen"], text) == ("HEAD", "")
    assert int(response.headers["Content-Length"]) > 0


def test_nothing_is_added_to_an_answer(proxy: ReverseProxy) -> None:
    """An answer has the upstream's headers and no Server or Date of ours; one without a body has no length."""
    response, _ = ask(proxy, "GET", "/204")
    assert response.status == 204
    assert [name for name, _ in response.getheaders()] == ["Set-Cookie", "Set-Cookie", "X-Seen"]


def test_it_listens_on_loopback_only(proxy: ReverseProxy) -> None:
    """The proxy is bound to 127.0.0.1."""
    assert proxy.socket.getsockname()[0] == "127.0.0.1"


def test_an_upstream_that_is_gone_is_a_502(proxy: ReverseProxy) -> None:
    """A broken emulator is told from a broken product."""
    proxy.upstream_port = 1
    response, _ = ask(proxy, "GET", "/")
    assert response.status == 502


def test_it_logs_nothing(proxy: ReverseProxy, capfd: pytest.CaptureFixture[str]) -> None:
    """A query string has a code and a state in it: none is ever written down."""
    ask(proxy, "GET", "/oauth/callback?code=secret")
    assert capfd.readouterr() == ("", "")
