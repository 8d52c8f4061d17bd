"""What a write tells: each end of an install, each step of a connection, and nothing of all the other writes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.connections.doubles import summary
from tests.doubles.samples import INSTALL_ID, USER, offered, pending
from tests.doubles.scripted import NOON
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.connection_summary import ClaimSummary, ConnectionSummary, DisconnectSummary
from zendesk_oauth.models.event import ConnectionChange, Event, InstallChange, Origin
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.services.derive_events import derive_events

ORIGIN = Origin("zendesk-oauth", "prod", "https://connect.example.com/oauth/start")
JUDGED = ConnectionStatus.RECONNECT_REQUIRED


def told_of_install(before: Install | None, after: Install | None) -> tuple[Event, ...]:
    """Return what a write of an install tells."""
    return derive_events(InstallChange(before, after, NOON), ORIGIN)


def told(
    before: ConnectionSummary | None, after: ConnectionSummary | None, origin: Origin = ORIGIN
) -> tuple[Event, ...]:
    """Return what a write of a connection tells."""
    return derive_events(ConnectionChange(before, after, NOON), origin)


def types(events: tuple[Event, ...]) -> list[str]:
    """Return the events' names."""
    return [str(event.event_type) for event in events]


def judged(**changes: Any) -> ConnectionSummary:
    """Return a connection that a person has to make again."""
    return summary(status=JUDGED, reconnect_reason="answer_lost", reconnect_since=NOON, **changes)


@pytest.mark.parametrize(
    ("status", "reason", "event_type"),
    [
        (InstallStatus.DENIED, "access_denied", "InstallDenied"),
        (InstallStatus.FAILED, "wrong_role", "InstallFailed"),
        (InstallStatus.ABANDONED, "unconfirmed", "InstallAbandoned"),
    ],
)
def test_an_install_tells_how_it_ended(status: InstallStatus, reason: str, event_type: str) -> None:
    """A denial is an outcome like the others; the event names the install, the account and the reason, and nobody."""
    before = replace(pending(), user_reference=USER)
    (event,) = told_of_install(before, replace(before, status=status, reason=reason))
    assert event.event_type == event_type
    assert event.detail == {
        "schema": 1,
        "id": event.event_id,
        "occurred_at": "2027-01-04T12:00:00Z",
        "application": "zendesk-oauth",
        "stage": "prod",
        "grant": "default",
        "subdomain": "acme",
        "user_reference": USER,
        "install": INSTALL_ID,
        "reason": reason,
    }


@pytest.mark.parametrize(
    ("before", "event_type", "reason"),
    [
        (offered(None), "InstallAbandoned", "not_started"),
        (pending(), "InstallAbandoned", "over"),
        (replace(pending(), status=InstallStatus.EXCHANGING), "InstallFailed", "interrupted"),
        (replace(pending(), status=InstallStatus.CANDIDATE), "InstallAbandoned", "unconfirmed"),
    ],
)
def test_an_install_that_nobody_finished_is_told_when_its_row_goes(
    before: Install, event_type: str, reason: str
) -> None:
    """Nobody writes the end of such an install, so its removal is the only word of it."""
    (event,) = told_of_install(before, None)
    assert (event.event_type, event.detail["reason"]) == (event_type, reason)
    assert event.detail["subdomain"] == before.subdomain


@pytest.mark.parametrize("status", [InstallStatus.CONNECTED, InstallStatus.DENIED, InstallStatus.FAILED])
def test_an_ended_install_that_is_removed_tells_nothing(status: InstallStatus) -> None:
    """It was told when it ended."""
    assert told_of_install(replace(pending(), status=status), None) == ()


@pytest.mark.parametrize("status", [InstallStatus.PENDING, InstallStatus.EXCHANGING, InstallStatus.CONNECTED])
def test_the_steps_of_an_install_tell_nothing(status: InstallStatus) -> None:
    """It tells of its end, and of a connection the connection itself tells."""
    assert told_of_install(offered(), replace(pending(), status=status)) == ()
    assert told_of_install(None, pending()) == ()


