"""Measured: an import and a rekey of many rows, as the operator's command and the function run them.

The order on the standard input names the job, its table and its file. Each step is a line, so that the process can be
killed half-way; the last line of the output is JSON: the seconds of the work itself, how the rows ended, and the most
memory that the process ever held.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from os import environ
from pathlib import Path
from secrets import token_bytes
from time import perf_counter
from typing import Any, cast

from cli.jobs.check_token import CheckToken
from cli.jobs.import_file import FileFormat, TokenFile
from cli.jobs.import_rows import ImportRows
from cli.jobs.import_survey import survey
from cli.jobs.import_tokens import ImportPorts, ImportTokens, Refresher
from cli.jobs.listing import ConnectionListing, Named
from cli.jobs.polite_accounts import PoliteAccounts
from cli.jobs.rekey_table import RekeyTable
from tests.jobs.told_steps import ToldSteps
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.dynamodb_rekey import DynamoDBRekeyStore
from zendesk_oauth.adapters.kms_keyring import KmsKeyring
from zendesk_oauth.adapters.kms_sealer import KmsSealer
from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.grant import Grant
from zendesk_oauth.models.rekey import RekeyAnswer
from zendesk_oauth.services.rekey_connection import RekeyConnection
from zendesk_oauth.settings import SealSettings

FUNCTION_SECONDS = 58.0
SEAL = SealSettings(environ["APPLICATION"], environ["STAGE"], environ["TOKEN_KEY_ARN"])
NOBODY = cast("Refresher", None)
"""Every token here lives, so nobody is asked to refresh one."""


class HurriedClock(SystemClock):
    """The machine's clock for whoever waits long: the time is said to have passed, and `passed` says how much."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        """Return seconds, with those that were not waited for."""
        return super().monotonic() + self.passed

    def sleep(self, seconds: float) -> None:
        """Say that it was so long."""
        self.passed += seconds


def run_import(table: str, path: str, threads: int) -> tuple[float, dict[str, int]]:
    """Import a file; both of its looks through the file count."""
    aws, clock, told = AwsClients(), SystemClock(), ToldSteps()
    endpoints = Endpoints(environ["ZENDESK_BASE_URL"], "")
    ports = ImportPorts(
        rows=ImportRows(aws.dynamodb(), table, clock.sleep),
        check=CheckToken(ZendeskHttpApi(endpoints, clock), PoliteAccounts(clock), clock, {"admin"}),
        sealer=KmsSealer(aws.kms(), SEAL),
        refresher=NOBODY,
        clock=clock,
        entropy=token_bytes,
    )
    grants = {"default": Grant("default", ("users:read", "tickets:read"))}
    since = perf_counter()
    file, now = TokenFile(Path(path), FileFormat.JSONL, frozenset(grants)), clock.now()
    seen, outcomes = survey(file.read(now)), Counter[str]()
    for report in ImportTokens(ports, grants, threads)(map(seen.judge, file.read(now))):
        outcomes[report.outcome.value] += 1
        told.advance()
    return perf_counter() - since, dict(outcomes)


def run_rekey(table: str, campaign: str, threads: int) -> tuple[float, dict[str, int]]:
    """Seal every row anew; what the first look takes is what is told."""
    aws, clock = AwsClients(), HurriedClock()
    dynamodb = aws.dynamodb()
    visit = RekeyConnection(DynamoDBRekeyStore(dynamodb, table), KmsKeyring(aws.kms(), SEAL), SystemClock())

    def rekey(rows: Sequence[Named]) -> Sequence[RekeyAnswer]:
        until = visit.clock.monotonic() + FUNCTION_SECONDS
        return [visit(*row, campaign, until) for row in rows]

    report = RekeyTable(ConnectionListing(dynamodb, table), rekey, clock, ToldSteps(), threads)()
    if not report.is_whole:
        raise ValueError(report)
    return report.seconds, {outcome.value: number for outcome, number in report.rows.items()}


def peak_kb() -> int | None:
    """Return the peak of the resident set, or None where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


JOBS: dict[str, Callable[..., tuple[float, dict[str, int]]]] = {"import": run_import, "rekey": run_rekey}


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Do what is ordered."""
    seconds, ended = JOBS[order.pop("job")](**order)
    return {"seconds": seconds, "ended": ended, "peak_kb": peak_kb()}


print(json.dumps(main(json.load(sys.stdin))), flush=True)
