"""An operator's desk, from addresses alone, so that any process can build it.

The tables are on DynamoDB Local, data keys and the client secret on loopback, and Zendesk is the stand-in. The rule:
the function `refresh` is asked in this process, by the services that it is made of, and nothing else is replaced.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.config import Config

from cli.jobs.check_token import CheckToken
from cli.jobs.import_file import FileFormat, TokenFile
from cli.jobs.import_rows import ImportRows
from cli.jobs.import_tokens import ImportPorts, ImportTokens
from cli.jobs.listing import ConnectionListing
from cli.jobs.polite_accounts import PoliteAccounts
from tests.processes.aws import SECRET_ARN
from tests.processes.deployment import ACCESS_LIFE, CLIENT_ID, REFRESH_LIFE, SEAL
from zendesk_oauth.adapters.client_secret import SecretsManagerClientSecret
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.adapters.dynamodb_rekey import DynamoDBRekeyStore
from zendesk_oauth.adapters.kms_keyring import KmsKeyring
from zendesk_oauth.adapters.kms_sealer import KmsSealer
from zendesk_oauth.adapters.sqs_rescue import SqsRescueQueue
from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi
from zendesk_oauth.adapters.zendesk_tokens import AuthlibTokenEndpoint
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.grant import Grant
from zendesk_oauth.models.refresh import Asked, RefreshQuestion
from zendesk_oauth.models.rekey import RekeyAnswer
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.token import RefreshReport, RefreshRequest
from zendesk_oauth.models.tokens import TokenLifetimes
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.services.rekey_connection import RekeyConnection

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

FUNCTION_SECONDS = 58.0
GRANTS = {"default": Grant("default", ("users:read",)), "reporting": Grant("reporting", ("read",))}
ROLES = frozenset({"admin"})
CAMPAIGN = "2027-01"
_CONNECTIONS = 32


class Addresses(NamedTuple):
    """Where a process finds everything."""

    dynamodb: str
    table: str
    aws: str
    queue: str
    zendesk: str


@dataclass
class Desk:
    """Everything that the jobs work with."""

    addresses: Addresses

    def client(self, service: str) -> Any:
        """Return a client of one of the services on loopback, which repeats nothing by itself."""
        endpoint = self.addresses.dynamodb if service == "dynamodb" else self.addresses.aws
        config = Config(retries={"total_max_attempts": 2}, max_pool_connections=_CONNECTIONS)
        credentials = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client(
            service,  # type: ignore[call-overload]  # one of a few
            endpoint_url=endpoint,
            region_name="us-east-1",
            config=config,
            **credentials,
        )

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """The tables."""
        client: DynamoDBClient = self.client("dynamodb")
        return client

    @cached_property
    def clock(self) -> SystemClock:
        """The machine's clocks."""
        return SystemClock()

    @cached_property
    def endpoints(self) -> Endpoints:
        """Zendesk's."""
        return Endpoints(self.addresses.zendesk, "https://connect.example.com")

    @cached_property
    def keyring(self) -> KmsKeyring:
        """The function's keyring."""
        return KmsKeyring(self.client("kms"), SEAL)

    @cached_property
    def listing(self) -> ConnectionListing:
        """Every connection's name."""
        return ConnectionListing(self.dynamodb, self.addresses.table)

    @cached_property
    def store(self) -> DynamoDBRefreshStore:
        """The rows, as a refresh sees them."""
        return DynamoDBRefreshStore(self.dynamodb, self.addresses.table)

    @cached_property
    def refresh(self) -> RefreshConnection:
        """What the function does when it is asked for a refresh."""
        clock = self.clock
        secret = SecretsManagerClientSecret(self.client("secretsmanager"), SECRET_ARN, clock)
        lifetimes = TokenLifetimes(ACCESS_LIFE, REFRESH_LIFE)
        return RefreshConnection(
            RefreshPorts(
                store=self.store,
                keyring=self.keyring,
                token_endpoint=AuthlibTokenEndpoint(CLIENT_ID, secret, self.endpoints, lifetimes, clock),
                api=ZendeskHttpApi(self.endpoints, clock),
                rescue=SqsRescueQueue(self.client("sqs"), self.addresses.queue),
                clock=clock,
                entropy=secrets.token_bytes,
            )
        )

    def ask(self, request: RefreshRequest, seconds: float) -> RefreshReport:
        """Refresh one row in this process, as the port `Refresher`."""
        assert seconds > FUNCTION_SECONDS
        question = RefreshQuestion(request.grant, request.subdomain, Asked.DUE)
        answer = self.refresh(question, self.clock.monotonic() + FUNCTION_SECONDS)
        return RefreshReport(answer.outcome.value, answer.retry_at)

    def rekey(
        self, rows: Sequence[tuple[str, Subdomain, str | None]], campaign: str = CAMPAIGN
    ) -> list[RekeyAnswer]:
        """Seal rows anew in this process, as the function does."""
        store = DynamoDBRekeyStore(self.dynamodb, self.addresses.table)
        visit = RekeyConnection(store, self.keyring, self.clock)
        until = self.clock.monotonic() + FUNCTION_SECONDS
        return [visit(*row, campaign, until) for row in rows]

    @cached_property
    def import_ports(self) -> ImportPorts:
        """What an import needs."""
        clock = self.clock
        api = ZendeskHttpApi(self.endpoints, clock)
        return ImportPorts(
            rows=ImportRows(self.dynamodb, self.addresses.table, clock.sleep),
            check=CheckToken(api, PoliteAccounts(clock), clock, ROLES),
            sealer=KmsSealer(self.client("kms"), SEAL),
            refresher=self,
            clock=clock,
            entropy=secrets.token_bytes,
        )

    def import_tokens(self, **options: Any) -> ImportTokens:
        """Return the job."""
        return ImportTokens(self.import_ports, GRANTS, **options)

    def token_file(self, path: Path) -> TokenFile:
        """Return a file of tokens, whose name says its format."""
        file_format = FileFormat.CSV if path.suffix == ".csv" else FileFormat.JSONL
        return TokenFile(path, file_format, frozenset(GRANTS))
