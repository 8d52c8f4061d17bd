import json
import logging
from datetime import timedelta

import pytest

from tests.doubles.samples import ACME, GLOBEX
from tests.doubles.scripted import ScriptedClientSecret, ScriptedClock
from tests.loopback import Loopback, Script, answer, raw
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.zendesk_secret_choice import SecretChoice
from zendesk_oauth.adapters.zendesk_tokens import LEAST_SECONDS, AuthlibTokenEndpoint
from zendesk_oauth.errors import (
    ClientRejectedError,
    ConfigurationError,
    GrantRejectedError,
    ProviderUnavailableError,
    SecretUnavailableError,
    UnintelligibleAnswerError,
    ZendeskOAuthError,
)
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens, TokenLifetimes
from zendesk_oauth.ports.refresh import RefreshGrant

CLOCK = SystemClock()
GOOD = json.dumps(
    {
        "access_token": "canary-access",
        "refresh_token": "canary-refresh",
        "token_type": "bearer",
        "scope": "users:read",
        "expires_in": 7200,
        "refresh_token_expires_in": 604_800,
    }
)
REFUSED = answer(401, '{"error": "invalid_client"}')


class Secrets(ScriptedClientSecret):
    """Two secrets; a kept one may be stale until it is forgotten, and reading may fail from then on."""

    def __init__(self, kept: str, current: str, before: str | None = None) -> None:
        super().__init__(kept)
        self.current = current
        self.before = before
        self.error: ZendeskOAuthError | None = None

    def __call__(self) -> Secret:
        """Return the kept one, or fail as scripted."""
        if self.error:
            raise self.error
        return super().__call__()

    def forget(self) -> None:
        """Let the current one be read from now on."""
        super().forget()
        self.text = self.current


def endpoint_with(secrets: ScriptedClientSecret, loopback: Loopback) -> AuthlibTokenEndpoint:
    """Return the endpoint with these secrets, at a Zendesk that says what the test wants."""
    return AuthlibTokenEndpoint(
        "zdg-example",
        secrets,
        Endpoints(f"{loopback.address}/{{subdomain}}", ""),
        TokenLifetimes(timedelta(hours=48), timedelta(days=90)),
        CLOCK,
    )


def refresh(
    endpoint: AuthlibTokenEndpoint, subdomain: Subdomain = ACME, seconds: float = 5.0
) -> IssuedTokens:
    """Spend a refresh token."""
    grant = RefreshGrant(subdomain, Secret("canary old&scope=+%é"), ("users:read", "tickets:read"))
    return endpoint.refresh(grant, CLOCK.monotonic() + seconds)


def sent_secrets(loopback: Loopback) -> list[str]:
    """Return the client secret of each POST, in order."""
    return [loopback.form(number)["client_secret"] for number in range(len(loopback.requests))]


def test_the_request_is_exactly_this(loopback: Loopback) -> None:
    """Credentials in the body, both lifetimes, the refresh token; no scope, nothing more, nothing twice."""
    loopback.say(answer(200, GOOD))
    refresh(endpoint_with(ScriptedClientSecret("canary secret&=+%é/?#"), loopback))
    assert loopback.form() == {
        "grant_type": "refresh_token",
        "refresh_token": "canary old&scope=+%é",
        "client_id": "zdg-example",
        "client_secret": "canary secret&=+%é/?#",
        "expires_in": "172800",
        "refresh_token_expires_in": "7776000",
    }
    line, headers = loopback.head()
    assert line == "POST /acme/oauth/tokens HTTP/1.1"
    assert headers["content-type"] == "application/x-www-form-urlencoded;charset=UTF-8"
    assert "authorization" not in headers


def test_the_answer_is_ours(loopback: Loopback) -> None:
    """What comes back is typed and does not print; one POST, over one connection."""
    loopback.say(answer(201, GOOD))
    issued = refresh(endpoint_with(ScriptedClientSecret(), loopback))
    assert (issued.access_token, issued.refresh_token) == (Secret("canary-access"), Secret("canary-refresh"))
    assert issued.access_lifetime == timedelta(hours=2)
    assert "canary" not in repr(issued)
    assert loopback.connections == 1


