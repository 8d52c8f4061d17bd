"""An instant in texts that others read."""

from datetime import UTC, datetime


def utc_text(instant: datetime) -> str:
    """Return an aware instant in UTC, to the second, as RFC 3339 has it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
