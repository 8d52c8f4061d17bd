"""Each store twice: in memory, and on DynamoDB Local with the template's tables. Both must behave the same."""

from typing import TYPE_CHECKING

import pytest

from tests.doubles.in_memory_stores import InMemoryConnectionStore, InMemoryInstallStore
from tests.dynamodb_local import Tables
from tests.stores.seeing import DynamoDBStores, InMemoryStores, Stores
from zendesk_oauth.adapters.dynamodb_connections import DynamoDBConnectionStore
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@pytest.fixture(params=["in-memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Return both stores, over the same rows."""
    if request.param == "dynamodb":
        made: DynamoDBStores = request.getfixturevalue("dynamodb_stores")
        return made
    installs = InMemoryInstallStore()
    return InMemoryStores(installs, InMemoryConnectionStore(installs))


@pytest.fixture
def dynamodb_stores(dynamodb: "DynamoDBClient", tables: Tables) -> DynamoDBStores:
    """Return both stores on DynamoDB Local."""
    return DynamoDBStores(
        DynamoDBInstallStore(dynamodb, tables.installs),
        DynamoDBConnectionStore(dynamodb, tables.installs, tables.connections),
        dynamodb,
        tables,
    )
