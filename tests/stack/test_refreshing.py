"""Refresh and connections as they are deployed: by events, by the queue, and over HTTP with signed requests."""

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from local.demo.scene import Scene, eventually
from local.ministack import REGION
from local.stack import OPEN, LocalStack

type Ask = Callable[[str, str], AWSResponse]


def invoke(stack: LocalStack, event: object) -> dict[str, Any]:
    """Have refresh work on an event, and return its answer."""
    functions, name = stack.emulator.client("lambda"), stack.deployments[OPEN].outputs["RefreshFunctionName"]
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return said


def named(subdomain: str) -> dict[str, str]:
    """Return what an event names a connection by."""
    return {"grant": "default", "subdomain": subdomain}


def make_due(stack: LocalStack, subdomain: str) -> None:
    """Have a connection's token be due, as if it had been issued an hour ago and its time had come."""
    now = int(time.time())
    stack.emulator.client("dynamodb").update_item(
        TableName=stack.deployments[OPEN].outputs["ConnectionsTableName"],
        Key={"connection_key": {"S": f"default#{subdomain}"}},
        UpdateExpression="SET refresh_at = :now, issued_at = :then",
        ExpressionAttributeValues={":now": {"N": str(now)}, ":then": {"N": str(now - 3600)}},
    )


def caller(stack: LocalStack, policy: str) -> Ask:
    """Make a user with one policy of the stack; return what sends its signed requests, by method and path."""
    iam, deployment = stack.emulator.client("iam"), stack.deployments[OPEN]
    name = f"test-{policy}"
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=deployment.outputs[policy])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def ask(method: str, path: str) -> AWSResponse:
        headers = {"Host": deployment.host(stack.emulator.port)}
        request = AWSRequest(method, f"{stack.emulator.address}{path}", headers)
        SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
        answer: AWSResponse = URLLib3Session(timeout=60).send(request.prepare())
        return answer

    return ask


@pytest.fixture(scope="module")
def token_caller(stack: LocalStack) -> Ask:
    """Return a worker that gets tokens over HTTP."""
    return caller(stack, "TokenRoutePolicyArn")


@pytest.fixture(scope="module")
def operator(stack: LocalStack) -> Ask:
    """Return an operator."""
    return caller(stack, "OperatorPolicyArn")


def test_a_due_token_is_refreshed_and_given_over_http(
    stack: LocalStack, open_mode: Scene, token_caller: Ask
) -> None:
    """Asked for by event, refreshed with the deployed roles and key, and read on the token route: the living one."""
    open_mode.connect(open_mode.browser(), "wonka")
    [before] = stack.zendesk.alive("wonka")
    make_due(stack, "wonka")
    assert invoke(stack, {**named("wonka"), "asked": "due"})["outcome"] == "refreshed"
    [pair] = stack.zendesk.alive("wonka")
    assert pair.access_token != before.access_token
    answer = token_caller("GET", "/connections/default/wonka/token")
    given = json.loads(answer.content)
    assert (answer.status_code, given["access_token"]) == (HTTPStatus.OK, pair.access_token)
    assert given["generation"] == 2
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_token_route_has_a_due_token_refreshed(
    stack: LocalStack, open_mode: Scene, token_caller: Ask
) -> None:
    """Whoever asks for a token that is due gets one that lives, and the next generation is soon there."""
    open_mode.connect(open_mode.browser(), "vandelay")
    make_due(stack, "vandelay")
    first = token_caller("GET", "/connections/default/vandelay/token")
    assert first.status_code == HTTPStatus.OK
    row = eventually(lambda: open_mode.rows.connection("vandelay"), lambda row: row["generation"] == 2)
    assert row["generation"] == 2


def test_an_operator_lists_shows_and_disconnects(
    stack: LocalStack, open_mode: Scene, operator: Ask, token_caller: Ask
) -> None:
    """It shows no token; the disconnect goes on by itself until Zendesk's token is dead and the row is a tombstone."""
    open_mode.connect(open_mode.browser(), "cyberdyne")
    [pair] = stack.zendesk.alive("cyberdyne")
    listed = operator("GET", "/connections?limit=100&grant=default")
    assert listed.status_code == HTTPStatus.OK
    assert b"cyberdyne" in listed.content
    shown = operator("GET", "/connections/default/cyberdyne")
    assert json.loads(shown.content)["status"] == "active"
    assert pair.access_token.encode() not in listed.content + shown.content
    ended = operator("DELETE", "/connections/default/cyberdyne")
    assert ended.status_code == HTTPStatus.ACCEPTED
    row = eventually(
        lambda: open_mode.rows.connection("cyberdyne"), lambda row: row["status"] == "disconnected"
    )
    assert row["status"] == "disconnected"
    assert not {"access_token", "refresh_token", "keep_alive_shard"} & set(row)
    assert stack.zendesk.alive("cyberdyne") == []
    assert operator("DELETE", "/connections/default/cyberdyne").status_code == HTTPStatus.OK
    refused = token_caller("GET", "/connections/default/cyberdyne/token")
    assert (refused.status_code, json.loads(refused.content)["error"]) == (
        HTTPStatus.CONFLICT,
        "reconnect_required",
    )


def test_the_schedules_say_what_refresh_understands(stack: LocalStack) -> None:
    """Each schedule of the deployment wakes refresh with a text of its own, and refresh answers how many it asked."""
    scheduler, application = stack.emulator.client("scheduler"), stack.deployments[OPEN].order.application
    names = [schedule["Name"] for schedule in scheduler.list_schedules()["Schedules"]]
    targets = [scheduler.get_schedule(Name=name)["Target"] for name in names if name.startswith(application)]
    said = [json.loads(target["Input"]) for target in targets if "Input" in target]
    assert sorted(event["schedule"] for event in said) == ["keep-alive", "unfinished"]
    assert [list(invoke(stack, event)) for event in said] == [["asked"], ["asked"]]


def test_a_message_that_is_no_renewal_waits_for_its_next_turn(stack: LocalStack) -> None:
    """The rescue queue wakes refresh, which gives back what it cannot replay: hidden, not lost, not yet put aside."""
    sqs, outputs = stack.emulator.client("sqs"), stack.deployments[OPEN].outputs
    functions, queue = stack.emulator.client("lambda"), outputs["RescueQueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="no renewal")

    def last_result() -> str:
        name = outputs["RefreshFunctionName"]
        [mapping] = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        return str(mapping.get("LastProcessingResult"))

    assert "1 partial failures" in eventually(last_result, lambda result: "partial" in result)
    hidden = "ApproximateNumberOfMessagesNotVisible"
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[hidden])["Attributes"]
    assert attributes[hidden] == "1"
