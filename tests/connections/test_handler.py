"""The real handler end to end: each event of `events/connections`, the calls it makes, and no secret anywhere."""

import importlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.connections.deployment import (
    ACCESS_TOKEN,
    NEXT_TOKEN,
    REFRESH_FUNCTION,
    REFRESH_TOKEN,
    Deployment,
)
from tests.connections.rows import put, row
from tests.docs.reading import ROOT
from tests.flow.canary import Canaries, dumped
from tests.flow.sinks import Sinks, everybody_at_debug, listening
from tests.handlers.payloads import api_event, event_names, load_event
from zendesk_oauth.adapters.dynamodb_attributes import instant, text
from zendesk_oauth.bootstrap import connections
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.settings import VARIABLES
from zendesk_oauth.web import answer_connections
from zendesk_oauth.web.json_text import json_response

EVENTS = {
    "connections/list": (200, '"subdomain": "acme"'),
    "connections/show": (200, '"status": "active"'),
    "connections/token": (200, ACCESS_TOKEN),
    "connections/token-newer-than": (200, NEXT_TOKEN),
    "connections/delete": (202, '"status": "disconnecting"'),
    "connections/unknown": (404, "not_connected"),
}
INVOCATION = f"/2015-03-31/functions/{REFRESH_FUNCTION}/invocations"
WHOM = {"grant": "default", "subdomain": "acme"}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what any client asks for from here on."""
    counted: Counter[str] = Counter()
    ask = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's own seam, which its stubs leave out

    def count(self: BaseClient, operation: str, arguments: object) -> object:
        counted[operation] += 1
        return ask(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", count)
    return counted


@pytest.fixture
def sinks(capsys: pytest.CaptureFixture[str]) -> Iterator[Sinks]:
    """Listen to everybody, vendors too, at DEBUG."""
    with everybody_at_debug(), listening(capsys) as heard:
        yield heard


def lines(sinks: Sinks) -> list[dict[str, Any]]:
    """Return what was printed since the sinks were cleared, as JSON: log lines and metrics."""
    return [json.loads(line) for line in sinks.stdout.splitlines()]


def body(answer: Any) -> dict[str, Any]:
    """Return the JSON of an answer."""
    fields: dict[str, Any] = json.loads(answer["body"])
    return fields


def token(handler: Callable[[object, object], Any], query: str = "") -> Any:
    """Ask for the token."""
    return handler(api_event("GET", "/connections/default/acme/token", query), None)


def test_every_event_is_shown_here() -> None:
    """No event of this function lies there unused, and none is missing."""
    assert {name for name in event_names() if name.startswith("connections/")} == set(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_event(name: str, deployment: Deployment) -> None:
    """Each event leads to what it is named for."""
    deployment.connect()
    deployment.refresh.answers({"outcome": "refreshed", "retry_at": None}, deployment.renew)
    status, text_ = EVENTS[name]
    answer = deployment.build()(load_event(name), None)
    assert (answer["statusCode"], text_ in answer["body"]) == (status, True), answer["body"]
    assert ("disconnecting" in str(deployment.row()["status"])) == (name == "connections/delete")


def test_a_token_costs_a_read_and_once_a_key(deployment: Deployment, calls: Counter[str]) -> None:
    """One eventually consistent read and, the first time in a container, one Decrypt; nobody else is asked."""
    deployment.connect()
    handler = deployment.build()
    calls.clear()
    assert body(token(handler))["access_token"] == ACCESS_TOKEN
    assert calls == {"GetItem": 1, "Decrypt": 1}
    calls.clear()
    assert body(token(handler))["access_token"] == ACCESS_TOKEN
    assert calls == {"GetItem": 1}


def test_a_token_that_failed_is_refreshed_once(deployment: Deployment, calls: Counter[str]) -> None:
    """After a 401 with the stored generation: `refresh` is asked, its answer awaited, and the new token given."""
    deployment.connect()
    handler = deployment.build()
    deployment.refresh.answers({"outcome": "refreshed", "retry_at": None}, deployment.renew)
    calls.clear()
    answer = token(handler, "newer_than=40")
    assert (body(answer)["access_token"], body(answer)["generation"]) == (NEXT_TOKEN, 41)
    asked = {**WHOM, "asked": "failed", "seen": {"epoch": 3, "generation": 40}}
    assert deployment.refresh.events == [(INVOCATION, "RequestResponse", asked)]
    assert calls["Invoke"] == 1


def test_a_token_that_is_over_and_not_refreshed_is_503(deployment: Deployment) -> None:
    """What `refresh` says of the time is passed on, and its words are not."""
    deployment.connect(expires_at=instant(deployment.now), refresh_at=instant(deployment.now))
    later = deployment.now + timedelta(seconds=600)
    deployment.refresh.answers({"outcome": "postponed", "retry_at": int(later.timestamp())})
    answer = token(deployment.build())
    assert (answer["statusCode"], body(answer)["error"]) == (503, "refresh_pending")
    assert 500 < int(answer["headers"]["Retry-After"]) <= 600


def test_a_slow_refresh_is_answered_in_time(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the gateway gives up there is a 503 of ours; `refresh` was asked once and goes on by itself."""
    assert connections.REFRESH_SECONDS < answer_connections.ANSWER_SECONDS
    monkeypatch.setattr(connections, "REFRESH_SECONDS", 1)
    monkeypatch.setattr(answer_connections, "ANSWER_SECONDS", 2.0)
    deployment.connect(expires_at=instant(deployment.now), refresh_at=instant(deployment.now))
    deployment.refresh.hangs()
    began = monotonic()
    answer = token(deployment.build())
    assert monotonic() - began < 20
    assert (answer["statusCode"], body(answer)["error"]) == (503, "refresh_pending")
    assert int(answer["headers"]["Retry-After"]) > 0
    asked = {**WHOM, "asked": "due"}
    assert deployment.refresh.events == [(INVOCATION, "RequestResponse", asked)]


