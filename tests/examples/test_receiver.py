"""The receiver's handler: what an account's own secret has signed goes onto the bus, cut down to which ticket it is."""

import base64
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.zendesk.standin import StandIn
from local.zendesk.webhooks import signature
from tests import loopback
from tests.examples.building import template
from tests.examples.conftest import Load
from tests.examples.messages import CONTEXT, CREATED, created, lines
from tests.loopback import Loopback, listening

SECRET = "acme's own"
SECRETS = {"acme": SECRET, "globex": "another", "empty": ""}
JSON = {"Content-Type": "application/x-amz-json-1.1"}
TAKEN = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
NOT_TAKEN = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"}]}
EVENT: dict[str, Any] = {
    "type": CREATED,
    "account_id": 12514403,
    "id": "01H4D9V2",
    "time": "2026-11-26T15:00:00Z",
    "zendesk_event_version": "2022-11-06",
    "subject": "zen:ticket:35436",
    "detail": {
        "id": "35436",
        "status": "OPEN",
        "subject": "Wo ist mein Päckchen?",
        "requester_id": "8447388",
    },
    "event": {"meta": {"version": "1.0"}},
}

NAMES = st.sampled_from([*EVENT, "id"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([CREATED, "35436"]),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)
BODIES = st.binary() | st.dictionaries(NAMES, ANYTHING).map(
    lambda changes: json.dumps(EVENT | changes).encode()
)


def now(**ago: int) -> str:
    """Return a time as Zendesk writes it."""
    return (datetime.now(UTC) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def request(
    body: bytes | str | dict[str, Any] = EVENT, path: str = "/acme", secret: str = SECRET, **changes: Any
) -> dict[str, Any]:
    """Return a webhook's request as a function URL hands it over, signed unless a change says otherwise."""
    text = json.dumps(body, ensure_ascii=False) if isinstance(body, dict) else body
    raw = text.encode() if isinstance(text, str) else text
    timestamp = changes.pop("timestamp", now())
    headers = {
        "content-type": "application/json; charset=utf-8",
        "x-zendesk-webhook-signature": signature(secret, timestamp, raw),
        "x-zendesk-webhook-signature-timestamp": timestamp,
    }
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {name: value for name, value in (headers | changes.pop("headers", {})).items() if value},
        "requestContext": {"http": {"method": changes.pop("method", "POST")}},
        "isBase64Encoded": isinstance(body, bytes),
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else text,
        **changes,
    }


@pytest.fixture
def bus() -> Iterator[Loopback]:
    """Give a bus that takes everything."""
    with listening() as server:
        server.say(loopback.answer(body=json.dumps(TAKEN), headers=JSON))
        yield server


@pytest.fixture
def vault() -> Iterator[Loopback]:
    """Give a Secrets Manager that has the accounts' secrets."""
    with listening() as server:
        server.say(loopback.answer(body=json.dumps({"SecretString": json.dumps(SECRETS)}), headers=JSON))
        yield server


@pytest.fixture
def app(loaded: Load, bus: Loopback, vault: Loopback, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the receiver as a fresh container has it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", bus.address)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", vault.address)
    monkeypatch.setenv("WEBHOOK_SECRETS", "webhooks")
    monkeypatch.setenv("TICKET_BUS", "tickets")
    return loaded("receiver")


def told(bus: Loopback) -> list[dict[str, Any]]:
    """Return the entries that were put onto the bus."""
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in bus.requests]
    return [entry for body in bodies for entry in body["Entries"]]


def answered(app: ModuleType, event: dict[str, Any]) -> tuple[int, bool]:
    """Return the status, and whether anything was said beside it."""
    answer = app.handler(event, CONTEXT)
    return answer["statusCode"], bool(answer.get("body"))


def test_a_signed_event_goes_onto_the_bus_and_then_zendesk_is_told(app: ModuleType, bus: Loopback) -> None:
    """What the bus gets is what the worker's tests send: the account of the path, and which ticket."""
    assert answered(app, request()) == (HTTPStatus.NO_CONTENT, False)
    [entry] = told(bus)
    event = created(35436)
    assert (entry["EventBusName"], entry["Source"]) == ("tickets", event["source"])
    assert (entry["DetailType"], json.loads(entry["Detail"])) == (event["detail-type"], event["detail"])


