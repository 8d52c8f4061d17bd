"""A server on loopback that says exactly the bytes a test wants, and keeps what it was asked.

The rule: it speaks no HTTP of its own, so that it can also speak it wrongly, slowly, too much or not at all.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import parse_qsl

type Script = Callable[[socket.socket], None]
"""What is done with a connection once its request was read; it is closed afterwards."""


class Loopback:
    """Answers one connection after the other, each by the next script; the last is used for all that follow."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.port: int = listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.requests: list[bytes] = []
        self.connections = 0
        self.scripts: list[Script] = []

    def say(self, *scripts: Script) -> None:
        """Set what is said from now on."""
        self.scripts = list(scripts)

    def form(self, number: int = -1) -> dict[str, str]:
        """Return the form fields of a request; none may stand in it twice."""
        pairs = parse_qsl(
            self.requests[number].partition(b"\r\n\r\n")[2].decode(),
            keep_blank_values=True,
            strict_parsing=True,
        )
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    def head(self, number: int = -1) -> tuple[str, Mapping[str, str]]:
        """Return the request line and the headers of a request, their names in lower case."""
        first, *lines = self.requests[number].partition(b"\r\n\r\n")[0].decode().split("\r\n")
        return first, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    def serve(self) -> None:
        """Accept until the listener is closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, suppress(OSError):
                self.requests.append(_whole_request(connection))
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                script(connection)


def answer(status: int = 200, body: bytes | str = b"{}", headers: Mapping[str, str] | None = None) -> Script:
    """Return a script that answers properly."""
    content = body.encode() if isinstance(body, str) else body
    fields = {"Content-Length": str(len(content)), "Content-Type": "application/json"} | dict(headers or {})
    lines = [f"HTTP/1.1 {status} Something", *(f"{name}: {value}" for name, value in fields.items())]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + content)


def raw(content: bytes) -> Script:
    """Return a script that sends these bytes and hangs up."""
    return lambda connection: connection.sendall(content)


def dripping(start: bytes, seconds: float = 10.0, drop: bytes = b"x") -> Script:
    """Return a script that begins and then goes on byte by byte, so that no single read ever waits long."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            connection.sendall(drop)
            time.sleep(0.02)

    return drip


def silent(seconds: float = 10.0) -> Script:
    """Return a script that says nothing until the other side hangs up."""

    def wait(connection: socket.socket) -> None:
        connection.settimeout(seconds)
        connection.recv(1)

    return wait


@contextmanager
def listening() -> Iterator[Loopback]:
    """Give a server on a port of the system's choice."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        loopback = Loopback(listener)
        thread = threading.Thread(target=loopback.serve, daemon=True)
        thread.start()
        try:
            yield loopback
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(15)


def _whole_request(connection: socket.socket) -> bytes:
    """Read the head, and as much body as it promises."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    promised = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(promised[0].partition(b":")[2]) if promised else 0
    while len(body) < length:
        body += _some(connection)
    return head + b"\r\n\r\n" + body


def _some(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise ConnectionError
    return received
