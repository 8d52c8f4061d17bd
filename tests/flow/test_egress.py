"""What leaves for Zendesk goes to Zendesk: no redirect, no proxy, no unverified certificate, no endless wait."""

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.zendesk.person import approve
from tests.flow.world import Browser, World
from tests.loopback import listening
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.https_connection import HttpRequest, send
from zendesk_oauth.errors import ProviderUnavailableError

PROXIES = [f"{name}_PROXY" for name in ("HTTP", "HTTPS", "ALL")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("endpoint", ["token", "users_me"])
def test_no_redirect_is_followed(world: World, browser: Browser, status: int, endpoint: str) -> None:
    """Neither secret and code nor the fresh token is carried to a second host."""
    world.zendesk.misbehave("redirect", status=status, endpoint=endpoint)
    assert browser.connect().status == 502
    assert world.zendesk.seen.elsewhere == []
    assert (world.posts, world.alive) == (1, 0)


def test_no_redirect_is_followed_while_revoking(world: World, browser: Browser) -> None:
    """A revocation that is led elsewhere has failed, and is kept for the schedule."""
    world.zendesk.misbehave("redirect", endpoint="current_token")
    browser.connect(role="agent")
    assert world.zendesk.seen.elsewhere == []
    assert len([row for row in world.rows("installs") if "revoke_at" in row]) == 1


def test_no_proxy_of_the_environment_is_used(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every proxy variable set, in both spellings, the exchange goes straight to Zendesk."""
    callback = approve(browser.begin())
    world.handler("callback")
    with listening() as trap:
        trap.say(lambda connection: connection.close())
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        for name in PROXIES:
            monkeypatch.setenv(name, trap.address)
            monkeypatch.setenv(name.lower(), trap.address)
        assert browser.callback(callback).query["result"] == "connected"
        assert trap.connections == 0
    assert world.posts == 1


def test_an_unknown_certificate_gets_not_one_byte_of_the_request(tmp_path: Path) -> None:
    """The certificate is verified before anything is sent, and that is known to be so."""
    with tls_server(tmp_path) as (port, received):
        request = HttpRequest("POST", f"https://127.0.0.1:{port}/oauth/tokens", {}, b"client_secret=x")
        clock = SystemClock()
        with pytest.raises(ProviderUnavailableError) as caught:
            send(request, clock.monotonic() + 2, clock)
    assert caught.value.nothing_sent
    assert received == []


def test_a_host_that_does_not_take_the_connection_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting has a limit of its own, and is tried once more; nothing was sent."""
    monkeypatch.setattr("zendesk_oauth.adapters.https_connection.CONNECT_SECONDS", 0.2)
    with full_listener() as port:
        clock = SystemClock()
        began = time.monotonic()
        with pytest.raises(ProviderUnavailableError) as caught:
            send(HttpRequest("GET", f"http://127.0.0.1:{port}/", {}), clock.monotonic() + 5, clock)
    assert caught.value.nothing_sent
    assert 0.3 < time.monotonic() - began < 4


@contextmanager
def full_listener() -> Iterator[int]:
    """Give the port of a listener whose queue is full, so that nobody else is let in."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(("127.0.0.1", port))
        try:
            yield port
        finally:
            for one in waiting:
                one.close()


@contextmanager
def tls_server(folder: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Give the port of a server with a certificate that nobody has signed, and what it has been told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(folder))
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        with context.wrap_socket(connection, server_side=True) as tls:
                            received.append(tls.recv(1024))
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], received
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(5)


def self_signed(folder: Path) -> Path:
    """Write a key and a certificate for 127.0.0.1 that it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
