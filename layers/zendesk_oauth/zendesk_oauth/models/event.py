"""A fact about an install or a connection, as the company's other systems are told it, with nothing secret.

Every delivery of the same fact has the same id, made of what the fact says, so that a consumer knows it again. Facts of
one connection are ordered by `order`, a text: the epoch, then the generation, then how far that generation has come.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

from zendesk_oauth.models.connection_summary import ConnectionSummary
from zendesk_oauth.models.install import Install

SCHEMA = 1
"""The version of every event's JSON Schema: fields may come to it, none changes its meaning or goes."""
ID_LENGTH = 32
"""Hexadecimal characters of an event's id: 128 bits of a hash."""


class EventType(StrEnum):
    """What has happened."""

    INSTALL_DENIED = "InstallDenied"
    INSTALL_FAILED = "InstallFailed"
    INSTALL_ABANDONED = "InstallAbandoned"
    CONNECTION_ESTABLISHED = "ConnectionEstablished"
    TOKEN_REFRESHED = "TokenRefreshed"  # noqa: S105 - an event's name
    RECONNECT_REQUIRED = "ReconnectRequired"
    CONNECTION_RESTORED = "ConnectionRestored"
    DISCONNECTED = "Disconnected"
    SCOPES_REDUCED = "ScopesReduced"


class Step(IntEnum):
    """How far a generation has come: within one it only goes forward."""

    ACTIVE = 0
    RECONNECT_REQUIRED = 1
    DISCONNECTED = 2


class Origin(NamedTuple):
    """The deployment that tells. `start_url` is where anybody may begin an install, or None by invitation only."""

    application: str
    stage: str
    start_url: str | None


class Event(NamedTuple):
    """A fact, ready to be told: `detail` is JSON's values alone."""

    event_type: EventType
    detail: Mapping[str, object]

    @property
    def event_id(self) -> str:
        """What it is known by, however often it is delivered."""
        return str(self.detail["id"])


class InstallChange(NamedTuple):
    """An install's row before and after a write; None: there was or is none."""

    before: Install | None
    after: Install | None
    changed_at: datetime


class ConnectionChange(NamedTuple):
    """A connection's row before and after a write; None: there was or is none."""

    before: ConnectionSummary | None
    after: ConnectionSummary | None
    changed_at: datetime


type Change = InstallChange | ConnectionChange


def event_id(origin: Origin, event_type: EventType, *fact: str) -> str:
    """Return the id of a fact, which nothing but the fact goes into: no clock, no chance, no delivery."""
    text = "\n".join((origin.application, origin.stage, event_type, *fact))
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def order(connection: ConnectionSummary, step: Step) -> str:
    """Return a connection's place in time: later is greater, compared as text."""
    return f"{connection.epoch:010d}.{connection.generation:010d}.{step:d}"
