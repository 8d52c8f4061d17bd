import gzip
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
from urllib3.connection import HTTPConnection

from tests.loopback import Loopback, Script, answer, dripping, raw, silent
from zendesk_oauth.adapters import https_connection
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.https_connection import LONGEST_BODY, HttpAnswer, HttpRequest, send
from zendesk_oauth.errors import ProviderError, ProviderUnavailableError, UnintelligibleAnswerError

CLOCK = SystemClock()
OPENSSL = shutil.which("openssl") or "openssl"


def ask(loopback: Loopback, seconds: float = 5.0, path: str = "/x") -> HttpAnswer:
    """Post a little to the server."""
    request = HttpRequest("POST", f"{loopback.address}{path}", {"X-Test": "1"}, b"a=b")
    return send(request, CLOCK.monotonic() + seconds, CLOCK)


def test_one_request_one_answer(loopback: Loopback) -> None:
    """What is sent arrives whole, and what is answered comes back, names of headers in lower case."""
    loopback.say(answer(201, b'{"a": 1}', {"Retry-After": "7"}))
    got = ask(loopback)
    assert (got.status, got.body, got.headers["retry-after"]) == (201, b'{"a": 1}', "7")
    line, headers = loopback.head()
    assert line == "POST /x HTTP/1.1"
    assert headers == {
        "host": f"127.0.0.1:{loopback.port}",
        "content-length": "3",
        "accept": "application/json",
        "accept-encoding": "identity",
        "connection": "close",
        "user-agent": "zendesk-oauth",
        "x-test": "1",
    }
    assert loopback.requests[0].endswith(b"\r\n\r\na=b")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_answers(loopback: Loopback, status: int) -> None:
    """Whatever Location says, nobody goes there: code and secret would go along."""
    loopback.say(answer(status, b"", {"Location": f"{loopback.address}/elsewhere"}))
    assert ask(loopback).status == status
    assert len(loopback.requests) == 1


@pytest.mark.parametrize("name", ["gzip", "GZIP", "x-gzip"])
@pytest.mark.parametrize("body", [b"{}", b"", b"x" * LONGEST_BODY])
def test_what_is_packed_against_our_word_is_unpacked(loopback: Loopback, name: str, body: bytes) -> None:
    """`identity` was asked for; an answer may hold the only living refresh token, so it is read all the same."""
    loopback.say(answer(200, gzip.compress(body), {"Content-Encoding": name}))
    assert ask(loopback).body == body


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(gzip.compress(bytes(32 * 1024 * 1024)), id="a bomb"),
        pytest.param(gzip.compress(bytes(1024)) * 60 + gzip.compress(b"{}"), id="many members"),
        pytest.param(gzip.compress(b"x" * (LONGEST_BODY + 1)), id="one byte too many"),
        pytest.param(gzip.compress(b"{}" * 100)[:-9], id="cut off"),
        pytest.param(b"{}", id="not packed at all"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_r15_a_bomb_is_not_unpacked(loopback: Loopback, body: bytes) -> None:
    """At most 64 kB are made of it, and one that is cut off or damaged is no answer."""
    loopback.say(answer(200, body, {"Content-Encoding": "gzip"}))
    with pytest.raises(UnintelligibleAnswerError):
        ask(loopback)


def test_a_body_of_64_kilobytes_is_read(loopback: Loopback) -> None:
    """The limit itself is still within it."""
    loopback.say(answer(200, b"x" * LONGEST_BODY))
    assert len(ask(loopback).body) == LONGEST_BODY


@pytest.mark.parametrize("length", [LONGEST_BODY + 1, 1024 * 1024])
def test_a_larger_body_is_refused(loopback: Loopback, length: int) -> None:
    """No more than 64 kB are read, whatever is promised."""
    loopback.say(answer(200, b"x" * length))
    with pytest.raises(UnintelligibleAnswerError):
        ask(loopback)


def test_a_body_without_end_is_refused(loopback: Loopback) -> None:
    """Chunks that never end are cut at 64 kB as well."""
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    loopback.say(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 100))
    with pytest.raises(UnintelligibleAnswerError):
        ask(loopback)


