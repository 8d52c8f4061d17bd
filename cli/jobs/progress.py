"""How far a job has come, for whoever looks on."""

from typing import Protocol


class Progress(Protocol):
    """Where a job says how far it has come."""

    def begin(self, what: str, total: int | None = None) -> None:
        """Begin a part of it; `total` steps, or None where nobody knows."""

    def advance(self, steps: int = 1) -> None:
        """So many steps of this part are done."""
