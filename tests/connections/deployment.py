"""A deployment of `connections` for one test: its table, its key, and a `refresh` that does as it is told."""

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.connections.rows import Row, put, read, row
from tests.doubles.samples import ACME
from tests.loopback import Loopback, answer, silent
from zendesk_oauth.adapters.dynamodb_attributes import instant, number, sealed_attributes
from zendesk_oauth.adapters.kms_sealer import KmsSealer
from zendesk_oauth.bootstrap import connections
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import SealContext, SealedPair

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

BASE_URL = "https://connect.example.com"
REFRESH_FUNCTION = "zendesk-oauth-local-refresh"
ACCESS_TOKEN = "canary-of-access-tokens-zxcvbnmasdfghjkl"
NEXT_TOKEN = "canary-of-the-next-one-qwertyuioplkjhgf"
REFRESH_TOKEN = "canary-of-refresh-tokens-9081726354abcdef"
_CLOSE = {"Connection": "close"}


class RefreshOnLoopback:
    """Plays the function `refresh` behind Lambda's own address; `events` are what it was invoked with, and how."""

    def __init__(self, loopback: Loopback) -> None:
        self._loopback = loopback
        self.answers({"outcome": "current", "retry_at": None})

    @property
    def events(self) -> list[tuple[str, str, Any]]:
        """The path, the kind of invocation and the event of each request."""
        invoked = []
        for number_, request in enumerate(self._loopback.requests):
            first, headers = self._loopback.head(number_)
            event = json.loads(request.partition(b"\r\n\r\n")[2])
            invoked.append((first.split(" ")[1], headers["x-amz-invocation-type"], event))
        return invoked

    def answers(self, content: Mapping[str, object], effect: Callable[[], object] = lambda: None) -> None:
        """Have an effect, then answer this."""
        said = answer(200, json.dumps(content), _CLOSE)

        def do(connection: socket.socket) -> None:
            effect()
            said(connection)

        self._loopback.say(do)

    def refuses(self, status: int, code: str) -> None:
        """Answer as Lambda does where it does not invoke."""
        self._loopback.say(answer(status, "{}", _CLOSE | {"x-amzn-ErrorType": code}))

    def hangs(self) -> None:
        """Say nothing until whoever asked gives up."""
        self._loopback.say(silent())

    def accepts(self) -> None:
        """Answer as Lambda does to an asynchronous invocation."""
        self._loopback.say(answer(202, "", _CLOSE))


@dataclass(frozen=True)
class TokenKey:
    """The key's arn, and a sealer that uses it."""

    arn: str
    sealer: KmsSealer


@dataclass
class Deployment:
    """What a test may look at and set up."""

    dynamodb: "DynamoDBClient"
    table: str
    token_key: TokenKey
    refresh: RefreshOnLoopback
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @staticmethod
    def process_environment() -> dict[str, str]:
        """Return what Powertools reads by itself."""
        return {
            "POWERTOOLS_SERVICE_NAME": "connections",
            "POWERTOOLS_METRICS_NAMESPACE": "zendesk-oauth/tests",
            "POWERTOOLS_LOG_LEVEL": "DEBUG",
        }

    def environ(self, **changes: str) -> dict[str, str]:
        """Return the function's variables."""
        return {
            **self.process_environment(),
            "APPLICATION": "zendesk-oauth",
            "STAGE": "local",
            "CONNECTIONS_TABLE": self.table,
            "TOKEN_KEY_ARN": self.token_key.arn,
            "REFRESH_FUNCTION": REFRESH_FUNCTION,
            "PUBLIC_BASE_URL": BASE_URL,
            "GRANTS": "default=users:read tickets:read;reporting=read",
            "START_MODE": "open",
        } | changes

    def build(self, **changes: str) -> Callable[[object, object], Any]:
        """Return the handler of a new container."""
        return connections.build(self.environ(**changes))

    def seal(self, access_token: str = ACCESS_TOKEN, commit_id: str = "commit-40") -> SealedPair:
        """Return a pair that opens."""
        keys = self.token_key.sealer.prepare(SealContext("default", ACME))
        return keys.seal(Secret(access_token), Secret(REFRESH_TOKEN), commit_id)

    def connect(self, **changes: Any) -> None:
        """Let there be a connection, whose token opens and is fresh."""
        put(self.dynamodb, self.table, row(sealed=self.seal(), now=self.now, **changes))

    def renew(self, expires_in: timedelta = timedelta(days=2)) -> None:
        """Do what a refresh does to the row."""
        expires_at = self.now + expires_in
        fresh = sealed_attributes(self.seal(NEXT_TOKEN, "commit-41"))
        renewed = fresh | {
            "generation": number(41),
            "expires_at": instant(expires_at),
            "refresh_at": instant(expires_at - timedelta(minutes=10)),
        }
        put(self.dynamodb, self.table, self.row() | renewed)

    def row(self) -> Row:
        """Return the connection's row, raw."""
        return read(self.dynamodb, self.table)
