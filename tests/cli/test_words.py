"""How instants and durations are said."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.words import amount, away, when

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        (timedelta(), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=119), "119 seconds"),
        (timedelta(minutes=119, seconds=59), "119 minutes"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=90, hours=23), "90 days"),
    ],
)
def test_a_duration_has_its_largest_fitting_unit(duration: timedelta, said: str) -> None:
    """At least two of it, so that little is lost by leaving the rest away."""
    assert amount(duration) == said


def test_an_instant_lies_before_or_behind() -> None:
    """Said by how far it is away, and then exactly."""
    assert away(NOW + timedelta(hours=3), NOW) == "in 3 hours"
    assert away(NOW, NOW) == "0 seconds ago"
    assert when("2027-01-02T12:00:00Z", NOW) == "2 days ago (2027-01-02 12:00 UTC)"
    assert when(None, NOW) == "-"
