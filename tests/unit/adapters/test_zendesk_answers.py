import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.scripted import NOON
from zendesk_oauth.adapters.https_connection import HttpAnswer
from zendesk_oauth.adapters.zendesk_answers import api_object, retry_after
from zendesk_oauth.adapters.zendesk_token_answers import issued_tokens
from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    ProviderError,
    ProviderUnavailableError,
    TokenRefusedError,
    UnintelligibleAnswerError,
)
from zendesk_oauth.models.tokens import IssuedTokens, TokenLifetimes, UnusableTokensError

ASKED = TokenLifetimes(timedelta(hours=48), timedelta(days=90))
REQUESTED = ("users:read", "tickets:read")
WHOLE: dict[str, Any] = {
    "access_token": "canary-access",
    "refresh_token": "canary-refresh",
    "token_type": "bearer",
    "scope": "users:read tickets:read",
    "expires_in": 172_800,
    "refresh_token_expires_in": 7_776_000,
}


def judged(content: Any, status: int = 200, asked: TokenLifetimes = ASKED) -> IssuedTokens:
    """Judge this JSON as an answer of the token endpoint."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return issued_tokens(HttpAnswer(status, {}, body), REQUESTED, asked, NOON)


def without(*names: str) -> dict[str, Any]:
    """Return a whole answer but for these members."""
    return {name: value for name, value in WHOLE.items() if name not in names}


@pytest.mark.parametrize("status", [200, 201, 203])
def test_a_whole_answer_is_taken(status: int) -> None:
    """Sources differ on 200 and 201, so any 2xx will do."""
    issued = judged(WHOLE, status)
    assert issued.access_token.reveal() == "canary-access"
    assert issued.refresh_token.reveal() == "canary-refresh"
    assert issued.scopes == REQUESTED
    assert (issued.access_lifetime, issued.refresh_lifetime) == (ASKED.access, ASKED.refresh)
    assert "canary" not in repr(issued)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"<html>Just a moment...</html>", id="HTML"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut JSON"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"[" * 60_000, id="deep nesting"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param({}, id="an empty object"),
        pytest.param(WHOLE | {"access_token": None}, id="a null token"),
        pytest.param(WHOLE | {"access_token": ""}, id="an empty token"),
        pytest.param(WHOLE | {"access_token": 7}, id="a number for a token"),
        pytest.param(WHOLE | {"access_token": "a b"}, id="a token with a space"),
        pytest.param(WHOLE | {"access_token": "a\r\nX: 1"}, id="a token with a header"),
        pytest.param(WHOLE | {"access_token": "a\n"}, id="a token with a newline at its end"),
        pytest.param(WHOLE | {"access_token": "é"}, id="a token that is not ASCII"),
        pytest.param(b'{"access_token": "\\ud800", "token_type": "bearer"}', id="a lone surrogate"),
        pytest.param(WHOLE | {"access_token": "x" * 16_385}, id="a token over 16 kB"),
        pytest.param(without("refresh_token"), id="no refresh token"),
        pytest.param(WHOLE | {"refresh_token": None}, id="a null refresh token"),
        pytest.param(WHOLE | {"token_type": "mac"}, id="an odd token type"),
        pytest.param(WHOLE | {"token_type": ["bearer"]}, id="a list for a token type"),
        pytest.param(WHOLE | {"error": ""}, id="an empty error"),
        pytest.param(WHOLE | {"error": ["invalid_grant"]}, id="a list for an error"),
        pytest.param({"error": "something_new"}, id="an unknown error"),
    ],
)
@pytest.mark.parametrize("status", [200, 204, 302, 307, 308, 400, 404])
def test_anything_but_a_whole_answer_is_unintelligible(content: Any, status: int) -> None:
    """Half an answer is none, whatever its status, and nothing of it is in the error."""
    with pytest.raises(UnintelligibleAnswerError) as raised:
        judged(content, status)
    assert "canary" not in str(raised.value)
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    "content",
    [
        without("refresh_token"),
        WHOLE | {"refresh_token": None},
        WHOLE | {"refresh_token": "a b"},
        WHOLE | {"token_type": "mac"},
        WHOLE | {"token_type": 7},
    ],
)
def test_a_living_token_that_cannot_be_kept_is_handed_over_to_be_revoked(content: Any) -> None:
    """It is alive at Zendesk, whatever the rest of the answer lacks; and it does not print."""
    with pytest.raises(UnusableTokensError) as raised:
        judged(content, 201)
    assert raised.value.access_token.reveal() == "canary-access"
    assert "canary" not in repr(raised.value) + repr(vars(raised.value))


@pytest.mark.parametrize(
    ("told", "lifetime"), [(900, timedelta(seconds=900)), ("900", timedelta(seconds=900)), (None, None)]
)
def test_what_is_handed_over_says_how_long_it_lives(told: object, lifetime: timedelta | None) -> None:
    """As the answer has it; where it says nothing, nothing is made up."""
    with pytest.raises(UnusableTokensError) as raised:
        judged(WHOLE | {"token_type": "mac", "expires_in": told})
    assert raised.value.access_lifetime == lifetime
    assert raised.value.refresh_token is not None


@pytest.mark.parametrize("status", [302, 307, 308, 400, 401, 404])
def test_tokens_with_a_status_of_failure_are_revoked(status: int) -> None:
    """Only a 2xx is a success; what can be read may live all the same."""
    with pytest.raises(UnusableTokensError) as raised:
        judged(WHOLE, status)
    assert raised.value.access_token.reveal() == "canary-access"


@pytest.mark.parametrize("content", [without("token_type"), WHOLE | {"token_type": None}])
def test_an_answer_without_a_token_type_is_whole(content: Any) -> None:
    """The pair is alive and ours, and Zendesk knows no other type than bearer."""
    assert judged(content).access_token.reveal() == "canary-access"


@pytest.mark.parametrize("token_type", ["bearer", "Bearer", "BEARER"])
def test_the_token_type_is_compared_without_case(token_type: str) -> None:
    """RFC 6749 section 5.1."""
    assert judged(WHOLE | {"token_type": token_type}).access_token.reveal() == "canary-access"


@pytest.mark.parametrize("length", [1, 4096, 16_384])
def test_a_token_may_be_long(length: int) -> None:
    """Tokens are opaque text, JWTs of several kB among them."""
    assert judged(WHOLE | {"access_token": "x" * length}).access_token.reveal() == "x" * length


@pytest.mark.parametrize("status", [200, 400, 401, 403])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("invalid_grant", GrantRejectedError),
        ("invalid_scope", GrantRejectedError),
        ("invalid_client", ClientRejectedError),
        ("invalid_request", ClientRejectedError),
        ("unauthorized_client", ClientRejectedError),
        ("unsupported_grant_type", ClientRejectedError),
    ],
)
def test_errors_are_told_apart_by_their_code(code: str, expected: type[ProviderError], status: int) -> None:
    """Never by text or status (RFC 6749 section 5.2), not even beside tokens."""
    with pytest.raises(expected) as raised:
        judged(WHOLE | {"error": code, "error_description": "canary"}, status)
    assert raised.value.args == (code,)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("content", [WHOLE, {"error": "invalid_grant"}, b"<html>", {"error": "Rate limited"}])
def test_busy_and_failing_are_no_verdict(status: int, content: Any) -> None:
    """A rate-limit page is neither a token nor the end of one."""
    with pytest.raises(ProviderUnavailableError) as raised:
        judged(content, status)
    assert not raised.value.nothing_sent
    assert raised.value.throttled == (status == 429)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (7200, 7200),
        ("7200", 7200),
        (7200.9, 7200),
        (172_800, 172_800),
        (1e12, 172_800),
        (10**400, 172_800),
        (float("inf"), 172_800),
        (0, 300),
        (-1, 300),
        (float("-inf"), 300),
        (1, 300),
        (None, 1800),
        ("soon", 1800),
        ("", 1800),
        ("-5", 1800),
        ("١٢", 1800),
        (float("nan"), 1800),
        (True, 1800),
        ([7200], 1800),
        ({"in": 7200}, 1800),
    ],
)
def test_an_access_token_lives_neither_for_ever_nor_not_at_all(value: Any, seconds: int) -> None:
    """What is missing or odd is taken for half an hour, what is out of bounds is brought within them."""
    assert judged(WHOLE | {"expires_in": value}).access_lifetime == timedelta(seconds=seconds)


def test_without_a_lifetime_no_more_than_asked_is_believed() -> None:
    """Who asked for less than half an hour gets less."""
    asked = TokenLifetimes(timedelta(seconds=600), timedelta(days=7))
    issued = judged(without("expires_in", "refresh_token_expires_in"), asked=asked)
    assert (issued.access_lifetime, issued.refresh_lifetime) == (asked.access, asked.refresh)


@pytest.mark.parametrize(
    ("value", "days"), [(604_800, 7), ("604800", 7), (1e12, 90), (0, 1), (-1, 1), (None, 30), ("soon", 30)]
)
def test_a_refresh_token_s_lifetime_is_bounded_too(value: Any, days: int) -> None:
    """Missing, it is Zendesk's own default of 30 days."""
    issued = judged(WHOLE | {"refresh_token_expires_in": value})
    assert issued.refresh_lifetime == timedelta(days=days)


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("users:read", ("users:read",)),
        ("tickets:read  users:read", ("tickets:read", "users:read")),
        ("read read", ("read",)),
        ("brand-new.scope:admin read", ("brand-new.scope:admin", "read")),
        ("read évil \x00", ("read",)),
        ("", ()),
        (None, REQUESTED),
        (7, REQUESTED),
        (["read"], REQUESTED),
    ],
)
def test_odd_scopes_lose_nobody_his_tokens(scope: Any, granted: tuple[str, ...]) -> None:
    """Unknown names are kept verbatim; no scope, or one that is no text, means as asked."""
    assert judged(WHOLE | {"scope": scope}).scopes == granted


