"""Builds a worker's connections from its environment."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from zendesk_oauth.adapters.clock import SystemClock, epoch_seconds
from zendesk_oauth.adapters.dynamodb_token_reader import DynamoDBTokenReader
from zendesk_oauth.adapters.kms_token_opener import KmsTokenOpener
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.models.token import AccessToken, RefreshReport, RefreshRequest, TokenQuestion
from zendesk_oauth.services.read_token import ReadToken
from zendesk_oauth.settings import WORKER_PREFIX, WORKER_VARIABLES, WorkerSettings
from zendesk_oauth.worker.connections import Clocks, Connections, reset_after_fork
from zendesk_oauth.worker.questions import MAX_WAIT, checked, checked_span, wrong_type

if TYPE_CHECKING:
    from zendesk_oauth.ports.token import Refresher

PATIENCE = 0.9
"""The part of the waiting time that one request to `refresh` may take; the rest is for reading what became of it."""


class ReadTokenHere:
    """Reads tokens by clients that belong to this process: a forked child makes its own at its first read.

    Two processes that send on one TLS connection break it for both, and a lock of the SDK that another thread held at
    the fork stays held in the child.
    """

    def __init__(self, made: Callable[[], ReadToken]) -> None:
        self._made = made
        self._read_token: ReadToken | None = made()
        self._of_parents: list[ReadToken | None] = []
        reset_after_fork(self)

    def __call__(self, question: TokenQuestion, until: float) -> AccessToken:
        """Return the token; returns and raises as `ReadToken`."""
        read_token = self._read_token
        if read_token is None:  # two threads may both make one: they share nothing, and the last one stays
            read_token = self._read_token = self._made()
        return read_token(question, until)

    def reset(self) -> None:
        """Leave the parent's clients alone. They are kept, because closing a pool waits for its lock."""
        self._of_parents.append(self._read_token)
        self._read_token = None


class RefresherWhenAsked:
    """The port `Refresher`, built when it is first needed: a worker asks for a refresh once in days."""

    def __init__(self, aws: AwsClients, function_name: str, patience: float) -> None:
        self._aws = aws
        self._function_name = function_name
        self._patience = patience
        self._refresher: Refresher | None = None
        self._turn = Lock()  # botocore's sessions are not made for two threads

    def ask(self, request: RefreshRequest, seconds: float) -> RefreshReport:
        """Ask; returns and raises as the port says."""
        with self._turn:
            self._refresher = self._refresher or self._built()
        return self._refresher.ask(request, seconds)

    def _built(self) -> "Refresher":
        from zendesk_oauth.adapters.lambda_refresher import Awaiting, LambdaRefresher  # noqa: PLC0415 - as above

        awaiting = Awaiting(self._aws.lambda_functions(self._patience), self._patience)
        return LambdaRefresher(self._aws.lambda_functions(), self._function_name, awaiting)


def build(environ: Mapping[str, str] | None, wait: timedelta) -> Connections:
    """Return the connections. Raises ConfigurationError with every problem; TypeError, ValueError for an argument."""
    patience = checked_span("wait", wait, MAX_WAIT).total_seconds() * PATIENCE
    settings = WorkerSettings.read(_environ(environ))
    read_token = ReadTokenHere(partial(_read_token, settings, patience))
    return Connections(read_token, settings.zendesk_base_url, Clocks(epoch_seconds, monotonic), wait)


def _read_token(settings: WorkerSettings, patience: float) -> ReadToken:
    """Return what reads tokens, over clients of its own."""
    aws = AwsClients()
    return ReadToken(
        DynamoDBTokenReader(aws.dynamodb(), settings.connections_table),
        KmsTokenOpener(aws.kms(), settings.seal),
        RefresherWhenAsked(aws, settings.refresh_function, patience),
        SystemClock(),
        settings.start_url,
    )


def _environ(unverified: object) -> Mapping[str, str] | None:
    """Return the variables, ours checked: the others may be anything. Raises TypeError."""
    if unverified is None:
        return None
    if not isinstance(unverified, Mapping):
        raise wrong_type("environ", "a mapping of str to str, or None", unverified)
    for name in (f"{WORKER_PREFIX}{each}" for each in sorted(WORKER_VARIABLES)):
        checked(f"environ[{name!r}]", unverified.get(name, ""), str)
    return unverified
