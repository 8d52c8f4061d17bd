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
from local.sam.expected import EVENTS, Returned, Shown
from local.stack import OPEN, LocalStack
from tests.handlers.payloads import load_event

type Environments = Callable[[str, str], ExecutionEnvironment]
CONNECTIONS = [name for name in EVENTS if name.startswith("connections/") and name != "connections/delete"]
REFRESH = [name for name in EVENTS if name.startswith("refresh/") and name != "refresh/rescued"]
PUBLISH = [name for name in EVENTS if name.startswith("publish/")]


def shows(name: str, answer: dict[str, Any]) -> bool:
    """Tell whether a function returned the members that its event is named for."""
    expected = EVENTS[name]
    return isinstance(expected, Returned) and answer.items() >= expected.members.items()


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


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("name", REFRESH)
def test_refresh_answers(name: str, environments: Environments) -> None:
    """The built function answers each event as the event is named for."""
    assert shows(name, environments("refresh", OPEN).invoke(load_event(name)))


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
    answer = environments("connections", OPEN).invoke(load_event(name))
    expected = EVENTS[name]
    assert isinstance(expected, Shown)
    assert (answer["statusCode"], expected.text in answer["body"]) == (expected.status, True), answer


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
    assert shows(name, environments("publish", OPEN).invoke(load_event(name)))
