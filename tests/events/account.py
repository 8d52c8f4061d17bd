"""An account of moto's for `publish`: a bus with somebody who listens, and the queue of what could not be told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto import mock_aws

from zendesk_oauth.settings import VARIABLES

REGION = "us-east-1"
BUS = "zendesk-oauth-local"


class Context:
    """What Lambda tells a function of its call."""

    aws_request_id = "lambda-request-1"


@dataclass
class Account:
    """The addresses of both queues: of what is heard on the bus, and of what waits."""

    heard: str
    waiting: str

    def environ(self, **changes: str) -> dict[str, str]:
        """Return exactly the variables that the function declares."""
        variables = {
            "APPLICATION": "zendesk-oauth",
            "STAGE": "local",
            "EVENT_BUS": BUS,
            "UNPUBLISHED_QUEUE_URL": self.waiting,
            "PUBLIC_BASE_URL": "https://connect.example.com",
            "START_MODE": "open",
            "POWERTOOLS_LOG_LEVEL": "DEBUG",
            "POWERTOOLS_METRICS_NAMESPACE": "zendesk-oauth/tests",
            "POWERTOOLS_SERVICE_NAME": "publish",
        }
        assert variables.keys() == VARIABLES["publish"]
        return variables | changes

    def told(self) -> list[dict[str, Any]]:
        """Return what came over the bus since the last look."""
        return [json.loads(body) for body in self._bodies(self.heard)]

    def kept(self) -> list[dict[str, Any]]:
        """Return what has come to wait since the last look."""
        return [json.loads(body) for body in self._bodies(self.waiting)]

    def _bodies(self, url: str) -> list[str]:
        sqs = boto3.client("sqs", region_name=REGION)
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]


@contextmanager
def running_account() -> Iterator[Account]:
    """Give it while the block runs."""
    with mock_aws():
        sqs, events = boto3.client("sqs", region_name=REGION), boto3.client("events", region_name=REGION)
        heard, waiting = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("heard", "waiting"))
        arn = sqs.get_queue_attributes(QueueUrl=heard, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.create_event_bus(Name=BUS)
        events.put_rule(Name="all", EventBusName=BUS, EventPattern='{"source": ["zendesk-oauth"]}')
        events.put_targets(Rule="all", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])
        yield Account(heard, waiting)