@pytest.mark.parametrize(
    "drips",
    [
        pytest.param(dripping(b"HTTP/1.1 2"), id="status line"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\nX-Slow: "), id="headers"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\n", drop=b"X-Slow: 1\r\n"), id="header after header"),
        pytest.param(
            dripping(b"HTTP/1.1 100 Continue\r\n\r\n", drop=b"HTTP/1.1 100 C\r\n\r\n"), id="continues"
        ),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"), id="body"),
        pytest.param(
            dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", drop=b"1\r\nx\r\n"),
            id="chunks",
        ),
        pytest.param(silent(), id="nothing"),
    ],
)
def test_the_deadline_holds_however_the_answer_drips(loopback: Loopback, drips: Script) -> None:
    """A second is a second: no single read is slow, but all together end in time, and so does the thread."""
    loopback.say(drips)
    before = threading.active_count()
    begun = time.monotonic()
    with pytest.raises(ProviderError) as raised:
        ask(loopback, seconds=0.5)
    assert time.monotonic() - begun < 1.0
    assert not getattr(raised.value, "nothing_sent", False)
    until = time.monotonic() + 2
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(raw(b""), id="before the answer"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), id="in the body"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), id="in a chunk"),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), id="two lengths"
        ),
    ],
)
def test_a_cut_answer_is_not_an_answer(loopback: Loopback, cut: Script) -> None:
    """Something was sent, so it is not tried again here, and nobody may believe that it was not."""
    loopback.say(cut)
    with pytest.raises(ProviderUnavailableError) as raised:
        ask(loopback)
    assert not raised.value.nothing_sent
    assert len(loopback.requests) == 1


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(raw(b"SSH-2.0-OpenSSH_9\r\n\r\n"), id="no status line"),
        pytest.param(raw(b"HTTP/1.1 abc OK\r\n\r\n"), id="no status"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"), id="a header of 70 kB"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200 + b"\r\n"), id="200 headers"),
    ],
)
def test_what_is_not_http_is_unintelligible(loopback: Loopback, noise: Script) -> None:
    """Somebody answers there, but not Zendesk."""
    loopback.say(noise)
    with pytest.raises(UnintelligibleAnswerError):
        ask(loopback)


def test_a_refused_connection_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent, so a second try is safe; after it, the caller is told that nothing was sent."""
    tries: list[str] = []
    connected = https_connection._connected

    def count(url: str) -> HTTPConnection:
        tries.append(url)
        return connected(url)

    monkeypatch.setattr(https_connection, "_connected", count)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ProviderUnavailableError) as raised:
        send(HttpRequest("GET", f"http://127.0.0.1:{port}/", {}), CLOCK.monotonic() + 5, CLOCK)
    assert raised.value.nothing_sent
    assert len(tries) == 2


def test_a_connection_that_fails_once_is_made_good(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One lost packet at the start does not lose an install."""
    loopback.say(answer())
    connected = https_connection._connected
    failures = [ConnectionResetError()]

    def fail_once(url: str) -> HTTPConnection:
        if failures:
            raise failures.pop()
        return connected(url)

    monkeypatch.setattr(https_connection, "_connected", fail_once)
    assert ask(loopback).status == 200
    assert len(loopback.requests) == 1


def test_no_time_left_sends_nothing(loopback: Loopback) -> None:
    """At its deadline a request is not begun."""
    loopback.say(answer())
    with pytest.raises(ProviderUnavailableError) as raised:
        ask(loopback, seconds=0)
    assert raised.value.nothing_sent
    assert loopback.connections == 0


