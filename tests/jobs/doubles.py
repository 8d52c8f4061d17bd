"""A clock that only moves when it is told or slept on, and eyes on how far a job says that it has come."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)


@dataclass
class Clock:
    """The port `PatientClock`."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        """Return the present."""
        return NOON + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Return seconds."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let the time pass, and remember it."""
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass
class Seen:
    """The port `Progress`, remembered: each part with its total and its steps."""

    parts: list[tuple[str, int | None, int]] = field(default_factory=list)

    def begin(self, what: str, total: int | None = None) -> None:
        """Remember a part."""
        self.parts.append((what, total, 0))

    def advance(self, steps: int = 1) -> None:
        """Remember steps."""
        what, total, before = self.parts[-1]
        self.parts[-1] = (what, total, before + steps)
