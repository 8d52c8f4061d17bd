"""A scene for each test; the servers, the tables and the SDK's clients around it live as long as the run."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.zendesk.pytest_plugin import zendesk, zendesk_server, zendesk_settings
from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn
from tests.dynamodb_local import Tables, create_tables
from tests.flow.wire import Wire, switched_on
from tests.processes.aws import LoopbackAws, running_aws
from tests.processes.child import work
from tests.processes.children import Child, running, start_server
from tests.processes.clock import SharedClock
from tests.processes.deployment import Clients, new_clients
from tests.processes.scene import Scene

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]


@pytest.fixture(scope="session")
def loopback_aws() -> Iterator[LoopbackAws]:
    """Give key service, secret and queue."""
    with running_aws(Settings().client_secret) as aws:
        yield aws


@pytest.fixture(scope="session")
def shared_tables(dynamodb: "DynamoDBClient") -> Tables:
    """Return tables that the tests have one after the other; they go with their server."""
    return create_tables(dynamodb)


@pytest.fixture(scope="session")
def wire() -> Wire:
    """Return the wire that all clients of this process hang on."""
    return Wire()


@pytest.fixture(scope="session")
def clients(dynamodb_endpoint: str, loopback_aws: LoopbackAws, wire: Wire) -> Clients:
    """Return this process's clients; the server of the others begins in the same environment."""
    with pytest.MonkeyPatch.context() as patch, switched_on(wire):
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_endpoint)
        for name, address in loopback_aws.environ().items():
            patch.setenv(name, address)
        start_server()
        return new_clients()


@pytest.fixture
def scene(
    monkeypatch: pytest.MonkeyPatch,
    dynamodb: "DynamoDBClient",
    shared_tables: Tables,
    zendesk: StandIn,
    loopback_aws: LoopbackAws,
    clients: Clients,
    wire: Wire,
    tmp_path: Path,
) -> Scene:
    """Return a scene with a fresh connection; the SDK repeats without a pause, whatever went wrong before."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda *_: True)
    for row in dynamodb.scan(TableName=shared_tables.connections)["Items"]:
        key = {"connection_key": row["connection_key"]}
        dynamodb.delete_item(TableName=shared_tables.connections, Key=key)
    loopback_aws.messages.clear()
    loopback_aws.asked.clear()
    wire.clear()
    clock = SharedClock(tmp_path / "clock")
    made = Scene(dynamodb, shared_tables, zendesk, loopback_aws, clock, clients, wire)
    made.connect()
    return made


@pytest.fixture
def child(scene: Scene) -> Iterator[Child]:
    """Give a worker as a process of its own."""
    with running(work, scene.addresses) as started:
        yield started
