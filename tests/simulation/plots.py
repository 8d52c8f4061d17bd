"""What is played: the plots whose every schedule is played, and those that are left to chance."""

from tests.simulation.play import Plot
from zendesk_oauth.models.refresh import Asked

EXHAUSTIVE = (
    Plot("two workers, one harm, one pause", workers=2, harms=1, ticks=1),
    Plot(
        "two workers, a refused token, one harm, one pause", workers=2, harms=1, ticks=1, asked=Asked.FAILED
    ),
    Plot(
        "two workers, a revoked token, one harm",
        workers=2,
        harms=1,
        ticks=0,
        asked=Asked.FAILED,
        revoked=True,
    ),
    Plot("two workers, two harms", workers=2, harms=2, ticks=0),
    Plot("a worker and a disconnect, one harm", workers=1, harms=1, ticks=0, disconnects=1),
    Plot("a worker and an install, one harm", workers=1, harms=1, ticks=0, reinstalls=1),
    Plot("a worker and two disconnects", workers=1, harms=0, ticks=0, disconnects=2),
)
_PAUSES = (1.0, 12.0, 40.0, 75.0, 300.0)
RANDOM = (
    Plot("three workers", workers=3, harms=3, ticks=3, tick_seconds=_PAUSES),
    Plot("five workers", workers=5, harms=2, ticks=3, tick_seconds=_PAUSES),
    Plot(
        "three workers, a refused token",
        workers=3,
        harms=3,
        ticks=3,
        tick_seconds=_PAUSES,
        asked=Asked.FAILED,
    ),
    Plot("workers and a disconnect", workers=2, harms=2, ticks=2, tick_seconds=_PAUSES, disconnects=1),
    Plot("workers and two disconnects", workers=2, harms=1, ticks=2, tick_seconds=_PAUSES, disconnects=2),
    Plot("workers and an install", workers=2, harms=2, ticks=2, tick_seconds=_PAUSES, reinstalls=1),
    Plot(
        "everything at once", workers=2, harms=2, ticks=2, tick_seconds=_PAUSES, disconnects=1, reinstalls=1
    ),
)
