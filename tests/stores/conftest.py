"""Each store twice: in memory, and on DynamoDB Local with the template's tables. Both must behave the same."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.doubles.in_memory_stores import InMemoryConnectionStore, InMemoryInstallStore
from tests.dynamodb_local import Tables
from tests.stores.refreshing import DynamoDBRows, InMemoryRows, RefreshRows, every_write_sent_twice
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


@pytest.fixture(params=["in-memory", "dynamodb", "dynamodb, every write sent twice"])
def rows(request: pytest.FixtureRequest) -> Iterator[RefreshRows]:
    """Give the rows of the refresh protocol, with their store."""
    if request.param == "in-memory":
        yield InMemoryRows()
        return
    made: DynamoDBRows = request.getfixturevalue("dynamodb_rows")
    if request.param == "dynamodb":
        yield made
        return
    with every_write_sent_twice(made.client):
        yield made


@pytest.fixture
def dynamodb_rows(
    dynamodb: "DynamoDBClient", tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> DynamoDBRows:
    """Return the rows on DynamoDB Local."""
    return DynamoDBRows(dynamodb, tables.connections, monkeypatch)
