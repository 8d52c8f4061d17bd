"""Progress of what takes a while: a line for each step with its seconds, and a spinner where there is a terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Progress:
    """Says on the console what is being done, and how long it took."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Show `what` while the block runs, and its seconds when it has ended well."""
        begun = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(f"{what} …"):
                yield
        else:
            self.console.print(f"  {what} …")
            yield
        self.console.print(f"  [green]✔[/] {what} [dim]{time.monotonic() - begun:.1f} s[/]")
