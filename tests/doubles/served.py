"""A server of a test's own, which serves in a thread for as long as it is needed, and no longer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer

POLL_SECONDS = 0.01


@contextmanager
def served[Server: HTTPServer](server: Server) -> Iterator[Server]:
    """Give the server while it serves; it is ended and closed also where the block fails."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