def test_the_rule_lets_through_what_the_receiver_tells(app: ModuleType, bus: Loopback) -> None:
    """Source and name are those of the template's rule; other events of tickets are told, and wake no worker."""
    pattern = template()["Resources"]["TicketRule"]["Properties"]["EventPattern"]
    for kind in ("created", "comment_added"):
        assert answered(app, request(EVENT | {"type": f"zen:event-type:ticket.{kind}"}))[0] == 204
    matching = [
        entry["Source"] in pattern["source"] and entry["DetailType"] in pattern["detail-type"]
        for entry in told(bus)
    ]
    assert matching == [True, False]


def test_no_text_and_no_person_is_told_or_logged(app: ModuleType, bus: Loopback, log: io.StringIO) -> None:
    """Of subject, requester and all else that the event has, neither the bus nor a line has anything."""
    answered(app, request())
    answered(app, request(secret="wrong"))
    said = b"".join(bus.requests).decode() + log.getvalue()
    assert [
        text for text in ("Päckchen", "P\\u00e4ckchen", "8447388", "12514403", SECRET) if text in said
    ] == []


def test_a_line_leads_to_the_event(app: ModuleType, log: io.StringIO) -> None:
    """The worker's lines about it have the same correlation id."""
    answered(app, request())
    [line] = lines(log.getvalue())
    assert (line["message"], line["correlation_id"], line["subdomain"]) == ("taken", "01H4D9V2", "acme")


def test_a_webhook_of_the_stand_in_is_taken(
    app: ModuleType, bus: Loopback, vault: Loopback, zendesk: StandIn
) -> None:
    """Signed by somebody else's code, over the bytes that it sent."""
    with listening() as front:
        front.say(loopback.answer(204, b""))
        hook = zendesk.add_webhook("acme", f"{front.address}/acme")
        zendesk.add_ticket("acme", "Wo ist mein Päckchen?", "…")
        zendesk.webhooks.settle()
        _, headers = front.head()
        body = front.requests[-1].partition(b"\r\n\r\n")[2].decode()
    secrets = json.dumps({"acme": hook.signing_secret})
    vault.say(loopback.answer(body=json.dumps({"SecretString": secrets}), headers=JSON))
    assert answered(app, request(body, headers=headers)) == (HTTPStatus.NO_CONTENT, False)
    assert json.loads(told(bus)[0]["Detail"])["ticket_id"] == 3


def test_bytes_are_signed_and_not_their_meaning(app: ModuleType, bus: Loopback) -> None:
    """The same JSON, written otherwise, is another body: base64 is decoded, and nothing is parsed before the check."""
    spaced = json.dumps(EVENT, indent=2).encode()
    assert answered(app, request(spaced))[0] == HTTPStatus.NO_CONTENT
    other = request(spaced) | {"body": base64.b64encode(json.dumps(EVENT).encode()).decode()}
    assert answered(app, other)[0] == HTTPStatus.UNAUTHORIZED
    assert len(told(bus)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "wrong"},
        {"secret": "another"},
        {"path": "/globex"},
        {"path": "/initech", "secret": ""},
        {"path": "/empty", "secret": ""},
        {"path": "/"},
        {"path": "/acme/../globex"},
        {"headers": {"x-zendesk-webhook-signature": ""}},
        {"headers": {"x-zendesk-webhook-signature": "ä"}},
        {"headers": {"x-zendesk-webhook-signature-timestamp": ""}},
        {"headers": {"x-zendesk-webhook-signature-timestamp": "\ud800"}},
        {"body": "", "secret": "wrong"},
    ],
)
def test_who_has_not_signed_is_refused_without_a_word(
    app: ModuleType, bus: Loopback, changes: dict[str, Any]
) -> None:
    """A wrong secret, another account's, an unknown account, an empty secret, no signature: 401 for all."""
    assert answered(app, request(**changes)) == (HTTPStatus.UNAUTHORIZED, False)
    assert told(bus) == []


@pytest.mark.parametrize(("age", "status"), [(240, 204), (-240, 204), (360, 401), (-360, 401)])
def test_an_old_signature_is_somebody_elses(app: ModuleType, age: int, status: int) -> None:
    """Five minutes, in either direction."""
    assert answered(app, request(timestamp=now(seconds=age))) == (status, False)


