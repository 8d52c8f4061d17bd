"""`zendesk-oauth show`: all that the API says, in words, and nothing of what it does not know."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cli.exits import Exit
from tests.cli.aws import LoopbackAws, Said
from tests.cli.conftest import Type
from tests.cli.samples import at, connection
from zendesk_oauth.models.connection_summary import ConnectionSummary

SHOW = "GET /connections/default/acme"
TEXTS = ("status", "reconnect_reason", "authorized_user_role", "user_reference", "install_id")
NUMBERS = ("epoch", "generation", "authorized_user_id")
TIMES = (
    *("issued_at", "expires_at", "refresh_at", "refresh_expires_at", "keep_alive_at", "established_at"),
    *("connected_at", "reconnect_since", "retry_at"),
)


def shown(stdout: str) -> dict[str, str]:
    """Return the lines by their names."""
    cells = (line.strip().split("  ", 1) for line in stdout.splitlines() if "  " in line.strip())
    return {name: text.strip() for name, text in cells}


def test_a_connection_is_shown_in_words(aws: LoopbackAws, typed: Type) -> None:
    """State, version, scopes, who allowed it, and each time by its distance and exactly."""
    aws.say(SHOW, Said(body=connection()))
    result = typed("show", "https://acme.zendesk.com/agent")
    assert result.exit_code == 0, result.stderr
    lines = shown(result.stdout)
    assert lines["connection"] == "default at acme"
    assert lines["status"] == "active: its tokens are in use"
    assert lines["version"] == "epoch 1 (installs), generation 3 (token pairs)"
    assert lines["scopes"] == "users:read tickets:read"
    assert lines["allowed by"] == "user 4711 at Zendesk, admin"
    assert lines["token ends"].startswith("in 46 hours (20")
    assert lines["token ends"].endswith(" UTC)")
    assert lines["installed"].startswith("9 days ago (20")
    assert not {"why", "disconnect asked", "refresh", "not granted", "your user"} & set(lines)


def test_a_connection_that_was_lost_says_why_and_since_when(aws: LoopbackAws, typed: Type) -> None:
    """What the API has as a code is a sentence."""
    lost = connection(
        status="reconnect_required",
        reconnect_reason="answer_lost",
        reconnect_since=at(hours=-3, minutes=-1),
        retry_at=at(minutes=5),
        claim={"state": "unresolved", "until": at(minutes=-1)},
        missing_scopes=["tickets:read"],
        user_reference="user-17",
        expires_at=None,
    )
    aws.say(SHOW, Said(body=lost))
    lines = shown(typed("show", "acme").stdout)
    assert lines["status"].startswith("reconnect required: an admin of the account")
    assert lines["why"] == "Zendesk's answer to a refresh never reached us"
    assert lines["since"].startswith("3 hours ago")
    assert lines["next refresh"].startswith("not before in 5 minutes")
    assert lines["refresh"].startswith("unresolved: believed until ")
    assert (lines["not granted"], lines["your user"]) == ("tickets:read", "user-17")
    assert "token ends" not in lines


@pytest.mark.parametrize(
    ("ended_at", "revocation", "said"),
    [
        (None, None, "not revoked yet"),
        (at(minutes=-5), "revoked", "revoked at Zendesk"),
        (at(minutes=-5), "refused", "Admin Center"),
        (at(minutes=-5), "of-tomorrow", "of-tomorrow"),
    ],
    ids=["under way", "revoked", "refused", "unknown"],
)
def test_a_disconnect_says_how_its_token_ended(
    aws: LoopbackAws, typed: Type, ended_at: str | None, revocation: str | None, said: str
) -> None:
    """Also where this command does not know the word."""
    disconnect = {"since": at(minutes=-10), "ended_at": ended_at, "revocation": revocation}
    ended = connection(
        status="disconnecting", disconnect=disconnect, scopes=[], authorized_user_id=None, install_id=None
    )
    aws.say(SHOW, Said(body=ended))
    lines = shown(typed("show", "acme").stdout)
    assert said in lines["its token"]
    assert (lines["disconnect ended"] == "-") is (ended_at is None)
    assert (lines["scopes"], lines["install"]) == ("none", "of before installs were noted")
    assert "allowed by" not in lines


def test_machines_get_what_the_api_says(aws: LoopbackAws, typed: Type) -> None:
    """Field by field, of the grant that was asked for."""
    reporting = connection(grant="reporting")
    aws.say("GET /connections/reporting/acme", Said(body=reporting))
    assert json.loads(typed("show", "acme", "--grant", "reporting", "--json").stdout) == reporting


def test_nothing_that_the_api_says_is_left_out(aws: LoopbackAws, typed: Type) -> None:
    """Whatever the API has a field for is shown, where it has a value: each here has one of its own."""
    assert connection().keys() == set(ConnectionSummary._fields)
    changes: dict[str, Any] = {
        **{name: f"some-{name}" for name in TEXTS},
        **{name: 1000 + number for number, name in enumerate(NUMBERS)},
        **{name: at(days=number) for number, name in enumerate(TIMES, start=10)},
        "scopes": ["scope-a"],
        "missing_scopes": ["scope-b"],
        "claim": {"state": "some-state", "until": at(days=3)},
        "disconnect": {"since": at(days=-4), "ended_at": at(days=-5), "revocation": "some-end"},
    }
    everything = connection(**changes)
    assert [name for name, value in everything.items() if value == connection()[name]] == [
        "grant",
        "subdomain",
    ]
    aws.say(SHOW, Said(body=everything))
    printed = typed("show", "acme").stdout
    assert [word for word in values(everything) if word not in printed] == []


def values(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield each value as people are shown it."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from values(value)
        elif isinstance(value, list):
            yield from value
        elif name in TIMES or name in {"until", "since", "ended_at"}:
            yield value[:16].replace("T", " ")
        else:
            yield str(value)


def test_a_connection_that_never_was(aws: LoopbackAws, typed: Type) -> None:
    """It has an exit code of its own."""
    aws.say(SHOW, Said(404, {"error": "not_connected", "message": "never"}))
    result = typed("show", "acme")
    assert (result.exit_code, result.stdout) == (Exit.NOT_CONNECTED, "")
    assert "`zendesk-oauth list` says which there are" in result.stderr


@pytest.mark.parametrize(
    "words",
    [("acme/token",), ("acme%2Ftoken",), ("..",), ("acme", "--grant", "a/../b"), ("acme", "--grant", "")],
)
def test_no_name_reaches_an_address_unchecked(aws: LoopbackAws, typed: Type, words: tuple[str, ...]) -> None:
    """What is no name of an account or of a grant is refused before anything is asked."""
    result = typed("show", *words)
    assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
    assert aws.asked == []
