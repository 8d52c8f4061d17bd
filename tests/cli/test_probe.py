"""`zendesk-oauth probe`: what `refresh` has learnt at Zendesk, in words, and what to do."""

import json
from typing import Any

import pytest

from cli.exits import Exit
from tests.cli.aws import LoopbackAws, Said
from tests.cli.conftest import Type
from tests.cli.samples import at


def answer(**changes: Any) -> dict[str, Any]:
    """Return what `refresh` says of a token that lives."""
    return {
        "outcome": "alive",
        "status": "active",
        "epoch": 1,
        "generation": 3,
        "scopes": ["users:read", "tickets:read"],
        "expires_at": at(hours=46),
        "user_id": 4711,
        "role": "admin",
        "cause": None,
        **changes,
    }


def test_a_living_token_is_told_with_all_that_zendesk_says(aws: LoopbackAws, typed: Type) -> None:
    """By the name of the account as somebody has pasted it."""
    aws.say("invoke", Said(body=answer()))
    result = typed("probe", "https://acme.zendesk.com/agent", "--grant", "reporting")
    assert result.exit_code == Exit.DONE, result.stderr
    assert [asked.body for asked in aws.requests("invoke")] == [
        {"probe": {"grant": "reporting", "subdomain": "acme"}}
    ]
    for words in (
        "reporting at acme",
        "alive: Zendesk takes",
        "epoch 1, generation 3",
        "in 46 hours",
        "4711",
    ):
        assert words in result.stdout
    assert "to do" not in result.stdout


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcome": "dead"}, "`zendesk-oauth refresh acme --failed`"),
        ({"outcome": "over"}, "`zendesk-oauth refresh acme` gets a new one"),
        (
            {"outcome": "dead", "status": "reconnect_required"},
            "have an admin of the account connect it again",
        ),
        ({"outcome": "unknown", "cause": "provider_unavailable"}, "provider_unavailable (docs/errors.md)"),
        ({"outcome": "not_connected", "status": "disconnected"}, "none: the connection has ended"),
    ],
)
def test_what_does_not_live_says_what_to_do(
    aws: LoopbackAws, typed: Type, changes: dict[str, Any], said: str
) -> None:
    """It is amiss, and what Zendesk did not say is not told."""
    unknown = dict.fromkeys(("scopes", "expires_at", "user_id", "role"))
    aws.say("invoke", Said(body=answer(**unknown | changes)))
    result = typed("probe", "acme")
    assert (result.exit_code, said in result.stdout) == (Exit.AMISS, True)
    assert not {"scopes", "ends", "whose"} & {line.split("  ")[0] for line in result.stdout.splitlines()}


def test_what_to_do_names_the_grant(aws: LoopbackAws, typed: Type) -> None:
    """Another grant of the account is another connection."""
    aws.say("invoke", Said(body=answer(outcome="dead")))
    assert "refresh acme --grant reporting --failed`" in typed("probe", "acme", "--grant", "reporting").stdout


def test_a_token_that_lives_on_where_a_person_is_needed_is_the_last(aws: LoopbackAws, typed: Type) -> None:
    """It works, and says until when there is time."""
    aws.say("invoke", Said(body=answer(status="reconnect_required")))
    result = typed("probe", "acme")
    assert result.exit_code == Exit.DONE
    assert "before this token ends: it is the last" in result.stdout


def test_machines_get_the_answer_as_it_is(aws: LoopbackAws, typed: Type) -> None:
    """Field by field."""
    aws.say("invoke", Said(body=answer()))
    told = json.loads(typed("probe", "acme", "--json").stdout)
    assert {name: told[name] for name in ("outcome", "epoch")} == {"outcome": "alive", "epoch": 1}


def test_a_connection_that_never_was(aws: LoopbackAws, typed: Type) -> None:
    """It has an exit code of its own."""
    aws.say("invoke", Said(body=answer(outcome="not_connected", status=None)))
    assert typed("probe", "acme").exit_code == Exit.NOT_CONNECTED


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ({"errorType": "StoreUnavailableError", "errorMessage": "-"}, Exit.NOT_NOW, "try again in a minute"),
        ({"errorType": "Sandbox.Timedout"}, Exit.NOT_NOW, "Sandbox.Timedout"),
        ({"errorType": "MalformedRequestError"}, Exit.BROKEN, "of this command's version"),
        (
            {"errorType": "ConfigurationError", "errorMessage": "no X"},
            Exit.BROKEN,
            "not set up correctly: no X",
        ),
        ({"errorType": "KeyError", "errorMessage": "a-secret"}, Exit.BROKEN, "refresh failed (KeyError)"),
        ({}, Exit.BROKEN, "an error of no name"),
    ],
)
def test_an_error_of_the_function_is_told_by_its_kind(
    aws: LoopbackAws, typed: Type, error: dict[str, str], code: Exit, said: str
) -> None:
    """What an error of somebody else's quotes is not repeated."""
    aws.say("invoke", Said(200, error, {"X-Amz-Function-Error": "Unhandled"}))
    result = typed("probe", "acme")
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert "a-secret" not in result.stderr
