"""The waiting room in SQS: what could not be told, as the text of a message, and back.

A message is a finished event, or the readable part of a stream's record. It may come twice and late: the event has its
id and its order all the same.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from zendesk_oauth.adapters.aws_errors import queue_errors
from zendesk_oauth.adapters.dynamodb_changes import FORMAT, DynamoDBChangeRecord
from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.models.event import Change, Event, EventType
from zendesk_oauth.ports.publishing import Record

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


class SqsWaitingRoom(NamedTuple):
    """The port `WaitingRoom` on a low-level client."""

    client: "SQSClient"
    queue_url: str

    def keep_event(self, event: Event) -> None:
        """Keep an event that is finished, so that nothing has to be derived again."""
        self._keep(
            json.dumps({"format": FORMAT, "event": {"type": event.event_type, "detail": event.detail}})
        )

    def keep_record(self, record: Record) -> None:
        """Keep what may be kept of a record, to be read again by a version of this code that can."""
        self._keep(record.kept())

    def _keep(self, text: str) -> None:
        with queue_errors("waiting room"):
            self.client.send_message(QueueUrl=self.queue_url, MessageBody=text)


class KeptRecord(NamedTuple):
    """The port `Record` over a message of the waiting room."""

    reference: str
    unverified_body: str

    def __repr__(self) -> str:
        """Show the id alone: what a damaged message holds, nobody knows."""
        return f"KeptRecord({self.reference!r})"

    def read(self) -> Change | Event:
        """Return what the message holds. Raises MalformedRequestError, without a word of it."""
        content = self._content()
        if isinstance(record := content.get("record"), dict):
            return DynamoDBChangeRecord(self.reference, record).read()
        event = _event(content.get("event"))
        if event is None:
            raise MalformedRequestError("a kept message that is damaged, or of a form that is not known here")
        return event

    def kept(self) -> str:
        """Return it as it is."""
        return self.unverified_body

    def _content(self) -> Mapping[str, Any]:
        """Return the message's object, empty where it is damaged or of a form that is not known here."""
        try:
            content = json.loads(self.unverified_body)
        except (ValueError, RecursionError):
            return {}
        is_known = isinstance(content, dict) and content.get("format") == FORMAT
        return content if is_known else {}


def _event(content: object) -> Event | None:
    """Return a finished event, or None where it is not one."""
    fields: Any = content
    try:
        event = Event(EventType(fields["type"]), dict(fields["detail"]))
        has_id = bool(event.event_id)
    except (KeyError, TypeError, ValueError):
        return None
    return event if has_id else None
