"""Clients that reach nobody but DynamoDB Local and servers on loopback."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


@pytest.fixture
def lambda_client() -> "LambdaClient":
    """Return a client that repeats nothing by itself."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=1)
    return boto3.client("lambda", region_name="us-east-1", config=config)


@pytest.fixture
def lambda_stub(lambda_client: "LambdaClient") -> Iterator[Stubber]:
    """Give what answers for Lambda; every answer has to be used up."""
    with Stubber(lambda_client) as stub:
        yield stub
        stub.assert_no_pending_responses()
