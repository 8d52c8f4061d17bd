from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from moto import mock_aws

from tests.unit.adapters.renewals import RENEWAL
from zendesk_oauth.adapters.rescue_message import renewal_of, renewal_text
from zendesk_oauth.adapters.sqs_rescue import SqsRescueQueue
from zendesk_oauth.errors import StoreUnavailableError

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/rescue"


def test_what_is_sent_can_be_received() -> None:
    """Through a queue of moto's: the renewal that comes out is the one that went in."""
    with mock_aws():
        client: SQSClient = boto3.client("sqs", region_name="us-east-1")
        url = client.create_queue(QueueName="rescue")["QueueUrl"]
        SqsRescueQueue(client, url).send(RENEWAL)
        received = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert [renewal_of(message["Body"]) for message in received] == [RENEWAL]


def test_one_renewal_is_one_message(sqs_client: "SQSClient", sqs_stub: Stubber) -> None:
    """One call, of exactly this text, to exactly this queue."""
    sqs_stub.add_response(
        "send_message", {"MessageId": "1"}, {"QueueUrl": URL, "MessageBody": renewal_text(RENEWAL)}
    )
    SqsRescueQueue(sqs_client, URL).send(RENEWAL)


@pytest.mark.parametrize(
    "code",
    ["RequestThrottled", "AccessDenied", "AWS.SimpleQueueService.NonExistentQueue", "KmsDisabled", ""],
)
def test_a_queue_that_refuses_is_down(sqs_client: "SQSClient", sqs_stub: Stubber, code: str) -> None:
    """Whatever its reason: the commit is tried on, beside the queue, until the time is over."""
    sqs_stub.add_client_error("send_message", code, http_status_code=400)
    with pytest.raises(StoreUnavailableError) as raised:
        SqsRescueQueue(sqs_client, URL).send(RENEWAL)
    assert code in str(raised.value)


def test_an_unreachable_queue_is_down(sqs_client: "SQSClient", monkeypatch: pytest.MonkeyPatch) -> None:
    """The network's fault is told as the queue's."""

    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url=URL)

    monkeypatch.setattr(sqs_client, "send_message", lose)
    with pytest.raises(StoreUnavailableError):
        SqsRescueQueue(sqs_client, URL).send(RENEWAL)


def test_a_message_is_shown_again(sqs_client: "SQSClient", sqs_stub: Stubber) -> None:
    """One call, for exactly this receipt."""
    wanted = {"QueueUrl": URL, "ReceiptHandle": "receipt", "VisibilityTimeout": 20}
    sqs_stub.add_response("change_message_visibility", {}, wanted)
    SqsRescueQueue(sqs_client, URL).show_again("receipt", 20)


def test_a_message_that_cannot_be_shown_again_is_told(sqs_client: "SQSClient", sqs_stub: Stubber) -> None:
    """It comes at the queue's own time then."""
    sqs_stub.add_client_error("change_message_visibility", "ReceiptHandleIsInvalid", http_status_code=400)
    with pytest.raises(StoreUnavailableError, match="ReceiptHandleIsInvalid"):
        SqsRescueQueue(sqs_client, URL).show_again("forged", 20)
