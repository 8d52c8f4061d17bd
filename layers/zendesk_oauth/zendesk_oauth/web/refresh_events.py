"""What `refresh` is asked, and by whom: an event becomes a checked question, and an answer JSON without a token.

    a worker's reading     {"grant", "subdomain", "asked": "due" | "failed" | "idle", "seen": {"epoch", "generation"}}
    the schedules          {"schedule": "keep-alive" | "unfinished"}
    the function itself    {"finish": {"grant", "subdomain"}}, and the first with "idle"
    `connections`          the same {"finish": …}, once it has marked a disconnect
    the rescue queue       {"Records": [...]}

An event only names a row, and every worker may invoke the function with any JSON: nothing else is believed.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from math import ceil
from typing import Any, NamedTuple

from zendesk_oauth.errors import MalformedRequestError, SubdomainRefusedError
from zendesk_oauth.models.grant import GRANT_NAME
from zendesk_oauth.models.refresh import Asked, RefreshAnswer, RefreshQuestion, Version
from zendesk_oauth.models.subdomain import Subdomain, exact_subdomain
from zendesk_oauth.services.finish_connection import FinishAnswer

_SQS = "aws:sqs"
_HIGHEST = 2**63
"""Beyond what a counter can ever reach."""
_DIGITS = 9


class Schedule(StrEnum):
    """Which of the schedules has ticked."""

    KEEP_ALIVE = "keep-alive"
    UNFINISHED = "unfinished"


class Finish(NamedTuple):
    """A connection to look after, whose row says whether a disconnect or superseded pairs are to be finished."""

    grant: str
    subdomain: Subdomain


class RescueMessage(NamedTuple):
    """A message of the rescue queue; what its body is worth is judged by itself, so that it fails alone."""

    message_id: str
    unverified_body: str
    receipt: str = ""
    """By which the queue knows it while it is being worked on; empty where the record has none."""
    receives: int = _HIGHEST
    """How often it was received, this time included."""

    def __repr__(self) -> str:
        """Show the id alone: what a damaged message holds, nobody knows."""
        return f"RescueMessage({self.message_id!r})"


class Rescued(NamedTuple):
    """A batch of the rescue queue."""

    messages: tuple[RescueMessage, ...]


type RefreshEvent = RefreshQuestion | Finish | Schedule | Rescued


def parse_refresh_event(event: object) -> RefreshEvent:
    """Return what is asked. Raises MalformedRequestError, which names the part that is wrong and quotes nothing."""
    fields = _object(event, "the event")
    if "finish" in fields:
        return Finish(*_connection(_only(fields, "finish"), "finish"))
    if "schedule" in fields:
        return _member(Schedule, _only(fields, "schedule"), "schedule")
    if "Records" in fields:
        return Rescued(tuple(map(_message, _list(_only(fields, "Records"), "Records"))))
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
    _exactly(fields, names, "the event")
    asked = _member(Asked, fields["asked"], "asked")
    version = None if seen is None else _version(_object(seen, "seen"))
    if asked is Asked.FAILED and version is None:
        raise MalformedRequestError("seen is missing: a token that failed has to be named")
    return RefreshQuestion(_grant(fields["grant"]), _subdomain(fields["subdomain"]), asked, version)


def _version(fields: Mapping[str, object]) -> Version:
    _exactly(fields, {"epoch", "generation"}, "seen")
    return Version(_count(fields["epoch"], "epoch"), _count(fields["generation"], "generation"))


def _connection(value: object, name: str) -> tuple[str, Subdomain]:
    fields = _object(value, name)
    _exactly(fields, {"grant", "subdomain"}, name)
    return _grant(fields["grant"]), _subdomain(fields["subdomain"])


def _message(value: object) -> RescueMessage:
    """Read what we need of a record; the queue adds more of its own."""
    record = _object(value, "a record")
    if record.get("eventSource") != _SQS:
        raise MalformedRequestError("a record is not of a queue")
    receipt = record.get("receiptHandle")
    return RescueMessage(
        _text(record.get("messageId"), "messageId"),
        _text(record.get("body"), "body"),
        receipt if isinstance(receipt, str) else "",
        _receives(record.get("attributes")),
    )


def _receives(attributes: object) -> int:
    """Return how often the queue has handed a message out: very often, where that cannot be read."""
    count = attributes.get("ApproximateReceiveCount") if isinstance(attributes, dict) else None
    if isinstance(count, str) and count.isascii() and count.isdecimal() and len(count) <= _DIGITS:
        return int(count)
    return _HIGHEST


def _grant(value: object) -> str:
    name = _text(value, "grant")
    if not GRANT_NAME.fullmatch(name):
        raise MalformedRequestError("grant is not the name of a grant")
    return name


def _subdomain(value: object) -> Subdomain:
    try:
        return exact_subdomain(_text(value, "subdomain"))
    except SubdomainRefusedError:
        raise MalformedRequestError("subdomain is not the name of an account") from None


def _member[T: StrEnum](kind: type[T], value: object, name: str) -> T:
    try:
        return kind(_text(value, name))
    except ValueError:
        raise MalformedRequestError(f"{name} is none of {', '.join(kind)}") from None


def _count(value: object, name: str) -> int:
    if type(value) is not int or not 0 <= value < _HIGHEST:  # True is an int too
        raise MalformedRequestError(f"{name} is not a count")
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise MalformedRequestError(f"{name} is not a text")
    return value


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise MalformedRequestError(f"{name} is not a list")
    return value


def _object(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise MalformedRequestError(f"{name} is not a JSON object")
    return value


def _only(fields: Mapping[str, object], name: str) -> object:
    _exactly(fields, {name}, "the event")
    return fields[name]


def _exactly(fields: Mapping[str, object], names: set[str], where: str) -> None:
    if fields.keys() != names:
        raise MalformedRequestError(f"{where} has other members than {', '.join(sorted(names))}")


def _seconds(instant: datetime | None) -> int | None:
    """Return epoch seconds, the next whole ones: whoever comes back then does not come too early."""
    return None if instant is None else ceil(instant.timestamp())
