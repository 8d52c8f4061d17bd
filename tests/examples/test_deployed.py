"""The example as the local stack deploys it beside the open deployment, in the emulator with roles enforced."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import pytest
import requests
from rich.console import Console

from local.demo.scene import Scene, eventually
from local.demo.teller import Teller
from local.stack import CONFIRMED, OPEN, LocalStack
from local.worker_stack import parameters
from local.zendesk.lifetimes import Lifetimes
from tests.examples.building import template
from tests.examples.readme import webhook


@pytest.fixture
def open_mode(stack: LocalStack) -> Scene:
    """Return the deployment that the worker leans on."""
    return Scene(stack, Teller(Console(file=io.StringIO(), width=200)), OPEN)


def send(stack: LocalStack, *bodies: object) -> None:
    """Send messages as the README does."""
    entries = [
        {"Id": str(number), "MessageBody": body if isinstance(body, str) else json.dumps(body)}
        for number, body in enumerate(bodies)
    ]
    url = stack.worker_stack.outputs["QueueUrl"]
    answer = stack.emulator.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    assert len(answer["Successful"]) == len(bodies)


def drained(stack: LocalStack, output: str = "QueueUrl") -> bool:
    """Wait until a queue is empty, and tell whether it is."""
    return eventually(lambda: stack.worker_stack.left(output), lambda count: count == 0) == 0


def notes(stack: LocalStack, subdomain: str, number: int) -> list[str]:
    """Return the internal notes of a ticket."""
    comments = stack.zendesk.accounts.get(subdomain).comments[number]
    return [str(comment["body"]) for comment in comments if not comment["public"]]


def statuses(stack: LocalStack, path: str) -> list[int | None]:
    """Return what Zendesk's API answered to the calls of a path."""
    return [call.status for call in stack.zendesk.seen.api_calls if path in call.path]


@contextmanager
def changed_role(
    stack: LocalStack, function: str, change: Callable[[dict[str, Any]], None]
) -> Iterator[None]:
    """Change the policy of a function of the example while the block runs."""
    iam, functions = stack.emulator.client("iam"), stack.emulator.client("lambda")
    [name] = [
        one["FunctionName"]
        for one in functions.list_functions()["Functions"]
        if one["FunctionName"].startswith(f"zendesk-oauth-open-worker-{function}")
    ]
    role = functions.get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    before = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    after = json.loads(json.dumps(before))
    change({statement["Sid"]: statement for statement in after["Statement"]})
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(after))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(before))


def test_the_parameters_are_those_of_the_readme(stack: LocalStack) -> None:
    """At another application and stage every name changes in its first two parts, and in nothing else."""
    defaults = {name: one["Default"] for name, one in template()["Parameters"].items()}
    prefix = f"/{defaults['Application']}/{defaults['Stage']}/"
    given = parameters(stack.deployments[OPEN])
    own = f"/{given['Application']}/{given['Stage']}/"
    names = {name for name, value in defaults.items() if str(value).startswith("/")}
    assert {name: given[name].replace(own, prefix) for name in names} == {
        name: defaults[name] for name in names
    }
    assert given.keys() <= defaults.keys()


def test_who_connects_is_greeted(stack: LocalStack, open_mode: Scene) -> None:
    """From the callback over the table's stream, publish, the bus, a rule and the queue to a note at Zendesk."""
    open_mode.connect(open_mode.browser(), "bluth")
    assert notes(stack, "bluth", 1) == []
    [note] = notes(stack, "bluth", 2)
    assert "is connected to this account" in note
    assert drained(stack)
    open_mode.connect(open_mode.browser(), "bluth")
    assert len(notes(stack, "bluth", 2)) == 2


def test_another_grant_and_another_deployment_are_not_the_workers(
    stack: LocalStack, open_mode: Scene
) -> None:
    """It is not woken for an install that it could get no token for."""
    browser = open_mode.browser()
    start_url = open_mode.start_url(subdomain="gobias", grant="reporting")
    browser.get(open_mode.allow(open_mode.start(browser, start_url)))
    heard = eventually(lambda: stack.worker_stack.known_of("gobias", "reporting"), bool)
    assert heard["status"] == "active"
    assert drained(stack)
    assert open_mode.notes("gobias") == []
    assert (
        stack.deployments[CONFIRMED].outputs["EventBusName"]
        != stack.deployments[OPEN].outputs["EventBusName"]
    )


