"""Clients that reach nobody: botocore's Stubber answers for AWS."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from tests.loopback import Loopback, listening

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kms import KMSClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def dynamodb_client() -> "DynamoDBClient":
    """Return a client that repeats nothing by itself."""
    return boto3.client("dynamodb", region_name="us-east-1", config=ONCE)


@pytest.fixture
def dynamodb_stub(dynamodb_client: "DynamoDBClient") -> Iterator[Stubber]:
    """Give what answers for DynamoDB; every answer has to be used up."""
    with Stubber(dynamodb_client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def kms_client() -> "KMSClient":
    """Return a client that repeats nothing by itself."""
    return boto3.client("kms", region_name="us-east-1", config=ONCE)


@pytest.fixture
def kms_stub(kms_client: "KMSClient") -> Iterator[Stubber]:
    """Give what answers for KMS."""
    with Stubber(kms_client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def secrets_client() -> "SecretsManagerClient":
    """Return a client that repeats nothing by itself."""
    return boto3.client("secretsmanager", region_name="us-east-1", config=ONCE)


@pytest.fixture
def secrets_stub(secrets_client: "SecretsManagerClient") -> Iterator[Stubber]:
    """Give what answers for Secrets Manager."""
    with Stubber(secrets_client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def sqs_client() -> "SQSClient":
    """Return a client that repeats nothing by itself."""
    return boto3.client("sqs", region_name="us-east-1", config=ONCE)


@pytest.fixture
def sqs_stub(sqs_client: "SQSClient") -> Iterator[Stubber]:
    """Give what answers for SQS."""
    with Stubber(sqs_client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    """Give a server that says exactly what a test wants."""
    with listening() as server:
        yield server
