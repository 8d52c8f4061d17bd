"""Follows the deployment's events, and keeps what is known of each customer's connection in a table.

Events come twice and out of order. Each names its place in the life of its connection, `order`, so that one conditional
write keeps the latest and drops the rest.
"""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

STATUSES = {
    "ConnectionEstablished": "active",
    "TokenRefreshed": "active",
    "ReconnectRequired": "reconnect_required",
    "Disconnected": "disconnected",
}
"""What an event says of its connection. ConnectionRestored and ScopesReduced come beside one of these, with its order,
and an install that was denied or has failed is no connection: those are for whoever acts on them."""

logger = Logger()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
table = boto3.resource("dynamodb").Table(os.environ["CUSTOMERS_TABLE"])


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Follow a batch; the messages that failed, and no others, go back into the queue."""
    return process_partial_response(event, record_handler=follow, processor=processor, context=context)


def follow(record: SQSRecord) -> None:
    """Keep what one event says, and leave a line that leads back to the browser's first request."""
    name, detail = record.json_body["detail-type"], record.json_body["detail"]
    status = STATUSES.get(name)
    kept = status is not None and keep(detail, status)
    logger.info(name, correlation_id=detail["install"], event_id=detail["id"], kept=kept)


def keep(detail: dict[str, Any], status: str) -> bool:
    """Keep what an event says; False where the table knows as much already, or more."""
    values = {
        "order": detail["order"],
        "status": status,
        "since": detail.get("since", detail["occurred_at"]),
        "reason": detail.get("reason"),
        "user_reference": detail["user_reference"],
    }
    try:
        table.update_item(
            Key={"connection": f"{detail['grant']}#{detail['subdomain']}"},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ConditionExpression="attribute_not_exists(#order) OR #order < :order",
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return False
    return True