def test_a_new_ticket_at_zendesk_becomes_a_note(stack: LocalStack, open_mode: Scene) -> None:
    """Wired over Zendesk's API as the README does: webhook, signature, receiver, bus, rule, queue, worker, note."""
    open_mode.connect(open_mode.browser(), "veridian")
    stack.worker_stack.trust("veridian", wired(stack, "veridian"))
    renew_receiver(stack)
    ticket = stack.zendesk.add_ticket("veridian", "It sings", "The elevator sings.")
    stack.zendesk.webhooks.settle()
    invocation = stack.zendesk.webhooks.invocations[-1]
    assert invocation.statuses == [HTTPStatus.NO_CONTENT]
    number = int(str(ticket["id"]))
    [note] = eventually(lambda: notes(stack, "veridian", number), bool)
    assert "It sings" in note
    assert stack.zendesk.webhooks.send(invocation) == HTTPStatus.NO_CONTENT
    assert drained(stack)
    assert notes(stack, "veridian", number) == [note]


def wired(stack: LocalStack, subdomain: str) -> str:
    """Make a webhook by the README's two calls, with an admin's token, and return its signing secret."""
    zendesk = stack.zendesk
    account = zendesk.accounts.get(subdomain)
    scopes = "webhooks:read webhooks:write"
    pair = zendesk.tokens.issue(account, account.people["admin"], scopes, Lifetimes(None, None))
    headers = {"Authorization": f"Bearer {pair.access_token}"}
    body = webhook(stack.worker_stack.receiver_address(""), subdomain)
    url = f"{zendesk.url(subdomain)}/api/v2/webhooks"
    made = requests.post(url, json=body, headers=headers, timeout=30)
    assert made.status_code == HTTPStatus.CREATED
    shown = requests.get(f"{url}/{made.json()['webhook']['id']}/signing_secret", headers=headers, timeout=30)
    return str(shown.json()["signing_secret"]["secret"])


def renew_receiver(stack: LocalStack) -> None:
    """Have the receiver begin in a new container: an old one knows a new account only after five minutes."""
    functions = stack.emulator.client("lambda")
    [name] = [
        one["FunctionName"]
        for one in functions.list_functions()["Functions"]
        if "-Receiver-" in one["FunctionName"]
    ]
    memory = functions.get_function_configuration(FunctionName=name)["MemorySize"]
    functions.update_function_configuration(FunctionName=name, MemorySize=memory)


def test_a_webhook_with_another_secret_is_refused(stack: LocalStack, open_mode: Scene) -> None:
    """At the function's own address: 401 and not a word, and the bus hears nothing."""
    hook = stack.zendesk.add_webhook("sitwell", stack.worker_stack.receiver_address("sitwell"))
    stack.worker_stack.trust("sitwell", "another")
    stack.zendesk.add_ticket("sitwell", "Wigs", "Mine is gone.")
    stack.zendesk.webhooks.settle()
    [invocation] = [one for one in stack.zendesk.webhooks.invocations if one.webhook is hook]
    assert invocation.statuses == [HTTPStatus.UNAUTHORIZED]
    answer = requests.get(stack.worker_stack.receiver_address("sitwell"), timeout=30)
    assert (answer.status_code, answer.content) == (HTTPStatus.METHOD_NOT_ALLOWED, b"")
    assert open_mode.notes("sitwell") == []


def test_zendesk_is_told_to_come_again_while_the_bus_is_away(stack: LocalStack, open_mode: Scene) -> None:
    """Without its permission the receiver answers 503; with it, the same event is taken, and noted."""

    def forbid_telling(statements: dict[str, Any]) -> None:
        statements["TellItsOwnBus"]["Action"] = "events:DescribeEventBus"

    open_mode.connect(open_mode.browser(), "stinkhorn")
    hook = stack.zendesk.add_webhook("stinkhorn", stack.worker_stack.receiver_address("stinkhorn"))
    stack.worker_stack.trust("stinkhorn", hook.signing_secret)
    renew_receiver(stack)
    with changed_role(stack, "Receiver", forbid_telling):
        ticket = stack.zendesk.add_ticket("stinkhorn", "Late", "The blueprints are late.")
        stack.zendesk.webhooks.settle()
    [invocation] = [one for one in stack.zendesk.webhooks.invocations if one.webhook is hook]
    assert invocation.statuses == [HTTPStatus.SERVICE_UNAVAILABLE]
    assert stack.zendesk.webhooks.send(invocation) == HTTPStatus.NO_CONTENT
    assert len(eventually(lambda: notes(stack, "stinkhorn", int(str(ticket["id"]))), bool)) == 1


