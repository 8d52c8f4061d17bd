"""A deployment in which all is as it should be, and of which a test changes one thing."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, Self

from botocore.exceptions import ClientError

from deployed.stack import DeployedStack
from tests.cli.aws import OUTPUTS, PARAMETERS

TYPES: Mapping[str, tuple[str, ...]] = {
    "AWS::CloudWatch::Alarm": ("RescuedAlarm", "UnreadBatchesAlarm"),
    "AWS::DynamoDB::Table": ("ConnectionsTable", "InstallsTable"),
    "AWS::IAM::ManagedPolicy": ("WorkerPolicy",),
    "AWS::IAM::Role": ("RefreshRole",),
    "AWS::Lambda::EventSourceMapping": ("ConnectionChanges", "InstallChanges"),
    "AWS::Lambda::Function": ("RefreshFunction",),
    "AWS::SQS::Queue": ("RescueQueue",),
    "AWS::Scheduler::Schedule": ("KeepAliveSchedule",),
}
READ: Mapping[str, str] = {"ConnectionChanges": "ConnectionsTable", "InstallChanges": "InstallsTable"}
"""Whose stream is read by which mapping."""
PREFIX = "zendesk-oauth-prod-"


class Page:
    """A page that a browser is answered with."""

    def __init__(self, status_code: int, content: bytes = b"", **headers: str) -> None:
        self.status_code = status_code
        self.content = content
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def physical(name: str) -> str:
    """Return the physical id of a resource."""
    return f"{PREFIX}{name}"


def gone(code: str = "ResourceNotFoundException") -> ClientError:
    """Return what AWS says of something that is not there, or of anything else by another code."""
    return ClientError({"Error": {"Code": code, "Message": "-"}}, "Look")


def configuration(**changes: object) -> dict[str, Any]:
    """Return what Lambda says of a function, with some of it changed."""
    given = {
        "PUBLIC_BASE_URL": OUTPUTS["PublicBaseUrl"],
        "ZENDESK_CLIENT_ID": PARAMETERS["ZendeskClientId"],
    }
    return {
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "Environment": {"Variables": given},
        **changes,
    }


class Healthy:
    """Answers for every service, by operation and physical id; `answers` may be changed, or be an error."""

    def __init__(self) -> None:
        self.stack = DeployedStack(
            {**OUTPUTS, **{f"{name}Name": physical(name) for name in READ.values()}},
            PARAMETERS,
            "UPDATE_COMPLETE",
        )
        self.stack_name = "zendesk-oauth"
        self.resources = {kind: {name: physical(name) for name in names} for kind, names in TYPES.items()}
        self.examination: dict[str, Any] | Exception = {"secret": "ok", "client": "ok", "key": "ok"}
        self.start_page: Page | Exception = Page(200, Content_Security_Policy="default-src 'none'")
        self.consent_page: Page | Exception = Page(302)
        self.answers: dict[str, Any] = {
            "get_function_configuration": configuration(),
            "get_policy": {},
            "get_role": {},
            "list_role_policies": {"PolicyNames": ["refresh"]},
            "list_attached_role_policies": {"AttachedPolicies": []},
            "get_schedule": {"State": "ENABLED"},
            "describe_time_to_live": {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED"}},
            "describe_continuous_backups": {
                "ContinuousBackupsDescription": {
                    "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}
                }
            },
            "get_queue_attributes": {
                "Attributes": {
                    "ApproximateNumberOfMessages": "0",
                    "ApproximateNumberOfMessagesNotVisible": "0",
                }
            },
        }
        self.tables: dict[str, dict[str, Any]] = {
            physical(name): {
                "TableStatus": "ACTIVE",
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
                "LatestStreamArn": f"stream-of-{name}",
            }
            for name in TYPES["AWS::DynamoDB::Table"]
        }
        self.mappings: list[dict[str, Any]] = [
            {
                "UUID": physical(name),
                "EventSourceArn": f"stream-of-{table}",
                "State": "Enabled",
                "LastProcessingResult": "OK",
            }
            for name, table in READ.items()
        ]
        self.alarms: list[dict[str, Any]] = [
            {
                "AlarmName": physical(name),
                "ActionsEnabled": True,
                "AlarmActions": ["topic"],
                "StateValue": "OK",
            }
            for name in TYPES["AWS::CloudWatch::Alarm"]
        ]

    def client(self, service: str) -> Self:
        """Return this: it answers for all of them."""
        assert service
        return self

    def describe_table(self, TableName: str) -> dict[str, Any]:  # noqa: N803 - as AWS has it
        """Return a table."""
        return {"Table": self.tables[TableName]}

    def get_paginator(self, operation: str) -> "Pages":
        """Return the pages of a list."""
        return Pages(self._page(operation))

    def _page(self, operation: str) -> dict[str, Any]:
        if operation == "list_event_source_mappings":
            return {"EventSourceMappings": self.mappings}
        if operation == "describe_alarms":
            return {"MetricAlarms": [*self.alarms, {"AlarmName": f"{PREFIX}of-somebody-else"}]}
        return {
            "StackResourceSummaries": [
                {"ResourceType": kind, "LogicalResourceId": name, "PhysicalResourceId": made}
                for kind, named in self.resources.items()
                for name, made in named.items()
            ]
        }

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """Return what answers an operation that is not written out above."""
        return lambda **_: told(copy.deepcopy(self.answers[operation]))


class Pages:
    """One page, as a paginator gives it."""

    def __init__(self, page: dict[str, Any]) -> None:
        self._page = page

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        """Return it."""
        return [self._page]


def told(answer: Any) -> Any:
    """Return an answer, or raise it where it is an error."""
    if isinstance(answer, Exception):
        raise answer
    return answer
