"""One time for every process of a run: the machine's monotonic clock, scaled, moved, and skewed for each process.

A run plays hours of a connection's life in minutes, so every limit that the product measures on its clock (lease,
back-off, token life, the budget of an invocation) passes `speed` times as fast as on the wall. `RunTime` is shared by
memory mapping; a process's own error of the clock is added by its `RunClock` alone.
"""

import mmap
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

_FIELDS = struct.Struct("=ddddd")
_EPOCH, _MONOTONIC, _SPEED, _LEAPT, _FAULTS = range(5)


class RunTime:
    """The time of a run, in epoch seconds, and whether faults are injected; several processes see the same."""

    def __init__(self, path: Path, *, speed: float | None = None) -> None:
        self.path = path
        if speed is not None:
            path.write_bytes(_FIELDS.pack(time.time(), time.monotonic(), speed, 0.0, 1.0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _FIELDS.size)
        self.speed = self._field(_SPEED)

    def __call__(self) -> float:
        """Return the time of the run in epoch seconds."""
        return self._field(_EPOCH) + self.monotonic()

    def monotonic(self) -> float:
        """Return the seconds since the run began, `speed` of them in a second of the wall."""
        elapsed = time.monotonic() - self._field(_MONOTONIC)
        return self._field(_LEAPT) + elapsed * self.speed

    def advance(self, seconds: float) -> None:
        """Let time pass at once, for every process."""
        self._set(_LEAPT, self._field(_LEAPT) + seconds)

    @property
    def has_faults(self) -> bool:
        """Whether faults are injected."""
        return self._field(_FAULTS) > 0

    def end_faults(self) -> None:
        """Inject none from now on, in no process."""
        self._set(_FAULTS, 0.0)

    def _field(self, number: int) -> float:
        fields: tuple[float, ...] = _FIELDS.unpack_from(self._memory)
        return fields[number]

    def _set(self, number: int, value: float) -> None:
        struct.pack_into("=d", self._memory, number * struct.calcsize("=d"), value)


class RunClock:
    """The ports `Clock` and `PatientClock` of one process, whose wall clock is wrong by `skew` seconds."""

    def __init__(self) -> None:
        self.time: RunTime | None = None
        self.skew = 0.0

    def start(self, path: Path, skew: float) -> RunTime:
        """Take up the time of the run; nothing asks before."""
        self.time, self.skew = RunTime(path), skew
        return self.time

    def now(self) -> datetime:
        """Return the present, as this process believes it to be."""
        return datetime.fromtimestamp(self._time() + self.skew, UTC)

    def monotonic(self) -> float:
        """Return seconds that only rise."""
        return self._time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, `speed` times as short as on the wall."""
        time.sleep(seconds / self._time.speed)

    @property
    def _time(self) -> RunTime:
        if self.time is None:
            raise RuntimeError("this process has not taken up the time of a run")
        return self.time
