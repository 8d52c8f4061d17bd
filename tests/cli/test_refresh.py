"""`zendesk-oauth refresh`: asks for what is due, and never forces a rotation."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.commands.refresh import NEVER_FORCED, OUTCOMES
from cli.exits import Exit
from tests.cli.aws import LoopbackAws, Said
from tests.cli.conftest import Type
from tests.cli.samples import connection
from zendesk_oauth.models.refresh import RefreshOutcome


def answer(**changes: Any) -> dict[str, Any]:
    """Return the answer of `refresh`."""
    return {"outcome": "refreshed", "retry_at": None, "epoch": 1, "generation": 4, **changes}


def test_what_is_due_is_refreshed(aws: LoopbackAws, typed: Type) -> None:
    """The function is told which, and that nobody has seen a token fail."""
    aws.say("invoke", Said(body=answer()))
    result = typed("refresh", "acme")
    assert result.exit_code == Exit.DONE, result.stderr
    assert [asked.body for asked in aws.requests("invoke")] == [
        {"grant": "default", "subdomain": "acme", "asked": "due"}
    ]
    assert "refreshed: there is a new pair of tokens" in result.stdout
    assert "epoch 1, generation 4" in result.stdout


def test_what_is_good_is_left_alone(aws: LoopbackAws, typed: Type) -> None:
    """Nothing is forced, and it is said why."""
    aws.say("invoke", Said(body=answer(outcome="current", generation=3)))
    result = typed("refresh", "acme")
    assert (result.exit_code, NEVER_FORCED in result.stderr) == (Exit.DONE, True)


def test_a_token_that_failed_is_named_by_what_is_stored_now(aws: LoopbackAws, typed: Type) -> None:
    """So that a newer one is not taken for it."""
    aws.say("GET /connections/default/acme", Said(body=connection(epoch=2, generation=7)))
    aws.say("invoke", Said(body=answer(epoch=2, generation=8)))
    assert typed("refresh", "acme", "--failed").exit_code == Exit.DONE
    [asked] = aws.requests("invoke")
    assert asked.body == {
        "grant": "default",
        "subdomain": "acme",
        "asked": "failed",
        "seen": {"epoch": 2, "generation": 7},
    }


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("in_progress", Exit.DONE),
        ("postponed", Exit.NOT_NOW),
        ("unresolved", Exit.AMISS),
        ("rescued", Exit.AMISS),
        ("reconnect_required", Exit.AMISS),
        ("client_rejected", Exit.AMISS),
        ("not_connected", Exit.AMISS),
        ("of-tomorrow", Exit.AMISS),
    ],
)
def test_each_outcome_has_its_words_and_its_code(
    aws: LoopbackAws, typed: Type, outcome: str, code: Exit
) -> None:
    """One that this command does not know is told as well."""
    aws.say("invoke", Said(body=answer(outcome=outcome)))
    result = typed("refresh", "acme")
    assert result.exit_code == code
    assert f"{outcome}: {OUTCOMES.get(outcome, 'docs/refresh.md')}" in result.stdout


def test_every_outcome_that_there_is_has_words() -> None:
    """None is left to the page."""
    assert OUTCOMES.keys() == {outcome.value for outcome in RefreshOutcome}


def test_it_says_when_to_ask_again(aws: LoopbackAws, typed: Type) -> None:
    """The function's seconds are an instant for people."""
    later = datetime.now(UTC) + timedelta(minutes=10, seconds=30)
    aws.say("invoke", Said(body=answer(outcome="postponed", retry_at=int(later.timestamp()))))
    assert "in 10 minutes (" in typed("refresh", "acme").stdout


def test_a_connection_that_never_was(aws: LoopbackAws, typed: Type) -> None:
    """It has an exit code of its own."""
    aws.say("invoke", Said(body=answer(outcome="not_connected", epoch=None, generation=None)))
    assert typed("refresh", "acme").exit_code == Exit.NOT_CONNECTED


def test_no_version_is_told_where_there_is_none(aws: LoopbackAws, typed: Type) -> None:
    """As after a claim that was not got."""
    aws.say("invoke", Said(body=answer(outcome="in_progress", epoch=None, generation=None)))
    result = typed("refresh", "acme")
    assert (result.exit_code, "in_progress" in result.stdout) == (Exit.DONE, True)
    assert "version" not in result.stdout


def test_machines_get_the_answer_as_it_is(aws: LoopbackAws, typed: Type) -> None:
    """Field by field."""
    aws.say("invoke", Said(body=answer()))
    assert json.loads(typed("refresh", "acme", "--json").stdout) == answer()
