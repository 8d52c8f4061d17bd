import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.doubles.samples import ACME
from tests.loopback import Loopback, answer
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi
from zendesk_oauth.errors import (
    ProviderError,
    ProviderUnavailableError,
    TokenRefusedError,
    UnintelligibleAnswerError,
    WrongRoleError,
)
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import AuthorizedUser, LivingToken

CLOCK = SystemClock()
TOKEN = Secret("canary-token")


@pytest.fixture
def api(loopback: Loopback) -> ZendeskHttpApi:
    """Return the API of a Zendesk that says what the test wants."""
    return ZendeskHttpApi(Endpoints(f"{loopback.address}/{{subdomain}}", "https://c.example"), CLOCK)


def deadline() -> float:
    """Return an instant five seconds from now."""
    return CLOCK.monotonic() + 5


def test_who_authorized_is_asked_with_the_new_token(api: ZendeskHttpApi, loopback: Loopback) -> None:
    """The token in the header, nothing in the address."""
    loopback.say(answer(200, '{"user": {"id": 7, "role": "admin", "name": "A"}}'))
    assert api.who_authorized(ACME, TOKEN, deadline()) == AuthorizedUser(7, "admin")
    line, headers = loopback.head()
    assert line == "GET /acme/api/v2/users/me.json HTTP/1.1"
    assert headers["authorization"] == "Bearer canary-token"


@pytest.mark.parametrize(
    "user",
    [{"id": None, "role": "end-user"}, {"role": "admin"}, {"id": 7}, {"id": 7, "role": None}, {}],
)
def test_an_anonymous_user_has_no_role(api: ZendeskHttpApi, loopback: Loopback, user: Any) -> None:
    """Zendesk answers 200 for nobody: the id decides, and a role has to be there."""
    loopback.say(answer(200, json.dumps({"user": user})))
    with pytest.raises(WrongRoleError):
        api.who_authorized(ACME, TOKEN, deadline())


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "{}",
        "[]",
        '{"user": null}',
        '{"user": {"id": "7", "role": "admin"}}',
        '{"user": {"id": true, "role": "admin"}}',
        '{"user": {"id": 0, "role": "admin"}}',
        '{"user": {"id": 7, "role": 1}}',
        '{"user": {"id": 7, "role": "a\\nb"}}',
        json.dumps({"user": {"id": 7, "role": "x" * 65}}),
    ],
)
def test_an_odd_user_is_unintelligible(api: ZendeskHttpApi, loopback: Loopback, body: str) -> None:
    """Nobody is let in by a page that was not understood."""
    loopback.say(answer(200, body))
    with pytest.raises(UnintelligibleAnswerError):
        api.who_authorized(ACME, TOKEN, deadline())


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (302, UnintelligibleAnswerError),
        (401, UnintelligibleAnswerError),
        (403, UnintelligibleAnswerError),
        (404, UnintelligibleAnswerError),
        (429, ProviderUnavailableError),
        (500, ProviderUnavailableError),
    ],
)
def test_a_refusal_is_typed(
    api: ZendeskHttpApi, loopback: Loopback, status: int, expected: type[ProviderError]
) -> None:
    """Each failure of `users/me` is one of ours."""
    loopback.say(answer(status, '{"user": {"id": 7, "role": "admin"}}'))
    with pytest.raises(expected):
        api.who_authorized(ACME, TOKEN, deadline())


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_nobodys(api: ZendeskHttpApi, loopback: Loopback, status: int) -> None:
    """The API's own 401 and 403 name an error, and are told apart from pages with the same status."""
    loopback.say(answer(status, '{"error": "invalid_token"}'))
    with pytest.raises(TokenRefusedError):
        api.who_authorized(ACME, TOKEN, deadline())


def test_a_living_token_has_an_id(api: ZendeskHttpApi, loopback: Loopback) -> None:
    """`current` finds it, and is never used to delete it."""
    loopback.say(answer(200, '{"token": {"id": 4711}}'))
    assert api.find_token_id(ACME, TOKEN, deadline()) == 4711
    assert loopback.head()[0] == "GET /acme/api/v2/oauth/tokens/current.json HTTP/1.1"


