"""The operator's command against the deployed stack, typed by a user who holds OperatorPolicy and nothing else."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import pytest

from cli.checkup.checks import CHECKS
from cli.exits import Exit
from local.caller import Caller
from local.demo.later import let_pass_until
from local.demo.scene import Scene, handle_of
from local.desk import OperatorDesk
from local.stack import CONFIRMED, LocalStack


def said(desk: OperatorDesk, *words: str) -> tuple[int, Any]:
    """Type a command, and return its exit code and its JSON."""
    typed = desk.type(*words, "--json")
    assert typed.said.strip() == ""
    return typed.code, json.loads(typed.output)


def test_a_connection_is_looked_after(stack: LocalStack, open_mode: Scene) -> None:
    """Listed, shown, probed, refreshed once it is due, disconnected and followed; what has ended is told as that."""
    desk, rows = stack.desk, open_mode.rows
    open_mode.connect(open_mode.browser(), "operated")
    code, listed = said(desk, "list", "--all")
    assert (code, len(listed)) == (Exit.DONE, len(rows.connections()))
    assert [each["status"] for each in listed if each["subdomain"] == "operated"] == ["active"]
    assert said(desk, "show", "operated")[1]["generation"] == 1
    code, probed = said(desk, "probe", "operated")
    assert (code, probed["outcome"], probed["role"]) == (Exit.DONE, "alive", "admin")
    let_pass_until(open_mode, "refresh_at", "operated")
    code, refreshed = said(desk, "refresh", "operated")
    assert (code, refreshed["outcome"], refreshed["generation"]) == (Exit.DONE, "refreshed", 2)
    assert desk.type("refresh", "operated").code == Exit.DONE
    assert open_mode.refreshes("operated") == 1
    code, ended = said(desk, "disconnect", "operated", "--yes", "--wait")
    assert (code, ended["status"], ended["revocation"]) == (Exit.DONE, "disconnected", "revoked")
    assert open_mode.living_tokens("operated") == 0
    assert said(desk, "probe", "operated")[0] == Exit.AMISS
    assert desk.type("probe", "never-connected").code == Exit.NOT_CONNECTED


def test_an_operator_cannot_invite(stack: LocalStack, desk: OperatorDesk) -> None:
    """That is the backend's, and its policy is another."""
    typed = desk.type("invite", "ann")
    assert (typed.code, typed.output) == (Exit.NO_ACCESS, "")
    assert "docs/cli.md" in typed.said
    assert "/oauth/start" in stack.desk.type("invite", "ann").output


@pytest.fixture(scope="module")
def desk(stack: LocalStack) -> OperatorDesk:
    """Return the desk of the other deployment, whose queues no other test fills."""
    deployment = stack.deployments[CONFIRMED]
    operator = Caller.of(stack.emulator, deployment, "OperatorPolicyArn")
    return OperatorDesk.of(stack.emulator, deployment, operator)


@contextmanager
def as_backend_too(stack: LocalStack) -> Iterator[None]:
    """Give the operator the backend's policy beside their own."""
    iam, deployment = stack.emulator.client("iam"), stack.deployments[CONFIRMED]
    both = {
        "UserName": f"{deployment.order.application}-OperatorPolicyArn",
        "PolicyArn": deployment.outputs["BackendPolicyArn"],
    }
    iam.attach_user_policy(**both)
    try:
        yield
    finally:
        iam.detach_user_policy(**both)


def test_an_operator_with_the_backends_policy_invites(
    stack: LocalStack, desk: OperatorDesk, confirmed_mode: Scene
) -> None:
    """The address that is shown begins an install, once; what becomes of it the command shows by the same id."""
    with as_backend_too(stack):
        typed = desk.type("invite", "ann", "--subdomain", "invited", "--json")
    assert (typed.code, "ends in" in typed.said) == (Exit.DONE, True)
    invited = json.loads(typed.output)
    browser = confirmed_mode.browser()
    under_way = confirmed_mode.start(browser, invited["start_url"])
    assert under_way.install_id == invited["install"]
    assert browser.get(invited["start_url"]).status == HTTPStatus.GONE
    handle = handle_of(browser.get(confirmed_mode.allow(under_way)).location)
    assert confirmed_mode.confirm(handle, "ann") == HTTPStatus.OK
    shown = said(desk, "show", "invited")[1]
    assert (shown["install_id"], shown["user_reference"]) == (invited["install"], "ann")


def red(desk: OperatorDesk) -> dict[str, str]:
    """Return the lines of the checkup that are red, with what to do; the exit code says whether there are any."""
    code, found = said(desk, "doctor")
    assert [each["check"] for each in found] == list(CHECKS)
    lines = {each["check"]: each["mend"] for each in found if not each["ok"]}
    assert code == (Exit.AMISS if lines else Exit.DONE)
    return lines


def test_all_is_well(desk: OperatorDesk) -> None:
    """As it was deployed, everything is in place."""
    assert red(desk) == {}


@contextmanager
def wrong_secret(stack: LocalStack) -> Iterator[None]:
    """Put another secret where the client's should be."""
    secrets = stack.emulator.client("secretsmanager")
    name = stack.deployments[CONFIRMED].order.client_secret_arn
    secrets.put_secret_value(SecretId=name, SecretString="of-another-client")
    try:
        yield
    finally:
        secrets.put_secret_value(SecretId=name, SecretString=stack.zendesk.settings.client_secret)


