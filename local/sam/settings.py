"""Settings for `sam local` against the running local stack: variables for every function, and a file of flags.

`build/local/sam/open.json` and `confirmed.json` are `--env-vars` files for the two deployments; `samconfig.toml` beside
them names them, so that one flag, `--config-file`, stands for all the others. Containers reach AWS's emulator and the
fake Zendesk through `host.docker.internal`; only the function `start` keeps the loopback address, because it never
calls Zendesk and a browser on this machine follows the address that it returns.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from local import places
from local.containers import HOST_NAME, ContainerEngine
from local.deployment import Deployment, architecture
from local.ministack import REGION, Emulator

if TYPE_CHECKING:
    from pathlib import Path

API_PORT = 3000
"""Where `sam local start-api` listens unless another port is given."""
API_ADDRESS = f"http://localhost:{API_PORT}"
CONFIG = places.SAM_LOCAL / "samconfig.toml"
_LOOPBACK_NAMES = ("127.0.0.1", "localhost")
_BROWSER_FACING = "StartFunction"
_FUNCTION = "AWS::Serverless::Function"


@contextmanager
def kept_settings(
    engine: ContainerEngine, emulator: Emulator, zendesk: str, deployments: Mapping[str, Deployment]
) -> Iterator[None]:
    """Keep the files while the block runs. `zendesk` is the fake's address on loopback, without a path."""
    folder = places.SAM_LOCAL
    folder.mkdir(parents=True, exist_ok=True)
    for mode, deployment in deployments.items():
        variables = env_vars(emulator, zendesk, deployment)
        (folder / f"{mode}.json").write_text(f"{json.dumps(variables, indent=2)}\n", encoding="utf-8")
    CONFIG.write_text(_config(engine, list(deployments)), encoding="utf-8")
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def env_vars(emulator: Emulator, zendesk: str, deployment: Deployment) -> dict[str, dict[str, str]]:
    """Return the variables of every function of a deployment, by logical id, as a container needs them."""
    client = emulator.client("lambda")
    found = {}
    for logical_id, verb in _functions().items():
        name = deployment.function_name(verb)
        deployed = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        found[logical_id] = _for_container(
            deployed, emulator, "" if logical_id == _BROWSER_FACING else zendesk
        )
    return found


def _functions() -> dict[str, str]:
    """Return each function's folder in `functions/` by its logical id in the built template."""
    template: dict[str, Any] = yaml.safe_load(places.BUILT_TEMPLATE.read_text(encoding="utf-8"))
    functions = {
        key: value["Properties"] for key, value in template["Resources"].items() if value["Type"] == _FUNCTION
    }
    return {key: str(value["Handler"]).partition(".")[0] for key, value in functions.items()}


def _for_container(deployed: Mapping[str, str], emulator: Emulator, zendesk: str) -> dict[str, str]:
    """Return a function's variables with the addresses that a container can reach."""
    port = f":{emulator.port}"
    variables = {"AWS_ENDPOINT_URL": emulator.address, **deployed}
    if "PUBLIC_BASE_URL" in variables:
        variables["PUBLIC_BASE_URL"] = API_ADDRESS
    if not variables.get("SITE_URL", "-"):  # the events return to a path of the company's site
        variables["SITE_URL"] = f"{variables['ALLOWED_RETURN_ORIGINS']}/settings"
    addresses = [f"http://{name}{port}" for name in _LOOPBACK_NAMES] + ([zendesk] if zendesk else [])
    for name, value in variables.items():
        for address in addresses:
            value = value.replace(address, f"http://{HOST_NAME}:{address.rpartition(':')[2]}")  # noqa: PLW2901
        variables[name] = value
    return variables


def _config(engine: ContainerEngine, modes: list[str]) -> str:
    """Return the flags of `sam local` for each mode: those of the first are the default."""
    lines = ["version = 0.1"]
    for number, mode in enumerate(modes):
        environment = mode if number else "default"
        for command in ("local_invoke", "local_start_api", "local_start_lambda"):
            lines += [
                f"\n[{environment}.{command}.parameters]",
                *_flags(engine, places.SAM_LOCAL / f"{mode}.json"),
            ]
    return "\n".join([*lines, ""])


def _flags(engine: ContainerEngine, variables: "Path") -> list[str]:
    flags: dict[str, object] = {
        "env_vars": str(variables),
        "parameter_overrides": f"Architecture={architecture()}",
        "region": REGION,
        "skip_pull_image": True,
        "template_file": str(places.BUILT_TEMPLATE),
    }
    if engine.added_host:
        flags["add_host"] = engine.added_host
    return [f"{name} = {json.dumps(value)}" for name, value in flags.items()]
