"""Signing requests' requests: one repeat after a 401, and no token for strangers."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.loopback import Loopback, listening
from tests.worker.doubles import ACCOUNT_URL, Tokens, answer, bearers, connections_of
from zendesk_oauth.errors import AddressRefusedError, MissingScopeError, ReconnectRequiredError
from zendesk_oauth.worker.connections import Connections

REFUSED = answer(401, '{"error": "invalid_token"}')
NO_SCOPE = answer(
    403,
    json.dumps(
        {
            "error": "Forbidden",
            "description": "You are missing the following required scopes: tickets:write, users:read",
        }
    ),
)


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


@pytest.fixture
def session(connections: Connections) -> Iterator[requests.Session]:
    """Give a session that is signed for acme."""
    with requests.Session() as session:
        session.auth = connections.auth("acme")
        yield session


def bodies(server: Loopback) -> list[bytes]:
    """Return the body of each request that came."""
    return [request.partition(b"\r\n\r\n")[2] for request in server.requests]


def test_a_call_is_signed(server: Loopback, session: requests.Session) -> None:
    """With the account's token, and once."""
    assert session.get(f"{server.address}/acme/api/v2/tickets.json").status_code == 200
    assert bearers(server) == ["token-7"]


def test_r22_a_401_is_answered_by_one_more_call_with_a_newer_token(
    server: Loopback, session: requests.Session, tokens: Tokens
) -> None:
    """The caller sees the second answer, and finds the first in its history."""
    server.say(REFUSED, answer(body='{"count": 1}'))
    response = session.get(f"{server.address}/acme/api/v2/tickets.json")
    assert response.json() == {"count": 1}
    assert [one.status_code for one in response.history] == [401]
    assert bearers(server) == ["token-7", "token-8"]
    assert [getattr(question, "newer_than", "") for question in tokens.questions] == [None, 7]
    server.say(answer())
    session.get(f"{server.address}/acme/api/v2/tickets.json")
    assert bearers(server)[-1] == "token-8"
    assert len(tokens.questions) == 2


def test_a_second_401_is_the_callers(server: Loopback, session: requests.Session) -> None:
    """Two calls, whatever is answered."""
    server.say(REFUSED)
    assert session.get(f"{server.address}/acme/api/v2/tickets.json").status_code == 401
    assert bearers(server) == ["token-7", "token-8"]


def test_a_401_without_a_newer_token_is_the_callers(
    server: Loopback, session: requests.Session, tokens: Tokens
) -> None:
    """Zendesk itself calls the token alive: the same call would be answered the same way."""
    tokens.is_alive = True
    server.say(REFUSED)
    assert session.get(f"{server.address}/acme/api").json() == {"error": "invalid_token"}
    assert bearers(server) == ["token-7"]


def test_a_lost_connection_is_raised_out_of_the_call(
    server: Loopback, session: requests.Session, tokens: Tokens
) -> None:
    """The 401 was the end of the connection: the worker hears that, and not 401."""
    session.get(f"{server.address}/acme/api")
    tokens.error = ReconnectRequiredError("lost", reason="grant_rejected")
    server.say(REFUSED)
    with pytest.raises(ReconnectRequiredError):
        session.get(f"{server.address}/acme/api")


@pytest.mark.parametrize("body", [b"ticket", "ticket"])
def test_a_body_is_sent_again(server: Loopback, session: requests.Session, body: bytes | str) -> None:
    """Byte for byte."""
    server.say(REFUSED, answer(201))
    assert session.post(f"{server.address}/acme/api", data=body).status_code == 201
    assert bodies(server) == [b"ticket", b"ticket"]


def test_a_file_is_sent_again_from_where_it_began(server: Loopback, session: requests.Session) -> None:
    """And not from its beginning, nor from its end."""
    server.say(REFUSED, answer(201))
    file = io.BytesIO(b"skipped|ticket")
    file.seek(8)
    assert session.post(f"{server.address}/acme/api", data=file).status_code == 201
    assert bodies(server) == [b"ticket", b"ticket"]


