"""What waits to be told: what goes in comes out as the same fact, and what is damaged says so and nothing of itself."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import ANY, Stubber

from tests.unit.adapters.test_dynamodb_changes import AT, ROW
from zendesk_oauth.adapters.dynamodb_changes import DynamoDBChangeRecord
from zendesk_oauth.adapters.sqs_waiting_room import KeptRecord, SqsWaitingRoom
from zendesk_oauth.errors import MalformedRequestError, StoreUnavailableError
from zendesk_oauth.models.event import Event, EventType

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/unpublished"
EVENT = Event(EventType.DISCONNECTED, {"id": "f" * 32, "epoch": 3, "subdomain": "acme"})
RECORD = DynamoDBChangeRecord(
    "100", {"ApproximateCreationDateTime": AT, "Keys": {"connection_key": {"S": "x"}}, "NewImage": ROW}
)


class Sent:
    """Takes the place of a queue, and keeps the text."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803 - the SDK's names
        """Keep it."""
        assert QueueUrl == URL
        self.bodies.append(MessageBody)


def room(client: Any) -> SqsWaitingRoom:
    """Return a waiting room on that client."""
    return SqsWaitingRoom(client, URL)


def test_an_event_comes_out_as_it_went_in() -> None:
    """With its id and its order, so that it is the same fact however late it is told."""
    queue = Sent()
    room(queue).keep_event(EVENT)
    assert KeptRecord("m-1", queue.bodies[0]).read() == EVENT


def test_a_record_comes_out_as_the_same_change() -> None:
    """It is read again by the code of then, which may be able to."""
    queue = Sent()
    room(queue).keep_record(RECORD)
    assert KeptRecord("m-1", queue.bodies[0]).read() == RECORD.read()
    assert "access_token" not in queue.bodies[0]


def test_what_was_kept_is_kept_as_it_is() -> None:
    """A message that is moved on is not made anew."""
    assert KeptRecord("m-1", "text").kept() == "text"


def test_one_thing_is_one_message(sqs_client: "SQSClient", sqs_stub: Stubber) -> None:
    """One call, to exactly this queue."""
    sqs_stub.add_response("send_message", {"MessageId": "1"}, {"QueueUrl": URL, "MessageBody": ANY})
    room(sqs_client).keep_event(EVENT)


def test_a_queue_that_refuses_is_told(sqs_client: "SQSClient", sqs_stub: Stubber) -> None:
    """Whatever its reason: the record comes again."""
    sqs_stub.add_client_error("send_message", "AccessDenied", http_status_code=403)
    with pytest.raises(StoreUnavailableError, match="waiting room: AccessDenied"):
        room(sqs_client).keep_event(EVENT)


def test_an_unreachable_queue_is_told(sqs_client: "SQSClient", monkeypatch: pytest.MonkeyPatch) -> None:
    """By the kind of its error."""

    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url=URL)

    monkeypatch.setattr(sqs_client, "send_message", lose)
    with pytest.raises(StoreUnavailableError, match="ReadTimeoutError"):
        room(sqs_client).keep_record(RECORD)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[" * 100_000,
        "[]",
        "{}",
        '{"format": 2, "event": {"type": "Disconnected", "detail": {"id": "1"}}}',
        '{"format": 1}',
        '{"format": 1, "event": {"type": "Exploded", "detail": {"id": "1"}}}',
        '{"format": 1, "event": {"type": "Disconnected", "detail": {}}}',
        '{"format": 1, "event": {"type": "Disconnected", "detail": 7}}',
        '{"format": 1, "event": "Disconnected"}',
        '{"format": 1, "record": {}}',
        '{"format": 1, "record": 7}',
    ],
)
def test_a_message_that_is_none_of_ours_says_so(body: str) -> None:
    """Damaged, of another form, or forged: an error without a word of it."""
    message = KeptRecord("m-1", body)
    with pytest.raises(MalformedRequestError) as raised:
        message.read()
    assert raised.value.__cause__ is raised.value.__context__ is None
    assert repr(message) == "KeptRecord('m-1')"


def test_a_kept_text_is_plain_json() -> None:
    """Whoever looks into the dead-letter queue can read it."""
    queue = Sent()
    room(queue).keep_event(EVENT)
    assert json.loads(queue.bodies[0])["event"]["type"] == "Disconnected"