def test_without_a_scope_it_is_as_asked() -> None:
    """RFC 6749 section 5.1: omitted where identical."""
    assert judged(without("scope")).scopes == REQUESTED


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", timedelta(seconds=1)),
        ("60", timedelta(seconds=60)),
        (" 60 ", timedelta(seconds=60)),
        ("0", timedelta()),
        ("86400", HOUR),
        ("9" * 9, HOUR),
        ("9" * 5000, None),
        (format_datetime(NOON + timedelta(seconds=90), usegmt=True), timedelta(seconds=90)),
        (format_datetime(NOON + timedelta(days=90), usegmt=True), HOUR),
        (format_datetime(NOON - timedelta(days=90), usegmt=True), timedelta()),
        ("Mon, 04 Jan 2027 12:01:00 -0000", timedelta(seconds=60)),
        ("Mon, 04 Jan 99999 12:01:00 GMT", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after_is_honoured_and_capped(text: str, expected: timedelta | None) -> None:
    """Seconds or a date, within an hour; garbage is nothing."""
    assert retry_after(HttpAnswer(429, {"retry-after": text}, b""), NOON) == expected


def test_no_retry_after_is_none() -> None:
    """Whoever is not told when, decides alone."""
    assert retry_after(HttpAnswer(429, {}, b""), NOON) is None


@given(st.text())
def test_no_retry_after_breaks_anything(text: str) -> None:
    """Whatever stands there, it is within an hour or None."""
    wait = retry_after(HttpAnswer(429, {"retry-after": text}, b""), datetime(2027, 1, 4, tzinfo=UTC))
    assert wait is None or timedelta() <= wait <= HOUR


def test_a_busy_answer_carries_how_long_to_wait() -> None:
    """The header's way into the error."""
    with pytest.raises(ProviderUnavailableError) as raised:
        issued_tokens(HttpAnswer(429, {"retry-after": "60"}, b"{}"), REQUESTED, ASKED, NOON)
    assert raised.value.retry_after == timedelta(seconds=60)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*WHOLE, "error"]), JSON), st.integers(200, 599))
