"""What each import costs, by `-X importtime`: the modules that a function loads and the bare handler does not.

Times of imports waver with the machine's load, so each is the least of several runs; they say where to look, and
the instruction counts of cold_start decide.
"""

import re
import subprocess
from collections.abc import Mapping

from benchmarks.artefact import Artefact
from benchmarks.canned import CannedEndpoint
from benchmarks.programs import PYTHON, Program

_LINE = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)$", re.MULTILINE)
_RUNS = 5
TOP = 15


def time_imports(program: Program, artefact: Artefact) -> dict[str, float]:
    """Return the milliseconds that each module took by itself, without what it imports."""
    least: dict[str, int] = {}
    with CannedEndpoint() as endpoint:
        endpoint.script(program.scenario)
        command = [str(PYTHON), "-X", "importtime", *program.command()[1:]]
        for _ in range(_RUNS):
            surroundings = program.surroundings(artefact, endpoint.url)
            done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True)
            for module, microseconds in read_import_times(done.stderr).items():
                least[module] = min(microseconds, least.get(module, microseconds))
    return {module: microseconds / 1000 for module, microseconds in least.items()}


def read_import_times(text: str) -> dict[str, int]:
    """Return each module's own microseconds from what `-X importtime` printed."""
    return {module: int(microseconds) for microseconds, module in _LINE.findall(text)}


def costliest(own: Mapping[str, float], shared: Mapping[str, float]) -> dict[str, float]:
    """Return the costliest modules that are not shared, the costliest first."""
    beyond = {module: ms for module, ms in own.items() if module not in shared}
    return dict(sorted(beyond.items(), key=lambda each: -each[1])[:TOP])
