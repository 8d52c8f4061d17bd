"""One time for several processes: the machine's clocks, moved by an offset that lies in a file.

The rule: both hands move together, so a time limit passes by moving the clock, and no test waits for one.
"""

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

_OFFSET = struct.Struct("d")


class SharedClock:
    """The ports `Clock` and `PatientClock`; whoever waits by it moves it, unless `waits` says to wait in earnest."""

    def __init__(self, path: Path, *, waits: bool = False) -> None:
        self.path = path
        self._waits = waits
        if not path.exists():
            path.write_bytes(_OFFSET.pack(0.0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _OFFSET.size)

    @property
    def offset(self) -> float:
        """How far it is moved, in seconds."""
        offset: float = _OFFSET.unpack_from(self._memory)[0]
        return offset

    def now(self) -> datetime:
        """Return the present, moved."""
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    def monotonic(self) -> float:
        """Return seconds that only rise, moved as well."""
        return time.monotonic() + self.offset

    def sleep(self, seconds: float) -> None:
        """Let that time pass."""
        if self._waits:
            time.sleep(seconds)
        else:
            self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move it for every process."""
        _OFFSET.pack_into(self._memory, 0, self.offset + seconds)
