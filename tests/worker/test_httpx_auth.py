"""Signing httpx requests: one repeat after a 401, no token for strangers, and an event loop that goes on."""

import io
import json
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread
import httpx
import pytest

from tests.loopback import Loopback, Script, listening
from tests.worker.doubles import ACCOUNT_URL, Tokens, answer, bearers, connections_of
from zendesk_oauth.errors import AddressRefusedError, MissingScopeError, RefreshPendingError
from zendesk_oauth.models.token import AccessToken, TokenQuestion
from zendesk_oauth.worker.connections import Connections
from zendesk_oauth.worker.httpx_auth import HttpxAuth

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Everything here is plain HTTP: loading the world's certificates for each client would take most of the time."""
REFUSED = answer(401, '{"error": "invalid_token"}')
NO_SCOPE = answer(
    403, json.dumps({"description": "You are missing the following required scopes: tickets:write"})
)


def run_apart[*P, T](function: Callable[[*P], Awaitable[T]], *arguments: *P) -> T:
    """Run it in an event loop of its own, in a thread of its own: a browser test before has left one in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: anyio.run(function, *arguments)).result()


@pytest.fixture
def server() -> Iterator[Loopback]:
    """Give a server that plays an account of Zendesk."""
    with listening() as loopback:
        loopback.say(answer())
        yield loopback


@pytest.fixture
def tokens() -> Tokens:
    """Return what gives tokens."""
    return Tokens(7)


@pytest.fixture
def connections(server: Loopback, tokens: Tokens) -> Connections:
    """Return connections whose accounts are folders of the server, as on the local stage."""
    return connections_of(f"{server.address}/{{subdomain}}", tokens)


class Caller:
    """Makes a call, with either of the two clients."""

    def __init__(self, connections: Connections, *, is_async: bool) -> None:
        self.connections = connections
        self.is_async = is_async

    def __call__(self, url: str, method: str = "GET", **sent: object) -> httpx.Response:
        """Return the answer, read to its end."""
        auth = self.connections.httpx_auth("acme")
        if self.is_async:
            return run_apart(self._call, auth, url, method, sent)
        with httpx.Client(auth=auth, follow_redirects=True, verify=NO_TLS) as client:
            return client.request(method, url, **sent)  # type: ignore[arg-type]

    async def _call(self, auth: httpx.Auth, url: str, method: str, sent: dict[str, object]) -> httpx.Response:
        async with httpx.AsyncClient(auth=auth, follow_redirects=True, verify=NO_TLS) as client:
            return await client.request(method, url, **sent)  # type: ignore[arg-type]


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, connections: Connections) -> Caller:
    """Return what makes calls."""
    return Caller(connections, is_async=request.param == "async")


def stream(call: Caller) -> object:
    """Return a body that can be read once."""

    def parts() -> Iterator[bytes]:
        yield b"ticket"

    async def async_parts() -> AsyncIterator[bytes]:
        yield b"ticket"

    return async_parts() if call.is_async else parts()


def test_a_call_is_signed(server: Loopback, call: Caller) -> None:
    """With the account's token, and once."""
    assert call(f"{server.address}/acme/api").status_code == 200
    assert bearers(server) == ["token-7"]


def test_r22_a_401_is_answered_by_one_more_call_with_a_newer_token(
    server: Loopback, call: Caller, tokens: Tokens
) -> None:
    """The same body, byte for byte; the next call has the new token at once."""
    server.say(REFUSED, answer(body='{"count": 1}'))
    assert call(f"{server.address}/acme/api", "POST", json={"ticket": 1}).json() == {"count": 1}
    assert bearers(server) == ["token-7", "token-8"]
    first, second = (request.partition(b"\r\n\r\n")[2] for request in server.requests)
    assert first == second == b'{"ticket":1}'
    server.say(answer())
    call(f"{server.address}/acme/api")
    assert len(tokens.questions) == 2


def test_a_second_401_is_the_callers(server: Loopback, call: Caller) -> None:
    """Two calls, whatever is answered."""
    server.say(REFUSED)
    assert call(f"{server.address}/acme/api").status_code == 401
    assert bearers(server) == ["token-7", "token-8"]


def test_a_401_without_a_newer_token_is_the_callers(server: Loopback, call: Caller, tokens: Tokens) -> None:
    """Zendesk itself calls the token alive."""
    tokens.is_alive = True
    server.say(REFUSED)
    assert call(f"{server.address}/acme/api").status_code == 401
    assert bearers(server) == ["token-7"]


