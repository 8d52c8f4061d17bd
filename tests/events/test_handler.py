"""The function `publish` as it is built: from its own variables, over a bus and a queue of moto's."""

import importlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.doubles.journals import name_service
from tests.events.account import Account, Context, running_account
from tests.events.schemas import hold
from tests.handlers.payloads import event_names, load_event
from zendesk_oauth.bootstrap.publish import build
from zendesk_oauth.bootstrap.publish_on_event import PublishOnEvent
from zendesk_oauth.errors import ConfigurationError, MalformedRequestError, ZendeskOAuthError
from zendesk_oauth.models.event import Event, EventType

TELLS = {
    "denied": "InstallDenied",
    "established": "ConnectionEstablished",
    "expired": "InstallAbandoned",
    "refused": "ConnectionEstablished",
}
"""The examples that tell something, and what."""


class Killed(BaseException):
    """What a process does that is stopped: no handler of errors sees it."""


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Give an account of moto's."""
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
    name_service(monkeypatch, "publish")
    with running_account() as made:
        yield made


@pytest.fixture
def publish(account: Account) -> PublishOnEvent:
    """Return the function, built."""
    return build(account.environ())


def test_every_event_is_here() -> None:
    """No file of events/publish is left out."""
    named = {f"publish/{name}" for name in (*TELLS, "unreadable", "malformed")}
    assert {name for name in event_names() if name.startswith("publish/")} == named


@pytest.mark.parametrize("name", TELLS)
def test_an_event_is_told_on_the_bus(account: Account, publish: PublishOnEvent, name: str) -> None:
    """With its type, our source, and a detail that its schema allows; nothing comes again and nothing waits."""
    assert publish(load_event(f"publish/{name}"), Context()) == {"batchItemFailures": []}
    (told,) = account.told()
    assert (told["source"], told["detail-type"]) == ("zendesk-oauth", TELLS[name])
    hold(Event(EventType(told["detail-type"]), told["detail"]))
    assert account.kept() == []


def test_a_record_that_cannot_be_read_waits_without_its_tokens(
    account: Account, publish: PublishOnEvent
) -> None:
    """The function says that it is done with it, so the shard goes on; the queue has what can be read again."""
    assert publish(load_event("publish/unreadable"), Context()) == {"batchItemFailures": []}
    (kept,) = account.kept()
    assert kept["record"]["NewImage"]["subdomain"] == {"S": "acme"}
    assert "access_token" not in str(kept)
    assert account.told() == []


def test_what_waited_is_told_when_the_bus_is_back(account: Account, publish: PublishOnEvent) -> None:
    """Refused once, kept; delivered from the queue, told with the same id as it would have had."""
    away = build(account.environ(EVENT_BUS="gone"))
    assert away(load_event("publish/established"), Context()) == {"batchItemFailures": []}
    (kept,) = account.kept()
    message = {"eventSource": "aws:sqs", "messageId": "m-1", "body": json.dumps(kept)}
    assert publish({"Records": [message]}, Context()) == {"batchItemFailures": []}
    publish(load_event("publish/established"), Context())
    late, again = account.told()
    assert late["detail"]["id"] == again["detail"]["id"]


@pytest.mark.parametrize("is_told", [False, True])
def test_r2_a_function_that_dies_around_its_telling_tells_again(
    account: Account, publish: PublishOnEvent, monkeypatch: pytest.MonkeyPatch, *, is_told: bool
) -> None:
    """Before it or after it: the stream delivers the record again, and it is the same fact, not another."""
    event = load_event("publish/established")
    bus = publish.build_use_cases().publish.bus
    put = type(bus).put

    def die(self: Any, events: Any) -> Any:
        if is_told:
            put(self, events)
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(type(bus), "put", die)
        with pytest.raises(Killed):
            publish(event, Context())
    assert publish(event, Context()) == {"batchItemFailures": []}
    told = [each["detail"]["id"] for each in account.told()]
    assert (len(told), len(set(told))) == (2 if is_told else 1, 1)


