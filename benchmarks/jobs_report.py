"""What the jobs over a whole table came to: their targets, their part of results.json, and their table."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from benchmarks.jobs import Job
from benchmarks.tables import Target, table_of

RATIO_LIMITS: Mapping[str, float] = {"import": 1.25, "rekey": 1.25}
"""The time of a row, against its bare calls."""
MEMORY_LIMIT = 1.15
"""The peak of all rows, against that of a tenth of them."""


def targets(jobs: Mapping[str, Job]) -> list[Target]:
    """Return the targets of the jobs, with what came out."""
    return [
        *(
            Target(f"{name} of {job.rows:,} rows, against its bare calls", job.ratio, RATIO_LIMITS[name])
            for name, job in jobs.items()
        ),
        *(
            Target(f"{name}: memory, against a tenth of the rows", job.memory_ratio, MEMORY_LIMIT)
            for name, job in jobs.items()
        ),
        *(
            Target(f"{name} killed {job.kills} times, rows lost and doubled", job.lost + job.doubled, 0)
            for name, job in jobs.items()
        ),
    ]


def as_json(jobs: Mapping[str, Job]) -> dict[str, Any]:
    """Return what results.json holds of them."""
    return {name: job.as_json() for name, job in jobs.items()}


def table(jobs: Mapping[str, Job]) -> Table:
    """Return the table."""
    made = table_of(
        "Jobs over a whole table, in one process of four threads",
        "job",
        "rows",
        "rows a second here",
        "bare",
        "ratio",
        "peak MB here",
        "of a tenth",
        "kills",
        "lost",
        "doubled",
    )
    for name, job in jobs.items():
        made.add_row(
            name,
            f"{job.rows:,}",
            f"{job.rows_per_second:,.0f}",
            f"{job.bare_rows_per_second:,.0f}",
            f"{job.ratio:.2f}",
            f"{job.peak_mb:.0f}",
            f"{job.peak_mb_of_a_tenth:.0f}",
            *(str(number) for number in (job.kills, job.lost, job.doubled)),
        )
    return made
