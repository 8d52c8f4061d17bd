"""What `publish` is sent: records of a table's stream, or what waited to be told again."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from zendesk_oauth.errors import MalformedRequestError

_STREAM, _QUEUE = "aws:dynamodb", "aws:sqs"


class StreamRecord(NamedTuple):
    """One record of a stream, by its place there; `unverified` is its `dynamodb` part."""

    sequence_number: str
    unverified: Mapping[str, Any]

    def __repr__(self) -> str:
        """Show the place alone: the rest has sealed tokens in it."""
        return f"StreamRecord({self.sequence_number!r})"


class Message(NamedTuple):
    """One message of the queue, by its id."""

    message_id: str
    unverified_body: str

    def __repr__(self) -> str:
        """Show the id alone: what a damaged message holds, nobody knows."""
        return f"Message({self.message_id!r})"


def parse_publish_event(event: object) -> tuple[StreamRecord, ...] | tuple[Message, ...]:
    """Return the records of one source. Raises MalformedRequestError, which quotes nothing of them."""
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise MalformedRequestError("the event has no list of Records")
    if all(record.get("eventSource") == _STREAM for record in records) and records:
        return tuple(map(_stream_record, records))
    if all(record.get("eventSource") == _QUEUE for record in records) and records:
        return tuple(map(_message, records))
    raise MalformedRequestError("the records are not all of a stream, nor all of a queue")


def failures_payload(failed: tuple[str, ...]) -> dict[str, object]:
    """Return the partial batch response: which records are to be delivered again."""
    return {"batchItemFailures": [{"itemIdentifier": reference} for reference in failed]}


def _stream_record(record: Mapping[str, Any]) -> StreamRecord:
    changed = record.get("dynamodb")
    number = changed.get("SequenceNumber") if isinstance(changed, dict) else None
    if not isinstance(changed, dict) or not isinstance(number, str):
        raise MalformedRequestError("a record of a stream has no place in it")
    return StreamRecord(number, changed)


def _message(record: Mapping[str, Any]) -> Message:
    message_id, body = record.get("messageId"), record.get("body")
    if not isinstance(message_id, str) or not isinstance(body, str):
        raise MalformedRequestError("a message has no id or no body")
    return Message(message_id, body)