def test_no_answer_gives_anything_but_tokens_or_a_typed_error(content: dict[str, Any], status: int) -> None:
    """A hundred odd answers, each judged; what is taken is whole."""
    try:
        issued = judged(content, status)
    except ProviderError:
        return
    assert issued.access_token
    assert issued.refresh_token
    assert timedelta(seconds=300) <= issued.access_lifetime <= ASKED.access
    assert timedelta(days=1) <= issued.refresh_lifetime <= ASKED.refresh


@pytest.mark.parametrize("status", [401, 403])
def test_the_api_s_refusal_says_which(status: int) -> None:
    """A dead token and a missing scope are different things."""
    with pytest.raises(TokenRefusedError) as raised:
        api_object(HttpAnswer(status, {}, b'{"error": "Forbidden"}'), NOON)
    assert raised.value.status == status


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (302, UnintelligibleAnswerError),
        (404, UnintelligibleAnswerError),
        (429, ProviderUnavailableError),
        (503, ProviderUnavailableError),
    ],
)
def test_the_api_s_other_failures(status: int, expected: type[ProviderError]) -> None:
    """A renamed account answers with a page that is not ours to read; a busy one can be asked later."""
    with pytest.raises(expected):
        api_object(HttpAnswer(status, {}, b"{}"), NOON)
