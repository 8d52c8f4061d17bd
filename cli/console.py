"""Rich's console as this command uses it: wide where nobody's window is, and with no end of its own."""

from typing import Never

from rich.console import Console

WIDTH_OF_NO_TERMINAL = 160
"""Columns in a file or a pipe, where nobody's window is too narrow."""


class PlainConsole(Console):
    """Colours nothing by itself; a reader that has gone is told to the command, which knows how to end."""

    def __init__(self, *, stderr: bool) -> None:
        super().__init__(stderr=stderr, highlight=False)
        if not self.is_terminal:
            self.width = max(self.width, WIDTH_OF_NO_TERMINAL)

    def on_broken_pipe(self) -> Never:
        """Raise BrokenPipeError, in the place of Rich's SystemExit."""
        raise BrokenPipeError
