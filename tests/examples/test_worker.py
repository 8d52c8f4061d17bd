"""The worker's handler against the stand-in for Zendesk: once for each message, and every refusal as it should be."""

import importlib.util
import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from local.zendesk.standin import StandIn
from tests import loopback
from tests.examples.building import CODE, REGION
from tests.examples.test_built import VARIABLES
from tests.loopback import Loopback, listening
from tests.standin.client import PlainClient
from zendesk_oauth.errors import (
    KeyUnavailableError,
    MissingScopeError,
    ReconnectRequiredError,
    RefreshPendingError,
    StoreUnavailableError,
    ZendeskOAuthError,
)
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.token import AccessToken, TokenQuestion
from zendesk_oauth.worker.connections import Clocks, Connections

SCOPES = ("users:read", "tickets:read", "tickets:write")
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/queue"
CONTEXT = SimpleNamespace(function_name="worker", memory_limit_in_mb=1024, aws_request_id="request")


class Pairs:
    """In place of reading a token: gives the next pair's when one has failed, or raises."""

    def __init__(self, client: PlainClient) -> None:
        self._client = client
        self._tokens = [self._new()]
        self.failed: list[int] = []
        self.error: ZendeskOAuthError | None = None

    def __call__(self, question: TokenQuestion, until: float) -> AccessToken:
        """Return the newest token."""
        del until
        if self.error:
            raise self.error
        if question.newer_than is not None:
            self.failed.append(question.newer_than)
            self._tokens.append(self._new())
        expires_at = datetime.now(UTC) + timedelta(hours=1)
        value = Secret(self._tokens[-1])
        return AccessToken(value, 1, len(self._tokens), expires_at, expires_at, SCOPES)

    def texts(self) -> list[str]:
        """Return every token."""
        return self._tokens

    def _new(self) -> str:
        return str(self._client.pair(scope=" ".join(SCOPES))["access_token"])


@pytest.fixture
def pairs(client: PlainClient) -> Pairs:
    """Return the tokens of acme."""
    return Pairs(client)


@pytest.fixture
def sqs() -> Iterator[Loopback]:
    """Give an SQS that agrees to everything."""
    with listening() as server:
        server.say(loopback.answer(headers={"Content-Type": "application/x-amz-json-1.0"}))
        yield server


@pytest.fixture
def log() -> io.StringIO:
    """Return where the worker's lines go."""
    return io.StringIO()


@pytest.fixture
def app(
    sqs: Loopback,
    zendesk: StandIn,
    pairs: Pairs,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> ModuleType:
    """Return the worker as a fresh container has it, its tokens read in another way."""
    own = {"QUEUE_URL": QUEUE, "AWS_ENDPOINT_URL_SQS": sqs.address, "AWS_REGION": REGION}
    metrics = {"POWERTOOLS_METRICS_NAMESPACE": "zendesk-worker", "POWERTOOLS_SERVICE_NAME": "worker"}
    for name, value in (VARIABLES | own | metrics).items():
        monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location("example_worker", CODE / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Powertools has one logger for all tests of a run, and each test an output of its own.
    [handler] = logging.getLogger("worker").handlers
    monkeypatch.setattr(handler, "stream", log)
    assert isinstance(module.connections, Connections)
    module.connections = Connections(pairs, zendesk.base_url, Clocks(time.time, time.monotonic))  # type: ignore[attr-defined]
    return module


def record(body: object, number: int = 1, receives: int = 1) -> dict[str, Any]:
    """Return a message as SQS hands it over."""
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"handle-{number}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
        "awsRegion": REGION,
    }


def ticket(number: int = 1, subdomain: str = "acme") -> dict[str, object]:
    """Return what a message asks for."""
    return {"subdomain": subdomain, "ticket_id": number}


def failures(app: ModuleType, *records: dict[str, Any]) -> list[str]:
    """Hand a batch over; return the messages that go back into the queue."""
    answer = app.handler({"Records": list(records)}, CONTEXT)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def hidden(sqs: Loopback) -> list[tuple[str, int]]:
    """Return which messages were hidden for how many seconds."""
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in sqs.requests]
    assert {body["QueueUrl"] for body in bodies} <= {QUEUE}
    return [(body["ReceiptHandle"], body["VisibilityTimeout"]) for body in bodies]


def notes(zendesk: StandIn, number: int = 1) -> list[str]:
    """Return the internal notes of a ticket of acme."""
    comments = zendesk.accounts.get("acme").comments[number]
    return [str(comment["body"]) for comment in comments if not comment["public"]]


