"""Messages as SQS hands them over, events as their buses send them, and what was logged about them."""

import json
from types import SimpleNamespace
from typing import Any

from tests.events.schemas import validator
from tests.examples.building import REGION

CONTEXT = SimpleNamespace(
    function_name="example",
    memory_limit_in_mb=1024,
    aws_request_id="request",
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:example",
    get_remaining_time_in_millis=lambda: 300_000,
)
CREATED = "zen:event-type:ticket.created"
INSTALL = "AAAAAAAAAAAAAAAAAAAAAA"


def record(body: object, number: int = 1, receives: int = 1) -> dict[str, Any]:
    """Return a message as SQS hands it over."""
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"handle-{number}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
        "awsRegion": REGION,
    }


def told(source: str, name: str, detail: dict[str, object]) -> dict[str, object]:
    """Return an event as EventBridge delivers it."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "source": source,
        "detail-type": name,
        "account": "123456789012",
        "time": "2026-11-26T15:00:01Z",
        "region": REGION,
        "resources": [],
        "detail": detail,
    }


def connected(subdomain: str = "acme", **changes: Any) -> dict[str, object]:
    """Return a ConnectionEstablished, as its schema has it."""
    detail: dict[str, Any] = {
        "schema": 1,
        "id": "7b0c6f0d1f7c2f6f0c9b8f3f6f1b2a3c",
        "occurred_at": "2026-11-26T15:00:00Z",
        "application": "zendesk-oauth",
        "stage": "prod",
        "grant": "default",
        "subdomain": subdomain,
        "user_reference": None,
        "install": INSTALL,
        "epoch": 1,
        "generation": 1,
        "order": "0000000001.0000000001.0",
        "first": True,
        "scopes": ["tickets:read", "tickets:write", "users:read"],
        "missing_scopes": [],
        **changes,
    }
    validator("ConnectionEstablished").validate(detail)
    return told("zendesk-oauth", "ConnectionEstablished", detail)


def created(ticket_id: int = 1, subdomain: str = "acme", event_id: str = "01H4D9V2") -> dict[str, object]:
    """Return what the receiver tells of a new ticket."""
    detail: dict[str, object] = {
        "subdomain": subdomain,
        "ticket_id": ticket_id,
        "type": CREATED,
        "event_id": event_id,
        "occurred_at": "2026-11-26T15:00:00Z",
    }
    return told("zendesk.ticket", "ticket.created", detail)


def failures(answer: Any) -> list[str]:
    """Return the messages of a batch that go back into the queue."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def lines(written: str) -> list[dict[str, Any]]:
    """Return what was logged, line by line."""
    return [json.loads(line) for line in written.splitlines()]