def test_a_stream_is_not_sent_again_but_the_next_call_has_the_new_token(
    server: Loopback, session: requests.Session
) -> None:
    """What was read is gone: the 401 is the caller's, and the token is looked into all the same."""
    server.say(REFUSED)
    response = session.post(
        f"{server.address}/acme/api", data=iter([b"tick", b"et"]), headers={"Content-Length": "6"}
    )
    assert response.status_code == 401
    server.say(answer())
    session.get(f"{server.address}/acme/api")
    assert bearers(server) == ["token-7", "token-8"]


def test_an_answer_that_is_streamed_can_be_refused_too(server: Loopback, session: requests.Session) -> None:
    """The first answer is read to its end, the second is left to the caller."""
    server.say(REFUSED, answer(body="streamed"))
    response = session.get(f"{server.address}/acme/api", stream=True)
    assert response.raw.read() == b"streamed"


@pytest.mark.parametrize("scripts", [(NO_SCOPE,), (REFUSED, NO_SCOPE)])
def test_a_missing_scope_is_an_error_of_its_own(
    server: Loopback, session: requests.Session, tokens: Tokens, scripts: tuple[object, ...]
) -> None:
    """No refresh is asked for because of it; the error names the scopes."""
    server.say(*scripts)  # type: ignore[arg-type]
    with pytest.raises(MissingScopeError) as caught:
        session.get(f"{server.address}/acme/api")
    assert caught.value.scopes == ("tickets:write", "users:read")
    assert len(tokens.questions) == len(scripts)


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "[]",
        "{}",
        '{"description": 7}',
        '{"description": "no"}',
        '{"description": "missing the following required scopes: !"}',
    ],
)
def test_any_other_403_is_the_callers(server: Loopback, session: requests.Session, body: str) -> None:
    """Whatever it says."""
    server.say(answer(403, body))
    assert session.get(f"{server.address}/acme/api").text == body


def test_a_429_is_the_callers(server: Loopback, session: requests.Session, tokens: Tokens) -> None:
    """Zenpy and others wait by themselves; nothing is sent twice."""
    server.say(answer(429, headers={"Retry-After": "7"}))
    assert session.get(f"{server.address}/acme/api").status_code == 429
    assert (len(server.requests), len(tokens.questions)) == (1, 1)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/api",
        "https://acme.zendesk.com.evil.example/",
        "https://acme.zendesk.com@evil.example/",
        "https://acme.zendesk.com:8443/",
        "http://acme.zendesk.com/",
        "https://other.zendesk.com/",
        r"https://acme.zendesk.com\@evil.example/",
    ],
)
def test_a_call_to_anybody_else_is_not_signed(url: str) -> None:
    """It is refused before a token is even read: nothing was sent."""
    tokens = Tokens()
    auth = connections_of(ACCOUNT_URL, tokens).auth("acme")
    request = requests.Request("GET", url).prepare()
    if request.url and request.url.startswith("https://acme.zendesk.com/"):
        return  # requests itself has made it a path of the account
    with pytest.raises(AddressRefusedError):
        auth(request)
    assert "Authorization" not in request.headers
    assert tokens.questions == []


def test_the_accounts_own_address_is_signed_however_it_is_written() -> None:
    """Requests writes a host in lower case."""
    auth = connections_of(ACCOUNT_URL, Tokens()).auth("acme")
    request = auth(requests.Request("GET", "https://ACME.zendesk.com").prepare())
    assert request.headers["Authorization"] == "Bearer token-1"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("elsewhere", [answer(), REFUSED, NO_SCOPE])
def test_a_redirect_to_a_stranger_takes_no_token_along(
    server: Loopback, session: requests.Session, tokens: Tokens, status: int, elsewhere: object
) -> None:
    """Not at first, and not when the stranger says 401 to lure a second one out."""
    with listening() as stranger:
        stranger.say(elsewhere)  # type: ignore[arg-type]
        target = f"http://localhost:{stranger.port}/acme/api"
        server.say(answer(status, headers={"Location": target}))
        session.get(f"{server.address}/acme/api")
        assert bearers(stranger) == [None]
    assert bearers(server) == ["token-7"]
    assert len(tokens.questions) == 1


