"""What was measured, as a table for people and as `results.json` for machines."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import jobs_report, reading_report
from benchmarks.calls import Counts, Situation
from benchmarks.cold_start import ColdStart
from benchmarks.jobs import Job
from benchmarks.reading import Reading
from benchmarks.sizes import LAMBDA_LIMIT_MB
from benchmarks.tables import Target, table_of

SCHEMA = 1
LIMITS: Mapping[str, float] = {
    "start": 1.05,
    "callback": 1.18,
    "refresh": 1.2,
    "connections": 1.12,
    "publish": 1.05,
    "worker": 1.08,
}
"""Cold starts in instructions, against the bare handler."""
WORDS: Mapping[str, str] = {
    "DynamoDB.GetItem": "get",
    "DynamoDB.PutItem": "put",
    "DynamoDB.TransactWriteItems": "transaction",
    "DynamoDB.UpdateItem": "update",
    "EventBridge.PutEvents": "events put",
    "GET /api/v2/users/me.json": "users/me",
    "KMS.Decrypt": "unwrapped key",
    "KMS.GenerateDataKey": "data key",
    "POST /oauth/tokens": "token POST",
    "SecretsManager.GetSecretValue": "secret",
}
"""Short words for the calls of the tables; a call that has none is shown as it was on the wire."""


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that one run measured."""

    architecture: str
    cold_start: Mapping[str, ColdStart]
    reading: Reading
    jobs: Mapping[str, Job]
    imports: Mapping[str, Mapping[str, float]]
    situations: Sequence[Situation]
    layers_mb: Mapping[str, Mapping[str, float]]
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    usd_per_million: Mapping[str, Mapping[str, float]]
    assumed: Mapping[str, Any]

    @property
    def targets(self) -> list[Target]:
        """The targets, with what came out."""
        cold = [
            Target(f"cold start of {name}, instructions", self.cold_start[name].ratio_instructions, limit)
            for name, limit in LIMITS.items()
        ]
        counted = [
            Target(f"calls of {each.name}{at}", in_words(each.counts[when]), in_words(minimum[when]))
            for each, minimum in ((each, each.minimum) for each in self.situations)
            for when, at in (("first", ", first of a container"), ("later", ""))
        ]
        unzipped = round(sum(size["unzipped"] for size in self.layers_mb.values()), 2)
        return [
            *cold,
            *counted,
            *reading_report.targets(self.reading),
            *jobs_report.targets(self.jobs),
            Target("layers and functions, MB unzipped", unzipped, LAMBDA_LIMIT_MB),
        ]

    def as_json(self) -> dict[str, Any]:
        """Return what results.json holds."""
        return {
            "schema": SCHEMA,
            "architecture": self.architecture,
            "cold_start": {name: asdict(cold) for name, cold in self.cold_start.items()},
            "reading": reading_report.as_json(self.reading),
            "jobs": jobs_report.as_json(self.jobs),
            "imports_ms": self.imports,
            "calls": {each.name: each.counts for each in self.situations},
            "warm_ms": {each.name: each.later_ms for each in self.situations},
            "layers_mb": self.layers_mb,
            "rows": self.rows,
            "usd_per_million": self.usd_per_million,
            "assumed": self.assumed,
            "targets": [asdict(target) | {"met": target.met} for target in self.targets],
        }


def in_words(counts: Counts) -> str:
    """Return counts as a text, in one order, so that two of them can be held against each other."""
    return ", ".join(f"{counts[name]} {WORDS.get(name, name)}" for name in sorted(counts)) or "none"


def write(results: Results, path: Path) -> None:
    """Write results.json."""
    path.write_text(json.dumps(results.as_json(), indent=2) + "\n", encoding="utf-8")


def show(results: Results, console: Console) -> None:
    """Print the tables."""
    for table in (
        _cold_starts(results),
        reading_report.readings(results.reading),
        reading_report.crowds(results.reading),
        jobs_report.table(results.jobs),
        _imports(results),
        _calls(results),
        _sizes(results),
        _costs(results),
        _targets(results),
    ):
        console.print(table)


def _cold_starts(results: Results) -> Table:
    table = table_of(
        "Cold start, from spawn to exit with the first answer, against the bare handler",
        "function",
        "instructions",
        "millions",
        "repeats agree to",
        "wall",
        "ms here",
        "wall without bytecode",
        "peak memory",
        "MB here",
    )
    for name, cold in results.cold_start.items():
        table.add_row(
            name,
            f"{cold.ratio_instructions:.3f}",
            f"{cold.instructions / 1e6:.1f}",
            f"{cold.spread:.0e}",
            f"{cold.ratio_wall:.2f}",
            f"{cold.wall_ms:.0f}",
            f"{cold.ratio_wall_no_bytecode:.2f}",
            f"{cold.ratio_peak:.2f}",
            f"{cold.peak_mb:.0f}",
        )
    return table


def _imports(results: Results) -> Table:
    table = table_of(
        "What imports cost that the bare handler does not make: milliseconds, least of several runs",
        *results.imports,
    )
    columns = [
        [f"{module.removeprefix('zendesk_oauth.')} {ms:.1f}" for module, ms in found.items()]
        for found in results.imports.values()
    ]
    for row in zip_longest(*columns, fillvalue=""):
        table.add_row(*row)
    return table


def _calls(results: Results) -> Table:
    table = table_of(
        "Calls, counted on the wire", "situation", "in a warm container", "more in a new one", "warm ms here"
    )
    for each in results.situations:
        more = Counter(each.counts["first"]) - Counter(each.counts["later"])
        table.add_row(each.name, in_words(each.counts["later"]), in_words(more), f"{each.later_ms:.1f}")
    return table


def _sizes(results: Results) -> Table:
    table = table_of(f"Sizes in MB, {results.architecture}", "what", "unzipped", "zipped")
    for name, size in results.layers_mb.items():
        table.add_row(name, f"{size['unzipped']:.2f}", f"{size['zipped']:.2f}")
    return table


def _costs(results: Results) -> Table:
    services = list(next(iter(results.usd_per_million.values())))
    table = table_of("US dollars a million, each the first of its container", "situation", *services)
    for name, usd in results.usd_per_million.items():
        table.add_row(name, *(f"{usd[service]:.2f}" for service in services))
    return table


def _targets(results: Results) -> Table:
    table = table_of("Targets", "what", "is", "shall be", "met")
    for target in results.targets:
        table.add_row(
            target.name, str(target.value), str(target.limit), "yes" if target.met else "[bold red]no[/]"
        )
    return table
