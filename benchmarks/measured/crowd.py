"""Measured: workers of one process who want the token of one connection at the same moment, when it is over.

Each worker is a container of its own as far as tokens go: a `Connections` that keeps nothing yet. SDK clients and data
keys are the process's, or the machine would be measured and not the protocol. Whoever asks for a refresh runs the
function's own service here. Orders come line by line; each is answered with a line that holds no token, but digests.
"""

import hashlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.adapters.dynamodb_token_reader import DynamoDBTokenReader
from zendesk_oauth.adapters.kms_token_opener import KmsTokenOpener
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.bootstrap.refresh import build
from zendesk_oauth.models.refresh import Connection, RefreshQuestion, Renewal
from zendesk_oauth.models.token import RefreshReport, RefreshRequest
from zendesk_oauth.services.read_token import ReadToken
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.settings import WorkerSettings
from zendesk_oauth.worker.connections import Clocks, Connections

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from zendesk_oauth.ports.refresh import RefreshStore

SOCKETS = 8
"""To the store, of one process: one on the same machine cannot serve a thousand at once."""
WAIT = timedelta(seconds=120)
FUNCTION_SECONDS = 58.0


class TimedStore:
    """The store of `refresh`, which notes when a commit was made; monotonic seconds are the same in all processes."""

    def __init__(self, store: DynamoDBRefreshStore) -> None:
        self.store = store
        self.committed: list[float] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has
        return getattr(self.store, name)

    def commit(self, renewal: Renewal, **how: bool) -> Connection | None:
        """Commit."""
        current = self.store.commit(renewal, **how)
        self.committed.append(monotonic())
        return current


class InProcessRefresher(NamedTuple):
    """The port `Refresher`: what the function does, without an invocation in between."""

    refresh: RefreshConnection
    outcomes: Counter[str]

    def ask(self, request: RefreshRequest, seconds: float) -> RefreshReport:
        """Run the service; the row decides."""
        question = RefreshQuestion(request.grant, request.subdomain)
        answer = self.refresh(question, monotonic() + min(seconds, FUNCTION_SECONDS))
        self.outcomes[answer.outcome] += 1
        return RefreshReport(answer.outcome, answer.retry_at)


class Process:
    """What the workers of one process share."""

    def __init__(self) -> None:
        self.settings = WorkerSettings.read(None)
        aws = AwsClients(60)
        dynamodb = aws.dynamodb()
        take_turns(dynamodb)
        self.reader = DynamoDBTokenReader(dynamodb, self.settings.connections_table)
        self.opener = KmsTokenOpener(aws.kms(), self.settings.seal)
        ports = build().build_use_cases().refresh.ports
        self.store = TimedStore(DynamoDBRefreshStore(dynamodb, self.settings.connections_table))
        self.refresh = RefreshConnection(replace(ports, store=cast("RefreshStore", self.store)))

    def meet(self, workers: int, subdomain: str, at: float) -> dict[str, Any]:
        """Let so many workers ask at that moment, and return what they got."""
        self.store.committed.clear()
        met = [Worker(self, subdomain, at) for _ in range(workers)]
        for worker in met:
            worker.start()
        for worker in met:
            worker.join()
        return {
            "committed": list(self.store.committed),
            "workers": [worker.met for worker in met],
        }


class Worker(threading.Thread):
    """One that asks once."""

    def __init__(self, process: Process, subdomain: str, at: float) -> None:
        super().__init__()
        self.outcomes: Counter[str] = Counter()
        self.subdomain = subdomain
        self.at = at
        self.met: dict[str, Any] = {}
        refresher = InProcessRefresher(process.refresh, self.outcomes)
        read_token = ReadToken(process.reader, process.opener, refresher, SystemClock())
        url = process.settings.zendesk_base_url
        self.connections = Connections(read_token, url, Clocks(time, monotonic), WAIT)

    def run(self) -> None:
        """Ask, and say when that was, and what came of it."""
        sleep(max(0, self.at - monotonic()))
        began = monotonic()
        met: dict[str, Any] = {"began": began}
        try:
            token = self.connections.token(self.subdomain)
            met |= {
                "ended": monotonic(),
                "generation": token.generation,
                "digest": digest(token.value.reveal()),
            }
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            met["error"] = type(error).__name__
        self.met = met | {"led": self.outcomes["refreshed"] > 0}


def take_turns(client: "DynamoDBClient") -> None:
    """Let callers wait for few sockets. Hooks return nothing, or it would be taken for the answer."""
    free = threading.BoundedSemaphore(SOCKETS)

    def take(**_: object) -> None:
        free.acquire()

    def give(**_: object) -> None:
        with suppress(ValueError):
            free.release()

    events = client.meta.events
    events.register("before-call.dynamodb", take)
    events.register("after-call.dynamodb", give)
    events.register("after-call-error.dynamodb", give)


def digest(token: str) -> str:
    """Return what a process may tell of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def main(lines: Sequence[str] | Any) -> None:  # noqa: ANN401 - an open file
    """Do one order after the other."""
    process = Process()
    print("ready", flush=True)
    for line in lines:
        print(json.dumps(process.meet(**json.loads(line))), flush=True)


main(sys.stdin)