def test_a_cut_answer_is_posted_once(loopback: Loopback) -> None:
    """The refresh token may be spent: it is never posted again by itself."""
    loopback.say(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"))
    with pytest.raises(ProviderUnavailableError) as raised:
        refresh(endpoint_with(ScriptedClientSecret(), loopback))
    assert not raised.value.nothing_sent
    assert len(loopback.requests) == 1


def test_nothing_of_one_account_reaches_the_next(loopback: Loopback) -> None:
    """Two refreshes with one endpoint share neither token nor connection."""
    loopback.say(answer(200, GOOD))
    endpoint = endpoint_with(ScriptedClientSecret(), loopback)
    refresh(endpoint)
    refresh(endpoint, GLOBEX)
    assert loopback.head()[0] == "POST /globex/oauth/tokens HTTP/1.1"
    assert b"canary-access" not in loopback.requests[1]
    assert loopback.connections == 2


def test_nothing_is_logged(loopback: Loopback, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG, over success and failure: no secret or token in any line or error."""
    caplog.set_level(logging.DEBUG)
    loopback.say(answer(200, GOOD), answer(400, '{"error": "invalid_grant", "error_description": "canary"}'))
    endpoint = endpoint_with(ScriptedClientSecret("canary"), loopback)
    refresh(endpoint)
    with pytest.raises(GrantRejectedError) as raised:
        refresh(endpoint)
    assert "canary" not in caplog.text
    assert "canary" not in str(raised.getrepr(style="short"))


def test_a_refresh_token_is_not_spent_with_too_little_time(loopback: Loopback) -> None:
    """With less time than an answer may take nothing is sent, and that is said."""
    with pytest.raises(ProviderUnavailableError) as raised:
        refresh(endpoint_with(ScriptedClientSecret(), loopback), seconds=LEAST_SECONDS - 0.5)
    assert raised.value.nothing_sent
    assert loopback.connections == 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConfigurationError(("CLIENT_SECRET_ARN cannot be read: X",)), ClientRejectedError),
        (SecretUnavailableError("ThrottlingException"), ProviderUnavailableError),
    ],
)
def test_without_a_secret_nothing_is_sent(
    loopback: Loopback, error: ZendeskOAuthError, expected: type[ZendeskOAuthError]
) -> None:
    """A set-up that the operator has to mend, or a pause: either way the claim can be given back."""
    secrets = Secrets("a", "a")
    secrets.error = error
    with pytest.raises(expected) as raised:
        refresh(endpoint_with(secrets, loopback))
    assert getattr(raised.value, "nothing_sent", True)
    assert loopback.connections == 0


def test_r20_a_secret_that_was_replaced_is_read_anew(loopback: Loopback) -> None:
    """This process has kept the old one: `invalid_client` proves that nothing was rotated, so the new one is sent."""
    loopback.say(REFUSED, answer(200, GOOD))
    secrets = Secrets(kept="old", current="new", before="old")
    assert refresh(endpoint_with(secrets, loopback)).access_token == Secret("canary-access")
    assert sent_secrets(loopback) == ["old", "new"]


def test_r20_the_previous_secret_is_tried_once_and_remembered(loopback: Loopback) -> None:
    """Zendesk does not know the new one yet: the old one works, and is sent first for a while."""
    loopback.say(REFUSED, answer(200, GOOD))
    endpoint = endpoint_with(Secrets(kept="new", current="new", before="old"), loopback)
    refresh(endpoint)
    refresh(endpoint)
    assert sent_secrets(loopback) == ["new", "old", "old"]


def test_r20_the_remembered_secret_gives_way_to_the_current_one(loopback: Loopback) -> None:
    """Zendesk has taken the new one over: one refusal of the old one, and the new one is sent from then on."""
    loopback.say(REFUSED, answer(200, GOOD), REFUSED, answer(200, GOOD))
    endpoint = endpoint_with(Secrets(kept="new", current="new", before="old"), loopback)
    for _ in range(3):
        refresh(endpoint)
    assert sent_secrets(loopback) == ["new", "old", "old", "new", "new"]


@pytest.mark.parametrize(
    ("secrets", "sent"),
    [
        (("old", "new", "old"), ["old", "new"]),
        (("new", "new", "old"), ["new", "old"]),
        (("only", "only"), ["only"]),
        (("same", "same", "same"), ["same"]),
    ],
)
def test_r17_a_refused_client_costs_two_posts_at_most(
    loopback: Loopback, secrets: tuple[str, ...], sent: list[str]
) -> None:
    """None of them is taken: the error is the client's, and no third is looked for."""
    loopback.say(REFUSED)
    with pytest.raises(ClientRejectedError):
        refresh(endpoint_with(Secrets(*secrets), loopback))
    assert sent_secrets(loopback) == sent


@pytest.mark.parametrize("code", ["invalid_request", "unauthorized_client", "invalid_scope"])
def test_r20_another_secret_is_tried_for_invalid_client_alone(loopback: Loopback, code: str) -> None:
    """Nothing else is about the secret."""
    loopback.say(answer(400, json.dumps({"error": code})))
    with pytest.raises(ClientRejectedError):
        refresh(endpoint_with(Secrets("old", "new", "older"), loopback))
    assert len(loopback.requests) == 1


@pytest.mark.parametrize("error", [ConfigurationError(("gone",)), SecretUnavailableError("throttled")])
def test_r20_a_secret_that_cannot_be_read_anew_leaves_the_refusal(
    loopback: Loopback, error: ZendeskOAuthError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Zendesk said stands; Secrets Manager's own trouble does not hide it."""
    loopback.say(REFUSED)
    secrets = Secrets("old", "new")
    monkeypatch.setattr(secrets, "forget", lambda: setattr(secrets, "error", error))
    with pytest.raises(ClientRejectedError):
        refresh(endpoint_with(secrets, loopback))
    assert sent_secrets(loopback) == ["old"]


def test_r20_the_second_post_needs_time_of_its_own(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that came late leaves none for another try: the refusal stands, and nothing was rotated."""
    loopback.say(REFUSED)
    secrets = Secrets("old", "old")

    def slowly_read() -> Secret:
        monkeypatch.setattr("zendesk_oauth.adapters.zendesk_tokens.LEAST_SECONDS", 60.0)
        return Secret("older")

    monkeypatch.setattr(secrets, "previous", slowly_read)
    with pytest.raises(ClientRejectedError):
        refresh(endpoint_with(secrets, loopback))
    assert sent_secrets(loopback) == ["old"]


def test_r20_what_was_taken_is_remembered_for_a_quarter_of_an_hour() -> None:
    """Then the current one is given another chance, and the previous one is not shown in between."""
    clock = ScriptedClock()
    choice = SecretChoice(Secrets("new", "new", "old"), clock)
    choice.remember(Secret("old"))
    clock.advance(timedelta(minutes=14, seconds=59))
    assert choice.first() == Secret("old")
    clock.advance(timedelta(seconds=1))
    assert choice.first() == Secret("new")
    assert "old" not in repr(vars(choice)["_taken"])


MADE_UP = RefreshGrant(ACME, Secret("m" * 43), ())


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (answer(400, '{"error": "invalid_grant"}'), True),
        (REFUSED, False),
    ],
)
def test_a_token_that_nobody_has_issued_tells_whether_we_are_known(
    loopback: Loopback, said: Script, *, known: bool
) -> None:
    """One POST with the current secret alone, even where another one is there; a refused one is read anew next."""
    secrets = Secrets("kept", "current", "before")
    loopback.say(said)
    assert endpoint_with(secrets, loopback).knows_client(MADE_UP, CLOCK.monotonic() + 5) is known
    assert sent_secrets(loopback) == ["kept"]
    assert loopback.form()["refresh_token"] == "m" * 43
    assert secrets.forgotten == (0 if known else 1)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (answer(200, GOOD), UnintelligibleAnswerError),
        (answer(503, "busy"), ProviderUnavailableError),
        (answer(200, "<html>"), UnintelligibleAnswerError),
        (answer(400, '{"error": "unauthorized_client"}'), UnintelligibleAnswerError),
        (answer(400, '{"error": "invalid_request"}'), UnintelligibleAnswerError),
    ],
)
def test_any_other_answer_tells_nothing_of_our_client(
    loopback: Loopback, said: Script, error: type[Exception]
) -> None:
    """Not even tokens for a token that nobody has issued."""
    loopback.say(said)
    with pytest.raises(error):
        endpoint_with(ScriptedClientSecret(), loopback).knows_client(MADE_UP, CLOCK.monotonic() + 5)
    assert len(loopback.requests) == 1
