"""What each function builds: from its own variables alone, and with an answer even where they are wrong."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.aws import Aws
from tests.handlers.gateway import Handler
from tests.handlers.payloads import load_event
from zendesk_oauth.bootstrap import callback, installs, revoke, start
from zendesk_oauth.errors import ConfigurationError
from zendesk_oauth.settings import VARIABLES

ROOT = Path(__file__).parents[2]
BUILDERS: dict[str, Callable[[dict[str, str]], Any]] = {
    "start": start.build,
    "callback": callback.build,
    "installs": installs.build,
    "revoke": revoke.build,
}
EVENTS = {
    "start": "start/acme",
    "callback": "callback/denied",
    "installs": "installs/invite.confirmed",
    "revoke": "revoke/scheduled",
}


class Context:
    """What Lambda tells a function of its call."""

    aws_request_id = "lambda-request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Return a minute."""
        return 60_000


@pytest.mark.parametrize("verb", EVENTS)
def test_the_declared_variables_are_enough(aws: Aws, verb: str) -> None:
    """A function built from exactly the variables it declares answers as it should."""
    environ = aws.environ(START_MODE="confirmed" if verb == "installs" else "open")
    declared = {name: value for name, value in environ.items() if name in VARIABLES[verb]}
    answer = BUILDERS[verb](declared)(load_event(EVENTS[verb]), Context())
    assert answer.get("statusCode", 200) < 400


@pytest.mark.parametrize("verb", EVENTS)
def test_a_handler_is_built_at_import_and_answers(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """The module that Lambda imports builds from the process's environment, and its `handler` answers."""
    for name, value in aws.environ(START_MODE="confirmed" if verb == "installs" else "open").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, f"{verb}.app", raising=False)
    module = importlib.import_module(f"{verb}.app")
    answer = module.handler(load_event(EVENTS[verb]), Context())
    assert answer.get("statusCode", 200) < 400


@pytest.mark.parametrize("verb", ["start", "callback"])
def test_a_wrong_set_up_is_answered_with_a_page(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """Everything that is wrong is named once in one line, and each request gets a 500 with our headers."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"misconfigured-{verb}")
    environ = aws.environ(GRANTS="default=", ZENDESK_CLIENT_ID="", COMPANY_NAME="")
    handler = BUILDERS[verb](environ)
    [line] = lines(capsys)
    assert line["level"] == "CRITICAL"
    named = {problem.partition(" ")[0] for problem in line["problems"]}
    assert named == {"GRANTS", "ZENDESK_CLIENT_ID", "COMPANY_NAME"}

    answer = handler(load_event(EVENTS[verb]), Context())
    assert (answer["statusCode"], answer["headers"]["Cache-Control"]) == (500, "no-store")
    assert "GRANTS" not in answer["body"]
    assert lines(capsys)[0]["level"] == "CRITICAL"


def test_a_wrong_set_up_of_installs_is_answered_with_json(aws: Aws) -> None:
    """The backend gets a 500 with a code it can read."""
    answer = installs.build(aws.environ(CONNECTIONS_TABLE=""))(
        load_event("installs/invite.confirmed"), Context()
    )
    assert (answer["statusCode"], '"configuration"' in str(answer["body"])) == (500, True)


def test_a_wrong_set_up_of_revoke_raises(aws: Aws) -> None:
    """Nobody reads an answer of the schedule's function: it fails, for the alarm to see, each time."""
    handler = revoke.build(aws.environ(TOKEN_KEY_ARN=""))
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            handler(load_event("revoke/scheduled"), Context())


@pytest.mark.parametrize(
    ("verb", "unwanted"),
    [
        (
            "start",
            [
                "authlib",
                "cryptography",
                "boto3",
                "zendesk_oauth.web.pages",
                "requests",
            ],
        ),
        ("installs", ["authlib", "cryptography", "boto3", "zendesk_oauth.web.pages", "requests"]),
        ("callback", ["boto3", "requests", "zendesk_oauth.web.pages"]),
        ("revoke", ["authlib", "boto3", "requests", "zendesk_oauth.web.pages"]),
        ("refresh", ["authlib", "cryptography", "boto3", "requests", "zendesk_oauth.web.pages"]),
    ],
)
def test_a_function_loads_only_what_it_needs(verb: str, unwanted: list[str]) -> None:
    """In an interpreter of its own, building a function loads nothing that its cold start would pay for in vain."""
    code = f"import sys, json, zendesk_oauth.bootstrap.{verb}; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(  # noqa: S603 - our own interpreter and our own code
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "layers/zendesk_oauth"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    assert [name for name in unwanted if name in json.loads(run.stdout)] == []


def test_an_edge_is_one_container(build: Callable[..., Handler]) -> None:
    """The tests' own containers are kept like Lambda's."""
    assert build("start") is build("start")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the log lines written since the last look, without the metrics."""
    parsed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in parsed if "_aws" not in line]