def test_a_later_write_to_an_ended_install_tells_nothing() -> None:
    """The revocation of what a failed install held is noted in its row."""
    failed = replace(pending(), status=InstallStatus.FAILED, reason="wrong_role")
    assert told_of_install(failed, failed) == ()


def test_a_first_install_is_told_with_what_was_granted() -> None:
    """The event has the connection's place in time, the account and both lists of scopes."""
    after = summary(epoch=1, generation=1, missing_scopes=("tickets:write",), install_id=INSTALL_ID)
    (event,) = told(None, after)
    assert event.event_type == "ConnectionEstablished"
    assert event.detail == {
        "schema": 1,
        "id": event.event_id,
        "occurred_at": "2027-01-04T12:00:00Z",
        "application": "zendesk-oauth",
        "stage": "prod",
        "grant": "default",
        "subdomain": "acme",
        "user_reference": None,
        "install": INSTALL_ID,
        "epoch": 1,
        "generation": 1,
        "order": "0000000001.0000000001.0",
        "first": True,
        "scopes": ["users:read", "tickets:read"],
        "missing_scopes": ["tickets:write"],
    }


@pytest.mark.parametrize("status", list(ConnectionStatus))
def test_an_install_over_any_row_is_told_as_one_more(status: ConnectionStatus) -> None:
    """Whatever the connection was before: it is established, and not for the first time."""
    (event,) = told(summary(status=status), summary(epoch=4, generation=41))
    assert (event.event_type, event.detail["first"]) == ("ConnectionEstablished", False)


def test_a_refresh_is_told_with_the_end_of_the_new_token() -> None:
    """A new generation of the same epoch, for whoever keeps tokens elsewhere."""
    expires_at = NOON + timedelta(hours=90)
    (event,) = told(summary(), summary(generation=41, expires_at=expires_at))
    assert event.event_type == "TokenRefreshed"
    assert event.detail["order"] == "0000000003.0000000041.0"
    assert event.detail["expires_at"] == "2027-01-08T06:00:00Z"


def test_a_loss_says_why_since_when_and_where_to_begin_again() -> None:
    """It comes after everything that was told of the same generation."""
    (event,) = told(summary(), judged())
    assert event.event_type == "ReconnectRequired"
    assert event.detail["order"] == "0000000003.0000000040.1"
    assert event.detail["reason"] == "answer_lost"
    assert event.detail["since"] == "2027-01-04T12:00:00Z"
    assert event.detail["reconnect_url"] == f"{ORIGIN.start_url}?subdomain=acme&grant=default"


def test_where_installs_begin_by_invitation_there_is_no_link() -> None:
    """The company has to invite its user."""
    (event,) = told(summary(), judged(), ORIGIN._replace(start_url=None))
    assert event.detail["reconnect_url"] is None


def test_a_verdict_that_a_late_answer_takes_back_is_told() -> None:
    """Restored, and refreshed: the two facts of one write, in this order."""
    assert types(told(judged(), summary(generation=41))) == ["ConnectionRestored", "TokenRefreshed"]


def test_scopes_that_a_refresh_or_an_install_takes_away_are_told() -> None:
    """With those that went; what a broader scope still covers has not gone."""
    for after in (summary(generation=41, scopes=("users:read",)), summary(epoch=4, scopes=("users:read",))):
        reduced = told(summary(), after)[-1]
        assert reduced.event_type == "ScopesReduced"
        assert reduced.detail["scopes"] == ["users:read"]
        assert reduced.detail["lost_scopes"] == ["tickets:read"]
    assert types(told(summary(), summary(generation=41, scopes=("read",)))) == ["TokenRefreshed"]


