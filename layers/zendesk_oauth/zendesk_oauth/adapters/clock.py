"""The one place that reads a clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clocks, as the port `Clock`."""

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock that everybody else asks

    def monotonic(self) -> float:
        """Return seconds that only rise."""
        return time.monotonic()
