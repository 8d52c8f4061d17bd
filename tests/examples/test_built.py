"""What `sam build` made: it imports in a clean interpreter, with the layers and nothing of this machine."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.artefact.building import PYTHON
from tests.examples.building import EXAMPLE, FUNCTIONS
from zendesk_oauth.settings import WORKER_PREFIX

# Runs with -I and -S: no site-packages, no .pth files, no variables for Python.
PROBE = """
import importlib, json, sys
sys.path[:0] = sys.argv[1:]
handler = importlib.import_module("app").handler
files = [module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
print(json.dumps({"callable": callable(handler), "files": files}))
"""
VARIABLES = {
    f"{WORKER_PREFIX}APPLICATION": "zendesk-oauth",
    f"{WORKER_PREFIX}STAGE": "prod",
    f"{WORKER_PREFIX}CONNECTIONS_TABLE": "connections",
    f"{WORKER_PREFIX}TOKEN_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/1",
    f"{WORKER_PREFIX}REFRESH_FUNCTION": "refresh",
    f"{WORKER_PREFIX}START_URL": "",
    f"{WORKER_PREFIX}BASE_URL": "https://{subdomain}.zendesk.com",
    "CUSTOMERS_TABLE": "customers",
    "DONE_TABLE": "done",
    "MARKETPLACE_HEADERS": "{}",
    "TICKET_BUS": "tickets",
}
LAMBDA_SETS = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_with_its_layers_alone(
    built_example: Path, layers: tuple[Path, Path], function: str
) -> None:
    """The handler is there; `requests` is the worker's own, the library and the SDK are the layers'."""
    is_worker = function == "Worker"
    roots = [str(built_example / function), *map(str, layers if is_worker else layers[:1])]
    done = subprocess.run(  # noqa: S603 - the script stands above
        [PYTHON, "-I", "-S", "-c", PROBE, *roots],
        env=VARIABLES | LAMBDA_SETS | {"LAMBDA_TASK_ROOT": roots[0]},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["callable"]
    standard = str(PYTHON.parent.parent / "lib/python3.13")
    strangers = [
        file for file in seen["files"] if not file.startswith((*roots, standard)) or "site-packages" in file
    ]
    assert strangers == []
    assert f"{roots[1]}/botocore/__init__.py" in seen["files"]
    if is_worker:
        assert f"{roots[0]}/requests/__init__.py" in seen["files"]
        assert f"{roots[2]}/zendesk_oauth/worker/connections.py" in seen["files"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_brings_its_file_and_what_it_requires(built_example: Path, function: str) -> None:
    """Neither the library nor the SDK is shipped a second time."""
    built = built_example / function
    shipped = {path.name for path in built.iterdir()}
    assert {"app.py"} <= shipped
    assert ("requests" in shipped) == (function == "Worker")
    assert not shipped & {"zendesk_oauth", "boto3", "botocore", "aws_lambda_powertools"}
    assert (built / "app.py").read_bytes() == (EXAMPLE / function.lower() / "app.py").read_bytes()
