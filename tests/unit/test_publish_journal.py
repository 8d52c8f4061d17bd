"""One line an event and bounded counts: what was told, what waits, what cannot be read, and nothing of anybody."""

from dataclasses import replace

import pytest

from tests.connections.doubles import summary
from tests.doubles.journals import Kept, name_service
from tests.doubles.samples import INSTALL_ID, pending
from tests.doubles.scripted import NOON
from zendesk_oauth.errors import ConfigurationError, MalformedRequestError
from zendesk_oauth.models.event import ConnectionChange, Event, InstallChange, Origin
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.publish_journal import Delivery, PublishJournal
from zendesk_oauth.services.derive_events import derive_events
from zendesk_oauth.services.publish_changes import Published, Refused, Unread

ORIGIN = Origin("zendesk-oauth", "prod", None)
DELIVERY = Delivery("request-1", 0.0123)
NOTHING = Published((), (), (), ())


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kept[PublishJournal]:
    """Give a journal of the test's own."""
    name_service(monkeypatch, "publish")
    return Kept(PublishJournal, capsys)


def established() -> Event:
    """Return the event of an install."""
    connection = summary(install_id=INSTALL_ID, user_reference="user-7")
    (event,) = derive_events(ConnectionChange(None, connection, NOON), ORIGIN)
    return event


def removed(install: Install) -> Event:
    """Return the event of an install whose row is gone."""
    (event,) = derive_events(InstallChange(install, None, NOON), ORIGIN)
    return event


def test_a_line_says_which_event_of_what_was_told(kept: Kept[PublishJournal]) -> None:
    """By the install's id the line is found from the browser's request on; by the event's from a consumer's."""
    event = established()
    kept.journal.published(NOTHING._replace(told=(event,)), DELIVERY)
    (line,), counts = kept.told()
    expected = {
        "level": "INFO",
        "outcome": "published",
        "event": "ConnectionEstablished",
        "event_id": event.event_id,
        "correlation_id": INSTALL_ID,
        "install": INSTALL_ID,
        "grant": "default",
        "subdomain": "acme",
        "epoch": 3,
        "generation": 40,
        "request_id": "request-1",
        "duration_ms": 12.3,
    }
    assert {name: line[name] for name in expected} == expected
    assert "user-7" not in str(line)
    assert counts == {"EventPublished ConnectionEstablished": 1}


@pytest.mark.parametrize(
    ("status", "counted"),
    [
        (InstallStatus.PENDING, "InstallAbandoned over"),
        (InstallStatus.EXCHANGING, "InstallFailed interrupted"),
    ],
)
def test_an_install_that_nobody_finished_is_counted_here(
    kept: Kept[PublishJournal], status: InstallStatus, counted: str
) -> None:
    """No other function sees it end, so the funnel would miss it."""
    event = removed(replace(pending(), status=status))
    kept.journal.published(NOTHING._replace(told=(event,)), DELIVERY)
    assert kept.told()[1] == {f"EventPublished {event.event_type}": 1, counted: 1}


def test_a_failure_that_callback_has_counted_is_not_counted_again(kept: Kept[PublishJournal]) -> None:
    """It counted it when it showed its page."""
    failed = replace(pending(), status=InstallStatus.FAILED, reason="wrong_role")
    (event,) = derive_events(InstallChange(pending(), failed, NOON), ORIGIN)
    kept.journal.published(NOTHING._replace(told=(event,)), DELIVERY)
    assert kept.told()[1] == {"EventPublished InstallFailed": 1}


def test_what_the_bus_refused_is_said_with_its_reason(kept: Kept[PublishJournal]) -> None:
    """It waits, and an alarm can ring."""
    event = established()
    kept.journal.published(NOTHING._replace(refused=(Refused(event, "InternalFailure"),)), DELIVERY)
    (line,), counts = kept.told()
    assert (line["level"], line["outcome"], line["error"]) == ("WARNING", "refused", "InternalFailure")
    assert line["event_id"] == event.event_id
    assert counts == {"EventSetAside": 1}


def test_what_cannot_be_read_is_said_without_what_it_holds(kept: Kept[PublishJournal]) -> None:
    """An unforeseen error may quote the row, so only its kind and its way are written."""
    unread = (
        Unread("100", MalformedRequestError("a stream's record that cannot be read")),
        Unread("101", KeyError("sealed-token-in-a-message")),
    )
    kept.journal.published(NOTHING._replace(unread=unread), DELIVERY)
    lines, counts = kept.told()
    assert [(line["level"], line["record"]) for line in lines] == [("ERROR", "100"), ("ERROR", "101")]
    assert "sealed-token-in-a-message" not in str(lines)
    assert counts == {"EventSetAside": 2}


def test_records_that_come_again_are_said(kept: Kept[PublishJournal]) -> None:
    """Bus and waiting room are both away: the shard waits."""
    kept.journal.published(NOTHING._replace(failed=("100", "101")), DELIVERY)
    (line,), counts = kept.told()
    assert (line["level"], line["outcome"], line["records"]) == ("ERROR", "to_be_delivered_again", 2)
    assert counts == {}


@pytest.mark.parametrize(
    ("error", "level", "counted"),
    [
        (ConfigurationError(("EVENT_BUS is missing",)), "CRITICAL", "RequestFailed configuration"),
        (MalformedRequestError("no Records"), "ERROR", "RequestRefused malformed_request"),
        (ZeroDivisionError("sealed"), "ERROR", "RequestFailed internal"),
    ],
)
def test_a_batch_that_cannot_be_looked_at_is_said(
    kept: Kept[PublishJournal], error: Exception, level: str, counted: str
) -> None:
    """A set-up that is wrong is louder than an event that nobody understands."""
    kept.journal.failed(error, DELIVERY)
    (line,), counts = kept.told()
    assert (line["level"], line["outcome"]) == (level, "failed")
    assert counts == {counted: 1}
