"""The example as a stack of its own beside the deployment it leans on, in the emulator with roles enforced."""

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from local import places
from local.demo.scene import Scene, eventually
from local.demo.teller import Teller
from local.deployment import BUCKET, STAGE
from local.ministack import REGION
from local.processes import Processes
from local.stack import OPEN, LocalStack
from tests.artefact.building import HOST
from tests.examples.building import template
from zendesk_oauth.adapters.dynamodb_attributes import scope_list

SCOPES = ("users:read", "tickets:read", "tickets:write")
STACK_NAME = "worker-example"


def parameters(stack: LocalStack) -> dict[str, str]:
    """Return what the README says to give at another application and stage, and the stand-in's address."""
    order, defaults = stack.deployments[OPEN].order, template()["Parameters"]
    prefix = f"/{defaults['Application']['Default']}/{defaults['Stage']['Default']}/"
    names = {
        name: f"/{order.application}/{STAGE}/{one['Default'].removeprefix(prefix)}"
        for name, one in defaults.items()
        if one["Type"].startswith("AWS::SSM::")
    }
    own = {"Application": order.application, "Stage": STAGE, "Architecture": HOST}
    return names | own | {"ZendeskBaseUrl": order.zendesk_base_url}


@pytest.fixture(scope="module")
def outputs(
    stack: LocalStack, built_worker: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, str]]:
    """Deploy what `sam build` made with `sam deploy`, and give the stack's outputs."""
    folder, emulator = tmp_path_factory.mktemp("deploy"), stack.emulator
    (folder / "samconfig.toml").write_text("version = 0.1\n")
    overrides = [f"{name}={json.dumps(value)}" for name, value in parameters(stack).items()]
    command: list[str | Path] = [
        *(places.SAM, "deploy", "--config-file", folder / "samconfig.toml"),
        *("--template-file", built_worker.parent / "template.yaml", "--stack-name", STACK_NAME),
        *("--s3-bucket", BUCKET, "--region", REGION, "--capabilities", "CAPABILITY_IAM"),
        *("--no-confirm-changeset", "--no-progressbar", "--parameter-overrides", *overrides),
    ]
    with Processes() as processes:
        processes.start("sam deploy", command, emulator.environment(), folder / "sam.log").finish()
        found = emulator.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0][
            "Outputs"
        ]
        yield {output["OutputKey"]: output["OutputValue"] for output in found}


@pytest.fixture
def open_mode(stack: LocalStack) -> Scene:
    """Return the deployment that the worker leans on."""
    return Scene(stack, Teller(Console(file=io.StringIO(), width=200)), OPEN)


def connect(scene: Scene, subdomain: str) -> None:
    """Connect a customer, and let the connection be one of a deployment whose grant may write tickets, too."""
    scene.connect(scene.browser(), subdomain)
    [pair] = scene.stack.zendesk.alive(subdomain)
    pair.scope = " ".join(SCOPES)
    scene.stack.emulator.client("dynamodb").update_item(
        TableName=scene.stack.deployments[OPEN].outputs["ConnectionsTableName"],
        Key={"connection_key": {"S": f"default#{subdomain}"}},
        UpdateExpression="SET scopes = :scopes",
        ExpressionAttributeValues={":scopes": scope_list(SCOPES)},
    )


def send(stack: LocalStack, outputs: Mapping[str, str], subdomain: str) -> None:
    """Send a message as the README does."""
    body = json.dumps({"subdomain": subdomain, "ticket_id": 1})
    stack.emulator.client("sqs").send_message(QueueUrl=outputs["QueueUrl"], MessageBody=body)


def notes(stack: LocalStack, subdomain: str) -> list[str]:
    """Return the internal notes of the customer's first ticket."""
    comments = stack.zendesk.accounts.get(subdomain).comments[1]
    return [str(comment["body"]) for comment in comments if not comment["public"]]


def left(stack: LocalStack, url: str) -> int:
    """Return how many messages a queue has, seen or hidden."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = stack.emulator.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def test_a_message_becomes_a_note_and_leaves_the_queue(
    stack: LocalStack, open_mode: Scene, outputs: Mapping[str, str]
) -> None:
    """From SQS over the deployed worker, with WorkerPolicy and both layers found by name, to a note at Zendesk."""
    connect(open_mode, "bluth")
    send(stack, outputs, "bluth")
    [note] = eventually(lambda: notes(stack, "bluth"), bool)
    assert "Where is my parcel?" in note
    assert eventually(lambda: left(stack, outputs["QueueUrl"]), lambda count: count == 0) == 0


def test_a_limit_of_zendesk_delays_a_message_and_loses_none(
    stack: LocalStack, open_mode: Scene, outputs: Mapping[str, str]
) -> None:
    """After a 429 of one second the message comes back by itself, long before the queue's half hour: one note."""
    connect(open_mode, "veridian")
    stack.zendesk.misbehave("too_many_requests", endpoint="tickets", subdomain="veridian", retry_after=1)
    send(stack, outputs, "veridian")
    assert len(eventually(lambda: notes(stack, "veridian"), bool)) == 1
    statuses = [
        call.status for call in stack.zendesk.seen.api_calls if "/veridian/api/v2/tickets/1" in call.path
    ]
    assert statuses == [429, 200, 200, 200]


def test_a_message_for_nobody_is_let_go(stack: LocalStack, outputs: Mapping[str, str]) -> None:
    """A customer who never connected: nothing is called at Zendesk, and the message is gone from both queues."""
    send(stack, outputs, "sitwell")
    assert eventually(lambda: left(stack, outputs["QueueUrl"]), lambda count: count == 0) == 0
    assert left(stack, outputs["DeadLetterQueueUrl"]) == 0
    assert [call for call in stack.zendesk.seen.api_calls if "/sitwell/" in call.path] == []
