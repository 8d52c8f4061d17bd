"""The handler of `publish`: reads what was delivered, asks the use case, writes its lines, answers what comes again."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from zendesk_oauth.errors import ZendeskOAuthError
from zendesk_oauth.ports import Clock
from zendesk_oauth.ports.publishing import Record
from zendesk_oauth.publish_journal import Delivery, PublishJournal
from zendesk_oauth.services.publish_changes import PublishChanges
from zendesk_oauth.web.publish_events import Message, StreamRecord, failures_payload, parse_publish_event

type Payload = dict[str, object]


class LambdaContext(Protocol):
    """What Lambda tells a function about its own call."""

    aws_request_id: str


class UseCases(NamedTuple):
    """Publishing for each of the two sources, and how the records of each are read.

    What was kept once and cannot be told again goes back to its own queue, and is not kept a second time.
    """

    publish: PublishChanges
    publish_kept: PublishChanges
    stream_record: Callable[[StreamRecord], Record]
    kept_record: Callable[[Message], Record]


class PublishOnEvent:
    """The handler."""

    def __init__(
        self, build_use_cases: Callable[[], UseCases], journal: PublishJournal, clock: Clock
    ) -> None:
        self.build_use_cases = build_use_cases
        self.journal = journal
        self.clock = clock

    def __call__(self, event: object, context: LambdaContext) -> Payload:
        """Return the partial batch response. Raises an error of ours where the whole batch cannot be looked at."""
        began = self.clock.monotonic()

        def delivery() -> Delivery:
            return Delivery(context.aws_request_id, self.clock.monotonic() - began)

        try:
            publish, records = self._read(event)
            published = publish(records)
        except ZendeskOAuthError as error:
            self.journal.failed(error, delivery())
            raise
        except Exception as error:  # noqa: BLE001 - the border: the runtime would print its text
            self.journal.failed(error, delivery())
        else:
            self.journal.published(published, delivery())
            return failures_payload(published.failed)
        raise ZendeskOAuthError("an unexpected error; the log says where")

    def _read(self, event: object) -> tuple[PublishChanges, Sequence[Record]]:
        use_cases = self.build_use_cases()
        records: list[Record] = []
        publish = use_cases.publish
        for delivered in parse_publish_event(event):
            if isinstance(delivered, StreamRecord):
                records.append(use_cases.stream_record(delivered))
            else:
                publish = use_cases.publish_kept
                records.append(use_cases.kept_record(delivered))
        return publish, records
