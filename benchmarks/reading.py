"""What a token costs its reader, and a refresh the function: as ratios to bare calls, in one process and one run.

Nothing here is measured on its own: a warm read is held against a look into a dictionary, a cold read and a refresh
against the boto3 calls that they need, turn by turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks import crowds
from benchmarks.answers import CLIENT_SECRET
from benchmarks.artefact import Artefact
from benchmarks.crowds import Crowd
from benchmarks.rows import SUBDOMAIN, connection_row
from benchmarks.scene import Scene, running_scene

COLD_READS = 300
REFRESHES = 60
WARM_UPS = 5
THREADS = 8


@dataclass(frozen=True, slots=True)
class Beside:
    """Median milliseconds of ours and of what it is held against, in so many turns."""

    ours_ms: float
    bare_ms: float
    rounds: int

    @property
    def ratio(self) -> float:
        """Ours, where the bare calls are 1."""
        return round(self.ours_ms / self.bare_ms, 3)


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading and refreshing came to. A second's reads are those of one process on this machine."""

    look_up_ns: float
    warm_read_ns: float
    beside: Mapping[str, Beside]
    cold_reads_per_second: float
    crowds: Mapping[int, Crowd] = field(default_factory=dict)

    @property
    def warm_read_in_look_ups(self) -> float:
        """A warm read, where a look into a dictionary is 1."""
        return round(self.warm_read_ns / self.look_up_ns, 2)

    @property
    def warm_reads_per_second(self) -> float:
        """Warm reads of one thread."""
        return round(1e9 / self.warm_read_ns)


def measure(artefact: Artefact) -> Reading:
    """Return all of it."""
    with running_scene(artefact) as scene:
        scene.put(connection_row(due=False, subdomain=SUBDOMAIN))
        warm = scene.play("warm_reads")
        timed = _beside_bare(scene)
        return Reading(
            look_up_ns=round(warm["look_up"], 2),
            warm_read_ns=round(warm["read"], 2),
            beside={name: beside(timed[name]) for name in ("cold_read", "refresh")},
            cold_reads_per_second=round(timed["cold_reads_per_second"], 1),
            crowds=crowds.measure(scene),
        )


def beside(timed: Mapping[str, float]) -> Beside:
    """Return medians in milliseconds from what a measured process told in seconds."""
    return Beside(round(timed["ours"] * 1000, 3), round(timed["bare"] * 1000, 3), int(timed["rounds"]))


def _beside_bare(scene: Scene) -> Any:  # noqa: ANN401 - the measured script says what it is
    """Have both sides refresh as many connections, each its own."""
    ours = [f"ours-{number}" for number in range(REFRESHES + WARM_UPS)]
    bare = [f"bare-{number}" for number in range(REFRESHES + WARM_UPS)]
    for subdomain in ours:
        scene.connect(subdomain)
    return scene.play(
        "beside_bare",
        client_secret=CLIENT_SECRET,
        reads=COLD_READS + WARM_UPS,
        threads=THREADS,
        warm_ups=WARM_UPS,
        ours=ours,
        bare=[(subdomain, scene.connect(subdomain)) for subdomain in bare],
    )
