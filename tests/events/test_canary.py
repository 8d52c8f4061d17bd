"""No secret of a stream's record comes out of `publish`: marked ones, at DEBUG, with an exception at every line.

Looked through: log lines, metrics, standard output and error, events, kept messages, answers, errors with all their
tracebacks, and what every model would print; in every encoding that `canary` knows.
"""

import copy
import json
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.doubles.journals import name_service
from tests.events.account import Account, Context, running_account
from tests.flow.canary import Canaries, dumped
from tests.flow.injection import InjectedError, Watch, import_everything, watched
from tests.flow.sinks import Sinks, everybody_at_debug, listening
from tests.handlers.payloads import load_event
from zendesk_oauth.bootstrap.publish import build
from zendesk_oauth.bootstrap.publish_on_event import PublishOnEvent

MARK = "canary-in-a-cage"
SECRETS = {
    "access_token": {"B": f"{MARK}-access-token"},
    "access_token_key": {"B": f"{MARK}-access-token-key"},
    "refresh_token": {"B": f"{MARK}-refresh-token"},
    "refresh_token_key": {"B": f"{MARK}-refresh-token-key"},
    "state_fingerprint": {"S": f"{MARK}-state"},
    "browser_fingerprint": {"S": f"{MARK}-browser"},
    "handle_fingerprint": {"S": f"{MARK}-handle"},
    "return_to": {"S": f"https://app.example.com/?{MARK}-return"},
    "authorized_user_role": {"S": f"{MARK}-of-a-person"},
}
EVENTS = ("denied", "established", "expired", "unreadable")


def marked(name: str) -> dict[str, Any]:
    """Return an example whose rows are full of marked secrets."""
    event = copy.deepcopy(load_event(f"publish/{name}"))
    for record in event["Records"]:
        for image in {"OldImage", "NewImage"} & record["dynamodb"].keys():
            record["dynamodb"][image] |= SECRETS
    return event


@dataclass
class Stage:
    """A built function, everything that it can say something to, and what is looked for."""

    publish: PublishOnEvent
    account: Account
    sinks: Sinks
    canaries: Canaries

    def play(self, name: str, watch: Watch) -> list[str]:
        """Hand the function an example, and return what of a secret was found anywhere."""
        self.sinks.clear()
        said: list[object] = []
        try:
            said.append(watched(watch, lambda: self.publish(marked(name), Context())))
        except Exception as error:  # noqa: BLE001 - the runtime would print it
            said.append("".join(traceback.format_exception(error)))
        told, kept = self.account.told(), self.account.kept()
        hay = [*said, self.sinks.said, *watch.printed, json.dumps(told), json.dumps(kept)]
        return self.canaries.found(dumped(hay))


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """Give an account, with everything of the package imported before any line is watched."""
    import_everything()
    with running_account() as made:
        yield made


@pytest.fixture
def stage(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Stage]:
    """Give a stage at which everybody is at DEBUG."""
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
    name_service(monkeypatch, "publish")
    canaries = Canaries()
    for name, value in SECRETS.items():
        canaries.add(name, *value.values())
    with everybody_at_debug(), listening(capsys) as sinks:
        yield Stage(build(account.environ()), account, sinks, canaries)


@pytest.mark.parametrize("name", EVENTS)
def test_no_secret_of_a_record_comes_out(stage: Stage, name: str) -> None:
    """As it should run, with all that every model in reach would print."""
    watch = Watch()
    assert stage.play(name, watch) == []
    assert len(watch.lines) > 40


@pytest.mark.parametrize("name", EVENTS)
def test_no_secret_comes_out_whichever_line_fails(stage: Stage, name: str) -> None:
    """An error at each line in turn: the record waits, or comes again, or the batch fails, and nothing is said."""
    watch = Watch()
    stage.play(name, watch)
    for line in watch.lines:
        failing = Watch(line)
        assert stage.play(name, failing) == [], line
        assert failing.fired, line


def test_the_search_can_find_something(stage: Stage) -> None:
    """A record whose reason is a secret would be found in its event."""
    event = load_event("publish/denied")
    event["Records"][0]["dynamodb"]["NewImage"]["reason"] = SECRETS["state_fingerprint"]
    stage.publish(event, Context())
    assert stage.canaries.found(json.dumps(stage.account.told()).encode()) != []
    assert sys.exception() is None, "an earlier error is handled for ever"
    assert InjectedError.__name__ not in stage.sinks.said
