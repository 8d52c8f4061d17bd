"""What a field, a state or an instant of the API says to people."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

STATUSES: Mapping[str, str] = {
    "active": "active: its tokens are in use",
    "reconnect_required": "reconnect required: an admin of the account has to connect it again",
    "disconnecting": "disconnecting: no token is given any more, and they are being revoked",
    "disconnected": "disconnected: its tokens are erased",
}
REASONS: Mapping[str, str] = {
    "grant_rejected": "Zendesk no longer knows its refresh token: revoked by an admin, or over",
    "answer_lost": "Zendesk's answer to a refresh never reached us",
}
REVOCATIONS: Mapping[str, str] = {
    "revoked": "revoked at Zendesk",
    "not_alive": "dead before we asked",
    "over": "past its time",
    "refused": "Zendesk would not let us delete the token: an admin of the account can, in Admin Center",
    "given_up": "a lost pair may live on: an admin of the account can delete it, in Admin Center",
}
NOTHING = "-"
"""What stands where there is nothing to say."""
LEFT_ALIVE = frozenset({"refused", "given_up"})
"""The ends after which a token may live on, and only an admin of the account can end it."""
_STEPS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_TWICE = 2
"""From so many on a unit is told alone: two hours, but ninety minutes."""


def instant_of(text: str) -> datetime:
    """Return an instant as the API writes it."""
    return datetime.fromisoformat(text)


def when(text: str | None, now: datetime) -> str:
    """Return an instant of the API as people read it."""
    return exactly(instant_of(text), now) if text else NOTHING


def exactly(instant: datetime, now: datetime) -> str:
    """Return how far an instant is away, and then the instant itself."""
    return f"{away(instant, now)} ({instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"


def away(instant: datetime, now: datetime) -> str:
    """Return how far an instant is away: `in 3 days`, `5 minutes ago`."""
    distance = instant - now
    return f"in {amount(distance)}" if distance > timedelta() else f"{amount(-distance)} ago"


def amount(duration: timedelta) -> str:
    """Return a duration in its largest unit of which there are at least two."""
    seconds = int(duration.total_seconds())
    unit, length = next(step for step in _STEPS if seconds >= _TWICE * step[1] or step[1] == 1)
    number = seconds // length
    return f"{number} {unit}{'' if number == 1 else 's'}"
