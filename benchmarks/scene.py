"""Where reading and refreshing are measured: DynamoDB Local with the template's table, Zendesk's stand-in, canned keys.

Each of them runs outside the measured processes, and the same for both sides of a ratio. The table is a real one
because claims and commits are conditional writes; KMS and the secret are canned, because nothing there decides.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from benchmarks import environment
from benchmarks.answers import CLIENT_SECRET, Json
from benchmarks.artefact import ROOT, Artefact
from benchmarks.canned import CannedEndpoint
from benchmarks.programs import PYTHON, run
from benchmarks.rows import connection_row
from local.zendesk.lifetimes import Lifetimes
from local.zendesk.server import running_zendesk
from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn
from tests.dynamodb_local import create_tables, running_dynamodb
from zendesk_oauth.models.subdomain import Subdomain

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_LIFETIMES = Lifetimes(172_800, 7_776_000)


@dataclass(frozen=True, slots=True)
class Scene:
    """One table, one Zendesk, and the addresses of both."""

    artefact: Artefact
    dynamodb: "DynamoDBClient"
    dynamodb_url: str
    table: str
    keys_url: str
    zendesk: StandIn

    def connect(self, subdomain: str) -> str:
        """Put a connection there whose access token is over, and return its refresh token, which Zendesk knows."""
        account = self.zendesk.accounts.get(subdomain)
        pair = self.zendesk.tokens.issue(
            account, account.people["admin"], "users:read tickets:read", _LIFETIMES
        )
        row = connection_row(due=True, subdomain=Subdomain(subdomain), refresh_token=pair.refresh_token)
        self.put(row)
        return pair.refresh_token

    def put(self, row: Json) -> None:
        """Put a row there, given in DynamoDB's JSON."""
        item: Any = {name: _decoded(value) for name, value in row.items()}
        self.dynamodb.put_item(TableName=self.table, Item=item)

    def posts(self, subdomain: str) -> int:
        """Return how many refreshes of an account Zendesk was asked for."""
        return self.zendesk.seen.count("refresh_token", subdomain)

    def living(self, subdomain: str) -> str:
        """Return the digest of the one access token of an account that lives. Raises ValueError unless it is one."""
        (pair,) = self.zendesk.alive(subdomain)
        return hashlib.sha256(pair.access_token.encode()).hexdigest()

    def command(self, script: str) -> list[str]:
        """Return the command line of a measured process: the shipped layers, and nothing of this environment."""
        return [str(PYTHON), "-S", "-m", f"benchmarks.measured.{script}"]

    def environ(self) -> dict[str, str]:
        """Return a measured process's variables: those of a worker and those of `refresh`."""
        return {
            **environment.of_process("refresh", self.keys_url),
            **environment.of_function("worker"),
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb_url,
            "CONNECTIONS_TABLE": self.table,
            "PYTHONPATH": f"{self.artefact.opt}:{ROOT}",
            "ZENDESK_BASE_URL": self.zendesk.base_url,
            "ZENDESK_OAUTH_CONNECTIONS_TABLE": self.table,
        }

    def play(self, script: str, **order: object) -> Any:  # noqa: ANN401 - each script says what it measured
        """Run a measured script to its end and return the last line that it printed."""
        output = run(self.command(script), self.environ(), json.dumps(order))
        return json.loads(output.rstrip("\n").rpartition("\n")[2])


@contextmanager
def running_scene(artefact: Artefact) -> Iterator[Scene]:
    """Give a scene while the block runs."""
    settings = Settings(client_secret=CLIENT_SECRET, keep_raw=False)
    with running_dynamodb() as url, CannedEndpoint() as keys, running_zendesk(settings) as zendesk:
        client = boto3.client(
            "dynamodb",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - DynamoDB Local asks for any
        )
        yield Scene(artefact, client, url, create_tables(client).connections, keys.url, zendesk)


def _decoded(value: Json) -> Json:
    return {kind: base64.b64decode(content) if kind == "B" else content for kind, content in value.items()}
