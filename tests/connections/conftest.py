"""The real handler: DynamoDB Local with the template's tables, moto's KMS, and `refresh` scripted on loopback."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from tests.connections.deployment import Deployment, RefreshOnLoopback, TokenKey
from tests.dynamodb_local import Tables
from tests.loopback import listening
from zendesk_oauth.adapters.kms_sealer import KmsSealer
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="module")
def token_key() -> Iterator[TokenKey]:
    """Give a key of moto's, and whoever seals under it."""
    with mock_aws():
        kms = boto3.client("kms", region_name="us-east-1")
        arn = kms.create_key()["KeyMetadata"]["Arn"]
        yield TokenKey(arn, KmsSealer(kms, SealSettings("zendesk-oauth", "local", arn)))


@pytest.fixture
def deployment(
    dynamodb: "DynamoDBClient",
    dynamodb_endpoint: str,
    tables: Tables,
    token_key: TokenKey,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Deployment]:
    """Give a deployment with an empty table."""
    with listening() as loopback:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", loopback.address)
        for name, value in Deployment.process_environment().items():
            monkeypatch.setenv(name, value)
        yield Deployment(dynamodb, tables.connections, token_key, RefreshOnLoopback(loopback))
