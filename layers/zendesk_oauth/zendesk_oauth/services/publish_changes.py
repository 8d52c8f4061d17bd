"""Publish what has changed: derive the events, put them on the bus, and set aside what cannot be told now.

Nothing holds up a shard but a bus and a waiting room that are both away. An event is told at least once: whoever
delivers a record again has its events told again, with the same ids.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from zendesk_oauth.errors import StoreUnavailableError
from zendesk_oauth.models.event import Event, Origin
from zendesk_oauth.ports.publishing import EventBus, Record, WaitingRoom
from zendesk_oauth.services.derive_events import derive_events


class Unread(NamedTuple):
    """A record that cannot be read, and why."""

    reference: str
    error: Exception


class Refused(NamedTuple):
    """An event that the bus did not take, and why: a code."""

    event: Event
    reason: str


class Published(NamedTuple):
    """What became of a batch.

    `refused` are events that the bus did not take, `unread` the records that cannot be read. They wait to be tried
    again, but for those whose record is among `failed`: the references of the records that have to be delivered again.
    """

    told: tuple[Event, ...]
    refused: tuple[Refused, ...]
    unread: tuple[Unread, ...]
    failed: tuple[str, ...]


class PublishChanges(NamedTuple):
    """Tells a batch of records. Without a waiting room, whatever cannot be told has to be delivered again."""

    origin: Origin
    bus: EventBus
    waiting_room: WaitingRoom | None

    def __call__(self, records: Sequence[Record]) -> Published:
        """Return what became of them; raises nothing."""
        derived: list[tuple[Record, Event]] = []
        unread: list[tuple[Record, Exception]] = []
        for record in records:
            try:
                derived += [(record, event) for event in self._events(record)]
            except Exception as error:  # noqa: BLE001 - one that cannot be read must not stop the others
                unread.append((record, error))
        reasons = self.bus.put([event for _, event in derived])
        refused = [derived[position] for position in reasons]
        failed = [*self._unkept_events(refused), *self._unkept_records(unread)]
        return Published(
            told=tuple(event for position, (_, event) in enumerate(derived) if position not in reasons),
            refused=tuple(Refused(derived[position][1], reason) for position, reason in reasons.items()),
            unread=tuple(Unread(record.reference, error) for record, error in unread),
            failed=tuple(dict.fromkeys(failed)),
        )

    def _events(self, record: Record) -> Sequence[Event]:
        found = record.read()
        return (found,) if isinstance(found, Event) else derive_events(found, self.origin)

    def _unkept_events(self, refused: Sequence[tuple[Record, Event]]) -> Iterator[str]:
        """Keep the events; yield the references of the records of those that could not be kept."""
        keep = self.waiting_room.keep_event if self.waiting_room else None
        return (record.reference for record, event in refused if not _is_kept(keep, event))

    def _unkept_records(self, unread: Sequence[tuple[Record, Exception]]) -> Iterator[str]:
        keep = self.waiting_room.keep_record if self.waiting_room else None
        return (record.reference for record, _ in unread if not _is_kept(keep, record))


def _is_kept[T](keep: Callable[[T], None] | None, what: T) -> bool:
    if keep is None:
        return False
    try:
        keep(what)
    except StoreUnavailableError:
        return False
    return True
