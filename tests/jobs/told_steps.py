"""The port `Progress` of a job that runs as a process of its own and is to be killed half-way."""


class ToldSteps:
    """Each step is a line on standard output, which says how many have been made."""

    def __init__(self) -> None:
        self._made = 0

    def begin(self, what: str, total: int | None = None) -> None:
        """Say nothing: parts do not matter here."""

    def advance(self, steps: int = 1) -> None:
        """Say how many steps have been made."""
        self._made += steps
        print(self._made, flush=True)  # noqa: T201 - the line to whoever kills it
