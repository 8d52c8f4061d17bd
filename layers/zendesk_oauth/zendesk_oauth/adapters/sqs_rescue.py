"""The rescue queue in SQS: where a sealed answer waits while the store is down."""

from typing import TYPE_CHECKING

from zendesk_oauth.adapters.aws_errors import queue_errors
from zendesk_oauth.adapters.rescue_message import renewal_text
from zendesk_oauth.models.refresh import Renewal

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


class SqsRescueQueue:
    """The port `RescueQueue`. A message may come twice: its replay is the same conditional write."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, renewal: Renewal) -> None:
        """Keep it, sealed as it is. Raises StoreUnavailableError, whatever the queue's reason."""
        with queue_errors("rescue queue"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=renewal_text(renewal))

    def show_again(self, receipt: str, seconds: int) -> None:
        """Let a message that was received come again after so many seconds, whatever the queue's own time.

        Raises StoreUnavailableError: it comes again at the queue's time.
        """
        with queue_errors("rescue queue"):
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )
