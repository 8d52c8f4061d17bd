"""Measured: a cold read and a refresh, each beside the bare boto3 calls that it needs, in turns.

Both sides have the clients of a warm container and are timed from outside. Ours is the library with nothing kept, and
the whole handler of `refresh` with its log line. Each refresh is of a connection that the container has not seen, so
both its keys are asked for. The order on the standard input names them, and the last line of the output tells seconds.
"""

import io
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from datetime import timedelta
from itertools import repeat
from statistics import median
from time import monotonic, perf_counter, time
from typing import Any, cast

from benchmarks.measured.bare_calls import BareCalls
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.dynamodb_token_reader import DynamoDBTokenReader
from zendesk_oauth.adapters.kms_token_opener import KmsTokenOpener
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.bootstrap.refresh import build
from zendesk_oauth.ports.token import Refresher
from zendesk_oauth.services.read_token import ReadToken
from zendesk_oauth.settings import WorkerSettings
from zendesk_oauth.worker.connections import Clocks, Connections

WAIT = timedelta(seconds=55)
NOBODY = cast("Refresher", None)
"""Whoever reads a fresh token asks nobody."""


class Context:
    """What Lambda tells `refresh` of its call."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        """Return what a call begins with."""
        return 60_000


class ColdLibrary:
    """The library with the clients of a warm container, and nothing kept."""

    def __init__(self) -> None:
        aws = AwsClients()
        self.dynamodb, self.kms = aws.dynamodb(), aws.kms()
        self.settings = WorkerSettings.read(None)

    def read(self, subdomain: str) -> None:
        """Read with neither token nor key kept."""
        read_token = ReadToken(
            DynamoDBTokenReader(self.dynamodb, self.settings.connections_table),
            KmsTokenOpener(self.kms, self.settings.seal),
            NOBODY,
            SystemClock(),
        )
        clocks = Clocks(time, monotonic)
        Connections(read_token, self.settings.zendesk_base_url, clocks, WAIT).token(subdomain).value.reveal()


class RefreshFunction:
    """The handler of `refresh`, as it is deployed."""

    def __init__(self) -> None:
        self.handler = build()

    def refresh(self, subdomain: str) -> None:
        """Have a connection refreshed. Raises ValueError where it was not, which would be quicker."""
        answer = self.handler({"grant": "default", "subdomain": subdomain, "asked": "due"}, Context())
        if answer["outcome"] != "refreshed":
            raise ValueError(answer)


def seconds(work: Callable[[], None]) -> float:
    """Return how long it took."""
    since = perf_counter()
    work()
    return perf_counter() - since


def in_turns(pairs: Sequence[tuple[Callable[[], None], Callable[[], None]]], warm_ups: int) -> dict[str, Any]:
    """Return the medians of ours and of the bare side's, each pair one after the other."""
    timed = [(seconds(ours), seconds(bare)) for ours, bare in pairs][warm_ups:]
    ours, bare = (median(each) for each in zip(*timed, strict=True))
    return {"ours": ours, "bare": bare, "rounds": len(timed)}


def at_once(threads: int, times: int, read: Callable[[str], None]) -> float:
    """Return how many reads a second so many threads make together."""
    with ThreadPoolExecutor(threads) as pool:
        since = perf_counter()
        list(pool.map(read, repeat("acme", times)))
        return times / (perf_counter() - since)


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Measure what is ordered."""
    library, function, bare = ColdLibrary(), RefreshFunction(), BareCalls(order["client_secret"])
    reads = [(lambda: library.read("acme"), lambda: bare.read("acme"))] * order["reads"]
    refreshes = [
        (lambda o=ours: function.refresh(o), lambda b=theirs: bare.refresh(*b))
        for ours, theirs in zip(order["ours"], order["bare"], strict=True)
    ]
    with redirect_stdout(io.StringIO()):
        return {
            "cold_read": in_turns(reads, order["warm_ups"]),
            "refresh": in_turns(refreshes, order["warm_ups"]),
            "cold_reads_per_second": at_once(order["threads"], order["reads"], library.read),
        }


print(json.dumps(main(json.load(sys.stdin))))
