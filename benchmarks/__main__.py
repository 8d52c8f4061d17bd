"""`make bench`: measure what is shipped, print tables, and write benchmarks/results.json.

Exits 0 where a target is missed too: `met` says it. Exits 1 only where nothing could be measured.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.status import Status

from benchmarks import (
    artefact,
    calls,
    cold_start,
    cost,
    imports,
    jobs,
    programs,
    reading,
    report,
    sizes,
    template,
)
from benchmarks.artefact import ROOT, Artefact
from benchmarks.scene import running_scene

RESULTS = ROOT / "benchmarks" / "results.json"


def measure(built: Artefact, status: Status, runs: int) -> report.Results:
    """Return everything, saying on the way what is being done."""
    functions = programs.functions()
    status.update("counting calls")
    situations = [calls.observe(program, built) for program in programs.situations()]
    status.update("counting instructions and timing cold starts; this takes minutes")
    cold = cold_start.measure([*functions, *programs.others()], built, runs)
    status.update("letting crowds of workers meet an expiry")
    read = reading.measure(built)
    status.update("importing ten thousand tokens and sealing them anew, and killing both")
    with running_scene(built) as scene:
        done = jobs.measure(scene)
    status.update("timing imports and zipping")
    prices = cost.read_prices()
    rows = {program.name: _row(program) for program in programs.situations()}
    ours = [each for each in situations if each.function in artefact.FUNCTIONS]
    return report.Results(
        architecture=built.architecture,
        cold_start=cold,
        reading=read,
        jobs=done,
        imports=_imports([*functions, programs.others()[0]], built),
        situations=situations,
        layers_mb=sizes.measure_sizes(built),
        rows={each.name: [asdict(row) for row in cost.rows_written(each, rows[each.name])] for each in ours},
        usd_per_million={
            each.name: cost.usd_per_million(
                each,
                rows[each.name],
                cold[each.function].wall_ms,
                template.memory_mb(each.function),
                prices,
            )
            for each in ours
        },
        assumed=prices["assumed"],
    )


def _row(program: programs.Program) -> dict[str, object]:
    """Return the install's or connection's row as the situation finds it; there is none where it begins."""
    return dict(program.scenario.rows[0]) if program.scenario.rows else {}


def _imports(functions: Sequence[programs.Program], built: Artefact) -> dict[str, dict[str, float]]:
    shared = imports.time_imports(programs.bare(), built)
    return {
        program.name: imports.costliest(imports.time_imports(program, built), shared) for program in functions
    }


def main() -> int:
    """Measure, show, write; return the exit status."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=cold_start.RUNS, help="timed runs of each cold start")
    runs = parser.parse_args().runs
    try:
        cold_start.require_valgrind()
    except cold_start.ValgrindMissingError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    console = Console()
    with console.status("building for this machine") as status:
        built = artefact.build()
        try:
            results = measure(built, status, runs)
        finally:
            built.remove()
    report.show(results, console)
    report.write(results, RESULTS)
    console.print(f"written: {RESULTS.relative_to(ROOT)}")
    return 0


sys.exit(main())
