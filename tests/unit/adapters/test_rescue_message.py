import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.adapters.renewals import RENEWAL
from zendesk_oauth.adapters.rescue_message import renewal_of, renewal_text
from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.models.connection import TokenTimes
from zendesk_oauth.models.refresh import Renewal, Version
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair, SealedToken

LONGEST_MESSAGE = 256 * 1024
"""What SQS has always taken."""
INSTANTS = st.builds(
    lambda seconds, microseconds, hours: (
        datetime.fromtimestamp(seconds, timezone(timedelta(hours=hours)))
        + timedelta(microseconds=microseconds)
    ),
    st.integers(0, 2**32),
    st.integers(0, 999_999),
    st.integers(-12, 14),
)
COUNTS = st.integers(min_value=1, max_value=2**53)
SCOPES = st.lists(st.text(min_size=1, max_size=20), max_size=4).map(tuple)
SEALED = st.builds(SealedToken, st.binary(min_size=1, max_size=200), st.binary(min_size=1, max_size=200))
RENEWALS = st.builds(
    Renewal,
    grant=st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True),
    subdomain=st.from_regex(r"[a-wyz0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True).map(Subdomain),
    replaces=st.builds(Version, COUNTS, COUNTS),
    scopes=SCOPES,
    lost_scopes=SCOPES,
    issued_at=INSTANTS,
    times=st.builds(TokenTimes, INSTANTS, INSTANTS, INSTANTS, INSTANTS),
    sealed=st.builds(SealedPair, st.text(min_size=1, max_size=30), SEALED, SEALED),
)
MEMBERS = [
    *("format", "grant", "subdomain", "replaces", "scopes", "lost_scopes", "issued_at", "expires_at"),
    *("refresh_at", "refresh_expires_at", "keep_alive_at", "commit_id", "access_token", "refresh_token"),
]
YOUNGER = {"lost_scopes"}
"""Members that messages of before have not."""


def message() -> dict[str, Any]:
    """Return a good message, to be damaged."""
    content: dict[str, Any] = json.loads(renewal_text(RENEWAL))
    return content


def refused(text: str) -> None:
    """Expect that the text is refused, and that nothing of it is in the error."""
    with pytest.raises(MalformedRequestError) as raised:
        renewal_of(text)
    assert "canary" not in str(raised.value)
    assert raised.value.__context__ is None


@given(renewal=RENEWALS)
def test_every_renewal_comes_back_as_it_was(renewal: Renewal) -> None:
    """To the microsecond and the byte, and in ASCII, whatever a scope is called."""
    text = renewal_text(renewal)
    assert text.isascii()
    assert renewal_of(text) == renewal


def test_the_form_is_this() -> None:
    """Messages wait for up to 14 days, so the form is a contract between versions of this code."""
    assert message() == {
        "format": 1,
        "grant": "default",
        "subdomain": "acme",
        "replaces": {"epoch": 2, "generation": 7},
        "scopes": ["users:read", "tickets:read"],
        "lost_scopes": [],
        "issued_at": "2027-01-04T12:00:00.123456+00:00",
        "expires_at": "2027-01-06T12:00:00+00:00",
        "refresh_at": "2027-01-06T11:50:00+00:00",
        "refresh_expires_at": "2027-04-04T12:00:00+00:00",
        "keep_alive_at": "2027-02-23T14:57:07.200000+00:00",
        "commit_id": "commit-8",
        "access_token": {"ciphertext": "AQD/IGFjY2Vzcw==", "wrapped_key": "YWNjZXNzIGtleQ=="},
        "refresh_token": {"ciphertext": "AQD/IHJlZnJlc2g=", "wrapped_key": "cmVmcmVzaCBrZXk="},
    }


def test_the_row_of_a_replaced_pair_is_named() -> None:
    """Only there: and by nothing that could name another row."""
    replaced = replace(RENEWAL, replaced="c7-_")
    assert json.loads(renewal_text(replaced)) == message() | {"replaced": "c7-_"}
    assert renewal_of(renewal_text(replaced)) == replaced
    for name in (None, "", "a#b", "c" * 65, 7):
        refused(json.dumps(message() | {"replaced": name}))


def test_the_longest_tokens_fit() -> None:
    """Two of 16 kB, each with the largest wrapped key that KMS gives."""
    token = SealedToken(b"c" * (16_384 + 29), b"w" * 6_144)
    renewal = replace(RENEWAL, sealed=SealedPair("c", token, token))
    assert len(renewal_text(renewal)) < LONGEST_MESSAGE


def test_a_member_of_a_later_version_is_ignored() -> None:
    """A function that is rolled back still replays what the newer one has rescued."""
    assert renewal_of(json.dumps(message() | {"later": {"a": 1}})) == RENEWAL


@pytest.mark.parametrize("member", MEMBERS)
def test_no_member_may_be_missing_or_null(member: str) -> None:
    """Half a renewal would be half a pair; only what an older message had not may be missing."""
    assert list(message()) == MEMBERS
    without = json.dumps({name: value for name, value in message().items() if name != member})
    if member in YOUNGER:
        assert renewal_of(without) == RENEWAL
    else:
        refused(without)
    refused(json.dumps(message() | {member: None}))


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"format": "1"},
        {"grant": "Default"},
        {"grant": "default#acme"},
        {"grant": ""},
        {"subdomain": "acme.zendesk.com"},
        {"subdomain": "canary@evil"},
        {"subdomain": "ACME"},
        {"replaces": {"epoch": 0, "generation": 7}},
        {"replaces": {"epoch": 2, "generation": "7"}},
        {"replaces": {"epoch": 2, "generation": True}},
        {"replaces": {"epoch": 2}},
        {"replaces": [2, 7]},
        {"scopes": "users:read"},
        {"scopes": ["users:read", 7]},
        {"scopes": {"users:read": 1}},
        {"lost_scopes": "users:read"},
        {"issued_at": 1_800_000_000},
        {"issued_at": "2027-01-04T12:00:00"},
        {"expires_at": "canary"},
        {"commit_id": 7},
        {"access_token": "canary"},
        {"access_token": {"ciphertext": "canary!", "wrapped_key": "AAAA"}},
        {"access_token": {"ciphertext": "é", "wrapped_key": "AAAA"}},
        {"access_token": {"ciphertext": "AA!AA", "wrapped_key": "AAAA"}},
        {"refresh_token": {"ciphertext": "AAAA", "wrapped_key": ""}},
        {"refresh_token": {"ciphertext": "AAAA"}},
    ],
    ids=json.dumps,
)
def test_a_damaged_member_is_refused(change: dict[str, Any]) -> None:
    """It ends in the dead-letter queue, for a person to look at, instead of in a row."""
    refused(json.dumps(message() | change))


@pytest.mark.parametrize(
    "text", ["", "canary", "null", "[]", '"canary"', "7", "{", "[" * 100_000, "9" * 5_000, "{}"]
)
def test_what_is_no_message_is_refused(text: str) -> None:
    """Somebody else's text in our queue is not read any further."""
    refused(text)


@given(text=st.text())
def test_any_text_is_refused_or_read(text: str) -> None:
    """Nothing but our own error comes out of a text that is none of ours."""
    refused(text)
