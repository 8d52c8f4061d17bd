"""What keeps a command from its end, as one tree; each says in a sentence what is wrong and what to do.

    CommandError
    ├── AmissError           something else came in between
    ├── RefusedError         the command line asks for what cannot be
    ├── NoAccessError        no such deployment, no credentials, no permission
    ├── NotNowError          somebody does not answer, or has too much to do
    ├── NotConnectedError    there is no such connection
    └── BrokenError          an error of the deployment's own

None of them ever holds a secret: their text is printed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from cli.exits import Exit


class CommandError(Exception):
    """The root; `exit_code` is how the command ends by it."""

    exit_code: ClassVar[Exit]


class AmissError(CommandError):
    """Something else came in between, and what was asked was not done."""

    exit_code = Exit.AMISS


class RefusedError(CommandError):
    """The command line asks for what cannot be; nothing was done."""

    exit_code = Exit.USAGE


class NoAccessError(CommandError):
    """No such deployment, no credentials, or no permission."""

    exit_code = Exit.NO_ACCESS


class NotNowError(CommandError):
    """Somebody does not answer, or has too much to do."""

    exit_code = Exit.NOT_NOW


class NotConnectedError(CommandError):
    """There is no such connection."""

    exit_code = Exit.NOT_CONNECTED

    def __init__(self) -> None:
        super().__init__("there is no such connection; `zendesk-oauth list` says which there are")


class BrokenError(CommandError):
    """The deployment answers with an error of its own."""

    exit_code = Exit.BROKEN


class OutputError(Exception):
    """Standard output or standard error cannot be written; `error` is the system's. It stands outside the tree."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.errno)
        self.error = error


@contextmanager
def writing() -> Iterator[None]:
    """Raise OutputError where the block cannot write: an OSError of anything else is not the output's."""
    try:
        yield
    except OSError as error:
        raise OutputError(error) from error
