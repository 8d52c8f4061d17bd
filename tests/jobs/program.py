"""A job as a process of its own, to be killed: it says how far it has come, and in the end how it ended.

Run as `python -m tests.jobs.program`, with an order in JSON on standard input. The rule: it is the job that the
operator's command runs, over the desk of the tests; only its long waits are not waited for.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from cli.jobs.import_survey import survey
from cli.jobs.rekey_table import RekeyTable
from tests.jobs.desk import Addresses, Desk
from tests.jobs.told_steps import ToldSteps


class HurriedClock:
    """The machine's clock for whoever waits long: the time is said to have passed."""

    def __init__(self, desk: Desk) -> None:
        self._clock = desk.clock
        self._passed = 0.0

    def now(self) -> Any:
        """Return the present."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Return seconds, with those that were not waited for."""
        return self._clock.monotonic() + self._passed

    def sleep(self, seconds: float) -> None:
        """Wait a moment, and say that it was so long."""
        self._passed += seconds
        self._clock.sleep(min(seconds, 0.05))


def run_import(desk: Desk, path: Path, **options: Any) -> dict[str, int]:
    """Import a file."""
    told, now, file = ToldSteps(), desk.clock.now(), desk.token_file(path)
    seen = survey(file.read(now))
    outcomes: Counter[str] = Counter()
    for report in desk.import_tokens(**options)(map(seen.judge, file.read(now))):
        outcomes[report.outcome.value] += 1
        told.advance()
    return dict(outcomes)


def run_rekey(desk: Desk, **options: Any) -> dict[str, Any]:
    """Seal every row anew."""
    report = RekeyTable(desk.listing, desk.rekey, HurriedClock(desk), ToldSteps(), **options)()
    rows = {outcome.value: number for outcome, number in report.rows.items()}
    return {"rows": rows, "is_whole": report.is_whole, "again": report.again}


def main() -> None:
    """Read the order, do it, and say how it ended."""
    order = json.loads(sys.stdin.read())
    desk = Desk(Addresses(*order["addresses"]))
    if "path" in order:
        ended: dict[str, Any] = run_import(desk, Path(order["path"]), **order["options"])
    else:
        ended = run_rekey(desk, **order["options"])
    print(json.dumps(ended), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main()
