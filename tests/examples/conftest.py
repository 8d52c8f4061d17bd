"""What the tests of the example share: its build and its tables, the stand-in for Zendesk, and a client of it."""

import io
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from local.zendesk.pytest_plugin import zendesk, zendesk_server, zendesk_settings
from local.zendesk.standin import StandIn
from tests import loopback
from tests.artefact.building import HOST, ROOT, run
from tests.examples.building import REGION, build, load, template
from tests.examples.test_built import VARIABLES
from tests.examples.working import QUEUE, Pairs
from tests.loopback import Loopback, listening
from tests.standin.client import PlainClient
from zendesk_oauth.worker.connections import Clocks, Connections

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

type Load = Callable[[str], ModuleType]

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]


@pytest.fixture(scope="session")
def built_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with what would lie in /var/task of each function."""
    return build(tmp_path_factory.mktemp("example") / "build")


@pytest.fixture(scope="session")
def layers() -> tuple[Path, Path]:
    """Return what would lie in /opt/python: the dependencies, the package."""
    run("scripts/build", ARCH=HOST)
    built = ROOT / ".aws-sam/build"
    return built / "DependenciesLayer/python", built / "PackageLayer/python"


@pytest.fixture
def client(zendesk: StandIn) -> Iterator[PlainClient]:
    """Give a client that has tokens of the stand-in."""
    with PlainClient(zendesk.address) as plain:
        yield plain


@pytest.fixture
def log() -> io.StringIO:
    """Return where a function's lines go."""
    return io.StringIO()


@pytest.fixture
def loaded(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Return what imports a function as a fresh container has it, its lines going to `log`."""
    monkeypatch.setenv("AWS_REGION", REGION)

    def loaded(folder: str) -> ModuleType:
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", folder)
        module = load(folder)
        # Powertools has one logger for all tests of a run, and each test an output of its own.
        [handler] = logging.getLogger(folder).handlers
        monkeypatch.setattr(handler, "stream", log)
        return module

    return loaded


@pytest.fixture
def pairs(client: PlainClient) -> Pairs:
    """Return the tokens of every account."""
    return Pairs(client)


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """Give an SQS that agrees to everything."""
    with listening() as server:
        server.say(loopback.answer(headers={"Content-Type": "application/x-amz-json-1.0"}))
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", server.address)
        monkeypatch.setenv("QUEUE_URL", QUEUE)
        yield server


@pytest.fixture
def app(
    loaded: Load,
    sqs: Loopback,
    done_table: str,
    zendesk: StandIn,
    pairs: Pairs,
    monkeypatch: pytest.MonkeyPatch,
) -> ModuleType:
    """Return the worker as a fresh container has it, its tokens read in another way."""
    for name, value in (VARIABLES | {"DONE_TABLE": done_table}).items():
        monkeypatch.setenv(name, value)
    assert sqs.requests == []
    return _container(loaded, zendesk, pairs)


@pytest.fixture
def other(app: ModuleType, loaded: Load, zendesk: StandIn, pairs: Pairs) -> ModuleType:
    """Return the worker in a second container."""
    del app
    return _container(loaded, zendesk, pairs)


def _container(loaded: Load, zendesk: StandIn, pairs: Pairs) -> ModuleType:
    module = loaded("worker")
    assert isinstance(module.connections, Connections)
    module.connections = Connections(pairs, zendesk.base_url, Clocks(time.time, time.monotonic))  # type: ignore[attr-defined]
    return module


@pytest.fixture
def done_table(
    dynamodb: "DynamoDBClient", dynamodb_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Give the worker its table, on DynamoDB Local."""
    with _table(dynamodb, "DoneTable") as name:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_endpoint)
        monkeypatch.setenv("DONE_TABLE", name)
        yield name


@pytest.fixture
def customers_table(
    dynamodb: "DynamoDBClient", dynamodb_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Give the follower its table, on DynamoDB Local."""
    with _table(dynamodb, "CustomersTable") as name:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_endpoint)
        monkeypatch.setenv("CUSTOMERS_TABLE", name)
        yield name


@contextmanager
def _table(dynamodb: "DynamoDBClient", logical_id: str) -> Iterator[str]:
    """Give a table as the example's template has it."""
    properties, name = template()["Resources"][logical_id]["Properties"], f"{logical_id}-{uuid4()}"
    wanted = ("AttributeDefinitions", "KeySchema", "BillingMode")
    dynamodb.create_table(TableName=name, **{key: properties[key] for key in wanted})
    yield name
    dynamodb.delete_table(TableName=name)
