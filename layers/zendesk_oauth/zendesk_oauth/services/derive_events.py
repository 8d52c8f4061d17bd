"""Derive events from what a write has changed: the rows are the outbox, so nothing can be done and not be told.

Most writes tell nothing: a claim, a mark, a pair that is kept or forgotten. Whatever is told is told of the row as it
is after the write, so that a write that is seen twice is the same event twice.
"""

from collections.abc import Iterator
from datetime import datetime

from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.connection_summary import ConnectionSummary
from zendesk_oauth.models.event import (
    SCHEMA,
    Change,
    ConnectionChange,
    Event,
    EventType,
    InstallChange,
    Origin,
    Step,
    event_id,
    order,
)
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.models.instant import utc_text
from zendesk_oauth.models.scopes import Scopes, missing

NOT_STARTED, OVER, INTERRUPTED, UNCONFIRMED = "not_started", "over", "interrupted", "unconfirmed"
ENDS = {
    InstallStatus.DENIED: EventType.INSTALL_DENIED,
    InstallStatus.FAILED: EventType.INSTALL_FAILED,
    InstallStatus.ABANDONED: EventType.INSTALL_ABANDONED,
}
"""The ends of an install that no connection tells of."""
_REMOVED = {
    InstallStatus.OFFERED: (EventType.INSTALL_ABANDONED, NOT_STARTED),
    InstallStatus.PENDING: (EventType.INSTALL_ABANDONED, OVER),
    InstallStatus.EXCHANGING: (EventType.INSTALL_FAILED, INTERRUPTED),
    InstallStatus.CANDIDATE: (EventType.INSTALL_ABANDONED, UNCONFIRMED),
}
"""How an install has ended that was still under way when DynamoDB removed its row, whose time was over."""


def derive_events(change: Change, origin: Origin) -> tuple[Event, ...]:
    """Return what the change tells, in order; most tell nothing."""
    if isinstance(change, InstallChange):
        return tuple(_of_install(change, origin))
    return tuple(_of_connection(change, origin))


def _of_install(change: InstallChange, origin: Origin) -> Iterator[Event]:
    before, after = change.before, change.after
    if after is None:
        if before is not None and before.status in _REMOVED:
            event_type, reason = _REMOVED[before.status]
            yield _install_event(event_type, before, reason, change.changed_at, origin)
    elif after.status in ENDS and (before is None or before.status is not after.status):
        yield _install_event(ENDS[after.status], after, after.reason, change.changed_at, origin)


def _install_event(
    event_type: EventType, install: Install, reason: str | None, changed_at: datetime, origin: Origin
) -> Event:
    return Event(
        event_type,
        {
            "schema": SCHEMA,
            "id": event_id(origin, event_type, install.install_id),
            "occurred_at": utc_text(changed_at),
            "application": origin.application,
            "stage": origin.stage,
            "grant": install.grant,
            "subdomain": install.subdomain,
            "user_reference": install.user_reference,
            "install": install.install_id,
            "reason": reason,
        },
    )


def _of_connection(change: ConnectionChange, origin: Origin) -> Iterator[Event]:
    before, after = change.before, change.after
    if after is None:
        return
    told = _Teller(after, change.changed_at, origin)
    if after.status is ConnectionStatus.ACTIVE:
        yield from _of_active(before, after, told)
    elif before is not None and (before.epoch, before.status) == (after.epoch, after.status):
        return
    elif after.status is ConnectionStatus.RECONNECT_REQUIRED:
        yield told.reconnect_required()
    elif after.status is ConnectionStatus.DISCONNECTED:
        yield told.disconnected()


def _of_active(
    before: ConnectionSummary | None, after: ConnectionSummary, told: "_Teller"
) -> Iterator[Event]:
    """Yield what is new of an active row: an install, a refresh, a verdict that was taken back, scopes that went."""
    if before is None or before.epoch != after.epoch:
        yield told.established(first=before is None)
    elif before.generation == after.generation:
        return
    else:
        if before.status is ConnectionStatus.RECONNECT_REQUIRED:
            yield told.event(EventType.CONNECTION_RESTORED, Step.ACTIVE)
        yield told.event(
            EventType.TOKEN_REFRESHED,
            Step.ACTIVE,
            scopes=list(after.scopes),
            expires_at=_optional(after.expires_at),
        )
    lost = missing(before.scopes, after.scopes) if before is not None else ()
    if lost:
        yield told.scopes_reduced(lost)


class _Teller:
    """Puts the events of one connection together, as its row is after the write."""

    def __init__(self, connection: ConnectionSummary, changed_at: datetime, origin: Origin) -> None:
        self._connection = connection
        self._changed_at = changed_at
        self._origin = origin

    def event(self, event_type: EventType, step: Step, **facts: object) -> Event:
        """Return an event with what every one has, and these facts."""
        connection, origin = self._connection, self._origin
        place = order(connection, step)
        return Event(
            event_type,
            {
                "schema": SCHEMA,
                "id": event_id(origin, event_type, connection.key, place),
                "occurred_at": utc_text(self._changed_at),
                "application": origin.application,
                "stage": origin.stage,
                "grant": connection.grant,
                "subdomain": connection.subdomain,
                "user_reference": connection.user_reference,
                "install": connection.install_id,
                "epoch": connection.epoch,
                "generation": connection.generation,
                "order": place,
                **facts,
            },
        )

    def established(self, *, first: bool) -> Event:
        """Tell of an install."""
        connection = self._connection
        return self.event(
            EventType.CONNECTION_ESTABLISHED,
            Step.ACTIVE,
            first=first,
            scopes=list(connection.scopes),
            missing_scopes=list(connection.missing_scopes),
        )

    def reconnect_required(self) -> Event:
        """Tell that a person has to connect again."""
        connection, start_url = self._connection, self._origin.start_url
        query = f"?subdomain={connection.subdomain}&grant={connection.grant}"
        return self.event(
            EventType.RECONNECT_REQUIRED,
            Step.RECONNECT_REQUIRED,
            reason=connection.reconnect_reason,
            since=_optional(connection.reconnect_since),
            reconnect_url=f"{start_url}{query}" if start_url else None,
        )

    def disconnected(self) -> Event:
        """Tell how a connection has ended."""
        ended = self._connection.disconnect
        revocation = ended.revocation if ended else None
        return self.event(EventType.DISCONNECTED, Step.DISCONNECTED, revocation=revocation)

    def scopes_reduced(self, lost: Scopes) -> Event:
        """Tell that the connection may do less than before."""
        scopes = list(self._connection.scopes)
        return self.event(EventType.SCOPES_REDUCED, Step.ACTIVE, scopes=scopes, lost_scopes=list(lost))


def _optional(instant: datetime | None) -> str | None:
    return None if instant is None else utc_text(instant)
