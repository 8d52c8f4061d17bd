"""Everything of a deployment that a refresh needs, from addresses alone, so that any process can build it.

The rule: each process has clients, keys and connections of its own, made by the adapters that are deployed.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.processes.aws import KEY_ARN, SECRET_ARN
from tests.processes.clock import SharedClock
from zendesk_oauth.adapters.client_secret import SecretsManagerClientSecret
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.adapters.kms_keyring import KmsKeyring
from zendesk_oauth.adapters.sqs_rescue import SqsRescueQueue
from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi
from zendesk_oauth.adapters.zendesk_backoff import PoliteTokenEndpoint
from zendesk_oauth.adapters.zendesk_tokens import AuthlibTokenEndpoint
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.tokens import TokenLifetimes
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kms import KMSClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

ACCESS_LIFE = timedelta(hours=48)
REFRESH_LIFE = timedelta(days=90)
CLIENT_ID = "zdg-example"
SEAL = SealSettings("zendesk-oauth", "local", KEY_ARN)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a process finds the others."""

    table: str
    zendesk_base_url: str
    queue_url: str
    clock: Path


class Clients(NamedTuple):
    """The AWS clients of one container."""

    dynamodb: "DynamoDBClient"
    kms: "KMSClient"
    secretsmanager: "SecretsManagerClient"
    sqs: "SQSClient"


def new_clients() -> Clients:
    """Make clients; where they go to is said by the environment."""
    made = AwsClients()
    return Clients(made.dynamodb(), made.kms(), made.secretsmanager(), made.sqs())


def refresh_ports(addresses: Addresses, clients: Clients, clock: SharedClock) -> RefreshPorts:
    """Build what a refresh needs; no key is warm, and no account left alone."""
    endpoints = Endpoints(addresses.zendesk_base_url, "https://connect.example.com")
    secret = SecretsManagerClientSecret(clients.secretsmanager, SECRET_ARN, clock)
    lifetimes = TokenLifetimes(ACCESS_LIFE, REFRESH_LIFE)
    endpoint = AuthlibTokenEndpoint(CLIENT_ID, secret, endpoints, lifetimes, clock)
    return RefreshPorts(
        store=DynamoDBRefreshStore(clients.dynamodb, addresses.table),
        keyring=KmsKeyring(clients.kms, SEAL),
        token_endpoint=PoliteTokenEndpoint(endpoint, clock),
        api=ZendeskHttpApi(endpoints, clock),
        rescue=SqsRescueQueue(clients.sqs, addresses.queue_url),
        clock=clock,
        entropy=secrets.token_bytes,
    )
