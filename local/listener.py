"""Somebody in the emulated account who listens to a deployment's bus, as the company's own systems would.

The rule: a rule of EventBridge and a queue of SQS, like anybody's; it forgets nothing that it has heard.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from local.deployment import Deployment
from local.ministack import Emulator

_TOGETHER = 10
"""What SQS gives at once."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An event as it came: its name, what it says, and its envelope's source."""

    name: str
    detail: Mapping[str, Any]
    source: str


@dataclass(slots=True)
class Listener:
    """A queue behind a rule for everything."""

    sqs: Any
    url: str
    _heard: list[Heard] = field(default_factory=list)

    @classmethod
    def of(cls, emulator: Emulator, deployment: Deployment) -> Self:
        """Begin to listen to the deployment's bus."""
        sqs, events = emulator.client("sqs"), emulator.client("events")
        name, bus = f"{deployment.order.application}-listener", deployment.outputs["EventBusName"]
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["zendesk-oauth"]}))
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        return cls(sqs, url)

    def heard(self, subdomain: str | None = None) -> list[Heard]:
        """Return what was heard so far, of one account or of all, in the order of arrival."""
        while self._take():
            pass
        return [event for event in self._heard if subdomain in {None, event.detail["subdomain"]}]

    def _take(self) -> bool:
        """Take what is there; tell whether there was anything."""
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=_TOGETHER)
        messages = answer.get("Messages", [])
        for message in messages:
            told = json.loads(message["Body"])
            self._heard.append(Heard(told["detail-type"], told["detail"], told["source"]))
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bool(messages)
