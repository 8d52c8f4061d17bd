"""Events through the deployed stack: from the tables' streams over `publish` to somebody who listens to the bus."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local.demo.scene import Scene, eventually
from local.roles import changed_role
from local.stack import OPEN, LocalStack
from tests.events.schemas import hold
from zendesk_oauth.models.event import Event, EventType


def names(stack: LocalStack, subdomain: str) -> list[str]:
    """Return the events of an account so far."""
    return [event.name for event in stack.listener.heard(subdomain)]


def waiting(stack: LocalStack, output: str) -> int:
    """Return how many messages a queue of the deployment has, seen or hidden or delayed."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    names.append("ApproximateNumberOfMessagesDelayed")
    url = stack.deployments[OPEN].outputs[output]
    answer = stack.emulator.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(count) for count in answer["Attributes"].values())


@contextmanager
def hurried(stack: LocalStack, output: str) -> Iterator[None]:
    """Let a queue of the deployment deliver at once, and what has failed after a second, while the block runs."""
    sqs, url = stack.emulator.client("sqs"), stack.deployments[OPEN].outputs[output]
    names = ["DelaySeconds", "VisibilityTimeout"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "0", "VisibilityTimeout": "1"})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def test_an_install_and_a_denial_are_told(stack: LocalStack, open_mode: Scene) -> None:
    """A first install, a second one, and a denial in between: three events, each as its schema says."""
    open_mode.connect(open_mode.browser(), "duff")
    denied = open_mode.start(open_mode.browser(), open_mode.start_url(subdomain="duff"))
    open_mode.browser().get(open_mode.deny(denied))  # a stranger's browser: it consumes nothing
    browser = open_mode.browser()
    browser.get(open_mode.deny(open_mode.start(browser, open_mode.start_url(subdomain="duff"))))
    open_mode.connect(open_mode.browser(), "duff")
    told = eventually(lambda: stack.listener.heard("duff"), lambda found: len(found) >= 3)
    assert sorted(event.name for event in told) == [
        "ConnectionEstablished",
        "ConnectionEstablished",
        "InstallDenied",
    ]
    for event in told:
        hold(Event(EventType(event.name), event.detail))
    installs = {str(row["install_id"]) for row in open_mode.rows.installs() if row["subdomain"] == "duff"}
    assert {event.detail["install"] for event in told} < installs


def test_r11_a_record_that_cannot_be_read_does_not_hold_up_the_shard(
    stack: LocalStack, open_mode: Scene
) -> None:
    """A row that no code of ours would write is set aside, and what comes behind it is told."""
    table = stack.deployments[OPEN].outputs["ConnectionsTableName"]
    key = {"connection_key": {"S": "default#poison"}}
    dynamodb: Any = stack.emulator.client("dynamodb")
    dynamodb.put_item(TableName=table, Item=key | {"epoch": {"S": "many"}, "access_token": {"B": b"x"}})
    open_mode.connect(open_mode.browser(), "moes")
    assert eventually(lambda: names(stack, "moes"), bool) == ["ConnectionEstablished"]
    assert eventually(lambda: waiting(stack, "UnpublishedQueueUrl"), lambda count: count == 1) == 1
    dynamodb.delete_item(TableName=table, Key=key)
    stack.emulator.client("sqs").purge_queue(QueueUrl=stack.deployments[OPEN].outputs["UnpublishedQueueUrl"])


def test_what_the_bus_does_not_take_is_told_later(stack: LocalStack, open_mode: Scene) -> None:
    """Without the permission the event waits in the queue; with it, it is told from there, as the same fact."""

    def forbid_telling(statements: Mapping[str, dict[str, Any]]) -> None:
        statements["Tell"]["Action"] = ["events:DescribeEventBus"]

    with hurried(stack, "UnpublishedQueueUrl"):
        with changed_role(stack.emulator, open_mode.deployment, "publish", forbid_telling):
            open_mode.connect(open_mode.browser(), "krustylu")
            assert eventually(lambda: waiting(stack, "UnpublishedQueueUrl"), bool) == 1
            assert names(stack, "krustylu") == []
        assert eventually(lambda: names(stack, "krustylu"), bool) == ["ConnectionEstablished"]
        assert eventually(lambda: waiting(stack, "UnpublishedQueueUrl"), lambda count: count == 0) == 0


def test_an_install_whose_time_is_over_is_told_when_its_row_goes(stack: LocalStack, open_mode: Scene) -> None:
    """The emulator removes no expired rows by itself, so it is removed by hand here, as DynamoDB would."""
    under_way = open_mode.start(open_mode.browser(), open_mode.start_url(subdomain="leftorium"))
    stack.emulator.client("dynamodb").delete_item(
        TableName=stack.deployments[OPEN].outputs["InstallsTableName"],
        Key={"install_id": {"S": under_way.install_id}},
    )
    [told] = eventually(lambda: stack.listener.heard("leftorium"), bool)
    assert (told.name, told.detail["reason"]) == ("InstallAbandoned", "over")
