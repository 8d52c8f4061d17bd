"""The AWS side of the handlers, played by moto: two tables, the token key and the client secret.

moto is believed for calls and encryption context, not for races.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from moto import mock_aws

from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

REGION = "us-east-1"
INSTALLS_TABLE = "installs"
CONNECTIONS_TABLE = "connections"
CLIENT_SECRET = "stand-in-client-secret"
BASE_URL = "https://connect.example.com"
SITE_URL = "https://app.example.com/settings"
PROCESS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "POWERTOOLS_SERVICE_NAME": "tests",
    "POWERTOOLS_METRICS_NAMESPACE": "zendesk-oauth/tests",
    "POWERTOOLS_LOG_LEVEL": "DEBUG",
}


@dataclass(frozen=True)
class Aws:
    """What a test may look at and set up."""

    dynamodb: "DynamoDBClient"
    token_key_arn: str
    client_secret_arn: str

    @property
    def installs(self) -> DynamoDBInstallStore:
        """The installs, as the functions see them."""
        return DynamoDBInstallStore(self.dynamodb, INSTALLS_TABLE)

    def row(self, install_id: str) -> "dict[str, AttributeValueTypeDef]":
        """Return an install's row, raw."""
        key = {"install_id": {"S": install_id}}
        return self.dynamodb.get_item(TableName=INSTALLS_TABLE, Key=key)["Item"]

    def change(self, install_id: str, **attributes: "AttributeValueTypeDef") -> None:
        """Set attributes of an install's row, as no function would."""
        self.dynamodb.update_item(
            TableName=INSTALLS_TABLE,
            Key={"install_id": {"S": install_id}},
            AttributeUpdates={name: {"Value": value, "Action": "PUT"} for name, value in attributes.items()},
        )

    def clear(self) -> None:
        """Empty both tables."""
        for table, key in ((INSTALLS_TABLE, "install_id"), (CONNECTIONS_TABLE, "connection_key")):
            for row in self.rows(table):
                self.dynamodb.delete_item(TableName=table, Key={key: row[key]})

    def rows(self, table: str) -> "list[dict[str, AttributeValueTypeDef]]":
        """Return all the rows of a table, raw."""
        return self.dynamodb.scan(TableName=table)["Items"]

    def environ(
        self, zendesk_base_url: str = "https://{subdomain}.zendesk.com", **changes: str
    ) -> dict[str, str]:
        """Return the variables of all functions together."""
        return {
            "APPLICATION": "zendesk-oauth",
            "STAGE": "local",
            "INSTALLS_TABLE": INSTALLS_TABLE,
            "CONNECTIONS_TABLE": CONNECTIONS_TABLE,
            "TOKEN_KEY_ARN": self.token_key_arn,
            "CLIENT_SECRET_ARN": self.client_secret_arn,
            "ACCESS_TOKEN_SECONDS": "172800",
            "REFRESH_TOKEN_SECONDS": "7776000",
            "ZENDESK_CLIENT_ID": "zdg-example",
            "ZENDESK_BASE_URL": zendesk_base_url,
            "PUBLIC_BASE_URL": BASE_URL,
            "GRANTS": "default=users:read tickets:read;reporting=read",
            "START_MODE": "open",
            "ALLOWED_RETURN_ORIGINS": "https://other.example.com",
            "SITE_URL": SITE_URL,
            "REQUIRED_ROLES": "admin",
            "COMPANY_NAME": "Example & Sons",
            "SUPPORT_ADDRESS": "help@example.com",
        } | changes


@contextmanager
def running_aws() -> Iterator[Aws]:
    """Give empty tables, a key and the secret while the block runs."""
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        _create_tables(dynamodb)
        key = boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["Arn"]
        secrets = boto3.client("secretsmanager", region_name=REGION)
        secret = secrets.create_secret(Name="zendesk-oauth/client-secret", SecretString=CLIENT_SECRET)["ARN"]
        yield Aws(dynamodb, key, secret)


def _create_tables(dynamodb: "DynamoDBClient") -> None:
    dynamodb.create_table(
        TableName=INSTALLS_TABLE,
        KeySchema=[{"AttributeName": "install_id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "install_id", "AttributeType": "S"},
            {"AttributeName": "revoke_shard", "AttributeType": "S"},
            {"AttributeName": "revoke_at", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "revocations",
                "KeySchema": [
                    {"AttributeName": "revoke_shard", "KeyType": "HASH"},
                    {"AttributeName": "revoke_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.create_table(
        TableName=CONNECTIONS_TABLE,
        KeySchema=[{"AttributeName": "connection_key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "connection_key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
