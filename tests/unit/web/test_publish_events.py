"""What `publish` is sent: read strictly, one source at a time, and nothing of it quoted."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.handlers.payloads import load_event
from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.web.publish_events import (
    Message,
    StreamRecord,
    failures_payload,
    parse_publish_event,
)

STREAM = {"eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "100", "Keys": {}}}
QUEUE = {"eventSource": "aws:sqs", "messageId": "m-1", "body": "{}"}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_records_of_a_stream_are_known_by_their_place() -> None:
    """The number by which a partial batch response names them."""
    assert parse_publish_event({"Records": [STREAM]}) == (StreamRecord("100", STREAM["dynamodb"]),)  # type: ignore[arg-type]


def test_messages_are_known_by_their_id() -> None:
    """As the queue's partial batch response names them."""
    assert parse_publish_event({"Records": [QUEUE, QUEUE]}) == (Message("m-1", "{}"), Message("m-1", "{}"))


@pytest.mark.parametrize("name", ["denied", "established", "expired", "refused"])
def test_the_examples_are_what_lambda_sends(name: str) -> None:
    """Each file of events/publish can be read."""
    assert len(parse_publish_event(load_event(f"publish/{name}"))) == 1


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"Records": {}},
        {"Records": []},
        {"Records": [None]},
        {"Records": [STREAM, None]},
        {"Records": [STREAM, QUEUE]},
        {"Records": [{"eventSource": "aws:kinesis"}]},
        {"Records": [STREAM | {"dynamodb": None}]},
        {"Records": [STREAM | {"dynamodb": {}}]},
        {"Records": [STREAM | {"dynamodb": {"SequenceNumber": 100}}]},
        {"Records": [QUEUE | {"messageId": 1}]},
        {"Records": [QUEUE | {"body": None}]},
        {"Records": [QUEUE, "x"]},
        {"Records": [{"eventSource": []}]},
    ],
)
def test_whatever_else_is_refused(event: object) -> None:
    """As a whole: Lambda sends nothing of the kind, so nothing is known of it."""
    with pytest.raises(MalformedRequestError):
        parse_publish_event(event)


@given(JSON | st.fixed_dictionaries({"Records": st.lists(JSON | st.just(STREAM) | st.just(QUEUE))}))
def test_no_event_breaks_the_parser(event: object) -> None:
    """Any JSON is read as records, at least one, or refused as malformed and in no other way."""
    records: tuple[object, ...] | None = None
    with suppress(MalformedRequestError):
        records = parse_publish_event(event)
    assert records is None or len(records) > 0


def test_failures_are_named_as_lambda_wants_them() -> None:
    """For either source the same form; none is an empty list."""
    assert failures_payload(("100",)) == {"batchItemFailures": [{"itemIdentifier": "100"}]}
    assert failures_payload(()) == {"batchItemFailures": []}


def test_what_is_printed_is_a_place_and_nothing_of_what_lies_there() -> None:
    """Of a record its number in the stream, of a message its id."""
    assert repr(StreamRecord("100", {"NewImage": "sealed"})) == "StreamRecord('100')"
    assert repr(Message("m-1", "whatever")) == "Message('m-1')"