def test_a_stream_is_not_sent_again_but_the_next_call_has_the_new_token(
    server: Loopback, call: Caller
) -> None:
    """What was read is gone: the 401 is the caller's, and the token is looked into all the same."""
    server.say(REFUSED)
    headers = {"Content-Length": "6"}
    answered = call(f"{server.address}/acme/api", "POST", content=stream(call), headers=headers)
    assert answered.status_code == 401
    server.say(answer())
    call(f"{server.address}/acme/api")
    assert bearers(server) == ["token-7", "token-8"]


@pytest.mark.parametrize("scripts", [(NO_SCOPE,), (REFUSED, NO_SCOPE)])
def test_a_missing_scope_is_an_error_of_its_own(
    server: Loopback, call: Caller, scripts: tuple[Script, ...]
) -> None:
    """The error names the scope."""
    server.say(*scripts)
    with pytest.raises(MissingScopeError) as caught:
        call(f"{server.address}/acme/api")
    assert caught.value.scopes == ("tickets:write",)


def test_any_other_answer_is_the_callers(server: Loopback, call: Caller, tokens: Tokens) -> None:
    """Another 403, a 429: nothing is sent twice."""
    for status in (403, 429):
        server.say(answer(status, "<html>"))
        assert call(f"{server.address}/acme/api").text == "<html>"
    assert (len(server.requests), len(tokens.questions)) == (2, 1)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/api",
        "https://acme.zendesk.com@evil.example/",
        "https://acme.zendesk.com:8443/",
        "http://acme.zendesk.com/",
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_call_to_anybody_else_is_not_signed(url: str, *, is_async: bool) -> None:
    """It is refused before a token is even read: nothing was sent."""
    tokens = Tokens()
    with pytest.raises(AddressRefusedError):
        Caller(connections_of(ACCOUNT_URL, tokens), is_async=is_async)(url)
    assert tokens.questions == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("elsewhere", [answer(), REFUSED, NO_SCOPE])
