import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from tests.doubles.samples import ACME, GLOBEX
from tests.doubles.scripted import ScriptedClientSecret
from tests.loopback import Loopback, answer, raw
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.zendesk_tokens import LEAST_SECONDS, AuthlibTokenEndpoint
from zendesk_oauth.errors import (
    AccountNotFoundError,
    ClientRejectedError,
    ConfigurationError,
    GrantRejectedError,
    ProviderError,
    ProviderUnavailableError,
    UnintelligibleAnswerError,
)
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens, TokenLifetimes
from zendesk_oauth.ports import CodeExchange

CLOCK = SystemClock()
GOOD = {
    "access_token": "canary-access",
    "refresh_token": "canary-refresh",
    "token_type": "bearer",
    "scope": "users:read",
    "expires_in": 7200,
    "refresh_token_expires_in": 604_800,
}


@pytest.fixture
def client_secret() -> ScriptedClientSecret:
    """Return a secret with characters that a form has to escape."""
    return ScriptedClientSecret("canary secret&=+%é/?#")


@pytest.fixture
def endpoint(loopback: Loopback, client_secret: ScriptedClientSecret) -> AuthlibTokenEndpoint:
    """Return the endpoint, at a Zendesk that says what the test wants."""
    return AuthlibTokenEndpoint(
        "zdg-example",
        client_secret,
        Endpoints(f"{loopback.address}/{{subdomain}}", "https://connect.example.com"),
        TokenLifetimes(timedelta(hours=48), timedelta(days=90)),
        CLOCK,
    )


def exchange(
    endpoint: AuthlibTokenEndpoint, code: str = "canary-code", subdomain: Subdomain = ACME
) -> IssuedTokens:
    """Exchange a code."""
    verifier = Secret("canary-verifier" + "v" * 28)
    asked = CodeExchange(subdomain, Secret(code), verifier, ("users:read", "tickets:read"))
    return endpoint.exchange(asked, CLOCK.monotonic() + 5)


def test_the_request_is_exactly_this(
    endpoint: AuthlibTokenEndpoint, loopback: Loopback, client_secret: ScriptedClientSecret
) -> None:
    """Credentials in the body, both lifetimes, PKCE, the scopes as asked; nothing more, nothing twice."""
    loopback.say(answer(200, json.dumps(GOOD)))
    exchange(endpoint, code="canary code&code=other+%")
    assert loopback.form() == {
        "grant_type": "authorization_code",
        "code": "canary code&code=other+%",
        "client_id": "zdg-example",
        "client_secret": client_secret.text,
        "redirect_uri": "https://connect.example.com/oauth/callback",
        "code_verifier": "canary-verifier" + "v" * 28,
        "scope": "users:read tickets:read",
        "expires_in": "172800",
        "refresh_token_expires_in": "7776000",
    }
    line, headers = loopback.head()
    assert line == "POST /acme/oauth/tokens HTTP/1.1"
    assert headers["content-type"] == "application/x-www-form-urlencoded;charset=UTF-8"
    assert "authorization" not in headers


def test_the_answer_is_ours(endpoint: AuthlibTokenEndpoint, loopback: Loopback) -> None:
    """What comes back is typed and does not print."""
    loopback.say(answer(201, json.dumps(GOOD)))
    issued = exchange(endpoint)
    assert issued == IssuedTokens(
        Secret("canary-access"),
        Secret("canary-refresh"),
        ("users:read",),
        timedelta(seconds=7200),
        timedelta(seconds=604_800),
    )
    assert "canary" not in repr(issued)


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        pytest.param(429, GOOD, {}, ProviderUnavailableError, id="429 as a token"),
        pytest.param(429, {"error": "Too Many"}, {"Retry-After": "60"}, ProviderUnavailableError, id="429"),
        pytest.param(200, {}, {}, UnintelligibleAnswerError, id="an empty object as a token"),
        pytest.param(200, {"access_token": None}, {}, UnintelligibleAnswerError, id="a null token"),
        pytest.param(
            200, GOOD | {"refresh_token": None}, {}, UnintelligibleAnswerError, id="no refresh token"
        ),
        pytest.param(200, "<html>", {}, UnintelligibleAnswerError, id="HTML"),
        pytest.param(204, "", {}, UnintelligibleAnswerError, id="204"),
        pytest.param(307, GOOD, {"Location": "/elsewhere"}, UnintelligibleAnswerError, id="307"),
        pytest.param(308, "", {"Location": "http://127.0.0.1:9/"}, UnintelligibleAnswerError, id="308"),
        pytest.param(500, GOOD, {}, ProviderUnavailableError, id="500 as a token"),
        pytest.param(502, "<html>", {}, ProviderUnavailableError, id="502"),
        pytest.param(400, {"error": "invalid_grant"}, {}, GrantRejectedError, id="invalid_grant"),
        pytest.param(401, {"error": "invalid_client"}, {}, ClientRejectedError, id="invalid_client"),
        pytest.param(404, "<html>", {}, AccountNotFoundError, id="no such account"),
        pytest.param(404, '{"message": "no"}', {}, UnintelligibleAnswerError, id="404 of an API"),
    ],
)
def test_every_trap_is_closed(
    endpoint: AuthlibTokenEndpoint,
    loopback: Loopback,
    status: int,
    body: Any,
    headers: dict[str, str],
    expected: type[ProviderError],
) -> None:
    """What Authlib alone would take, follow or crash on is one typed error after one POST."""
    loopback.say(answer(status, body if isinstance(body, str) else json.dumps(body), headers))
    with pytest.raises(expected) as raised:
        exchange(endpoint)
    assert isinstance(raised.value, AccountNotFoundError) == (expected is AccountNotFoundError)
    assert len(loopback.requests) == 1


