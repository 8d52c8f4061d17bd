from datetime import UTC, datetime, timedelta

from zendesk_oauth.adapters.clock import SystemClock


def test_the_clock_tells_the_time_in_utc() -> None:
    """The present is aware, in UTC, and the machine's own."""
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_monotonic_seconds_only_rise() -> None:
    """A deadline cannot move backwards."""
    clock = SystemClock()
    assert clock.monotonic() <= clock.monotonic()
