"""DynamoDB Local as fixtures: a server for each worker of the run, on a port of the system's choice, and fresh tables.

The rule: the server is started when a test first asks for it and ended with the run, whatever happens in between.
The tables are those of template.yaml.
"""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
import yaml
from botocore.config import Config

from tests.template.reading import ROOT, TEMPLATE, TemplateLoader

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

HOME = ROOT / ".tools/dynamodb-local"
JAVA = [
    "java",
    "-Djava.library.path=./DynamoDBLocal_lib",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-jar",
    "DynamoDBLocal.jar",
    "-inMemory",
    "-sharedDb",
    "-disableTelemetry",
    "-port",
]
START_SECONDS = 60.0
CONNECTIONS = 64
"""Of one client: as many callers as a race has at once."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of one test's own tables."""

    installs: str
    connections: str


@pytest.fixture(scope="session")
def dynamodb_endpoint() -> Iterator[str]:
    """Give the address of this worker's DynamoDB Local."""
    with running_dynamodb() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def dynamodb(dynamodb_endpoint: str) -> "DynamoDBClient":
    """Return a client of it, which repeats nothing by itself."""
    return dynamodb_client(dynamodb_endpoint)


@pytest.fixture
def tables(dynamodb: "DynamoDBClient") -> Iterator[Tables]:
    """Give a test tables of its own, as template.yaml has them."""
    made = create_tables(dynamodb)
    yield made
    for name in (made.installs, made.connections):
        dynamodb.delete_table(TableName=name)


def dynamodb_client(endpoint: str) -> "DynamoDBClient":
    """Return a client of a server on loopback."""
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=CONNECTIONS)
    return boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1", config=config)


def create_tables(client: "DynamoDBClient", *, with_streams: bool = False) -> Tables:
    """Create both tables under names that no other test has; with their streams only where somebody reads them."""
    made = Tables(f"installs-{uuid4()}", f"connections-{uuid4()}")
    for logical_id, name in (("InstallsTable", made.installs), ("ConnectionsTable", made.connections)):
        properties = dict(_table_properties(logical_id))
        stream = properties.pop("StreamSpecification")
        if with_streams:
            properties["StreamSpecification"] = {"StreamEnabled": True} | stream
        client.create_table(TableName=name, **properties)
    return made


@cache
def _table_properties(logical_id: str) -> dict[str, Any]:
    with TEMPLATE.open() as file:
        template = yaml.load(file, Loader=TemplateLoader)  # noqa: S506 - a SafeLoader with CloudFormation's tags
    properties = template["Resources"][logical_id]["Properties"]
    names = (
        "AttributeDefinitions",
        "KeySchema",
        "GlobalSecondaryIndexes",
        "BillingMode",
        "StreamSpecification",
    )
    return {name: properties[name] for name in names}


@contextmanager
def running_dynamodb() -> Iterator[str]:
    """Start a server, give its address once it answers, and end it."""
    port = _free_port()
    server = subprocess.Popen(  # noqa: S603 - arguments of our own
        [*JAVA, str(port)], cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
