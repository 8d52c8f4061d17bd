"""One request, one answer, within one deadline: the only way out to Zendesk.

A connection of urllib3 without its pool: so there are no retries, no redirects, no proxy from the environment, and no
decompression but our own, which is bounded. The request runs in a thread of its own, because nothing else bounds all of
it: a resolver that hangs, a handshake that stalls, headers that drip byte by byte. At the deadline the socket is shut
down and the thread ends. What is sent carries secrets, so a request is never sent twice: only a connection that failed
before is tried again.
"""

import ssl
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException
from socket import SHUT_RDWR, socket
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from zendesk_oauth.errors import ProviderUnavailableError, UnintelligibleAnswerError
from zendesk_oauth.ports import Clock

CONNECT_SECONDS = 3.0
LONGEST_BODY = 64 * 1024
_FIXED_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "zendesk-oauth",
}
_GZIP = frozenset({"gzip", "x-gzip"})
_NO_CONNECTION = (OSError, HTTPError)
_NOT_HTTP = (HTTPException, ValueError)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is sent; its headers and body hold secrets and do not print."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back: names of headers in lower case, and at most 64 kB of body, which does not print."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class _AbandonedError(Exception):
    """The deadline passed before anything was sent."""


def send(request: HttpRequest, deadline: float, clock: Clock) -> HttpAnswer:
    """Send once and return the answer, whatever its status.

    Raises ProviderUnavailableError, whose `nothing_sent` says whether a byte of the request may have left, and
    UnintelligibleAnswerError for what is not HTTP or is larger than 64 kB.
    """
    seconds = deadline - clock.monotonic()
    if seconds <= 0:
        raise ProviderUnavailableError("no time is left to ask", nothing_sent=True)
    conversation = _Conversation(request, seconds)
    thread = threading.Thread(target=conversation.run, daemon=True)
    thread.start()
    thread.join(seconds)
    return conversation.result()


class _Conversation:
    """A request on its way. Whether it was sent and whether it was given up are decided under one lock."""

    def __init__(self, request: HttpRequest, seconds: float) -> None:
        self._request = request
        self._seconds = seconds
        self._turn = threading.Lock()
        self._socket: socket | None = None
        self._abandoned = False
        self._answer: HttpAnswer | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        """Connect, send and read; the end is kept for `result`."""
        try:
            self._answer = self._whole()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where `send` was called
            self._error = error

    def result(self) -> HttpAnswer:
        """Return the answer or raise what went wrong; give up where there is neither yet."""
        with self._turn:
            if self._error is not None:
                raise self._error
            if self._answer is not None:
                return self._answer
            self._give_up()
            raise ProviderUnavailableError("no answer in time", nothing_sent=self._socket is None)

    def _whole(self) -> HttpAnswer:
        try:
            return self._converse(self._connect())
        except _NO_CONNECTION as error:
            raise ProviderUnavailableError(type(error).__name__, nothing_sent=self._socket is None) from error
        except _NOT_HTTP as error:
            raise UnintelligibleAnswerError(type(error).__name__) from error

    def _give_up(self) -> None:
        self._abandoned = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(SHUT_RDWR)

    def _connect(self) -> HTTPConnection:
        try:
            return _connected(self._request.url)
        except _NO_CONNECTION:
            return _connected(self._request.url)

    def _converse(self, connection: HTTPConnection) -> HttpAnswer:
        try:
            self._take_the_line(connection)
            return self._ask(connection)
        finally:
            connection.close()

    def _take_the_line(self, connection: HTTPConnection) -> None:
        with self._turn:
            if self._abandoned:
                raise _AbandonedError
            connection.timeout = self._seconds
            self._socket = connection.sock

    def _ask(self, connection: HTTPConnection) -> HttpAnswer:
        parts = urlsplit(self._request.url)
        connection.request(
            self._request.method,
            parts.path,
            body=self._request.body,
            headers={**_FIXED_HEADERS, **self._request.headers},
            preload_content=False,
            decode_content=False,
        )
        with closing(connection.getresponse()) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = _body(response)
            if headers.get("content-encoding", "").strip().lower() in _GZIP:
                body = _unpacked(body)
            return HttpAnswer(response.status, headers, body)


def _body(response: BaseHTTPResponse) -> bytes:
    """Read to the end, which alone shows that nothing was cut off."""
    body = b""
    while more := response.read(LONGEST_BODY + 1 - len(body)):
        body += more
        if len(body) > LONGEST_BODY:
            raise UnintelligibleAnswerError("an answer of more than 64 kB")
    return body


def _unpacked(body: bytes) -> bytes:
    """Return what was packed though `identity` was asked for: it may hold the only living refresh token in the world.

    At most 64 kB of it, as of any body (RFC 1952: one member, up to its end).
    """
    import zlib  # noqa: PLC0415 - where somebody packs against our word

    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacker.decompress(body, LONGEST_BODY + 1)
    except zlib.error as error:
        raise UnintelligibleAnswerError("an answer that cannot be unpacked") from error
    if len(unpacked) > LONGEST_BODY or not unpacker.eof or unpacker.unused_data:
        raise UnintelligibleAnswerError("an answer that unpacks to more than 64 kB, or is cut off")
    return unpacked


def _connected(url: str) -> HTTPConnection:
    """Return an open connection, with the certificate verified where the URL says https."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection = (
        HTTPSConnection(host, parts.port, timeout=CONNECT_SECONDS, ssl_context=_tls())
        if parts.scheme == "https"
        else HTTPConnection(host, parts.port, timeout=CONNECT_SECONDS)
    )
    try:
        connection.connect()
    except BaseException:
        connection.close()
        raise
    return connection


@cache
def _tls() -> ssl.SSLContext:
    """Return the context of this container: the system's authorities, host names checked."""
    return ssl.create_default_context()