def lines(written: str) -> list[dict[str, Any]]:
    """Return what was logged or counted, line by line."""
    return [json.loads(line) for line in written.splitlines()]


def test_a_message_becomes_an_internal_note(app: ModuleType, zendesk: StandIn, sqs: Loopback) -> None:
    """The note names the ticket's subject and the message, the public sees nothing, and nothing goes back."""
    assert failures(app, record(ticket())) == []
    assert notes(zendesk) == ["Our worker has seen “Where is my parcel?”. [message-1]"]
    assert len(zendesk.accounts.get("acme").comments[1]) == 2
    assert hidden(sqs) == []


def test_a_message_that_comes_twice_makes_one_note(app: ModuleType, zendesk: StandIn) -> None:
    """And another message for the same ticket makes another."""
    assert failures(app, record(ticket()), record(ticket())) == []
    assert len(notes(zendesk)) == 1
    assert failures(app, record(ticket(), number=2)) == []
    assert len(notes(zendesk)) == 2


def test_a_note_whose_answer_was_lost_is_not_made_again(
    app: ModuleType, zendesk: StandIn, sqs: Loopback
) -> None:
    """Zendesk worked and its answer never came: the message comes back, finds its note, and is done."""
    zendesk.misbehave("late_answer", endpoint="tickets", times=2, seconds=0.0)
    zendesk.misbehave("lost", endpoint="tickets")
    assert failures(app, record(ticket())) == ["message-1"]
    assert hidden(sqs) == [("handle-1", 30)]
    assert failures(app, record(ticket(), receives=2)) == []
    assert len(notes(zendesk)) == 1


