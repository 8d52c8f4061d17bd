"""Built functions under Lambda's runtime emulator, with `events/env.json` and the local stack."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from local.places import ROOT
from local.processes import Processes
from local.runtime import ExecutionEnvironment, running_function
from local.stack import LocalStack

PLACES = (
    *("APPLICATION", "STAGE", "START_MODE", "INSTALLS_TABLE", "CONNECTIONS_TABLE"),
    *("TOKEN_KEY_ARN", "CLIENT_SECRET_ARN", "PUBLIC_BASE_URL", "ZENDESK_BASE_URL"),
    *("REFRESH_FUNCTION", "RESCUE_QUEUE_URL", "EVENT_BUS", "UNPUBLISHED_QUEUE_URL"),
)
"""Variables that say where something is at one deployment; all others are taken as the example has them."""

type Environments = Callable[[str, str], ExecutionEnvironment]


@pytest.fixture(scope="module")
def environments(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environments]:
    """Give what starts, once for each, the execution environment of a function in a start mode."""
    started: dict[tuple[str, str], ExecutionEnvironment] = {}
    with Processes() as processes, ExitStack() as running:

        def environment(verb: str, mode: str) -> ExecutionEnvironment:
            if (verb, mode) not in started:
                folder = tmp_path_factory.mktemp(f"{verb}-{mode}")
                variables = example_variables(stack, verb, mode)
                started[verb, mode] = running.enter_context(
                    running_function(processes, verb, variables, folder)
                )
            return started[verb, mode]

        yield environment


def example_variables(stack: LocalStack, verb: str, mode: str) -> dict[str, str]:
    """Return what `events/env.json` sets for the function, with everything that is a place put where it is here."""
    example: dict[str, str] = json.loads((ROOT / "events" / "env.json").read_text())[
        f"{verb.title()}Function"
    ]
    function = stack.deployments[mode].function_name(verb)
    client = stack.emulator.client("lambda")
    deployed = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    lambdas_own = {name: value for name, value in stack.emulator.environment().items() if "AWS_" in name}
    return example | {name: deployed[name] for name in PLACES if name in deployed} | lambdas_own
