"""What `publish` says of its work: one JSON line an event, and counts with few dimensions.

The end of an install that nobody finished is counted here: nobody else sees it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from zendesk_oauth.errors import ConfigurationError, RequestError
from zendesk_oauth.models.event import Event, EventType
from zendesk_oauth.observability import Journal, code_of, error_fields
from zendesk_oauth.services.derive_events import INTERRUPTED
from zendesk_oauth.services.publish_changes import Published, Refused, Unread

PUBLISHED = "EventPublished"
SET_ASIDE = "EventSetAside"
_NAMED = ("grant", "subdomain", "install", "epoch", "generation", "reason", "revocation")
"""What a line says of an event, as far as the event has it."""


class Delivery(NamedTuple):
    """One invocation: Lambda's id of it, and how long it has taken."""

    reference: str
    seconds: float

    def fields(self) -> dict[str, object]:
        """Return what every line says of it."""
        return {"request_id": self.reference, "duration_ms": round(self.seconds * 1000, 1)}


class PublishJournal(Journal):
    """The journal of `publish`, over the same logger and metrics."""

    def published(self, published: Published, delivery: Delivery) -> None:
        """Say what became of each event and of each record that could not be read, and count it."""
        for event in published.told:
            self._told(event, delivery)
        for refused in published.refused:
            self._refused(refused, delivery)
        for unread in published.unread:
            self._unread(unread, delivery)
        if published.failed:
            fields = {"outcome": "to_be_delivered_again", "records": len(published.failed)}
            self._logger.error("records not published", extra=fields | delivery.fields())

    def failed(self, error: Exception, delivery: Delivery) -> None:
        """Say that a batch could not be answered, and why."""
        fields = {"outcome": "failed", **error_fields(error), **delivery.fields()}
        write = self._logger.critical if isinstance(error, ConfigurationError) else self._logger.error
        write("publish failed", extra=fields)
        name = "RequestRefused" if isinstance(error, RequestError) else "RequestFailed"
        self._count(name, {"reason": code_of(error)})

    def _told(self, event: Event, delivery: Delivery) -> None:
        self._logger.info("event published", extra=_fields("published", event) | delivery.fields())
        self._count(PUBLISHED, {"event": str(event.event_type)})
        self._count(*_end_of_install(event))

    def _refused(self, refused: Refused, delivery: Delivery) -> None:
        fields = _fields("refused", refused.event) | {"error": refused.reason}
        self._logger.warning("event not published", extra=fields | delivery.fields())
        self._count(SET_ASIDE, {})

    def _unread(self, unread: Unread, delivery: Delivery) -> None:
        fields = {"outcome": "unread", "record": unread.reference, **error_fields(unread.error)}
        self._logger.error("record not read", extra=fields | delivery.fields())
        self._count(SET_ASIDE, {})


def _fields(outcome: str, event: Event) -> dict[str, object]:
    """Return what a line says of an event; the install's id leads from the browser's request to the worker."""
    detail = event.detail
    named = {name: detail[name] for name in _NAMED if detail.get(name) is not None}
    return {
        "outcome": outcome,
        "event": str(event.event_type),
        "event_id": event.event_id,
        "correlation_id": detail.get("install"),
        **named,
    }


def _end_of_install(event: Event) -> tuple[str | None, Mapping[str, str]]:
    """Return the metric of an install's end that no function has told, by its reason."""
    reason = str(event.detail.get("reason"))
    if event.event_type is EventType.INSTALL_ABANDONED:
        return "InstallAbandoned", {"reason": reason}
    if event.event_type is EventType.INSTALL_FAILED and reason == INTERRUPTED:
        return "InstallFailed", {"reason": reason}
    return None, {}