def test_a_disconnect_is_told_when_it_has_ended() -> None:
    """With how the token ended; the mark before it tells nothing, since the token may still live."""
    marked = summary(status=ConnectionStatus.DISCONNECTING, disconnect=DisconnectSummary(NOON, None, None))
    ended = DisconnectSummary(NOON, NOON, "revoked")
    assert told(summary(), marked) == ()
    (event,) = told(marked, summary(status=ConnectionStatus.DISCONNECTED, disconnect=ended))
    assert (event.event_type, event.detail["revocation"]) == ("Disconnected", "revoked")
    assert event.detail["order"] == "0000000003.0000000040.2"


def test_a_row_that_was_brought_back_ended_is_told_as_ended() -> None:
    """Nothing was there before it, as after a restore: what it is, is news."""
    assert types(told(None, judged())) == ["ReconnectRequired"]
    gone = summary(status=ConnectionStatus.DISCONNECTED)
    (event,) = told(None, gone)
    assert (event.event_type, event.detail["revocation"]) == ("Disconnected", None)


def test_a_raised_epoch_is_told_whatever_the_row_says() -> None:
    """As after a restore: whoever knew a later state of another epoch has to hear what holds now."""
    gone = summary(status=ConnectionStatus.DISCONNECTED)
    assert types(told(summary(), summary(epoch=1003))) == ["ConnectionEstablished"]
    assert types(told(judged(), judged(epoch=1003))) == ["ReconnectRequired"]
    (event,) = told(gone, gone._replace(epoch=1003))
    assert (event.event_type, event.detail["order"]) == ("Disconnected", "0000001003.0000000040.2")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (summary(), summary(claim=ClaimSummary("living", NOON))),
        (summary(claim=ClaimSummary("living", NOON)), summary(retry_at=NOON)),
        (judged(), judged(retry_at=NOON)),
        (summary(status=ConnectionStatus.DISCONNECTED), summary(status=ConnectionStatus.DISCONNECTED)),
        (
            summary(status=ConnectionStatus.DISCONNECTING),
            summary(status=ConnectionStatus.DISCONNECTING, generation=41),
        ),
        (summary(), None),
    ],
)
def test_other_writes_tell_nothing(before: ConnectionSummary, after: ConnectionSummary | None) -> None:
    """Claims, pauses, a pair that only serves to be revoked, and a row that somebody took away by hand."""
    assert told(before, after) == ()


def test_the_same_fact_has_the_same_id_and_another_has_another() -> None:
    """Whenever and however often it is told; at another deployment it is another fact."""
    (once,), (again,) = told(None, summary()), told(None, summary())
    assert once.event_id == again.event_id
    others = [
        *told(None, summary(epoch=4)),
        *told(summary(), summary(generation=41)),
        *told(summary(), judged()),
        *told(None, summary(), ORIGIN._replace(stage="dev")),
        *told_of_install(pending(), None),
    ]
    ids = {once.event_id, *(event.event_id for event in others)}
    assert len(ids) == 1 + len(others)


def test_r9_order_rises_with_everything_that_comes_later() -> None:
    """So whoever gets events out of order knows the newer: compared as text, also where a number grows a digit."""
    life = [
        told(None, summary(epoch=1, generation=1)),
        told(summary(epoch=1, generation=1), summary(epoch=1, generation=9)),
        told(summary(epoch=1, generation=9), summary(epoch=1, generation=10)),
        told(summary(epoch=1, generation=10), judged(epoch=1, generation=10)),
        told(summary(), summary(epoch=2, generation=11)),
        told(
            summary(status=ConnectionStatus.DISCONNECTING),
            summary(status=ConnectionStatus.DISCONNECTED, epoch=2, generation=11),
        ),
        told(None, summary(epoch=10, generation=12)),
    ]
    orders = [str(event.detail["order"]) for events in life for event in events]
    assert orders == sorted(orders)
    assert len(set(orders)) == len(orders) == len(life)
