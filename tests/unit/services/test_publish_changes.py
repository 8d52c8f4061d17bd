"""Every record is told, waits, or comes again: none is lost, and none keeps the others from being told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.connections.doubles import summary
from tests.doubles.scripted import NOON
from zendesk_oauth.errors import MalformedRequestError, StoreUnavailableError
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.event import Change, ConnectionChange, Event, EventType, Origin
from zendesk_oauth.ports.publishing import Record
from zendesk_oauth.services.publish_changes import PublishChanges, Published

ORIGIN = Origin("zendesk-oauth", "prod", None)
FINISHED = Event(EventType.DISCONNECTED, {"id": "finished"})


@dataclass
class Delivered:
    """A record that reads as what the test says."""

    reference: str
    found: Change | Event | Exception

    def read(self) -> Change | Event:
        """Return it, or raise it."""
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def kept(self) -> str:
        """Return a text."""
        return f"kept {self.reference}"


@dataclass
class Bus:
    """Takes all events but those in places that it does not like."""

    refuses: Mapping[int, str] = field(default_factory=dict)
    told: list[Event] = field(default_factory=list)

    def put(self, events: Sequence[Event]) -> Mapping[int, str]:
        """Keep those that it takes."""
        self.told += [event for place, event in enumerate(events) if place not in self.refuses]
        return {place: why for place, why in self.refuses.items() if place < len(events)}


@dataclass
class Room:
    """Keeps what it is given, unless it is closed."""

    closed: bool = False
    kept: list[str] = field(default_factory=list)

    def keep_event(self, event: Event) -> None:
        """Keep its id."""
        self._keep(event.event_id)

    def keep_record(self, record: Record) -> None:
        """Keep its text."""
        self._keep(record.kept())

    def _keep(self, text: str) -> None:
        if self.closed:
            raise StoreUnavailableError("waiting room: closed")
        self.kept.append(text)


def record(reference: str, epoch: int = 1) -> Delivered:
    """Return the record of an install."""
    return Delivered(reference, ConnectionChange(None, summary(epoch=epoch), NOON))


def publish(records: Sequence[Delivered], bus: Bus, room: Room | None) -> Published:
    """Publish them."""
    return PublishChanges(ORIGIN, bus, room)(records)


def test_all_are_told_in_their_order() -> None:
    """A batch is told at once; what tells nothing is done with."""
    silent = Delivered("3", ConnectionChange(summary(), summary(), NOON))
    bus = Bus()
    published = publish([record("1", 1), record("2", 2), silent], bus, Room())
    assert [event.detail["epoch"] for event in bus.told] == [1, 2]
    assert published == Published(tuple(bus.told), (), (), ())


def test_r24_what_the_bus_refuses_waits_alone() -> None:
    """The others of the batch are told, nothing comes again, and the finished event is in the waiting room."""
    bus, room = Bus({1: "InternalFailure"}), Room()
    published = publish([record("1", 1), record("2", 2), record("3", 3)], bus, room)
    assert [event.detail["epoch"] for event in published.told] == [1, 3]
    ((event, reason),) = published.refused
    assert (event.detail["epoch"], reason) == (2, "InternalFailure")
    assert room.kept == [event.event_id]
    assert published.failed == ()


def test_r11_a_record_that_cannot_be_read_is_set_aside() -> None:
    """What may be kept of it waits; the records before and behind it are told."""
    bus, room = Bus(), Room()
    poisoned = Delivered("2", MalformedRequestError("a stream's record that cannot be read"))
    published = publish([record("1", 1), poisoned, record("3", 3)], bus, room)
    assert [event.detail["epoch"] for event in bus.told] == [1, 3]
    assert [unread.reference for unread in published.unread] == ["2"]
    assert room.kept == ["kept 2"]
    assert published.failed == ()


def test_an_error_that_nobody_foresaw_is_set_aside_too() -> None:
    """Whatever a record does to the code that reads it."""
    published = publish([Delivered("1", ZeroDivisionError())], Bus(), Room())
    assert [type(unread.error) for unread in published.unread] == [ZeroDivisionError]


def test_with_bus_and_waiting_room_away_the_records_come_again() -> None:
    """Each once, and only those of which something could neither be told nor be kept."""
    restored = ConnectionChange(
        summary(generation=39, status=ConnectionStatus.RECONNECT_REQUIRED), summary(), NOON
    )
    batch = [record("1"), Delivered("2", restored), Delivered("3", KeyError("x"))]
    published = publish(batch, Bus({1: "Throttled", 2: "Throttled"}), Room(closed=True))
    assert [event.event_type for event in published.told] == ["ConnectionEstablished"]
    assert published.failed == ("2", "3")


def test_what_was_kept_and_is_refused_again_stays_in_its_queue() -> None:
    """There is no second waiting room: the message comes again at its queue's own time."""
    batch = [Delivered("m-1", FINISHED), Delivered("m-2", FINISHED), Delivered("m-3", KeyError())]
    bus = Bus({1: "Throttled"})
    published = publish(batch, bus, None)
    assert bus.told == [FINISHED]
    assert published.failed == ("m-2", "m-3")


def test_an_empty_batch_asks_nobody() -> None:
    """A batch of which nothing is told is no call."""
    assert publish([], Bus(), None) == Published((), (), (), ())