def test_a_redirect_within_the_account_is_signed_and_may_be_refused(
    server: Loopback, session: requests.Session
) -> None:
    """Each hop is looked at for itself; a body that the redirect dropped is not sent again."""
    there = answer(303, headers={"Location": f"{server.address}/acme/there"})
    server.say(there, REFUSED, answer(body='"there"'))
    response = session.post(f"{server.address}/acme/api", data=io.BytesIO(b"ticket"))
    assert response.json() == "there"
    assert bearers(server) == ["token-7", "token-7", "token-8"]
    assert bodies(server) == [b"ticket", b"", b""]


def test_the_scopes_of_an_auth_are_asked_for_with_each_token(
    connections: Connections, tokens: Tokens
) -> None:
    """What the calls need is said once."""
    auth = connections.auth("acme", scopes={"tickets:read"})
    auth(requests.Request("GET", connections.account_url(auth._question.subdomain) + "/api").prepare())
    assert [getattr(question, "scopes", ()) for question in tokens.questions] == [("tickets:read",)]


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a .netrc that knows a password for both hosts, and return the header that it makes."""
    lines = [f"machine {host} login agent password hunter2" for host in ("127.0.0.1", "localhost")]
    (tmp_path / ".netrc").write_text("\n".join(lines))
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    return f"Basic {base64.b64encode(b'agent:hunter2').decode()}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.usefixtures("netrc")
def test_a_netrc_does_not_replace_the_token_on_a_redirect_within_the_account(
    server: Loopback, session: requests.Session, status: int
) -> None:
    """However many hops: the token that signed the first signs each."""
    there = answer(status, headers={"Location": f"{server.address}/acme/there"})
    server.say(there, there, answer(body='"there"'))
    assert session.get(f"{server.address}/acme/api").json() == "there"
    assert bearers(server) == ["token-7"] * 3


@pytest.mark.usefixtures("netrc")
def test_with_a_netrc_a_401_after_a_redirect_is_answered_by_a_newer_token(
    server: Loopback, session: requests.Session
) -> None:
    """The second call has the newer token, and so has what it is redirected to, after one more look."""
    there = answer(307, headers={"Location": f"{server.address}/acme/there"})
    server.say(there, REFUSED, answer(body='"there"'))
    assert session.get(f"{server.address}/acme/api").json() == "there"
    assert bearers(server) == ["token-7", "token-7", "token-8"]


def test_a_netrc_serves_a_stranger_and_the_token_does_not(
    server: Loopback, session: requests.Session, netrc: str
) -> None:
    """Another host gets what the file has for it, as requests always does."""
    with listening() as stranger:
        stranger.say(answer())
        target = f"http://localhost:{stranger.port}/acme/api"
        server.say(answer(302, headers={"Location": target}))
        session.get(f"{server.address}/acme/api")
        assert bearers(stranger) == [netrc]
    assert bearers(server) == ["token-7"]


def test_a_stranger_that_leads_back_gets_no_call_signed(
    server: Loopback, session: requests.Session, tokens: Tokens
) -> None:
    """The token went lost on the way out, and a 401 to a call without it is the caller's."""
    with listening() as stranger:
        stranger.say(answer(302, headers={"Location": f"{server.address}/acme/admin"}))
        target = f"http://localhost:{stranger.port}/acme/api"
        server.say(answer(302, headers={"Location": target}), REFUSED)
        assert session.get(f"{server.address}/acme/api").status_code == 401
        assert bearers(stranger) == [None]
    assert bearers(server) == ["token-7", None]
    assert len(tokens.questions) == 1


def test_the_headers_of_a_signed_request_are_those_of_requests(connections: Connections) -> None:
    """Any case, any other header; the token can be taken away, and nothing but the auth object puts one there."""
    request = requests.Request("GET", connections.account_url("acme") + "/api").prepare()
    headers = connections.auth("acme")(request).headers
    headers["X-Other"] = "1"
    headers["AUTHORIZATION"] = "Basic x"
    copied = headers.copy().copy()
    copied.update({"authorization": "Basic x", "x-other": "2"})
    assert (headers["authorization"], headers["x-other"]) == ("Bearer token-7", "1")
    assert (copied["Authorization"], copied["X-Other"]) == ("Bearer token-7", "2")
    del copied["authorization"]
    copied["Authorization"] = "Basic x"
    assert copied.copy()["Authorization"] == "Basic x"
