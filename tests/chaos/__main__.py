"""`make chaos`: plays SECONDS of chaos from SEED, and exits 1 where a token pair cannot be accounted for.

`ACCOUNTS`, `SPEED`, `SKEW` (seconds), `REUSE=1` and `KEEP=folder` (where the log stays) change a run;
docs/simulation.md says what they do.
"""

import os
import sys
import time
from pathlib import Path

from local.processes import Stopped, stoppable
from tests.chaos.run import Options, Result, run

_SEEDS = 1_000_000_000


def main() -> int:
    """Play, account, and say what came of it in the last line."""
    options = _options()
    try:
        with stoppable():
            result = run(options)
    except Stopped:
        return 130
    return _tell(options, result)


def _options() -> Options:
    environ = os.environ
    keep = environ.get("KEEP")
    return Options(
        seconds=float(environ.get("SECONDS", "180")),
        seed=int(environ.get("SEED") or time.time_ns() % _SEEDS),
        accounts=int(environ.get("ACCOUNTS", "240")),
        speed=float(environ.get("SPEED", "15")),
        skew=float(environ.get("SKEW", "4")),
        reuse=environ.get("REUSE", "") == "1",
        plant=environ.get("PLANT", ""),
        keep=Path(keep) if keep else None,
    )


def _tell(options: Options, result: Result) -> int:
    accounts, unexplained = result.accounts, len(result.accounts.findings)
    for line in result.stories:
        print(line)
    for finding in accounts.findings:
        print(f"unexplained {finding.account}: {finding.what}")
    print(f"{result.posts} token requests, {result.freezes} freezes")
    for counter in (accounts.ends, accounts.notes):
        for name, number in counter.most_common():
            print(f"  {number:6} {name}")
    if unexplained:
        print(f"again: {_command(options)}")
    pairs, seed = accounts.pairs, options.seed
    print(f"chaos: {pairs} pairs, {result.kills} kills, {unexplained} unexplained, seed {seed}")
    return int(unexplained > 0)


def _command(options: Options) -> str:
    reuse = " REUSE=1" if options.reuse else ""
    return (
        f"make chaos SECONDS={options.seconds:g} SEED={options.seed} ACCOUNTS={options.accounts} "
        f"SPEED={options.speed:g} SKEW={options.skew:g}{reuse}"
    )


if __name__ == "__main__":
    sys.exit(main())
