"""The events of `refresh`, `connections` and `publish` through the built functions, in Lambda's runtime, alone."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from local.demo.scene import Scene
from local.demo.teller import Teller
from local.runtime import ExecutionEnvironment
from local.stack import OPEN, LocalStack
from tests.handlers.payloads import event_names, load_event

type Environments = Callable[[str, str], ExecutionEnvironment]
type Asked = tuple[str, object]

CONNECTIONS: dict[str, tuple[int, str]] = {
    "list": (200, '"subdomain": "acme"'),
    "show": (200, '"status": "active"'),
    "token": (200, '"token_type": "Bearer"'),
    "token-newer-than": (200, '"generation": 1'),
    "unknown": (404, '"not_connected"'),
}
"""The status of each answer and a piece of it. `delete`, which ends the connection, comes last and by itself."""
REFRESH: dict[str, Asked] = {
    "due": ("outcome", "current"),
    "failed": ("outcome", "current"),
    "idle": ("outcome", "current"),
    "unknown-connection": ("outcome", "not_connected"),
    "finish": ("outcome", "finished"),
    "finish-replaced": ("outcome", "finished"),
    "keep-alive": ("asked", 0),
    "unfinished": ("asked", 0),
    "rekey": (
        "rows",
        [{"grant": "default", "subdomain": "acme", "outcome": "resealed", "cause": None, "replaced": None}],
    ),
    "probe": ("outcome", "alive"),
    "examine": ("client", "ok"),
    "malformed": ("errorType", "MalformedRequestError"),
}
"""A member of each answer. `rescued` names the messages that are to come again."""
PUBLISH: dict[str, Asked] = {
    **{
        name: ("batchItemFailures", [])
        for name in ("denied", "established", "expired", "refused", "unreadable")
    },
    "malformed": ("errorType", "MalformedRequestError"),
}
"""The same: nothing has to come again, because what cannot be read is set aside."""


@pytest.fixture(scope="module")
def connected(stack: LocalStack) -> None:
    """Connect the account that the events name, after everything of the table is gone."""
    client = stack.emulator.client("dynamodb")
    table = stack.deployments[OPEN].outputs["ConnectionsTableName"]
    for row in client.scan(TableName=table, ProjectionExpression="connection_key")["Items"]:
        client.delete_item(TableName=table, Key=row)
    scene = Scene(stack, Teller(Console(file=io.StringIO(), width=200)), OPEN)
    scene.connect(
        scene.browser(), "acme", is_greeted=False
    )  # it was, by an event of the same id, in the demo
    client.update_item(  # in its first minute no token is looked into
        TableName=table,
        Key={"connection_key": {"S": "default#acme"}},
        UpdateExpression="SET issued_at = issued_at - :hour",
        ExpressionAttributeValues={":hour": {"N": "3600"}},
    )


def test_every_event_is_here() -> None:
    """No event of the three functions is left out."""
    named = {f"connections/{name}" for name in (*CONNECTIONS, "delete")}
    named |= {f"refresh/{name}" for name in (*REFRESH, "rescued")}
    named |= {f"publish/{name}" for name in PUBLISH}
    functions = ("connections/", "refresh/", "publish/")
    assert {name for name in event_names() if name.startswith(functions)} == named


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("name", REFRESH)
def test_refresh_answers(name: str, environments: Environments) -> None:
    """The built function answers each event as the event is named for."""
    member, value = REFRESH[name]
    answer: dict[str, Any] = environments("refresh", OPEN).invoke(load_event(f"refresh/{name}"))
    assert answer[member] == value


@pytest.mark.usefixtures("connected")
def test_refresh_gives_forged_messages_back(environments: Environments) -> None:
    """The example's seals are nobody's: each message goes back to its queue by itself."""
    event = load_event("refresh/rescued")
    answer = environments("refresh", OPEN).invoke(event)
    failed = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
    assert failed == [record["messageId"] for record in event["Records"]]


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("name", CONNECTIONS)
def test_connections_answers(name: str, environments: Environments) -> None:
    """The built function answers each event with the status and the text that the event is named for."""
    status, text = CONNECTIONS[name]
    answer = environments("connections", OPEN).invoke(load_event(f"connections/{name}"))
    assert (answer["statusCode"], text in answer["body"]) == (status, True), answer


@pytest.mark.usefixtures("connected")
def test_connections_marks_a_disconnect(environments: Environments) -> None:
    """Under way, and `refresh` has been told; asked again it is still so, or over."""
    answer = environments("connections", OPEN).invoke(load_event("connections/delete"))
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (202, "disconnecting")
    again = environments("connections", OPEN).invoke(load_event("connections/delete"))
    assert again["statusCode"] in {200, 202}


@pytest.mark.parametrize("name", PUBLISH)
def test_publish_answers(name: str, environments: Environments) -> None:
    """The built function answers each event as the event is named for."""
    member, value = PUBLISH[name]
    answer: dict[str, Any] = environments("publish", OPEN).invoke(load_event(f"publish/{name}"))
    assert answer[member] == value