@contextmanager
def wrong_redirect(stack: LocalStack) -> Iterator[None]:
    """Let Zendesk know the client by another address."""
    client = stack.zendesk.client
    client.accept_redirect_uris("https://elsewhere.example.com/oauth/callback")
    try:
        yield
    finally:
        client.accept_redirect_uris(*stack.zendesk.settings.redirect_uris)


@contextmanager
def other_address(stack: LocalStack) -> Iterator[None]:
    """Have installs begin with an address that the stack has not."""
    functions, name = stack.emulator.client("lambda"), stack.deployments[CONFIRMED].function_name("start")
    before = functions.get_function_configuration(FunctionName=name)["Environment"]
    after = {"Variables": before["Variables"] | {"PUBLIC_BASE_URL": "https://old.example.com"}}
    functions.update_function_configuration(FunctionName=name, Environment=after)
    try:
        yield
    finally:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": before["Variables"]}
        )


@contextmanager
def no_permissions(stack: LocalStack) -> Iterator[None]:
    """Take from a schedule's role what it may do."""
    iam, role = stack.emulator.client("iam"), {"RoleName": made(stack)["RevokeScheduleRole"]}
    [name] = iam.list_role_policies(**role)["PolicyNames"]
    document = json.dumps(iam.get_role_policy(**role, PolicyName=name)["PolicyDocument"])
    iam.delete_role_policy(**role, PolicyName=name)
    try:
        yield
    finally:
        iam.put_role_policy(**role, PolicyName=name, PolicyDocument=document)


@contextmanager
def no_policy(stack: LocalStack) -> Iterator[None]:
    """Delete a policy that whoever restores a table would hold."""
    iam, arn = stack.emulator.client("iam"), made(stack)["RestorePolicy"]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    iam.delete_policy(PolicyArn=arn)
    try:
        yield
    finally:
        iam.create_policy(PolicyName=arn.rpartition("/")[2], PolicyDocument=json.dumps(document))


@contextmanager
def schedule_off(stack: LocalStack) -> Iterator[None]:
    """Switch off what keeps unused connections alive."""
    scheduler, name = stack.emulator.client("scheduler"), made(stack)["KeepAliveSchedule"]
    found = scheduler.get_schedule(Name=name)
    kept = {key: found[key] for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**kept, State="DISABLED")
    try:
        yield
    finally:
        scheduler.update_schedule(**kept, State=found["State"])


@contextmanager
def no_reader(stack: LocalStack) -> Iterator[None]:
    """Switch off what reads the stream of connections."""
    functions, uuid = stack.emulator.client("lambda"), made(stack)["ConnectionChanges"]
    functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=uuid, Enabled=True)


@contextmanager
def waiting_message(stack: LocalStack) -> Iterator[None]:
    """Leave something in a dead-letter queue."""
    sqs = stack.emulator.client("sqs")
    url = stack.deployments[CONFIRMED].outputs["RescueDeadLetterQueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    try:
        yield
    finally:
        sqs.purge_queue(QueueUrl=url)


def made(stack: LocalStack) -> Mapping[str, str]:
    """Return what the stack has made, by logical id."""
    pages = stack.emulator.client("cloudformation").get_paginator("list_stack_resources")
    found = pages.paginate(StackName=stack.deployments[CONFIRMED].order.stack_name)
    resources = [resource for page in found for resource in page["StackResourceSummaries"]]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}


@pytest.mark.parametrize(
    ("fault", "check", "mend"),
    [
        (wrong_secret, "client at Zendesk", "put the client's secret"),
        (wrong_redirect, "redirect address", "/oauth/callback, byte for byte"),
        (other_address, "redirect address", "start has another PUBLIC_BASE_URL than the stack"),
        (no_permissions, "roles", "RevokeScheduleRole has lost its permissions"),
        (no_policy, "policies", "RestorePolicy is gone"),
        (schedule_off, "schedules", "KeepAliveSchedule is DISABLED"),
        (no_reader, "streams", "aws lambda update-event-source-mapping --enabled --uuid "),
        (
            waiting_message,
            "queues are empty",
            "RescueDeadLetterQueue has 1: docs/operations.md#rescue-dead-letters",
        ),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_a_fault_turns_its_line_red(
    stack: LocalStack, desk: OperatorDesk, fault: Callable[[LocalStack], Any], check: str, mend: str
) -> None:
    """That line alone, with what to do; once it is mended, all is well again."""
    with fault(stack):
        lines = red(desk)
    assert list(lines) == [check]
    assert mend in lines[check]
    assert red(desk) == {}


def test_a_missing_stream_is_found(stack: LocalStack, desk: OperatorDesk) -> None:
    """And a stream that was turned on again is another one, which nobody reads. The last test: this one stays."""
    dynamodb, table = stack.emulator.client("dynamodb"), made(stack)["InstallsTable"]
    dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    [(check, mend)] = red(desk).items()
    assert (check, "InstallsTable has no stream of whole rows" in mend) == ("streams", True)
    dynamodb.update_table(
        TableName=table,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    [(check, mend)] = red(desk).items()
    assert (check, "another stream than the one that is read" in mend) == ("streams", True)
