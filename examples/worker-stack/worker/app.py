"""A worker to copy: for each message of its queue it adds an internal note to a customer's ticket, once."""

import json
import math
import os
from datetime import timedelta
from typing import Any, NamedTuple

import boto3
import requests
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities import idempotency
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from zendesk_oauth import Connections, MissingScopeError, ReconnectRequiredError, retry_after

SCOPES = ("tickets:read", "tickets:write")
TOKEN_WAIT = timedelta(seconds=20)  # for a refresh; a longer one goes on, and the next try finds its token
TIMEOUT = (3, 10)  # seconds to connect to Zendesk, and for each piece of its answer
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=11)  # SQS hides for twelve hours at most
OVER = {403: "needs a person", 404: "nothing left to do", 422: "nothing left to do"}  # the last: it is closed

logger = Logger()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
connections = Connections.from_environ(wait=TOKEN_WAIT)  # once for a container: it keeps the tokens
done = idempotency.DynamoDBPersistenceLayer(os.environ["DONE_TABLE"])
memory = idempotency.IdempotencyConfig(expires_after_seconds=14 * 86_400, hash_function="sha256")
once = idempotency.idempotent_function(data_keyword_argument="key", persistence_store=done, config=memory)


class Task(NamedTuple):
    """What a message asks for: a note on this ticket or, where it names none, on the newest there was then."""

    subdomain: str
    tickets: str
    ticket_id: int | None
    occurred_at: str
    event_id: str


def handler(event: dict[str, Any], context: LambdaContext) -> object:
    """Work on a batch; the messages that failed, and no others, go back into the queue."""
    memory.register_lambda_context(context)
    return process_partial_response(event, record_handler=take, processor=processor, context=context)


def take(record: SQSRecord) -> None:
    """Work on one message; what is raised puts it back, hidden for as long as a next try makes no sense."""
    logger.append_keys(message_id=record.message_id, correlation_id=record.message_id, subdomain=None)
    task = None
    try:
        task = task_of(record)
        add_note(task, key=f"{task.subdomain}/{task.event_id}")  # no account's ids stand in another's way
    except (ReconnectRequiredError, MissingScopeError) as error:
        logger.warning("needs a person", error=error.code, **vars(error))
    except Exception as error:
        status = error.response.status_code if isinstance(error, requests.HTTPError) else 0
        if status not in OVER:
            logger.warning("will be tried again", exc_info=True)
            hide(record, wait_after(error) if task else timedelta())  # what nobody understands need not wait
            raise
        logger.warning(OVER[status], error=status)


def task_of(record: SQSRecord) -> Task:
    """Tell the messages apart: our bus's ConnectionEstablished, an event of a ticket, two fields by themselves."""
    body = record.json_body
    detail = body.get("detail", body)
    event_id = detail.get("event_id") or detail.get("id") or record.message_id
    logger.append_keys(correlation_id=detail.get("install", event_id), subdomain=detail["subdomain"])
    ticket_id = None if body.get("detail-type") == "ConnectionEstablished" else int(detail["ticket_id"])
    tickets = f"{connections.account_url(detail['subdomain'])}/api/v2/tickets"
    return Task(detail["subdomain"], tickets, ticket_id, detail.get("occurred_at", ""), event_id)


@once  # type: ignore[untyped-decorator] # it has no types
def add_note(task: Task, *, key: str) -> None:
    """Add the note unless it is there: its mark serves should we die between the note and our record of it."""
    with requests.Session() as session:
        session.auth = connections.auth(task.subdomain, scopes=SCOPES)
        session.headers.update(json.loads(os.environ["MARKETPLACE_HEADERS"]))
        if task.ticket_id:
            found = [ask(session, "GET", f"{task.tickets}/{task.ticket_id}.json")["ticket"]]
        else:
            page = ask(session, "GET", f"{task.tickets}.json", params={"sort": "-id", "page[size]": "100"})
            found = [one for one in page["tickets"] if one["created_at"] <= task.occurred_at][:1]
        for ticket in found:
            url, newest = f"{task.tickets}/{ticket['id']}", {"sort": "-created_at", "page[size]": "100"}
            comments = ask(session, "GET", f"{url}/comments.json", params=newest)["comments"]
            if not any(f"[{key}]" in comment["body"] for comment in comments):
                text = f"has seen “{ticket['subject']}”" if task.ticket_id else "is connected to this account"
                note = {"body": f"Our worker {text}. [{key}]", "public": False}
                # Two at work on the same at once have the same stamp: the later is refused with a 409.
                change = {"comment": note, "safe_update": True, "updated_stamp": ticket["updated_at"]}
                ask(session, "PUT", f"{url}.json", json={"ticket": change})


def ask(session: requests.Session, method: str, url: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
    """Return Zendesk's answer. Raises HTTPError; a 401 was tried again by then, if there is a newer token."""
    response = session.request(method, url, timeout=TIMEOUT, **options)
    response.raise_for_status()
    return response.json()


def hide(record: SQSRecord, wait: timedelta) -> None:
    """Keep the message from coming back for that long; with each further try twice as long."""
    tries = min(int(record.attributes.approximate_receive_count or 1), 6)
    wait = min(wait * 2 ** (tries - 1), LONGEST_WAIT)
    place = {"QueueUrl": os.environ["QUEUE_URL"], "ReceiptHandle": record.receipt_handle}
    boto3.client("sqs").change_message_visibility(**place, VisibilityTimeout=math.ceil(wait.total_seconds()))


def wait_after(error: Exception) -> timedelta:
    """Return what Zendesk or the refresh asks for, or 30 s."""
    if isinstance(error, requests.HTTPError) and error.response.status_code in {429, 503}:
        return max(retry_after(error.response), timedelta(seconds=5))  # what is nothing cannot be doubled
    return getattr(error, "retry_after", None) or FIRST_WAIT
