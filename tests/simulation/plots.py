"""What is played: the plots whose every schedule is played, and those that are left to chance."""

from dataclasses import replace

from tests.simulation.plot import Plot
from zendesk_oauth.models.refresh import Asked

_SMALL = (
    Plot("two workers, one harm, one pause", workers=2, harms=1, ticks=1),
    Plot("two workers, two harms", workers=2, harms=2),
    Plot("two workers, a refused token, one harm", workers=2, harms=1, asked=Asked.FAILED),
    Plot("two workers, a revoked token, one harm", workers=2, harms=1, asked=Asked.FAILED, revoked=True),
    Plot("two workers, a revoked token, one pause", workers=2, ticks=1, asked=Asked.FAILED, revoked=True),
    Plot("a worker and a disconnect, one harm", workers=1, disconnects=1, harms=1),
    Plot("a worker and an install, one harm", workers=1, reinstalls=1, harms=1),
    Plot("a worker and two disconnects", workers=1, disconnects=2),
    Plot("a disconnect and an install, one harm", disconnects=1, reinstalls=1, harms=1),
    Plot(
        "a disconnect of a token that is over, two harms, one pause",
        disconnects=1,
        harms=2,
        ticks=1,
        over=True,
    ),
    Plot("an install over a token that is over, one harm", reinstalls=1, finishes=1, harms=1, over=True),
)
EXHAUSTIVE = tuple(replace(plot, quiet=True) for plot in _SMALL)
_PAUSES = (1.0, 12.0, 40.0, 75.0, 300.0)
RANDOM = (
    Plot("two workers, two harms and pauses", workers=2, harms=2, ticks=2, tick_seconds=_PAUSES),
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
    Plot("workers and a disconnect", workers=2, disconnects=1, harms=2, ticks=2, tick_seconds=_PAUSES),
    Plot("workers and two disconnects", workers=2, disconnects=2, harms=1, ticks=2, tick_seconds=_PAUSES),
    Plot("workers and an install", workers=2, reinstalls=1, harms=2, ticks=2, tick_seconds=_PAUSES),
    Plot(
        "everything at once",
        workers=2,
        disconnects=1,
        reinstalls=1,
        finishes=1,
        harms=2,
        ticks=2,
        tick_seconds=_PAUSES,
    ),
    Plot(
        "a token that is over",
        workers=1,
        disconnects=1,
        reinstalls=1,
        finishes=1,
        harms=2,
        ticks=1,
        tick_seconds=_PAUSES,
        over=True,
    ),
    Plot("readers", readers=3, harms=2, ticks=2, tick_seconds=_PAUSES),
    Plot("readers, a refused token", readers=3, harms=2, ticks=2, tick_seconds=_PAUSES, asked=Asked.FAILED),
    Plot(
        "readers and a disconnect",
        readers=2,
        workers=1,
        disconnects=1,
        harms=1,
        ticks=2,
        tick_seconds=_PAUSES,
    ),
    Plot(
        "readers and an install",
        readers=2,
        workers=1,
        reinstalls=1,
        harms=1,
        ticks=2,
        tick_seconds=_PAUSES,
    ),
)