@pytest.mark.parametrize(
    "body",
    [
        '{"error": "invalid_token", "error_description": "The access token expired or was revoked."}',
        '{"error": "Couldn\'t authenticate you"}',
        '{"error": {"title": "Unauthorized", "message": "The token is not valid"}}',
    ],
)
def test_a_dead_token_has_none(api: ZendeskHttpApi, loopback: Loopback, body: str) -> None:
    """R29: a 401 with an error of the API's own is the answer that proves a revocation."""
    loopback.say(answer(401, body))
    assert api.find_token_id(ACME, TOKEN, deadline()) is None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, "{}", UnintelligibleAnswerError),
        (200, '{"token": {"id": null}}', UnintelligibleAnswerError),
        (200, '{"token": {"id": "1/../2"}}', UnintelligibleAnswerError),
        (200, "<html>", UnintelligibleAnswerError),
        (302, "", UnintelligibleAnswerError),
        (403, '{"error": "Forbidden", "description": "missing scopes"}', TokenRefusedError),
        (401, "", UnintelligibleAnswerError),
        (401, "{}", UnintelligibleAnswerError),
        (401, "[]", UnintelligibleAnswerError),
        (401, '"invalid_token"', UnintelligibleAnswerError),
        (401, '{"error": ""}', UnintelligibleAnswerError),
        (401, '{"error": null}', UnintelligibleAnswerError),
        (401, '{"error": true}', UnintelligibleAnswerError),
        (401, '{"message": "Unauthorized"}', UnintelligibleAnswerError),
        (401, "<!doctype html><h1>401 Authorization Required</h1>", UnintelligibleAnswerError),
        (403, "{}", UnintelligibleAnswerError),
        (403, "<html>Attention Required", UnintelligibleAnswerError),
        (429, "{}", ProviderUnavailableError),
        (503, "{}", ProviderUnavailableError),
    ],
)
def test_no_other_answer_proves_a_token_dead(
    api: ZendeskHttpApi, loopback: Loopback, status: int, body: str, expected: type[ProviderError]
) -> None:
    """R29: only the API's own 401 does; a page with that status is an error, and no odd id gets into an address."""
    loopback.say(answer(status, body))
    with pytest.raises(expected):
        api.find_token_id(ACME, TOKEN, deadline())


@pytest.mark.parametrize("status", [200, 204, 404])
def test_a_token_is_deleted_by_its_id(api: ZendeskHttpApi, loopback: Loopback, status: int) -> None:
    """One that is gone already counts as deleted; whether it is dead is asked afterwards."""
    loopback.say(answer(status, ""))
    api.delete_token(ACME, 4711, TOKEN, deadline())
    assert loopback.head()[0] == "DELETE /acme/api/v2/oauth/tokens/4711.json HTTP/1.1"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (302, "", UnintelligibleAnswerError),
        (401, '{"error": "invalid_token"}', TokenRefusedError),
        (401, "<html>Authorization Required", UnintelligibleAnswerError),
        (403, '{"error": "Forbidden"}', TokenRefusedError),
        (403, "<html>Attention Required", UnintelligibleAnswerError),
        (429, "", ProviderUnavailableError),
        (500, "", ProviderUnavailableError),
    ],
)
def test_a_deletion_that_is_refused_says_so(
    api: ZendeskHttpApi, loopback: Loopback, status: int, body: str, expected: type[ProviderError]
) -> None:
    """A grant may not be allowed to delete; what stands before Zendesk says nothing of that, and it is tried again."""
    loopback.say(answer(status, body))
    with pytest.raises(expected):
        api.delete_token(ACME, 4711, TOKEN, deadline())


@pytest.mark.parametrize(
    ("told", "scopes", "expires_at"),
    [
        ({}, None, None),
        (
            {"scopes": ["read", "users:read"], "expires_at": "2027-01-04T12:00:00Z"},
            ("read", "users:read"),
            datetime(2027, 1, 4, 12, tzinfo=UTC),
        ),
        ({"scopes": ["read", "read"], "expires_at": "2027-01-04T12:00:00"}, ("read",), None),
        ({"scopes": "read", "expires_at": "soon"}, None, None),
        ({"scopes": ["read", ""], "expires_at": 1_800_000_000}, None, None),
        ({"scopes": [7], "expires_at": None}, None, None),
    ],
)
def test_what_zendesk_says_of_a_living_token(
    api: ZendeskHttpApi, loopback: Loopback, told: Any, scopes: Any, expires_at: datetime | None
) -> None:
    """Its id; scopes and end only where they are said in a form that cannot be misread."""
    loopback.say(answer(200, json.dumps({"token": {"id": 9} | told})))
    assert api.find_token(ACME, TOKEN, deadline()) == LivingToken(9, scopes, expires_at)
    line, headers = loopback.head()
    assert line == "GET /acme/api/v2/oauth/tokens/current.json HTTP/1.1"
    assert headers["authorization"] == "Bearer canary-token"


def test_nothing_is_said_of_a_dead_token(api: ZendeskHttpApi, loopback: Loopback) -> None:
    """401 is an answer, not an error."""
    loopback.say(answer(401, '{"error": "invalid_token"}'))
    assert api.find_token(ACME, TOKEN, deadline()) is None
