"""What publishing needs from outside: what has changed, the bus, and where that waits which cannot be told now."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from zendesk_oauth.models.event import Change, Event


class Record(Protocol):
    """One thing that was delivered to be told, and is not read yet."""

    @property
    def reference(self) -> str:
        """What whoever delivered it knows it by."""

    def read(self) -> Change | Event:
        """Return what has changed, or an event that was finished before. Raise MalformedRequestError."""

    def kept(self) -> str:
        """Return, as a text, what of it may be kept to be read again: nothing that is sealed, nobody's data."""


class EventBus(Protocol):
    """Where events are told."""

    def put(self, events: Sequence[Event]) -> Mapping[int, str]:
        """Put them there; return the positions of those that it did not take, and why. Raises nothing."""


class WaitingRoom(Protocol):
    """Keeps for 14 days what could not be told, and has it delivered again. Raises StoreUnavailableError."""

    def keep_event(self, event: Event) -> None:
        """Keep a finished event that the bus did not take."""

    def keep_record(self, record: Record) -> None:
        """Keep a record that could not be read."""
