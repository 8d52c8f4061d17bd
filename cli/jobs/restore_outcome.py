"""How a row of a restore has ended, and by how much epochs are raised."""

from enum import StrEnum

RAISED_BY = 1000
"""By how much an epoch is raised beyond the higher of both: more installs than an account has had since any backup."""


class RestoreOutcome(StrEnum):
    """The end of one row."""

    RESTORED = "restored"
    DONE = "done"
    """An earlier run has brought it back, whatever became of it since."""
    KEPT = "kept"
    """The stack's own row is as new as the backup's, or newer: it was left as it is."""
    RAISED = "raised"
    """The stack's own row is younger, and was kept; only its epoch was lower, and is raised."""
    LATER = "later"
    """The row was written by others each time, is being refreshed, or the table did not answer."""
    BAD = "bad"
    """The row in the backup is none of ours."""
