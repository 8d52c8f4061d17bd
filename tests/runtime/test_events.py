"""Every event of `events/` through the built functions, in Lambda's runtime on a bare interpreter."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from local.demo.rows import Rows
from local.places import ROOT
from local.runtime import ExecutionEnvironment
from local.sam import example_installs as examples
from local.sam.expected import mode_of
from local.stack import LocalStack
from local.zendesk.person import approve
from tests.handlers.codes import CODE
from tests.handlers.test_events import HERE, SHOWN
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.services.authorization_request import BrowserBinding, authorization_url

type Environments = Callable[[str, str], ExecutionEnvironment]


def event_of(name: str) -> dict[str, Any]:
    """Return an event of `events/`."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def seed(stack: LocalStack, mode: str) -> Rows:
    """Leave nothing but the example installs in a deployment's table, and return its rows."""
    client, table = stack.emulator.client("dynamodb"), stack.deployments[mode].outputs["InstallsTableName"]
    rows = Rows(stack.emulator, stack.deployments[mode])
    for row in rows.installs():
        client.delete_item(TableName=table, Key={"install_id": {"S": str(row["install_id"])}})
    examples.seed(DynamoDBInstallStore(client, table))
    client.update_item(  # a commit's id makes its transaction unique: the example's is the same each time
        TableName=table,
        Key={"install_id": {"S": examples.install_id(examples.CANDIDATE)}},
        UpdateExpression="SET commit_id = :fresh",
        ExpressionAttributeValues={":fresh": {"S": uuid4().hex}},
    )
    return rows


def with_fresh_code(event: dict[str, Any], stack: LocalStack, mode: str) -> dict[str, Any]:
    """Return the event with a code that an admin has just allowed, in the place of the example's."""
    binding = BrowserBinding(examples.state("A"), examples.browser("A"))
    endpoints = Endpoints(stack.zendesk.base_url, stack.deployments[mode].base_url)
    client_id = stack.zendesk.settings.client_id
    callback_url = approve(authorization_url(examples.pending("A"), binding, client_id, endpoints))
    code = parse_qs(urlsplit(callback_url).query)["code"][0]
    return event | {"rawQueryString": event["rawQueryString"].replace(CODE, code)}


@pytest.mark.parametrize("name", HERE)
def test_event(name: str, stack: LocalStack, environments: Environments) -> None:
    """The built function answers each event with the status, the text and the row that the event is named for."""
    shown = SHOWN[name]
    rows = seed(stack, mode_of(name))
    event = event_of(name)
    if shown.became == "connected" and name.startswith("callback/"):
        event = with_fresh_code(event, stack, mode_of(name))

    answer = environments(name.partition("/")[0], mode_of(name)).invoke(event)

    assert answer["statusCode"] == shown.status
    assert shown.text in answer["body"]
    assert shown.location in answer["headers"].get("Location", "")
    if shown.letter:
        assert rows.install(examples.install_id(shown.letter))["status"] == shown.became


def test_the_scheduled_event_ends_well(stack: LocalStack, environments: Environments) -> None:
    """With nothing due, the built `revoke` opens, looks and ends none."""
    seed(stack, "open")
    assert environments("revoke", "open").invoke(event_of("revoke/scheduled")) == {"ended": 0}
