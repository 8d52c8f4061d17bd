import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON
from zendesk_oauth.adapters.https_connection import HttpAnswer
from zendesk_oauth.adapters.zendesk_token_answers import refreshed_tokens, rejects_client
from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    ProviderError,
    ProviderUnavailableError,
    UnintelligibleAnswerError,
    UnrecognisedErrorError,
)
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import IssuedTokens, TokenLifetimes, UnusableTokensError
from zendesk_oauth.ports.refresh import RefreshGrant

ASKED = TokenLifetimes(timedelta(hours=48), timedelta(days=90))
GRANT = RefreshGrant(ACME, Secret("canary-old-refresh"), ("users:read", "tickets:read"))
WHOLE: dict[str, Any] = {
    "access_token": "canary-access",
    "refresh_token": "canary-refresh",
    "token_type": "bearer",
    "scope": "users:read tickets:read",
    "expires_in": 172_800,
    "refresh_token_expires_in": 7_776_000,
}


def judged(content: Any, status: int = 200) -> IssuedTokens:
    """Judge this JSON as the answer to a refresh."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return refreshed_tokens(HttpAnswer(status, {}, body), GRANT, ASKED, NOON)


def without(*names: str) -> dict[str, Any]:
    """Return a whole answer but for these members."""
    return {name: value for name, value in WHOLE.items() if name not in names}


@pytest.mark.parametrize("status", [200, 201, 203])
def test_a_whole_answer_is_taken(status: int) -> None:
    """Both tokens are new, and nothing was kept."""
    assert judged(WHOLE, status) == IssuedTokens(
        Secret("canary-access"), Secret("canary-refresh"), GRANT.scopes, ASKED.access, ASKED.refresh
    )


@pytest.mark.parametrize(
    "content",
    [without("refresh_token"), *(WHOLE | {"refresh_token": odd} for odd in (None, "", 7, ["r"], "a b"))],
)
def test_r15_without_a_usable_refresh_token_the_old_one_is_kept_and_that_is_said(content: Any) -> None:
    """The access token is good: nothing is thrown away or revoked because its companion is missing."""
    issued = judged(content)
    assert (issued.access_token, issued.refresh_token) == (Secret("canary-access"), GRANT.refresh_token)
    assert issued.kept_refresh_token


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"<html>Just a moment...</html>", id="HTML"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param({}, id="an empty object"),
        pytest.param({"access_token": None, "refresh_token": None}, id="null tokens"),
        pytest.param({"access_token": "a\r\nX: 1"}, id="a token with a header"),
        pytest.param({"access_token": "a" * 16_385}, id="a token too long for a header"),
        pytest.param(WHOLE | {"error": "something_new"}, id="an unknown error"),
    ],
)
@pytest.mark.parametrize("status", [200, 204, 302, 307, 400, 404])
def test_r15_anything_without_a_readable_token_is_unintelligible(content: Any, status: int) -> None:
    """Zendesk may have rotated: that is not decided here, and nothing of the answer is in the error."""
    with pytest.raises(UnintelligibleAnswerError) as raised:
        judged(content, status)
    assert not isinstance(raised.value, UnusableTokensError)
    assert "canary" not in str(raised.value)
    assert raised.value.__context__ is None


@pytest.mark.parametrize("content", [without("token_type"), WHOLE | {"token_type": None}])
def test_a_refresh_without_a_token_type_is_one(content: Any) -> None:
    """The pair is alive and ours: to refuse it would lose the connection."""
    issued = judged(content)
    assert (issued.access_token.reveal(), issued.access_lifetime > timedelta()) == ("canary-access", True)


@pytest.mark.parametrize(
    "content",
    [
        without("access_token"),
        WHOLE | {"access_token": None},
        WHOLE | {"access_token": "a\r\nX: 1"},
        WHOLE | {"access_token": "a" * 16_385},
        WHOLE | {"token_type": "mac"},
        WHOLE | {"token_type": ["bearer"]},
    ],
)
@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_pair_whose_access_token_cannot_be_used_is_kept_for_its_refresh_token(
    content: Any, status: int
) -> None:
    """RFC 6749 section 7.1: the access token is not used; it has expired when it is stored, and a refresh follows."""
    issued = judged(content, status)
    assert issued.refresh_token.reveal() == WHOLE["refresh_token"]
    assert issued.access_lifetime == timedelta()


@pytest.mark.parametrize("content", [WHOLE, WHOLE | {"token_type": "mac"}, without("refresh_token")])
@pytest.mark.parametrize("status", [302, 400, 401, 404])
def test_tokens_with_a_status_of_failure_are_handed_over_to_be_revoked(content: Any, status: int) -> None:
    """They may live, and must not be laid over a pair that may live as well; they do not print."""
    with pytest.raises(UnusableTokensError) as raised:
        judged(content, status)
    refresh_token = raised.value.refresh_token
    assert raised.value.access_token.reveal() == "canary-access"
    assert (refresh_token is not None) is ("refresh_token" in content)
    assert "canary" not in repr(raised.value) + repr(vars(raised.value))


@pytest.mark.parametrize(
    ("code", "logged"),
    [
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("x" * 500, "x" * 64),
        ('a"b', None),
        ("a\nb", None),
        ("", None),
        (7, None),
    ],
)
def test_an_unknown_error_code_is_kept_for_the_log(code: object, logged: str | None) -> None:
    """Validated and bounded; anything else of the answer stays out of it."""
    with pytest.raises(UnrecognisedErrorError) as raised:
        judged(WHOLE | {"error": code}, 400)
    assert raised.value.server_code == logged


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (None, GRANT.scopes),
        ("", GRANT.scopes),
        (["users:read"], GRANT.scopes),
        ("users:read", ("users:read",)),
        ("new:read users:read new:read", ("new:read", "users:read")),
    ],
)
def test_r15_scopes_are_kept_unless_others_are_named(scope: object, expected: tuple[str, ...]) -> None:
    """A refresh asks for none, so silence means the same as before; fewer are believed."""
    assert judged(WHOLE | {"scope": scope}).scopes == expected


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 300),
        (-1, 300),
        ("1800", 1800),
        (1e12, 172_800),
        (1e400, 172_800),
        (None, 1800),
        ("soon", 1800),
        (True, 1800),
        (float("nan"), 1800),
        (3600.9, 3600),
    ],
)
def test_r13_a_lifetime_is_clamped(value: object, seconds: int) -> None:
    """Never over already, never for ever, and never longer than was asked for."""
    assert judged(WHOLE | {"expires_in": value}).access_lifetime == timedelta(seconds=seconds)


@given(access=st.one_of(st.none(), st.integers(), st.floats(), st.text()))
def test_r13_every_lifetime_is_within_what_zendesk_gives(access: object) -> None:
    """Whatever stands there, a connection is not refreshed again at once."""
    issued = judged(WHOLE | {"expires_in": access, "refresh_token_expires_in": access})
    assert timedelta(seconds=300) <= issued.access_lifetime <= ASKED.access
    assert timedelta(days=1) <= issued.refresh_lifetime <= ASKED.refresh


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("invalid_grant", GrantRejectedError),
        ("invalid_scope", ClientRejectedError),
        ("invalid_client", ClientRejectedError),
        ("invalid_request", ClientRejectedError),
        ("unauthorized_client", ClientRejectedError),
        ("unsupported_grant_type", ClientRejectedError),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_only_invalid_grant_speaks_against_a_refresh_token(
    code: str, expected: type[ProviderError], status: int
) -> None:
    """The rest is the client's set-up, a scope among it that no refresh names: no connection ends by that."""
    with pytest.raises(ProviderError) as raised:
        judged(WHOLE | {"error": code}, status)
    assert type(raised.value) is expected


@pytest.mark.parametrize(("status", "throttled"), [(429, True), (500, False), (502, False), (504, False)])
def test_a_busy_zendesk_is_no_answer(status: int, *, throttled: bool) -> None:
    """Not even with a token or an error in it; only a 429 was surely not carried out."""
    for content in (WHOLE, {"error": "invalid_grant"}):
        with pytest.raises(ProviderUnavailableError) as raised:
            judged(content, status)
        assert (raised.value.throttled, raised.value.nothing_sent) == (throttled, False)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b'{"error": "invalid_client"}', True),
        (400, b'{"error": "invalid_client"}', True),
        (401, b'{"error": "invalid_grant"}', False),
        (401, b'{"error": ["invalid_client"]}', False),
        (401, b'"invalid_client"', False),
        (401, b"<html>invalid_client</html>", False),
        (503, b'{"error": "invalid_client"}', False),
        (200, json.dumps(WHOLE).encode(), False),
    ],
)
def test_a_refused_client_is_told_by_its_code(status: int, body: bytes, *, expected: bool) -> None:
    """Only that code proves that nothing was rotated, so that another secret may be tried."""
    assert rejects_client(HttpAnswer(status, {}, body)) is expected