def test_r10_of_ten_messages_nine_are_told_and_one_comes_again(
    account: Account, publish: PublishOnEvent
) -> None:
    """The poisoned one goes back to its queue alone, and in the end to the dead letters."""
    (message,) = load_event("publish/refused")["Records"]
    batch = [message | {"messageId": f"m-{number}"} for number in range(10)]
    batch[4] = batch[4] | {"body": "{"}
    assert publish({"Records": batch}, Context()) == {"batchItemFailures": [{"itemIdentifier": "m-4"}]}
    assert len(account.told()) == 9


def test_with_bus_and_queue_away_the_record_comes_again(account: Account) -> None:
    """Named by its place in the stream, as Lambda wants it."""
    away = build(account.environ(EVENT_BUS="gone", UNPUBLISHED_QUEUE_URL=f"{account.waiting}-gone"))
    event = load_event("publish/established")
    number = event["Records"][0]["dynamodb"]["SequenceNumber"]
    assert away(event, Context()) == {"batchItemFailures": [{"itemIdentifier": number}]}


def test_a_malformed_event_is_refused(publish: PublishOnEvent) -> None:
    """Lambda sends none, so somebody else did."""
    with pytest.raises(MalformedRequestError):
        publish(load_event("publish/malformed"), Context())


def test_a_bug_is_raised_without_its_text(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """The log says where, and nobody what it quoted."""
    publish = build(account.environ())
    broken = publish.build_use_cases()._replace(stream_record=_break)
    publish.build_use_cases = lambda: broken
    with pytest.raises(ZendeskOAuthError, match="unexpected") as raised:
        publish(load_event("publish/established"), Context())
    printed = capsys.readouterr().out
    assert "publish failed" in printed
    assert "sealed" not in printed + str(raised.value)


def test_a_wrong_set_up_is_told_at_each_event(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that is wrong, once at the start; each event then fails, so that it comes again."""
    wrong = build(account.environ() | {"EVENT_BUS": "", "START_MODE": "maybe"})
    with pytest.raises(ConfigurationError) as raised:
        wrong(load_event("publish/established"), Context())
    assert [problem.split()[0] for problem in raised.value.problems] == ["START_MODE", "EVENT_BUS"]
    assert "not set up correctly" in capsys.readouterr().out


def test_by_invitation_there_is_no_link_to_begin_again(account: Account) -> None:
    """Where the deployment starts installs by invitation, an event names no address to start one."""
    publish = build(account.environ(START_MODE="confirmed"))
    event = load_event("publish/established")
    change = event["Records"][0]["dynamodb"]
    change["OldImage"] = change["NewImage"]
    judged = {"status": {"S": "reconnect_required"}, "reconnect_since": {"N": "1795000100"}}
    change["NewImage"] = change["NewImage"] | judged | {"reconnect_reason": {"S": "answer_lost"}}
    publish(event, Context())
    (told,) = account.told()
    assert (told["detail-type"], told["detail"]["reconnect_url"]) == ("ReconnectRequired", None)


def test_the_handler_is_built_at_import_and_answers(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module that Lambda imports builds from the process's environment."""
    for name, value in account.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "publish.app", raising=False)
    module = importlib.import_module("publish.app")
    assert module.handler(load_event("publish/denied"), Context()) == {"batchItemFailures": []}
    assert len(account.told()) == 1


@pytest.mark.parametrize(("names", "calls"), [(["denied"], 1), (["denied", "established"], 1), ([], 0)])
def test_ten_events_are_one_call(
    account: Account, monkeypatch: pytest.MonkeyPatch, names: list[str], calls: int
) -> None:
    """A batch is told at once, and one that tells nothing asks nobody."""
    counted: Counter[str] = Counter()
    ask = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's own seam, which its stubs leave out

    def count(self: BaseClient, operation: str, arguments: object) -> object:
        counted[operation] += 1
        return ask(self, operation, arguments)

    silent = load_event("publish/established")["Records"][0]
    silent["dynamodb"]["OldImage"] = silent["dynamodb"]["NewImage"]
    records = [silent, *(load_event(f"publish/{name}")["Records"][0] for name in names)]
    monkeypatch.setattr(BaseClient, "_make_api_call", count)
    build(account.environ())({"Records": records}, Context())
    assert counted == ({"PutEvents": calls} if calls else {})


def _break(record: object) -> Any:
    raise KeyError(f"sealed in {record}")