@pytest.mark.parametrize("timestamp", ["2026-11-26T15:00:00", "yesterday", "9999-12-31T23:59:59Z", ""])
def test_what_is_no_time_of_these_minutes_is_none(app: ModuleType, timestamp: str) -> None:
    """Although it is signed: a time without a zone, a word, the end of all times, nothing."""
    assert answered(app, request(timestamp=timestamp)) == (HTTPStatus.UNAUTHORIZED, False)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"method": "GET"}, HTTPStatus.METHOD_NOT_ALLOWED),
        ({"body": "x" * (256 * 1024 + 1)}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        ({"body": "é" * (128 * 1024 + 1)}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
)
def test_what_cannot_be_a_webhook_is_refused_before_a_secret_is_read(
    app: ModuleType, vault: Loopback, changes: dict[str, Any], status: int
) -> None:
    """Only a POST of 256 KiB at most is looked at."""
    assert answered(app, request(**changes)) == (status, False)
    assert vault.requests == []


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        "[]",
        "null",
        "[" * 100_000,
        {},
        EVENT | {"type": "zen:event-type:user.created"},
        EVENT | {"type": 1},
        EVENT | {"id": "text with spaces"},
        EVENT | {"id": None},
        EVENT | {"time": "x" * 65},
        EVENT | {"detail": {}},
        EVENT | {"detail": {"id": "1/../2"}},
        EVENT | {"detail": {"id": "٣"}},
        EVENT | {"detail": {"id": 1e300}},
    ],
)
def test_what_is_signed_and_no_event_of_a_ticket_is_refused(
    app: ModuleType, bus: Loopback, body: str | dict[str, Any]
) -> None:
    """An account's admin knows the secret, and may sign anything: only ids and times get through."""
    assert answered(app, request(body)) == (HTTPStatus.BAD_REQUEST, False)
    assert told(bus) == []


def test_zendesk_comes_again_where_the_bus_does_not_take_it(app: ModuleType, bus: Loopback) -> None:
    """A refused entry and a broken bus are 503 and a time below a minute, without which Zendesk would not repeat."""
    for script in (
        loopback.answer(body=json.dumps(NOT_TAKEN), headers=JSON),
        loopback.answer(500),
        loopback.raw(b""),
    ):
        bus.say(script)
        answer = app.handler(request(), CONTEXT)
        assert answer["statusCode"] == HTTPStatus.SERVICE_UNAVAILABLE
        assert 0 < int(answer["headers"]["Retry-After"]) < 60
    bus.say(loopback.answer(body=json.dumps(TAKEN), headers=JSON))
    assert answered(app, request())[0] == HTTPStatus.NO_CONTENT


@pytest.mark.parametrize("text", ["no json", "[]"])
def test_without_the_secrets_nothing_is_judged(app: ModuleType, vault: Loopback, text: str) -> None:
    """A secret that holds no object is our own fault: Zendesk may come again, and a line says why."""
    vault.say(loopback.answer(body=json.dumps({"SecretString": text}), headers=JSON))
    assert answered(app, request())[0] == HTTPStatus.SERVICE_UNAVAILABLE


def test_the_secrets_are_read_once(app: ModuleType, vault: Loopback) -> None:
    """A container keeps them for five minutes, whoever calls."""
    for event in (request(), request(secret="wrong"), request(path="/initech")):
        answered(app, event)
    assert len(vault.requests) == 1
    assert app.SECRETS_AGE == 300


def test_zendesk_gets_its_answer_while_there_is_time(app: ModuleType) -> None:
    """However slow AWS is, reading the secrets and telling the bus end before the function's limit."""
    calls = [client.meta.config for client in (app.vault.client, app.bus)]
    slowest = sum(
        config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout)
        for config in calls
    )
    assert slowest < template()["Resources"]["Receiver"]["Properties"]["Timeout"]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, path=st.just("/acme") | st.text(), headers=st.dictionaries(st.text(), st.text()))
def test_whatever_comes_gets_a_status(
    app: ModuleType, body: bytes, path: str, headers: dict[str, str]
) -> None:
    """No request of a stranger is an error of the function."""
    event = request(body, path, headers=headers)
    assert app.handler(event, CONTEXT)["statusCode"] in {204, 400, 401}
