"""What `refresh` is asked, and by whom: an event becomes a checked question, and an answer JSON without a token.

    a worker's reading     {"grant", "subdomain", "asked": "due" | "failed" | "idle", "seen": {"epoch", "generation"}}
    the schedules          {"schedule": "keep-alive" | "unfinished"}
    the function itself    {"finish": {"grant", "subdomain"}}, with "replaced" for the row of a replaced pair, and the
                           first with "idle"
    `connections`          the same {"finish": …}, once it has marked a disconnect
    the rescue queue       {"Records": [...]}
    the operator's command {"probe": {"grant", "subdomain"}}, {"examine": {"subdomain"}}, and {"rekey": {...}}, which
                           `rekey_events` reads

An event only names a row, and every worker may invoke the function with any JSON: nothing else is believed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from math import ceil
from typing import NamedTuple

from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.models.refresh import Asked, RefreshAnswer, RefreshQuestion, Version
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.services.finish_connection import FinishAnswer
from zendesk_oauth.web.event_fields import (
    HIGHEST,
    connection_named,
    count,
    exactly,
    grant_name,
    json_list,
    json_object,
    member,
    only,
    row_named,
    subdomain_name,
    text,
)
from zendesk_oauth.web.rekey_events import Rekey, parse_rekey

_SQS = "aws:sqs"
_DIGITS = 9


class Schedule(StrEnum):
    """Which of the schedules has ticked."""

    KEEP_ALIVE = "keep-alive"
    UNFINISHED = "unfinished"


class Finish(NamedTuple):
    """A row to look after, whose disconnect is to be finished; `replaced` names that of a replaced pair."""

    grant: str
    subdomain: Subdomain
    replaced: str | None = None


class RescueMessage(NamedTuple):
    """A message of the rescue queue; what its body is worth is judged by itself, so that it fails alone."""

    message_id: str
    unverified_body: str
    receipt: str = ""
    """By which the queue knows it while it is being worked on; empty where the record has none."""
    receives: int = HIGHEST
    """How often it was received, this time included."""

    def __repr__(self) -> str:
        """Show the id alone: what a damaged message holds, nobody knows."""
        return f"RescueMessage({self.message_id!r})"


class Rescued(NamedTuple):
    """A batch of the rescue queue."""

    messages: tuple[RescueMessage, ...]


class Inquiry(NamedTuple):
    """What an operator wants to know: of a connection, or, where no grant is named, of our client at an account."""

    grant: str | None
    subdomain: Subdomain


type RefreshEvent = RefreshQuestion | Finish | Schedule | Rescued | Rekey | Inquiry


def parse_refresh_event(event: object) -> RefreshEvent:
    """Return what is asked. Raises MalformedRequestError, which names the part that is wrong and quotes nothing."""
    fields = json_object(event, "the event")
    for name, read in _BY_NAME.items():
        if name in fields:
            return read(only(fields, name))
    return _question(fields)


def refresh_payload(answer: RefreshAnswer) -> dict[str, object]:
    """Return the answer to a question about a refresh; `retry_at` in epoch seconds, null where it may be at once."""
    version = answer.connection.version if answer.connection else None
    return {
        "outcome": answer.outcome.value,
        "retry_at": _seconds(answer.retry_at),
        "epoch": version.epoch if version else None,
        "generation": version.generation if version else None,
    }


def finish_payload(answer: FinishAnswer) -> dict[str, object]:
    """Return whether anything is left."""
    return {
        "outcome": "finished" if answer.finished else "postponed",
        "retry_at": _seconds(answer.retry_at),
    }


def _question(fields: Mapping[str, object]) -> RefreshQuestion:
    seen = fields.get("seen")
    names = {"grant", "subdomain", "asked"} | ({"seen"} if "seen" in fields else set())
    exactly(fields, names, "the event")
    asked = member(Asked, fields["asked"], "asked")
    version = None if seen is None else _version(json_object(seen, "seen"))
    if asked is Asked.FAILED and version is None:
        raise MalformedRequestError("seen is missing: a token that failed has to be named")
    return RefreshQuestion(grant_name(fields["grant"]), subdomain_name(fields["subdomain"]), asked, version)


def _finish(value: object) -> Finish:
    return Finish(*row_named(value, "finish"))


def _schedule(value: object) -> Schedule:
    return member(Schedule, value, "schedule")


def _rescued(value: object) -> Rescued:
    return Rescued(tuple(map(_message, json_list(value, "Records"))))


def _probe(value: object) -> Inquiry:
    return Inquiry(*connection_named(value, "probe"))


def _examine(value: object) -> Inquiry:
    fields = json_object(value, "examine")
    exactly(fields, {"subdomain"}, "examine")
    return Inquiry(None, subdomain_name(fields["subdomain"]))


def _version(fields: Mapping[str, object]) -> Version:
    exactly(fields, {"epoch", "generation"}, "seen")
    return Version(count(fields["epoch"], "epoch"), count(fields["generation"], "generation"))


def _message(value: object) -> RescueMessage:
    """Read what we need of a record; the queue adds more of its own."""
    record = json_object(value, "a record")
    if record.get("eventSource") != _SQS:
        raise MalformedRequestError("a record is not of a queue")
    receipt = record.get("receiptHandle")
    return RescueMessage(
        text(record.get("messageId"), "messageId"),
        text(record.get("body"), "body"),
        receipt if isinstance(receipt, str) else "",
        _receives(record.get("attributes")),
    )


def _receives(attributes: object) -> int:
    """Return how often the queue has handed a message out: very often, where that cannot be read."""
    told = attributes.get("ApproximateReceiveCount") if isinstance(attributes, dict) else None
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) <= _DIGITS:
        return int(told)
    return HIGHEST


def _seconds(instant: datetime | None) -> int | None:
    """Return epoch seconds, the next whole ones: whoever comes back then does not come too early."""
    return None if instant is None else ceil(instant.timestamp())


_BY_NAME: Mapping[str, Callable[[object], RefreshEvent]] = {
    "finish": _finish,
    "schedule": _schedule,
    "Records": _rescued,
    "rekey": parse_rekey,
    "probe": _probe,
    "examine": _examine,
}
"""What reads an event of that one member; any other is a question about a refresh."""
