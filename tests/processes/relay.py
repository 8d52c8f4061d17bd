"""A wire that can be cut: it lies between a process and a server, and passes every byte on.

The rule: cutting ends the connections there are; new ones can be made at once.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Relay:
    """Listens at `address` and passes everything on to another one."""

    def __init__(self, listener: socket.socket, to: str) -> None:
        self._listener = listener
        self._to = urlsplit(to)
        self._ends: list[socket.socket] = []
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.connections = 0

    def serve(self) -> None:
        """Accept until the listener is closed."""
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection((self._to.hostname, self._to.port))
            self.connections += 1
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()

    def cut(self) -> None:
        """End every connection that there is."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while some := source.recv(65536):
            sink.sendall(some)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def relaying(to: str) -> Iterator[Relay]:
    """Give a relay while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = Relay(listener, to)
        thread = threading.Thread(target=relay.serve, daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()
            relay.cut()
