"""Cold starts, as ratios to the bare handler's within one run.

What is measured goes from spawn to exit: the import, the clients and the first answer to one event, on a canned
endpoint on loopback. Instructions decide, because they repeat; wall time stands beside them, from interleaved
runs, because it does not.
"""

import re
import shutil
import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from benchmarks.artefact import Artefact
from benchmarks.canned import CannedEndpoint
from benchmarks.programs import Program, bare, read_run, run

_SUMMARY = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)
RUNS = 41
"""Timed runs of each program; an odd number, so that the median is one of them."""
NO_BYTECODE_RUNS = 9
"""Fewer without bytecode: they take twice as long, and only show what shipping it is worth."""
_REPEATS = 2
_AT_ONCE = 2
"""Two counted processes at once: load does not change a count."""


class ValgrindMissingError(Exception):
    """There is nothing to count instructions with."""


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a process executed, and how far repeats of it lie apart, as a part of it."""

    count: int
    spread: float


@dataclass(frozen=True, slots=True)
class ColdStart:
    """A function's cold start, and how it compares with the bare handler's; milliseconds and peaks are medians."""

    ratio_instructions: float
    ratio_wall: float
    ratio_wall_no_bytecode: float
    runs: int
    runs_no_bytecode: int
    instructions: int
    spread: float
    wall_ms: float
    peak_mb: float
    ratio_peak: float


class Timed(NamedTuple):
    """Seconds from spawn to exit, and the most memory that the process held: 0 where the system does not tell."""

    seconds: float
    peak_kb: float


def require_valgrind() -> None:
    """Raise ValgrindMissingError, with what to do, where valgrind is not installed."""
    if shutil.which("valgrind") is None:
        raise ValgrindMissingError(
            "valgrind is missing, which counts instructions; install it (apt install valgrind)"
        )


def measure(programs: Sequence[Program], artefact: Artefact, runs: int) -> dict[str, ColdStart]:
    """Return the cold start of each program, held against the bare handler's, which is among them at 1."""
    everybody = [bare(), *programs]
    runs_no_bytecode = min(runs, NO_BYTECODE_RUNS)
    counts = count_instructions(everybody, artefact)
    timed = time_interleaved(everybody, artefact, runs)
    wall = {name: median.seconds for name, median in timed.items()}
    peak = {name: median.peak_kb for name, median in timed.items()}
    timed_no_bytecode = time_interleaved(everybody, artefact.without_bytecode(), runs_no_bytecode)
    wall_no_bytecode = {name: median.seconds for name, median in timed_no_bytecode.items()}
    return {
        name: ColdStart(
            ratio_instructions=round(counts[name].count / counts["bare"].count, 4),
            ratio_wall=round(wall[name] / wall["bare"], 3),
            ratio_wall_no_bytecode=round(wall_no_bytecode[name] / wall_no_bytecode["bare"], 3),
            runs=runs,
            runs_no_bytecode=runs_no_bytecode,
            instructions=counts[name].count,
            spread=counts[name].spread,
            wall_ms=round(wall[name] * 1000, 1),
            peak_mb=round(peak[name] / 1000, 1),
            ratio_peak=round(peak[name] / (peak["bare"] or 1), 3),
        )
        for name in counts
    }


def count_instructions(programs: Sequence[Program], artefact: Artefact) -> dict[str, Instructions]:
    """Return what each program executes from spawn to exit, by callgrind, with how well two counts agree."""
    jobs = [program for program in programs for _ in range(_REPEATS)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        counts = list(pool.map(lambda program: (program.name, _count(program, artefact)), jobs))
    counted = {
        program.name: [count for name, count in counts if name == program.name] for program in programs
    }
    return {name: Instructions(min(c), (max(c) - min(c)) / min(c)) for name, c in counted.items()}


def _count(program: Program, artefact: Artefact) -> int:
    with CannedEndpoint() as endpoint, TemporaryDirectory() as folder:
        endpoint.script(program.scenario)
        out = Path(folder) / "callgrind.out"
        counter = ["/usr/bin/env", "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
        read_run(program, run([*counter, *program.command()], program.surroundings(artefact, endpoint.url)))
        return read_count(out.read_text(encoding="utf-8"))


def read_count(callgrind_output: str) -> int:
    """Return the instructions of a whole process from callgrind's output. Raises ValueError where there are none."""
    found = _SUMMARY.search(callgrind_output)
    if found is None:
        raise ValueError("callgrind wrote no summary")
    return int(found[1])


def time_interleaved(programs: Sequence[Program], artefact: Artefact, runs: int) -> dict[str, Timed]:
    """Return each program's medians from spawn to exit: one warm-up, then round after round of all of them."""
    with CannedEndpoint() as endpoint:
        rounds = [
            {program.name: _time(program, artefact, endpoint) for program in programs}
            for _ in range(runs + 1)
        ]
    return {p.name: _median([timed[p.name] for timed in rounds[1:]]) for p in programs}


def _median(timed: Sequence[Timed]) -> Timed:
    return Timed(*(statistics.median(each) for each in zip(*timed, strict=True)))


def _time(program: Program, artefact: Artefact, endpoint: CannedEndpoint) -> Timed:
    endpoint.script(program.scenario)
    surroundings = program.surroundings(artefact, endpoint.url)
    since = perf_counter()
    output = run(program.command(), surroundings)
    seconds = perf_counter() - since
    return Timed(seconds, read_run(program, output).peak_kb or 0)
