"""What the tests of events share: the stores on DynamoDB Local, and its streams."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.dynamodb_local import Tables, create_tables
from tests.events.streams import Streams
from tests.stores.seeing import DynamoDBStores
from zendesk_oauth.adapters.dynamodb_connections import DynamoDBConnectionStore
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def tables(dynamodb: "DynamoDBClient") -> Iterator[Tables]:
    """Give a test tables of its own, with their streams."""
    made = create_tables(dynamodb, with_streams=True)
    yield made
    for name in (made.installs, made.connections):
        dynamodb.delete_table(TableName=name)


@pytest.fixture
def streams(dynamodb_endpoint: str) -> Streams:
    """Return the streams of DynamoDB Local."""
    return Streams(dynamodb_endpoint)


@pytest.fixture
def stores(dynamodb: "DynamoDBClient", tables: Tables) -> DynamoDBStores:
    """Return the stores of installs."""
    return DynamoDBStores(
        DynamoDBInstallStore(dynamodb, tables.installs),
        DynamoDBConnectionStore(dynamodb, tables.installs, tables.connections),
        dynamodb,
        tables,
    )
