"""Serving a stand-in on loopback, in this process: one thread a request, gone when the block is left.

The rule: it binds 127.0.0.1 and nothing else, looks up no name, and logs no request.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import TCPServer

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from local.served import served
from local.zendesk.app import create_app
from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn

HOST = "127.0.0.1"
_DEFAULTS = Settings()


class _QuietRequest(WSGIRequestHandler):
    """A request that leaves no line behind: a query string has a code and a state in it."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # werkzeug's signature
        """Say nothing."""


class LoopbackServer(ThreadedWSGIServer):
    """A threaded server with room for a thousand callers who come at once."""

    request_queue_size = 2048

    def __init__(self, app: Flask, port: int) -> None:
        super().__init__(HOST, port, app, handler=_QuietRequest)

    def server_bind(self) -> None:
        """Bind without asking any name server for our own name, as the standard library would."""
        TCPServer.server_bind(self)
        self.server_name = HOST
        self.server_port = self.server_address[1]


@contextmanager
def serving(standin: StandIn, port: int = 0) -> Iterator[LoopbackServer]:
    """Serve `standin` while the block runs; port 0 takes any that is free."""
    server = LoopbackServer(create_app(standin), port)
    standin.address = f"http://{HOST}:{server.port}"
    with served(server, "zendesk"):
        try:
            yield server
        finally:
            standin.pause.close()


@contextmanager
def running_zendesk(
    settings: Settings = _DEFAULTS, *, port: int = 0, clock: Callable[[], float] = time.time
) -> Iterator[StandIn]:
    """Give a stand-in that answers at `standin.address` while the block runs; `clock` is in epoch seconds."""
    standin = StandIn(settings, clock)
    with serving(standin, port):
        yield standin
