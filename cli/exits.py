"""How the command ends: one table of exit codes, for scripts to go by."""

from enum import IntEnum


class Exit(IntEnum):
    """An exit code; docs/cli.md has the same table."""

    DONE = 0
    """Done, and all is as it should be."""
    AMISS = 1
    """Done, and something is not as it should be: it is said what."""
    USAGE = 2
    """The command line is wrong, or names what is not configured. Nothing was done."""
    NO_ACCESS = 3
    """No such deployment, no credentials, or no permission."""
    NOT_NOW = 4
    """AWS, the deployment or Zendesk does not answer, or has too much to do: try again later."""
    NOT_CONNECTED = 5
    """There is no such connection."""
    BROKEN = 6
    """The deployment answers with an error of its own, or this command has one."""
    STOPPED = 130
    """Stopped by Ctrl-C."""
    UNREAD = 141
    """Whoever read the output has stopped, as `head` does: the code that a shell gives such an end."""
