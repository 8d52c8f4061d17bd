"""A worker to copy: for each message of its queue it adds an internal note to a ticket of that customer.

A message is `{"subdomain": "acme", "ticket_id": 1}`. What may work later goes back into the queue, what only a person
can mend is told and let go, and what nobody foresaw ends in the dead-letter queue.
"""

import math
import os
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import boto3
import requests
from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from zendesk_oauth import Connections, MissingScopeError, ReconnectRequiredError, retry_after

SCOPES = ("tickets:read", "tickets:write")
TOKEN_WAIT = timedelta(seconds=20)
"""How long a message waits for a refresh; a longer one goes on all the same, and the next try finds its token."""
TIMEOUT = (3, 10)
"""Seconds to connect to Zendesk, and for each piece of its answer."""
FIRST_WAIT = timedelta(seconds=30)
BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
OVER = {HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}
"""The ticket is gone, or closed: there is nothing left to do."""

logger = Logger()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
connections = Connections.from_environ(wait=TOKEN_WAIT)  # once for a container: it keeps the tokens


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Work on a batch; the messages that failed, and no others, go back into the queue."""
    return process_partial_response(event, record_handler=take, processor=processor, context=context)


def take(record: SQSRecord) -> None:
    """Work on one message; what is raised puts it back, hidden for as long as a next try makes no sense."""
    with logger.append_context_keys(message_id=record.message_id):
        try:
            work(record)
        except Exception as error:
            logger.warning("will be tried again", exc_info=True)
            hide(record, error)
            raise


def work(record: SQSRecord) -> None:
    """Do what the message asks for, or tell why that will never be."""
    subdomain, ticket_id = record.json_body["subdomain"], int(record.json_body["ticket_id"])
    try:
        add_note(subdomain, ticket_id, f"[{record.message_id}]")
    except ReconnectRequiredError as error:
        tell_person(subdomain, error.reason, error.reconnect_url)
    except MissingScopeError as error:
        tell_person(subdomain, error.code, " ".join(error.scopes))
    except requests.HTTPError as error:
        if error.response.status_code == HTTPStatus.FORBIDDEN:
            tell_person(subdomain, "forbidden", "who connected the account may not change this ticket")
        elif error.response.status_code in OVER:
            logger.info("nothing left to do", status=error.response.status_code)
        else:
            raise


def add_note(subdomain: str, ticket_id: int, mark: str) -> None:
    """Add the note unless it is there: its mark says for which message, since a queue may bring one twice."""
    ticket_url = f"{connections.account_url(subdomain)}/api/v2/tickets/{ticket_id}"
    with requests.Session() as session:
        session.auth = connections.auth(subdomain, scopes=SCOPES)
        ticket = ask(session, "GET", f"{ticket_url}.json")["ticket"]
        newest_first = {"sort": "-created_at", "page[size]": "100"}
        comments = ask(session, "GET", f"{ticket_url}/comments.json", params=newest_first)["comments"]
        if any(mark in comment["body"] for comment in comments):
            return
        note = {"body": f"Our worker has seen “{ticket['subject']}”. {mark}", "public": False}
        # Two that work on the same message at once have the same stamp: the later is refused with a 409.
        safely = {"safe_update": True, "updated_stamp": ticket["updated_at"]}
        ask(session, "PUT", f"{ticket_url}.json", json={"ticket": {"comment": note, **safely}})


def ask(session: requests.Session, method: str, url: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
    """Return Zendesk's answer. Raises HTTPError; a 401 was tried again by then, if there is a newer token."""
    response = session.request(method, url, timeout=TIMEOUT, **options)
    response.raise_for_status()
    return response.json()


def hide(record: SQSRecord, error: Exception) -> None:
    """Keep the message from coming back before a next try makes sense."""
    wait = wait_after(error, int(record.attributes.approximate_receive_count or 1))
    boto3.client("sqs").change_message_visibility(
        QueueUrl=os.environ["QUEUE_URL"],
        ReceiptHandle=record.receipt_handle,
        VisibilityTimeout=math.ceil(wait.total_seconds()),
    )


def wait_after(error: Exception, tries: int) -> timedelta:
    """Return what Zendesk or the refresh asks for, or else more with each try: 30 s up to 16 min."""
    if isinstance(error, requests.HTTPError) and error.response.status_code in BUSY:
        return retry_after(error.response)
    asked: timedelta | None = getattr(error, "retry_after", None)
    return asked or FIRST_WAIT * 2 ** min(tries - 1, 5)


def tell_person(subdomain: str, reason: str, detail: str | None) -> None:
    """Count and log what no repetition mends; an alarm on the metric can ring."""
    logger.warning("needs a person", subdomain=subdomain, reason=reason, detail=detail)
    with single_metric(name="NeedsPerson", unit=MetricUnit.Count, value=1):
        pass
