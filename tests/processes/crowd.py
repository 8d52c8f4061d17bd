"""Many workers in one process, who all want the token of one connection at the same moment.

The rule: each is a thread that reads as the worker's library does, and whoever has it refreshed runs the function's own
service here, with adapters of this process; nothing but digests of tokens leaves it.
"""

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import botocore.session
from botocore.config import Config

from tests.processes.clock import SharedClock
from tests.processes.deployment import SEAL, Addresses, Clients, refresh_ports
from zendesk_oauth.adapters.dynamodb_token_reader import DynamoDBTokenReader
from zendesk_oauth.adapters.kms_token_opener import KmsTokenOpener
from zendesk_oauth.models.refresh import Asked, RefreshQuestion, Version
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.token import AccessToken, RefreshReport, RefreshRequest, TokenQuestion
from zendesk_oauth.services.read_token import ReadToken
from zendesk_oauth.services.refresh_connection import RefreshConnection

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from types_boto3_dynamodb import DynamoDBClient

PATIENCE_SECONDS = 300.0
"""A thousand clients and their store share one machine here, so nobody's time is short: this test is about counts."""
SOCKETS = 12
QUESTION = TokenQuestion("default", Subdomain("acme"))


def digest(token: str) -> str:
    """Return what a process may tell of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(slots=True)
class Round:
    """What the workers of one process got: digests of tokens, generations, errors, and how refreshes ended."""

    tokens: Counter[str] = field(default_factory=Counter)
    generations: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    reads: int = 0
    writes: int = 0


class InProcessRefresher(NamedTuple):
    """The port `Refresher`: what the function does, without an invocation in between."""

    refresh: RefreshConnection
    outcomes: Counter[str]

    def ask(self, request: RefreshRequest, seconds: float) -> RefreshReport:
        """Run the service; the row decides."""
        assert seconds > 0
        asked = Asked.FAILED if request.failed else Asked.DUE
        seen = Version(*request.failed) if request.failed else None
        question = RefreshQuestion(request.grant, request.subdomain, asked, seen)
        answer = self.refresh(question, self.refresh.ports.clock.monotonic() + PATIENCE_SECONDS)
        self.outcomes[answer.outcome] += 1
        return RefreshReport(answer.outcome, answer.retry_at)


class Crowd:
    """So many workers, who meet again and again."""

    def __init__(self, workers: int, addresses: Addresses, clients: Clients) -> None:
        clock = SharedClock(addresses.clock, waits=True)
        clients.dynamodb.meta.events.register("before-call.dynamodb", self.count)
        self.round = Round()
        self._turn = threading.Lock()
        self._clock = clock
        self._workers = workers
        self._refresh = RefreshConnection(refresh_ports(addresses, clients, clock))
        self._reader = DynamoDBTokenReader(clients.dynamodb, addresses.table)
        self._opener = KmsTokenOpener(clients.kms, SEAL)

    def meet(self) -> Round:
        """Let all workers ask at the same moment, and return what they got."""
        self.round = Round()
        gate = threading.Barrier(self._workers)
        threads = [threading.Thread(target=self._work, args=(gate,)) for _ in range(self._workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.round

    def _work(self, gate: threading.Barrier) -> None:
        outcomes: Counter[str] = Counter()
        refresher = InProcessRefresher(self._refresh, outcomes)
        read = ReadToken(self._reader, self._opener, refresher, self._clock)
        gate.wait()
        got: AccessToken | Exception
        try:
            got = read(QUESTION, self._clock.monotonic() + PATIENCE_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told to the test
            got = error
        self._note(got, outcomes)

    def _note(self, got: AccessToken | Exception, outcomes: Counter[str]) -> None:
        with self._turn:
            self.round.outcomes.update(outcomes)
            if isinstance(got, Exception):
                self.round.errors[repr(got)] += 1
            else:
                self.round.tokens[digest(got.value.reveal())] += 1
                self.round.generations[got.generation] += 1

    def count(self, model: Any, **_: object) -> None:
        """Note a call of the store."""
        with self._turn:
            if model.name == "GetItem":
                self.round.reads += 1
            else:
                self.round.writes += 1


def crowded_client() -> "DynamoDBClient":
    """Return a client on which many wait for few sockets: a store on the same machine cannot serve them all at once."""
    config = Config(
        max_pool_connections=SOCKETS, read_timeout=60, connect_timeout=60, parameter_validation=False
    )
    client = cast("DynamoDBClient", botocore.session.get_session().create_client("dynamodb", config=config))
    free = threading.BoundedSemaphore(SOCKETS)
    client.meta.events.register("provide-client-params.dynamodb", lambda **_: _none(free.acquire()))
    client.meta.events.register("after-call.dynamodb", lambda **_: free.release())
    client.meta.events.register("after-call-error.dynamodb", lambda **_: free.release())
    return client


def _none(_: object) -> None:
    """Return nothing: what such a hook returns would be taken for the answer."""


def meet(line: "Connection[Any, Any]", workers: int, addresses: Addresses) -> None:
    """Let the workers meet whenever a word comes."""
    from tests.processes import preloaded  # noqa: PLC0415 - the server of the processes has it, nobody else

    crowd = Crowd(workers, addresses, preloaded.CONTAINER.clients._replace(dynamodb=preloaded.CROWDED))
    line.send("ready")
    while True:
        line.recv()
        line.send(crowd.meet())