@pytest.mark.parametrize("value", ["soon", None, [1], {"a": 1}, 1e400, -1, "1800", True])
def test_an_odd_lifetime_does_not_crash(
    endpoint: AuthlibTokenEndpoint, loopback: Loopback, value: Any
) -> None:
    """Authlib would compute `expires_at` from it, and raise what is no error of ours."""
    loopback.say(answer(200, json.dumps(GOOD | {"expires_in": value, "expires_at": value})))
    assert exchange(endpoint).access_token.reveal() == "canary-access"


def test_a_cut_answer_is_posted_once(endpoint: AuthlibTokenEndpoint, loopback: Loopback) -> None:
    """The code may be spent: it is never posted again."""
    loopback.say(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"))
    with pytest.raises(ProviderUnavailableError) as raised:
        exchange(endpoint)
    assert not raised.value.nothing_sent
    assert len(loopback.requests) == 1


def test_nothing_is_logged(
    endpoint: AuthlibTokenEndpoint, loopback: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG, over success and failure: no code, verifier, secret or token in any line or error."""
    caplog.set_level(logging.DEBUG)
    loopback.say(answer(200, json.dumps(GOOD)), answer(400, json.dumps(GOOD | {"error": "invalid_grant"})))
    exchange(endpoint)
    with pytest.raises(GrantRejectedError) as raised:
        exchange(endpoint)
    assert "canary" not in caplog.text
    assert "canary" not in str(raised.getrepr(style="short"))


def test_nothing_of_one_account_reaches_the_next(endpoint: AuthlibTokenEndpoint, loopback: Loopback) -> None:
    """Two exchanges with one endpoint share neither token nor connection."""
    other = GOOD | {"access_token": "other-access"}
    loopback.say(answer(200, json.dumps(GOOD)), answer(200, json.dumps(other)))
    exchange(endpoint)
    assert exchange(endpoint, code="second", subdomain=GLOBEX).access_token.reveal() == "other-access"
    assert loopback.head()[0] == "POST /globex/oauth/tokens HTTP/1.1"
    assert b"canary-access" not in loopback.requests[1]
    assert loopback.connections == 2


def test_a_rejected_client_s_secret_is_read_anew(
    endpoint: AuthlibTokenEndpoint, loopback: Loopback, client_secret: ScriptedClientSecret
) -> None:
    """Whoever rotates the secret need not wait for a cache to end; other errors leave it alone."""
    loopback.say(answer(400, '{"error": "invalid_grant"}'), answer(401, '{"error": "invalid_client"}'))
    with pytest.raises(GrantRejectedError):
        exchange(endpoint)
    assert client_secret.forgotten == 0
    with pytest.raises(ClientRejectedError):
        exchange(endpoint)
    assert (client_secret.reads, client_secret.forgotten) == (2, 1)


def test_without_a_secret_nothing_is_sent(
    endpoint: AuthlibTokenEndpoint,
    loopback: Loopback,
    client_secret: ScriptedClientSecret,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The code is not spent on a request that could not succeed."""

    def missing(_: ScriptedClientSecret) -> Secret:
        raise ConfigurationError(("CLIENT_SECRET_ARN cannot be read",))

    monkeypatch.setattr(type(client_secret), "__call__", missing)
    with pytest.raises(ConfigurationError):
        exchange(endpoint)
    assert loopback.connections == 0


def test_a_code_is_not_spent_with_too_little_time(endpoint: AuthlibTokenEndpoint, loopback: Loopback) -> None:
    """With less time than an answer may take nothing is sent: its token would live on, known to nobody."""
    asked = CodeExchange(ACME, Secret("canary-code"), Secret("v" * 43), ("users:read",))
    with pytest.raises(ProviderUnavailableError) as refused:
        endpoint.exchange(asked, CLOCK.monotonic() + LEAST_SECONDS - 0.5)
    assert refused.value.nothing_sent
    assert loopback.connections == 0