def test_a_connection_that_comes_too_late_sends_nothing(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver that hangs is left behind, and what it finds in the end is not used."""
    loopback.say(answer())
    connected = https_connection._connected
    ended = threading.Event()

    def hang(url: str) -> HTTPConnection:
        time.sleep(0.4)
        connection = connected(url)
        close = connection.close

        def closed() -> None:
            close()
            ended.set()

        monkeypatch.setattr(connection, "close", closed)
        return connection

    monkeypatch.setattr(https_connection, "_connected", hang)
    begun = time.monotonic()
    with pytest.raises(ProviderUnavailableError) as raised:
        ask(loopback, seconds=0.1)
    assert time.monotonic() - begun < 0.35
    assert raised.value.nothing_sent
    assert ended.wait(5)
    assert loopback.requests == []


def test_giving_up_bears_a_socket_that_is_gone(monkeypatch: pytest.MonkeyPatch, loopback: Loopback) -> None:
    """A socket that was closed in the same moment is no error of its own."""

    def gone(_: socket.socket, __: int) -> None:
        raise OSError

    monkeypatch.setattr(socket.socket, "shutdown", gone)
    loopback.say(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", seconds=0.3))
    with pytest.raises(ProviderUnavailableError):
        ask(loopback, seconds=0.1)
    monkeypatch.undo()


def test_a_proxy_in_the_environment_is_not_used(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets HTTPS_PROXY does not get the client secret."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:9")
    loopback.say(answer())
    assert ask(loopback).status == 200


def test_nothing_of_a_request_or_an_answer_prints() -> None:
    """Headers and bodies carry tokens and secrets."""
    request = HttpRequest(
        "POST", "https://acme.zendesk.com/oauth/tokens", {"Authorization": "canary"}, b"canary"
    )
    assert "canary" not in repr(request)
    assert "canary" not in repr(HttpAnswer(200, {"set-cookie": "canary"}, b"canary"))


class TlsServer:
    """Serves one TLS connection after the other with a certificate for the name it was made for."""

    def __init__(self, folder: Path, name: str) -> None:
        self.authority = folder / "cert.pem"
        key = folder / "key.pem"
        subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
        files = ["-keyout", str(key), "-out", str(self.authority)]
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        made = [OPENSSL, "req", "-x509", *kind, *files, *subject]
        subprocess.run(made, check=True, capture_output=True)  # noqa: S603 - arguments of our own
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.handshakes = 0
        threading.Thread(target=self._serve, args=(context,), daemon=True).start()

    def _serve(self, context: ssl.SSLContext) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
                with context.wrap_socket(connection, server_side=True) as tls:
                    self.handshakes += 1
                    tls.recv(65536)
                    tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            except ssl.SSLError:
                continue
            except OSError:
                return

    def trust(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the client know this server's certificate as an authority."""
        context = ssl.create_default_context(cafile=str(self.authority))
        monkeypatch.setattr(https_connection, "_tls", lambda: context)


def test_a_certificate_that_fits_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The very same code speaks TLS, with an authority that it knows and a name that fits."""
    server = TlsServer(tmp_path, "localhost")
    server.trust(monkeypatch)
    url = f"https://localhost:{server.port}/"
    assert send(HttpRequest("GET", url, {}), CLOCK.monotonic() + 5, CLOCK).status == 200
    server.listener.close()


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_that_does_not_fit_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool
) -> None:
    """Neither a stranger's certificate for our name nor a known authority's for another name is taken."""
    server = TlsServer(tmp_path, "somebody-else.example" if trusted else "localhost")
    if trusted:
        server.trust(monkeypatch)
    with pytest.raises(ProviderUnavailableError) as raised:
        send(HttpRequest("GET", f"https://localhost:{server.port}/", {}), CLOCK.monotonic() + 5, CLOCK)
    assert raised.value.nothing_sent
    assert server.handshakes == 0
    server.listener.close()


def test_the_system_s_authorities_and_host_names_are_checked() -> None:
    """What production uses, as it is: and nothing below TLS 1.2."""
    context = https_connection._tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert https_connection._tls() is context
