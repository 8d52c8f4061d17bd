"""Rich's console as this command uses it: wide where nobody's window is, and with errors of its own."""

from typing import IO, Any

from rich.console import Console

from cli.errors import writing

WIDTH_OF_NO_TERMINAL = 160
"""Columns in a file or a pipe, where nobody's window is too narrow."""


class PlainConsole(Console):
    """Colours nothing by itself, and raises OutputError where it cannot be written."""

    def __init__(self, *, stderr: bool) -> None:
        super().__init__(stderr=stderr, highlight=False)
        if not self.is_terminal:
            self.width = max(self.width, WIDTH_OF_NO_TERMINAL)

    @property
    def file(self) -> IO[str]:
        """The stream; Rich asks for it each time it writes."""
        stream: Any = _Stream(super().file)
        return stream  # type: ignore[no-any-return]  # it has all that a stream has

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        self._file = new_file


class _Stream:
    """A stream whose own errors are told from those of whatever else is at work."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write. Raises OutputError."""
        with writing():
            return self._stream.write(text)

    def flush(self) -> None:
        """Flush. Raises OutputError."""
        with writing():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a stream has
        return getattr(self._stream, name)
