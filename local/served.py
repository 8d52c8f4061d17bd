"""A server that serves in a thread for as long as it is needed, and no longer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer

POLL_SECONDS = 0.01
"""How soon it sees that it is to end."""


@contextmanager
def served[Server: HTTPServer](server: Server, name: str | None = None) -> Iterator[Server]:
    """Give the server while it serves; it is ended and closed also where the block fails. `name` is the thread's."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), name=name, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
