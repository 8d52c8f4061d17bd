"""Whether the simulation has teeth: each condition and each rule of the protocol is left out in turn, and is missed.

A condition of a conditional write is left out by its name; a rule that stands in a service is broken
(`protocol_mutations`). One that no schedule misses has no place in the protocol. Each mutation is played on the plots
that suit it first, and then on all that are left to chance, until one schedule breaks an invariant.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.simulation.campaign import BATCH, Batch, Found, play_batch
from tests.simulation.play import COMMIT_FENCED
from tests.simulation.plot import Plot
from tests.simulation.plots import EXHAUSTIVE, RANDOM
from tests.simulation.rekey_rows import JUDGED_BY_A_FLAG
from zendesk_oauth.models.refresh import Asked

TWO_WORKERS = Plot("two workers", workers=2, calm=2)
AND_A_PAUSE = Plot("two workers, one harm, one long pause", workers=2, harms=1, ticks=1, calm=2)
REVOKED = Plot(
    "two workers, a revoked token, one long pause",
    workers=2,
    ticks=1,
    asked=Asked.FAILED,
    revoked=True,
    calm=2,
)
AND_A_DISCONNECT = Plot(
    "a worker and a disconnect, a revoked token", workers=1, disconnects=1, revoked=True, calm=2
)
AND_AN_INSTALL = Plot("a worker and an install", workers=1, reinstalls=1, calm=2)
REVOKED_AND_AN_INSTALL = Plot(
    "a worker and an install, a revoked token", workers=1, reinstalls=1, revoked=True, calm=2
)
TWO_DISCONNECTS = Plot("a worker and two disconnects", workers=1, disconnects=2, calm=2)
OVER = Plot(
    "two disconnects, a token that is over",
    disconnects=2,
    ticks=1,
    tick_seconds=(150.0,),
    over=True,
    calm=2,
)
OVER_AND_AN_INSTALL = Plot(
    "two disconnects and an install, a token that is over", disconnects=2, reinstalls=1, over=True, calm=2
)
AN_INSTALL_AND_A_LOSS = Plot(
    "two workers and an install, two harms, one pause", workers=2, reinstalls=1, harms=2, ticks=1, calm=2
)
THE_SCHEDULE = Plot(
    "a worker, a disconnect, and the schedule, one harm",
    workers=1,
    disconnects=1,
    finishes=1,
    harms=1,
    calm=2,
)
A_REKEY = Plot("two workers and a rekey, one pause", workers=2, rekeys=1, ticks=1, calm=2)
A_REKEY_AND_AN_END = Plot("a disconnect and a rekey", disconnects=1, rekeys=1, calm=2)
JUDGED_AND_AN_END = Plot(
    "a late worker, another one, and a disconnect",
    workers=2,
    disconnects=1,
    ticks=1,
    tick_seconds=(110.0,),
    calm=2,
)
JUDGED_AND_AN_INSTALL = Plot(
    "a late worker, another one, and an install",
    workers=2,
    reinstalls=1,
    ticks=1,
    tick_seconds=(110.0,),
    calm=2,
)

REUSE = next(plot for plot in RANDOM if plot.name == "reuse ends the family")
A_RESCUE = Plot(
    "two workers, reuse ends the family, one harm, two pauses",
    workers=2,
    harms=1,
    ticks=2,
    tick_seconds=(12.0, 60.0),
    over=True,
    reuse_ends_family=True,
    calm=2,
)
TWO_VISITS = Plot("two visits of one replaced pair", replaced=1, finishes=2, over=True, calm=2)
TWO_LATE_VISITS = Plot(
    "two late visits of one replaced pair",
    replaced=1,
    finishes=2,
    harms=1,
    ticks=1,
    tick_seconds=(150.0,),
    over=True,
    calm=2,
)
A_LIE = Plot(
    "a replaced pair that is over, and a lie", replaced=1, finishes=1, lies=1, harms=1, over=True, calm=2
)
A_REVOCATION = Plot(
    "a revocation of a token that is over, two harms", disconnects=1, harms=2, ticks=1, over=True, calm=2
)

CONDITIONS = {
    "claim: same version": TWO_WORKERS,
    "claim: same status": TWO_DISCONNECTS,
    "claim: no claim but the one seen": AND_A_PAUSE,
    "release: own claim": AND_A_PAUSE,
    "leave unresolved: own claim": AND_A_PAUSE,
    "commit: same version": AND_AN_INSTALL,
    "commit: neither disconnected nor judged meanwhile": TWO_DISCONNECTS,
    "commit over a verdict: same version": JUDGED_AND_AN_INSTALL,
    "commit over a verdict: not disconnected meanwhile": JUDGED_AND_AN_END,
    "commit for a disconnect: same version": OVER_AND_AN_INSTALL,
    "commit for a disconnect: still disconnecting": OVER,
    "require reconnect: same version": REVOKED_AND_AN_INSTALL,
    "require reconnect: active": AND_A_DISCONNECT,
    "require reconnect: nobody else's living claim": REVOKED,
    "mark disconnecting: same epoch": OVER_AND_AN_INSTALL,
    "mark disconnecting: active or judged": TWO_DISCONNECTS,
    "erase: same version": OVER_AND_AN_INSTALL,
}
"""Every condition of every write of a refresh or a disconnect, and the plot that misses it soon."""
REPLACING = {
    "connect: no pair": AND_AN_INSTALL,
    "replace: same pair": AND_AN_INSTALL,
    "replace: nothing found out since": AN_INSTALL_AND_A_LOSS,
    "keep replaced: no such row": THE_SCHEDULE,
}
"""The conditions on which a pair is replaced, and kept in a row of its own."""
RESEALING = {
    "reseal: same pair": A_REKEY,
    "reseal: not erased": A_REKEY_AND_AN_END,
    "reseal: no living claim": A_REKEY,
}
"""The conditions on which a pair is laid under fresh keys."""
BREAKING = {
    "a probe may end a connection": REUSE,
    "ALIVE ends the doubt": EXHAUSTIVE[0],
    "no replay round before a second POST": A_RESCUE,
    "a POST may outlive its claim": REUSE,
    "a POST without an answer leaves no mark": REUSE,
    "a late holder commits without asking": REUSE,
    "a commit over a verdict does not ask": REUSE,
    "a pair's age counts from its seal": REUSE,
    "a late replay does not ask": REUSE,
    "a replay over a verdict does not ask": REUSE,
    "no claim before the POST of a replaced pair": TWO_VISITS,
    "NOT_ALIVE ends a fresh pair": A_LIE,
    "a fresh pair is revoked before it is stored": A_REVOCATION,
    "a possible loss is reported as not_alive": A_REVOCATION,
    "a refusal proves that nobody else has spent": TWO_LATE_VISITS,
    "a revocation without an answer leaves no mark": A_REVOCATION,
}
"""The rules of the services that no conditional write holds, each broken, and the plot that misses it soon."""
MOST = 10_000
"""Schedules of the plot that suits a mutation; then as many of the plots that are left to chance."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A condition left out, or one added that must not be there, and the plot that suits it."""

    name: str
    plot: Plot
    left_out: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()

    def batches(self) -> Iterator[Batch]:
        """Yield what it is played on: a small plot whole, one that is left to chance from the first seed on."""
        is_small = self.plot in EXHAUSTIVE
        yield Batch(self.plot, None if is_small else 1, MOST, self.left_out, self.added)
        for plot in RANDOM:
            yield Batch(plot, 1, BATCH // 5, self.left_out, self.added)


@dataclass(frozen=True, slots=True)
class Judged:
    """A mutation, how many schedules it survived, and the one that caught it; None: it was not caught."""

    mutation: Mutation
    survived: int
    found: Found | None

    def __str__(self) -> str:
        if self.found is None:
            return f"{self.mutation.name:56} NOT CAUGHT in {self.survived} schedules"
        return f"{self.mutation.name:56} {self.survived:6}  {self.found.plot.name}: {self.found.what}"


MUTATIONS = (
    *(
        Mutation(f"without “{name}”", plot, left_out=frozenset({name}))
        for name, plot in (CONDITIONS | REPLACING | RESEALING).items()
    ),
    Mutation(f"with “{COMMIT_FENCED}”", AND_A_PAUSE, added=frozenset({COMMIT_FENCED})),
    Mutation(f"with “{JUDGED_BY_A_FLAG}”", A_REKEY, added=frozenset({JUDGED_BY_A_FLAG})),
    *(Mutation(f"with “{name}”", plot, added=frozenset({name})) for name, plot in BREAKING.items()),
)


def judge(mutation: Mutation) -> Judged:
    """Play the plots in their order until one schedule catches the mutation."""
    survived = 0
    for batch in mutation.batches():
        played = play_batch(batch)
        survived += played.schedules
        if played.found is not None:
            return Judged(mutation, survived, played.found)
    return Judged(mutation, survived, None)


def judge_all() -> Iterator[Judged]:
    """Judge every mutation on all processors; yield each in its order."""
    with ProcessPoolExecutor() as pool:
        yield from pool.map(judge, MUTATIONS)
