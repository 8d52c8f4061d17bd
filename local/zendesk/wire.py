"""Answers that no web framework gives: cut, dripped, or never sent.

The rule: bytes go to the connection itself, and it is shut afterwards; nothing of HTTP is put right on the way.
"""

import contextlib
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


class RawAnswer(Response):
    """A response that writes its bytes as they come, then shuts the connection."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__()
        self._pieces = pieces

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Write to the socket; raises ConnectionAbortedError, so that the server writes nothing of its own."""
        del start_response
        connection: socket.socket = environ["werkzeug.socket"]
        for piece in self._pieces:
            connection.sendall(piece)
        with contextlib.suppress(OSError):  # the other side may have gone before
            connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError("the answer has been written, or shall not be")


def lost() -> RawAnswer:
    """Return an answer of no bytes at all."""
    return RawAnswer(())


def cut(body: bytes) -> RawAnswer:
    """Return an answer that promises its whole body and brings half of it."""
    return RawAnswer((HEAD % len(body), body[: len(body) // 2]))