def test_a_redirect_to_a_stranger_takes_no_token_along(
    server: Loopback, call: Caller, tokens: Tokens, status: int, elsewhere: Script
) -> None:
    """Not at first, and not when the stranger says 401 to lure a second one out."""
    with listening() as stranger:
        stranger.say(elsewhere)
        target = f"http://localhost:{stranger.port}/acme/api"
        server.say(answer(status, headers={"Location": target}))
        call(f"{server.address}/acme/api")
        assert bearers(stranger) == [None]
    assert bearers(server) == ["token-7"]
    assert len(tokens.questions) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_netrc_neither_replaces_the_token_nor_goes_along(
    server: Loopback, call: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Within the account each hop is signed with the token; a stranger, for whom the file has a password, gets none."""
    lines = [f"machine {host} login agent password hunter2" for host in ("127.0.0.1", "localhost")]
    (tmp_path / ".netrc").write_text("\n".join(lines))
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    there = answer(status, headers={"Location": f"{server.address}/acme/there"})
    with listening() as stranger:
        stranger.say(answer())
        away = answer(status, headers={"Location": f"http://localhost:{stranger.port}/acme/api"})
        server.say(there, there, away)
        assert call(f"{server.address}/acme/api").status_code == 200
        assert bearers(stranger) == [None]
    assert bearers(server) == ["token-7"] * 3


def test_a_stranger_that_leads_back_gets_no_call_signed(
    server: Loopback, call: Caller, tokens: Tokens
) -> None:
    """The token went lost on the way out, and a 401 to a call without it is the caller's."""
    with listening() as stranger:
        stranger.say(answer(302, headers={"Location": f"{server.address}/acme/admin"}))
        target = f"http://localhost:{stranger.port}/acme/api"
        server.say(answer(302, headers={"Location": target}), REFUSED)
        assert call(f"{server.address}/acme/api").status_code == 401
        assert bearers(stranger) == [None]
    assert bearers(server) == ["token-7", None]
    assert len(tokens.questions) == 1


def test_an_event_loop_goes_on_while_a_token_is_read(server: Loopback) -> None:
    """A read that waits for something in the loop itself gets it: it is in a thread of its own."""
    begun, let_go, readers, tokens = anyio.Event(), threading.Event(), list[int](), Tokens(7)

    def read(question: object, until: float) -> object:
        readers.append(threading.get_ident())
        anyio.from_thread.run_sync(begun.set)
        assert let_go.wait(10)
        return tokens(question, until)

    connections = connections_of(f"{server.address}/{{subdomain}}", read)  # type: ignore[arg-type]

    async def together() -> int:
        async def call() -> None:
            auth = connections.httpx_auth("acme")
            async with httpx.AsyncClient(auth=auth, verify=NO_TLS) as client:
                await client.get(f"{server.address}/acme/api")

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await begun.wait()
            let_go.set()
        return threading.get_ident()

    assert run_apart(together) not in readers
    assert len(readers) == 1


def test_a_kept_token_needs_no_thread(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only reading does."""
    connections = connections_of(f"{server.address}/{{subdomain}}", Tokens(7))
    connections.token("acme")
    monkeypatch.setattr("zendesk_oauth.worker.httpx_auth.run_sync", None)
    assert Caller(connections, is_async=True)(f"{server.address}/acme/api").status_code == 200


def test_a_file_is_a_stream(server: Loopback, connections: Connections) -> None:
    """Httpx does not keep it: the 401 is the caller's."""
    server.say(REFUSED)
    call = Caller(connections, is_async=False)
    answered = call(f"{server.address}/acme/api", "POST", content=io.BytesIO(b"ticket"))
    assert answered.status_code == 401
    assert bearers(server) == ["token-7"]


async def signed_by(auth: HttpxAuth, url: str) -> str:
    """Return the token that a call gets, without a client: those open slowly by the hundred."""
    flow = auth.async_auth_flow(httpx.Request("GET", url))
    request = await anext(flow)
    await flow.aclose()
    return request.headers["Authorization"].removeprefix("Bearer ")


def test_a_slow_account_takes_one_thread_and_none_of_the_programs() -> None:
    """A hundred of its calls wait; another account is served, and what the program itself does in threads goes on."""
    let_go, readers, tokens = threading.Event(), list[int](), Tokens(7)

    def read(question: TokenQuestion, until: float) -> AccessToken:
        if question.subdomain == "slow":
            readers.append(threading.get_ident())
            assert let_go.wait(10)
        return tokens(question, until)

    connections = connections_of(ACCOUNT_URL, read)  # type: ignore[arg-type]
    signed: list[str] = []

    async def call(subdomain: str) -> None:
        url = f"https://{subdomain}.zendesk.com/api"
        signed.append(await signed_by(connections.httpx_auth(subdomain), url))

    async def together() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(call, "slow")
            await anyio.wait_all_tasks_blocked()
            with anyio.fail_after(5):
                await call("fast")
                assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
            assert len(signed) == 1
            let_go.set()

    run_apart(together)
    assert signed == ["token-7"] * 101
    assert len(readers) == 1


def test_a_call_waits_for_another_no_longer_than_it_may() -> None:
    """The error is worth another try; the one at work goes on."""
    let_go, tokens = threading.Event(), Tokens(7)

    def read(question: TokenQuestion, until: float) -> AccessToken:
        assert let_go.wait(10)
        return tokens(question, until)

    connections = connections_of(ACCOUNT_URL, read, wait=timedelta(seconds=0.05))  # type: ignore[arg-type]
    auth, signed = connections.httpx_auth("acme"), list[str]()

    async def call() -> None:
        signed.append(await signed_by(auth, "https://acme.zendesk.com/api"))

    async def together() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(RefreshPendingError, match="other calls"):
                await call()
            let_go.set()

    run_apart(together)
    assert signed == ["token-7"]


def test_where_all_readers_are_slow_others_wait_no_longer_than_they_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wait for a thread is part of the wait that a call has; those at work go on."""
    monkeypatch.setattr("zendesk_oauth.worker.httpx_auth.MOST_READING", 2)
    let_go, tokens, signed = threading.Event(), Tokens(7), list[str]()

    def read(question: TokenQuestion, until: float) -> AccessToken:
        assert let_go.wait(10)
        return tokens(question, until)

    connections = connections_of(ACCOUNT_URL, read, wait=timedelta(seconds=0.05))  # type: ignore[arg-type]

    async def call(subdomain: str) -> None:
        url = f"https://{subdomain}.zendesk.com/api"
        signed.append(await signed_by(connections.httpx_auth(subdomain), url))

    async def together() -> None:
        async with anyio.create_task_group() as group:
            for subdomain in ("slow", "slower"):
                group.start_soon(call, subdomain)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(RefreshPendingError, match="too many others"):
                await call("quick")
            let_go.set()
        await call("quick")

    run_apart(together)
    assert signed == ["token-7"] * 3


def test_event_loops_in_threads_share_the_tokens_and_no_lock() -> None:
    """Each has turns of its own; the connection is read once all the same."""
    begin, tokens, signed = threading.Barrier(8), Tokens(7), list[str]()
    connections = connections_of(ACCOUNT_URL, tokens)
    auth = connections.httpx_auth("acme")

    def run() -> None:
        begin.wait()
        signed.append(run_apart(signed_by, auth, "https://acme.zendesk.com/api"))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert signed == ["token-7"] * 8
    assert len(tokens.questions) == 1