@pytest.mark.parametrize(
    ("mode", "url"),
    [
        ("open", "https://connect.example.com/oauth/start?subdomain=acme&grant=default"),
        ("confirmed", None),
    ],
)
def test_a_lost_connection_says_where_to_begin_again(
    deployment: Deployment, mode: str, url: str | None
) -> None:
    """In open mode anybody may; in confirmed mode only the company's backend can invite."""
    lost = {
        "status": text("reconnect_required"),
        "reconnect_reason": text("grant_rejected"),
        "reconnect_since": instant(deployment.now),
    }
    deployment.connect(**lost)
    answer = token(deployment.build(START_MODE=mode))
    assert answer["statusCode"] == 409
    assert (body(answer)["reason"], body(answer)["reconnect_url"]) == ("grant_rejected", url)
    assert deployment.refresh.events == []


def test_a_missing_scope_is_403_at_once(deployment: Deployment) -> None:
    """Nobody is asked to refresh what a refresh cannot help."""
    deployment.connect()
    answer = token(deployment.build(), "scopes=tickets:write")
    assert (answer["statusCode"], body(answer)["scopes"]) == (403, ["tickets:write"])
    assert deployment.refresh.events == []


def test_listing_and_showing_make_their_calls(deployment: Deployment, calls: Counter[str]) -> None:
    """One read to show; to list, the partitions of the index and one batch."""
    deployment.connect()
    handler = deployment.build()
    calls.clear()
    handler(load_event("connections/show"), None)
    assert calls == {"GetItem": 1}
    calls.clear()
    handler(load_event("connections/list"), None)
    assert calls == {"Query": 16, "BatchGetItem": 1}


def test_a_disconnect_marks_and_hands_over(deployment: Deployment, calls: Counter[str]) -> None:
    """One read, one write, one asynchronous invocation; asked again, only the hand-over is repeated."""
    deployment.connect()
    deployment.refresh.accepts()
    handler = deployment.build()
    calls.clear()
    assert handler(load_event("connections/delete"), None)["statusCode"] == 202
    assert calls == {"GetItem": 1, "UpdateItem": 1, "Invoke": 1}
    assert deployment.refresh.events == [(INVOCATION, "Event", {"finish": WHOM})]
    calls.clear()
    assert handler(load_event("connections/delete"), None)["statusCode"] == 202
    assert calls == {"GetItem": 1, "Invoke": 1}
    assert token(handler)["statusCode"] == 409


@pytest.mark.parametrize(
    ("status", "code"), [(429, "TooManyRequestsException"), (403, "AccessDeniedException")]
)
def test_a_disconnect_that_cannot_be_handed_over_is_marked_all_the_same(
    deployment: Deployment, sinks: Sinks, status: int, code: str
) -> None:
    """202: the schedule carries it through. The line in the log says why nobody has begun yet."""
    deployment.connect()
    deployment.refresh.refuses(status, code)
    handler = deployment.build()
    sinks.clear()
    assert handler(load_event("connections/delete"), None)["statusCode"] == 202
    assert deployment.row()["status"] == text("disconnecting")
    line, metric = lines(sinks)
    assert (line["outcome"], line["subdomain"], code in line["detail"]) == ("disconnecting", "acme", True)
    assert line["level"] in {"ERROR", "CRITICAL", "INFO"}
    assert "DisconnectAsked" in metric


def test_a_tombstone_answers_200(deployment: Deployment, calls: Counter[str]) -> None:
    """One that is disconnected needs nothing more."""
    gone = ("access_token", "access_token_key", "refresh_token", "refresh_token_key", "keep_alive_shard")
    put(deployment.dynamodb, deployment.table, row(status=text("disconnected"), without=gone))
    handler = deployment.build()
    calls.clear()
    answer = handler(load_event("connections/delete"), None)
    assert (answer["statusCode"], body(answer)) == (200, {**WHOM, "status": "disconnected"})
    assert calls == {"GetItem": 1}