def test_of_two_at_once_one_is_refused_and_finds_the_others_note(
    app: ModuleType, zendesk: StandIn, sqs: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the comments and the note another container writes the same one: a 409, and no second."""
    ask: Callable[..., object] = app.ask
    zendesk.clock.advance(60)

    def overtaken(session: object, method: str, url: str, **options: object) -> object:
        if method == "PUT":
            monkeypatch.setattr(app, "ask", ask)
            assert failures(app, record(ticket())) == []
        return ask(session, method, url, **options)

    monkeypatch.setattr(app, "ask", overtaken)
    assert failures(app, record(ticket())) == ["message-1"]
    assert len(notes(zendesk)) == 1
    assert failures(app, record(ticket(), receives=2)) == []
    assert (len(notes(zendesk)), len(hidden(sqs))) == (1, 1)


def test_a_token_that_died_is_replaced_within_the_call(
    app: ModuleType, zendesk: StandIn, pairs: Pairs, sqs: Loopback
) -> None:
    """A 401 is the library's: it brings a newer token, the call is made again, and the message is done."""
    zendesk.revoke_all("acme")
    assert failures(app, record(ticket())) == []
    assert (pairs.failed, len(notes(zendesk)), hidden(sqs)) == ([1], 1, [])


@pytest.mark.parametrize(
    ("kind", "options", "seconds"),
    [
        ("too_many_requests", {"retry_after": 7}, 7),
        ("too_many_requests", {"retry_after": 999_999}, 3600),
        ("too_many_requests", {}, 60),
        ("server_error", {"status": 503}, 60),
        ("server_error", {"status": 500}, 30),
        ("lost", {"worked": False}, 30),
        ("html", {"worked": False}, 30),
    ],
)
def test_what_zendesk_cannot_do_now_comes_back_when_it_may(
    app: ModuleType, zendesk: StandIn, sqs: Loopback, kind: str, options: dict[str, Any], seconds: int
) -> None:
    """Zendesk's own time after a 429, our own after the rest; the batch's other message is not touched by it."""
    zendesk.misbehave(kind, endpoint="tickets", **options)
    assert failures(app, record(ticket()), record(ticket(2), number=2)) == ["message-1"]
    assert hidden(sqs) == [("handle-1", seconds)]
    assert (len(notes(zendesk)), len(notes(zendesk, 2))) == (0, 1)


def test_an_api_that_refuses_living_tokens_is_tried_again(
    app: ModuleType, zendesk: StandIn, sqs: Loopback
) -> None:
    """A 401 to the newer token too goes back into the queue, and in the end to the dead letters."""
    zendesk.misbehave("invalid_token", endpoint="tickets", times=2)
    assert failures(app, record(ticket())) == ["message-1"]
    assert hidden(sqs) == [("handle-1", 30)]


@pytest.mark.parametrize(
    ("error", "receives", "seconds"),
    [
        (RefreshPendingError("wait", retry_after=timedelta(seconds=12.3)), 5, 13),
        (RefreshPendingError("wait"), 1, 30),
        (StoreUnavailableError("no answer"), 3, 120),
        (KeyUnavailableError("throttled"), 40, 960),
    ],
)
def test_a_token_that_is_not_there_yet_is_waited_for_in_the_queue(
    app: ModuleType, pairs: Pairs, sqs: Loopback, error: ZendeskOAuthError, receives: int, seconds: int
) -> None:
    """As long as the refresh says, or longer with each try."""
    pairs.error = error
    assert failures(app, record(ticket(), receives=receives)) == ["message-1"]
    assert hidden(sqs) == [("handle-1", seconds)]


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        {"subdomain": "acme"},
        ticket(subdomain="evil.example/"),
        {**ticket(), "ticket_id": "x/../1"},
    ],
)
def test_a_message_that_nobody_understands_ends_in_the_dead_letters(
    app: ModuleType, zendesk: StandIn, body: object
) -> None:
    """It is handed back each time, so that somebody can look at it, and Zendesk is not called for it."""
    assert failures(app, record(body)) == ["message-1"]
    assert zendesk.seen.api_calls == []


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (
            ReconnectRequiredError(
                "over", reason="grant_rejected", reconnect_url="https://example.com/oauth/start"
            ),
            "grant_rejected",
            "https://example.com/oauth/start",
        ),
        (ReconnectRequiredError("over", reason="disconnected"), "disconnected", None),
        (MissingScopeError("lacks", scopes=("tickets:write",)), "missing_scope", "tickets:write"),
    ],
)
def test_a_lost_connection_is_told_and_its_message_let_go(
    app: ModuleType,
    pairs: Pairs,
    sqs: Loopback,
    log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    error: ZendeskOAuthError,
    reason: str,
    detail: str | None,
) -> None:
    """One line says who, why and where to connect again, one metric counts it, and nothing is retried for ever."""
    pairs.error = error
    assert failures(app, record(ticket())) == []
    assert hidden(sqs) == []
    [said], [counted] = lines(log.getvalue()), lines(capsys.readouterr().out)
    assert (said["message"], said["subdomain"], said["reason"]) == ("needs a person", "acme", reason)
    assert (said.get("detail"), said["message_id"]) == (detail, "message-1")
    assert (counted["NeedsPerson"], counted["service"]) == ([1.0], "worker")


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [("forbidden", {}, "missing_scope"), ("answer", {"status": 403, "body": "{}"}, "forbidden")],
)
def test_a_403_is_told_and_never_repeated(
    app: ModuleType,
    zendesk: StandIn,
    sqs: Loopback,
    log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    options: dict[str, Any],
    reason: str,
) -> None:
    """Neither a refresh nor a repetition gives a right that is not there."""
    zendesk.misbehave(kind, endpoint="tickets", **options)
    assert failures(app, record(ticket())) == []
    assert [line["reason"] for line in lines(log.getvalue())] == [reason]
    assert [line["NeedsPerson"] for line in lines(capsys.readouterr().out)] == [[1.0]]
    assert hidden(sqs) == []


def test_a_ticket_that_is_gone_or_closed_needs_nothing(
    app: ModuleType, zendesk: StandIn, sqs: Loopback, log: io.StringIO
) -> None:
    """A 404 and a 422 end the message, in silence but for a line."""
    zendesk.accounts.get("acme").tickets[2]["status"] = "closed"
    assert failures(app, record(ticket(99)), record(ticket(2), number=2)) == []
    assert [(line["message"], line["status"]) for line in lines(log.getvalue())] == [
        ("nothing left to do", 404),
        ("nothing left to do", 422),
    ]
    assert hidden(sqs) == []


def test_no_line_has_a_token(
    app: ModuleType, zendesk: StandIn, pairs: Pairs, log: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither where all goes well nor with the whole traceback of what went wrong."""
    for kind in ("invalid_token", "lost", "server_error", "too_many_requests", "forbidden"):
        zendesk.misbehave(kind, endpoint="tickets", times=2)
        failures(app, *(record(ticket(), number) for number in range(3)))
    printed = capfd.readouterr()
    said = log.getvalue() + printed.out + printed.err
    assert "Traceback" in said
    assert [token for token in pairs.texts() if token in said] == []
