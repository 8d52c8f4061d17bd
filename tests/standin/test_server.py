"""The stand-in as a server: where it listens, how fast it is there, how many it bears."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from local.zendesk.person import approve
from local.zendesk.server import running_zendesk, serving
from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn
from tests.standin.client import CLIENT_SECRET, REDIRECT_URI, SCOPE, PlainClient

ROOT = Path(__file__).parents[2]


def test_it_is_there_in_no_time_and_gone_after() -> None:
    """Proves that starting takes less than 0.3 s, and that nobody listens once the block is left."""
    began = time.perf_counter()
    with running_zendesk() as zendesk, PlainClient(zendesk.address) as client:
        assert client.control("GET", "switches").status_code == 200
        assert time.perf_counter() - began < 0.3
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(zendesk.address.rpartition(":")[2]))) != 0


def test_it_listens_on_one_address_only() -> None:
    """Proves that it is bound to 127.0.0.1, and not to all interfaces."""
    with serving(StandIn(Settings())) as server:
        assert server.socket.getsockname() == ("127.0.0.1", server.port)


def test_other_host_names_are_refused(client: PlainClient) -> None:
    """Proves that a web page cannot reach it under a host name of its own."""
    answer = client.session.get(
        f"{client.address}/_control/seen", headers={"Host": "evil.example"}, timeout=10
    )
    assert answer.status_code == 400


def test_a_late_answer_does_not_hold_up_the_end() -> None:
    """Proves that leaving the block lets go of answers that would still take long."""
    with running_zendesk() as zendesk:
        zendesk.misbehave("late_work", seconds=60)
        port = int(zendesk.address.rpartition(":")[2])
        body = b"grant_type=x"
        head = b"POST /acme/oauth/tokens HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n" % len(body)
        caller = socket.create_connection(("127.0.0.1", port))
        caller.sendall(head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body)
        while zendesk.pause.waiting == 0:
            time.sleep(0.005)
        began = time.perf_counter()
    assert time.perf_counter() - began < 1
    with caller:
        assert caller.recv(1024).startswith(b"HTTP/1.1 400")


async def _post_together(port: int, request: bytes, times: int) -> list[bytes]:
    """Open all connections first, then send on all of them; return the first bytes of each answer."""

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", port)

    async def post(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(request)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer[9:12]

    streams = await asyncio.gather(*(connect() for _ in range(times)))
    return await asyncio.gather(*(post(*pair) for pair in streams))


def test_a_thousand_posts_at_once(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a thousand exchanges of one code, all connected before the first is sent, are all answered."""
    body = (
        f"grant_type=authorization_code&code={client.code()}&client_id=zdg-example&client_secret={CLIENT_SECRET}"
        f"&redirect_uri={REDIRECT_URI}&code_verifier={'v' * 43}"
    ).encode()
    head = f"POST /acme/oauth/tokens HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    port = int(zendesk.address.rpartition(":")[2])
    with ThreadPoolExecutor(1) as pool:  # a thread of its own: Playwright may keep a loop in this one
        posts = pool.submit(lambda: asyncio.run(_post_together(port, head.encode() + body, 1000)))
        answers = posts.result()
    assert (answers.count(b"200"), answers.count(b"400")) == (1, 999)
    assert zendesk.seen.count("authorization_code") == 1000


@contextmanager
def own_process(*redirect_uris: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command while the block runs, whatever happens in it."""
    command = [sys.executable, "-m", "local.zendesk", "--port", "0", "--client-id", "zdg-example"]
    command += ["--client-secret", CLIENT_SECRET, *(f"--redirect-uri={uri}" for uri in redirect_uris)]
    with subprocess.Popen(  # noqa: S603  # our own command, as a list
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_runs_as_a_process_of_its_own() -> None:
    """Proves the command: one line with the address, an install over HTTP, no raw secrets, a clean end on SIGTERM."""
    with own_process(REDIRECT_URI, "http://localhost/cb") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        with PlainClient(
            line.removeprefix("stand-in for Zendesk: ").removesuffix("/{subdomain}\n")
        ) as client:
            assert client.pair()["scope"] == SCOPE
            assert client.control("GET", "seen").json()["token_posts"]["total"] == 1
            assert approve(client.authorize_url(redirect_uri="http://localhost/cb")).startswith(
                "http://localhost/cb?"
            )
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_a_process_of_its_own_keeps_no_raw_secret() -> None:
    """Proves that without `keep_raw`, which the command sets, not even memory holds the fields as they were sent."""
    with running_zendesk(Settings(keep_raw=False)) as zendesk, PlainClient(zendesk.address) as client:
        client.pair()
        assert [post.raw for post in zendesk.seen.token_posts] == [None]
        assert [page.raw for page in zendesk.seen.authorizations] == [None, None]


def test_whoever_hangs_up_does_no_harm(zendesk: StandIn) -> None:
    """Proves that a caller who hangs up in the middle of a request leaves the server well."""
    port = int(zendesk.address.rpartition(":")[2])
    for piece in (b"", b"POST /acme/oauth/tokens HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc"):
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(piece)
    assert requests.get(f"{zendesk.address}/_control/switches", timeout=5).status_code == 200


def test_starting_over_forgets_everything(zendesk: StandIn, client: PlainClient) -> None:
    """Proves that a stand-in which starts over knows no token, no misbehaviour and no switch of before."""
    token = client.pair()["access_token"]
    zendesk.misbehave("server_error", times=None)
    zendesk.switches.anonymous = True
    zendesk.clock.advance(1000)
    zendesk.start_over(Settings())
    assert client.api(token, "users/me.json").json() == {"error": "Couldn't authenticate you"}
    assert zendesk.seen.count() == 0
    assert client.api(client.pair()["access_token"], "users/me.json").json()["user"]["id"] is not None
    assert abs(zendesk.clock() - time.time()) < 10