def test_what_is_asked_is_logged_and_counted(deployment: Deployment, sinks: Sinks) -> None:
    """A token given has a line with its connection and version, and a metric; a lost one is everyday business."""
    deployment.connect()
    handler = deployment.build()
    sinks.clear()
    token(handler)
    line, metric = lines(sinks)
    assert line.items() >= {**WHOM, "outcome": "token_given", "epoch": 3, "generation": 40}.items()
    assert metric["TokenGiven"] == [1.0]
    sinks.clear()
    handler(api_event("GET", "/connections/default/nobody/token"), None)
    line, metric = lines(sinks)
    assert (line["level"], line["error"], line["subdomain"]) == ("INFO", "reconnect_required", "nobody")
    assert (metric["TokenUnavailable"], metric["reason"]) == ([1.0], "reconnect_required")


@pytest.mark.parametrize("name", EVENTS)
def test_no_secret_reaches_the_log(deployment: Deployment, sinks: Sinks, name: str) -> None:
    """With every logger at DEBUG, vendors' too: no token in any encoding, in no line, metric or header."""
    canaries = Canaries()
    canaries.add("access token", ACCESS_TOKEN, NEXT_TOKEN)
    canaries.add("refresh token", REFRESH_TOKEN)
    deployment.connect()
    deployment.refresh.answers({"outcome": "refreshed", "retry_at": None}, deployment.renew)
    sinks.clear()
    answer = deployment.build()(load_event(name), None)
    assert "request answered" in sinks.said
    assert canaries.found(dumped([sinks.said, answer["headers"]])) == []
    in_the_body = canaries.found(dumped(answer["body"]))
    assert bool(in_the_body) == ("token" in name)
    assert not [hit for hit in in_the_body if hit.startswith("refresh")]


def test_a_secret_has_no_way_into_json() -> None:
    """Only what is revealed on purpose is written."""
    with pytest.raises(TypeError):
        json_response(200, {"access_token": Secret(ACCESS_TOKEN)})


# ---- what is built


@pytest.mark.parametrize("name", EVENTS)
def test_the_declared_variables_are_enough(deployment: Deployment, name: str) -> None:
    """Each event is answered by a function built from exactly the variables that it declares."""
    deployment.connect()
    deployment.refresh.answers({"outcome": "refreshed", "retry_at": None}, deployment.renew)
    declared = {key: value for key, value in deployment.environ().items() if key in VARIABLES["connections"]}
    assert set(declared) == VARIABLES["connections"]
    assert connections.build(declared)(load_event(name), None)["statusCode"] == EVENTS[name][0]


def test_a_handler_is_built_at_import(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module that Lambda imports builds from the process's environment, and its `handler` answers."""
    for name, value in deployment.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "connections.app", raising=False)
    module = importlib.import_module("connections.app")
    assert module.handler(load_event("connections/unknown"), None)["statusCode"] == 404


def test_a_wrong_set_up_is_answered_with_json(deployment: Deployment, sinks: Sinks) -> None:
    """Everything that is wrong is named once in the log, and each request gets a 500 with a code."""
    handler = deployment.build(GRANTS="default=", REFRESH_FUNCTION="", PUBLIC_BASE_URL="x", START_MODE="")
    [line] = lines(sinks)
    named = {problem.partition(" ")[0] for problem in line["problems"]}
    assert named == {"GRANTS", "PUBLIC_BASE_URL", "REFRESH_FUNCTION", "START_MODE"}
    answer = handler(load_event("connections/show"), None)
    assert lines(sinks)[1]["level"] == "CRITICAL"
    assert (answer["statusCode"], body(answer)["error"]) == (500, "configuration")


LOADED = """
import json, sys
from zendesk_oauth.bootstrap import connections
handler = connections.build(json.loads(sys.argv[1]))
handler(json.loads(sys.argv[2]), None)
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize(
    ("name", "unwanted"),
    [
        ("list", {"cryptography", "zendesk_oauth.models.refresh", "zendesk_oauth.services.read_token"}),
        ("show", {"cryptography", "zendesk_oauth.models.refresh", "zendesk_oauth.services.read_token"}),
        (
            "token",
            {
                "zendesk_oauth.models.refresh",
                "zendesk_oauth.models.connection_summary",
                "zendesk_oauth.adapters.dynamodb_directory",
                "zendesk_oauth.adapters.lambda_refresher",
            },
        ),
        ("delete", {"cryptography", "zendesk_oauth.services.read_token"}),
    ],
)
def test_a_request_loads_only_what_it_needs(deployment: Deployment, name: str, unwanted: set[str]) -> None:
    """In an interpreter of its own, whose table does not answer: cryptography for tokens alone, for those no more."""
    event = json.dumps(load_event(f"connections/{name}"))
    run = subprocess.run(  # noqa: S603 - our own interpreter and our own code
        [sys.executable, "-c", LOADED, json.dumps(deployment.environ()), event],
        env={
            "PYTHONPATH": str(ROOT / "layers/zendesk_oauth"),
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            **deployment.process_environment(),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(run.stdout.splitlines()[-1]))
    assert sorted(unwanted & loaded) == []
    assert not {"authlib", "boto3", "requests", "zendesk_oauth.web.pages"} & loaded
