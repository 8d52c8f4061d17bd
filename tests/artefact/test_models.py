"""The part of botocore's data that the layer brings: enough for our clients, and the same as the whole."""

import importlib.util
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import EndpointResolutionError
from botocore.loaders import Loader
from botocore.session import Session

from tests.artefact.building import ROOT

_CALL = re.compile(r"""self\._?client\.(?:get_paginator\("(\w+)"\)|([a-z_]+)\()""")


def _operations() -> dict[str, tuple[str, ...]]:
    path = ROOT / "layers/dependencies/trim_models.py"
    spec = importlib.util.spec_from_file_location("trim_models", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    operations: dict[str, tuple[str, ...]] = module.OPERATIONS
    return operations


@pytest.fixture(scope="module")
def models(built: Path) -> Path:
    """Return the folder that our own clients are given for botocore's own data."""
    return built / "DependenciesLayer/python/aws_models"


def _snake(operation: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()


def test_every_operation_that_an_adapter_calls_is_there_and_no_other() -> None:
    """The table of operations is what the adapters' sources call, so a new call is not forgotten here."""
    sources = (ROOT / "layers/zendesk_oauth/zendesk_oauth/adapters").glob("*.py")
    called = {name for path in sources for match in _CALL.findall(path.read_text()) for name in match if name}
    assert called == {_snake(name) for names in _operations().values() for name in names}


def test_a_trimmed_client_speaks_as_a_whole_one_does(models: Path) -> None:
    """Each kept operation has, without its prose, the very shapes of botocore's own model."""
    for service, operations in _operations().items():
        name, version = service.split("/")
        whole = Session().get_service_model(name, version)
        trimmed = _session(models).get_service_model(name, version)
        assert set(trimmed.operation_names) == set(operations)
        for operation in operations:
            ours, theirs = trimmed.operation_model(operation), whole.operation_model(operation)
            assert _plain(ours.input_shape) == _plain(theirs.input_shape)
            assert _plain(ours.output_shape) == _plain(theirs.output_shape)
            assert [error.name for error in ours.error_shapes] == [
                error.name for error in theirs.error_shapes
            ]


def test_the_endpoints_are_those_of_every_region(models: Path) -> None:
    """Only other services are left out: regions and partitions are botocore's own."""
    ours = json.loads((models / "endpoints.json").read_text())
    theirs = Session().get_data("endpoints")
    assert [p["regions"] for p in ours["partitions"]] == [p["regions"] for p in theirs["partitions"]]
    for mine, its in zip(ours["partitions"], theirs["partitions"], strict=True):
        assert mine["services"].items() <= its["services"].items()


def test_pages_are_still_turned(models: Path) -> None:
    """The one call that is paged finds its paginator in our part of the data, for it is looked for nowhere else."""
    client = _session(models).create_client("dynamodb", region_name="us-east-1")
    assert client.can_paginate("query")


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("get_item", {"TableName": "installs", "Key": {"install_id": {"S": "A"}}}),
    "kms": ("decrypt", {"CiphertextBlob": b"A"}),
    "secretsmanager": ("get_secret_value", {"SecretId": "A"}),
}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_fips_endpoint": True},
        {"use_dualstack_endpoint": True},
        {"account_id_endpoint_mode": "required"},
    ],
    ids=str,
)
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1"])
@pytest.mark.parametrize("service", sorted(CALLS))
def test_a_call_goes_where_it_always_went(
    service: str, region: str, options: dict[str, Any], models: Path
) -> None:
    """In every kind of partition and with every kind of endpoint, URL and signature are those of the whole data."""
    assert _goes_to(_session(models), service, region, options) == _goes_to(
        Session(), service, region, options
    )


class _StoppedError(Exception):
    """A call that was about to be sent."""


def _session(models: Path) -> Session:
    session = Session()
    session.register_component(
        "data_loader", type("_Loader", (Loader,), {"BUILTIN_DATA_PATH": str(models)})()
    )
    return session


def _goes_to(session: Session, service: str, region: str, options: dict[str, Any]) -> str:
    """Return the URL of a call and what its signature is for, or the error that it ends with before."""
    client = session.create_client(
        service,
        region,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(**options),
    )
    seen: list[str] = []

    def stop(request: Any, **_: object) -> None:
        seen.append(f"{request.url} {request.headers['Authorization'].decode().split(',')[0]}")
        raise _StoppedError

    client.meta.events.register("before-send", stop)
    name, arguments = CALLS[service]
    with suppress(_StoppedError):
        try:
            getattr(client, name)(**arguments)
        except EndpointResolutionError as error:
            seen.append(str(error))
    (only,) = seen
    return only


def _plain(shape: Any, seen: tuple[str, ...] = ()) -> object:
    """Return a shape as plain data, recursion cut where it repeats."""
    if shape is None or shape.name in seen:
        return None if shape is None else shape.name
    inner = (*seen, shape.name)
    members = {name: _plain(member, inner) for name, member in getattr(shape, "members", {}).items()}
    parts = [
        _plain(getattr(shape, part), inner) for part in ("member", "key", "value") if hasattr(shape, part)
    ]
    return shape.name, shape.type_name, members, parts, getattr(shape, "required_members", [])
