"""Processes that fork while a thread reads a token: the child waits for no thread of its parent's."""

import os
import select
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.worker.doubles import World, row
from tests.worker.test_building import GOOD
from zendesk_oauth.errors import ReconnectRequiredError
from zendesk_oauth.models.token import StoredToken
from zendesk_oauth.worker import connections as module
from zendesk_oauth.worker.connections import Connections

SECONDS = 15
"""More than a child takes on a busy machine; a child that waits in vain would wait for 55."""


def in_child(work: Callable[[], str]) -> str:
    """Return what the work gives in a forked process, which is dead afterwards whatever happens."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # Python warns of a fork beside threads: that is the case
        child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)  # ends it even if its parent is killed first
        result = b"failed"
        try:
            result = work().encode()
        except BaseException as error:  # noqa: BLE001 - nothing may leave this process but by the pipe
            result = repr(error).encode()
        finally:
            os.write(writer, result)
            os._exit(0)
    os.close(writer)
    try:
        ready, _, _ = select.select([reader], [], [], SECONDS)
        return os.read(reader, 65536).decode() if ready else "still waits"
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def text_of_acme(connections: Connections) -> str:
    """Read the token and return its text."""
    return connections.token("acme").value.reveal()


@contextmanager
def reading_in_a_thread(world: World, connections: Connections) -> Iterator[None]:
    """Have a thread read a token, and stay in the middle of it."""
    held, done = threading.Event(), threading.Event()
    find, parent = world.rows.find, os.getpid()

    def find_when_let(grant: str, subdomain: object, *, consistent: bool) -> StoredToken | None:
        if os.getpid() == parent:
            held.set()
            assert done.wait(3 * SECONDS)
        return find(grant, subdomain, consistent=consistent)  # type: ignore[arg-type]

    world.rows.find = find_when_let  # type: ignore[method-assign]
    thread = threading.Thread(target=connections.token, args=("acme",))
    thread.start()
    try:
        assert held.wait(SECONDS)
        yield
    finally:
        done.set()
        thread.join()


def test_r44_a_child_reads_the_token_that_a_thread_of_its_parent_reads() -> None:
    """The lock of that thread has no owner in the child; the parent's own read goes on."""
    world = World(row())
    connections = world.connections()
    with reading_in_a_thread(world, connections):
        assert in_child(partial(text_of_acme, connections)) == "token-1"
    assert connections.token("acme").generation == 1
    assert world.rows.reads == ["eventual"]


def test_r44_a_child_of_a_child_reads_too() -> None:
    """A reset is made at each fork, and not once."""
    world = World(row())
    connections = world.connections()

    def read_in_a_grandchild() -> str:
        with reading_in_a_thread(world, connections):
            return in_child(partial(text_of_acme, connections))

    assert in_child(read_in_a_grandchild) == "token-1"


@pytest.mark.parametrize("lock", ["connections", "memory"])
def test_r44_no_lock_that_is_held_at_the_fork_is_held_in_the_child(lock: str) -> None:
    """Each lock of the library is held for a moment at some time, and a fork may fall into it."""
    world = World(row())
    connections = world.connections()
    guard = connections._guard if lock == "connections" else connections._memory._guard
    with guard:
        assert in_child(partial(text_of_acme, connections)) == "token-1"


def test_r44_a_kept_token_is_kept_in_the_child() -> None:
    """A server that reads before it forks pays for one read, and its children for none."""
    world = World(row())
    connections = world.connections()
    connections.token("acme")
    world.become(None)
    assert in_child(partial(text_of_acme, connections)) == "token-1"


class NoRows(BaseHTTPRequestHandler):
    """DynamoDB without a row, over connections that stay open."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Note the other end's port, and answer GetItem."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.ports.append(self.client_address[1])  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Give the port that each request to DynamoDB came from."""
    with ThreadingHTTPServer(("127.0.0.1", 0), NoRows) as server:
        server.daemon_threads = True
        server.ports = []  # type: ignore[attr-defined]
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.ports  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def not_connected(connections: Connections) -> str:
    """Read a token that does not exist."""
    with pytest.raises(ReconnectRequiredError) as caught:
        connections.token("acme")
    return caught.value.reason


def test_r44_a_child_shares_no_connection_with_its_parent(ports: list[int]) -> None:
    """Two processes on one TLS connection would break both: the child makes clients of its own."""
    connections = Connections.from_environ(GOOD)
    assert not_connected(connections) == "not_connected"
    assert in_child(lambda: not_connected(connections) + not_connected(connections)) == "not_connected" * 2
    assert not_connected(connections) == "not_connected"
    parents, childs = {*ports[:2], *ports[6:]}, set(ports[2:6])
    assert len(ports) == 8
    assert len(parents) == len(childs) == 1
    assert parents.isdisjoint(childs)


def test_r44_what_is_not_used_any_more_is_not_reset() -> None:
    """The list of what a fork resets keeps nothing alive."""
    connections = World(row()).connections()
    assert connections in module._RESET
    before = len(module._RESET)
    del connections
    assert len(module._RESET) < before


def test_r44_a_reset_in_this_process_loses_no_token(ports: list[int]) -> None:
    """The hook itself, as the child runs it: the next read builds anew, and what is kept stays."""
    world = World(row())
    kept = world.connections()
    kept.token("acme")
    built = Connections.from_environ(GOOD)
    not_connected(built)
    module._reset_all()
    assert kept.token("acme").generation == 1
    assert world.rows.reads == ["eventual"]
    assert not_connected(built) == "not_connected"
    assert len(set(ports)) == 2
