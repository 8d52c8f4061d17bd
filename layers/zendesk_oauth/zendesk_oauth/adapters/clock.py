"""The one place that reads a clock."""

import time
from datetime import UTC, datetime

epoch_seconds = time.time  # noqa: TID251 - as below
"""The present in seconds since 1970, for who asks often: the same clock without a datetime."""


class SystemClock:
    """The machine's clocks, as the ports `Clock` and `PatientClock`."""

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock that everybody else asks

    def monotonic(self) -> float:
        """Return seconds that only rise."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