def test_r10_of_ten_messages_nine_are_done_and_one_is_a_dead_letter(
    stack: LocalStack, open_mode: Scene
) -> None:
    """One poisoned message in ten: nine notes, and after eight tries the tenth waits where somebody can look at it."""
    open_mode.connect(open_mode.browser(), "balboa")
    before = stack.worker_stack.left("DeadLetterQueueUrl")
    account = stack.zendesk.accounts.get("balboa")
    # Of their own: two messages at one ticket may meet, and the later then waits for half a minute.
    tickets = [int(str(account.add_ticket(f"Order {number}", "Late.")["id"])) for number in range(9)]
    good = [{"subdomain": "balboa", "ticket_id": ticket, "event_id": f"event-{ticket}"} for ticket in tickets]
    send(stack, *good[:4], "poison", *good[4:])
    assert eventually(lambda: [len(notes(stack, "balboa", ticket)) for ticket in tickets], all) == [1] * 9
    assert drained(stack)
    url = stack.worker_stack.outputs["DeadLetterQueueUrl"]
    sqs = stack.emulator.client("sqs")
    assert stack.worker_stack.left("DeadLetterQueueUrl") == before + 1
    [message] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert message["Body"] == "poison"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_a_limit_of_zendesk_delays_a_message_and_loses_none(stack: LocalStack, open_mode: Scene) -> None:
    """After a 429 of one second the message comes back by itself, long before the queue's half hour: one note."""
    open_mode.connect(open_mode.browser(), "vandeley")
    stack.zendesk.misbehave("too_many_requests", endpoint="tickets", subdomain="vandeley", retry_after=1)
    send(stack, {"subdomain": "vandeley", "ticket_id": 1})
    assert len(eventually(lambda: notes(stack, "vandeley", 1), bool)) == 1
    assert statuses(stack, "/vandeley/api/v2/tickets/1") == [429, 200, 200, 200]


def test_a_message_for_nobody_is_let_go(stack: LocalStack) -> None:
    """A customer who never connected: nothing is called at Zendesk, and the message is gone from both queues."""
    before = stack.worker_stack.left("DeadLetterQueueUrl")
    send(stack, {"subdomain": "nobody", "ticket_id": 1})
    assert drained(stack)
    assert stack.worker_stack.left("DeadLetterQueueUrl") == before
    assert statuses(stack, "/nobody/") == []


def test_what_is_remembered_tells_nothing(stack: LocalStack, open_mode: Scene) -> None:
    """The deployed table holds no token and no text of a ticket, of all that this run has done."""
    open_mode.connect(open_mode.browser(), "oscar")
    dynamodb = stack.emulator.client("dynamodb")
    rows = dynamodb.scan(TableName=stack.worker_stack.outputs["DoneTableName"])["Items"]
    assert rows
    names = {"id", "status", "data", "expiration", "in_progress_expiration"}
    assert all(row.keys() <= names for row in rows)
    private = [*(pair.access_token for pair in stack.zendesk.tokens.all()), "oscar", "parcel", "colour"]
    assert [text for text in private if text in repr(rows)] == []


def test_the_follower_knows_what_becomes_of_a_customer(stack: LocalStack, open_mode: Scene) -> None:
    """Connected, then disconnected by an operator: the table says so, with the order of the last event."""
    open_mode.connect(open_mode.browser(), "tobias")
    first = eventually(lambda: stack.worker_stack.known_of("tobias"), bool)
    assert first["status"] == "active"
    stack.operator.send("DELETE", "/connections/default/tobias")
    last = eventually(
        lambda: stack.worker_stack.known_of("tobias"), lambda known: known["status"] == "disconnected"
    )
    assert (last["status"], last["order"] > first["order"]) == ("disconnected", True)
    assert stack.worker_stack.left("FollowerDeadLetterQueueUrl") == 0
    assert stack.worker_stack.left("UndeliveredQueueUrl") == 0
