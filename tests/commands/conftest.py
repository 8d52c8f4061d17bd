"""What the documents' commands run on: the deployed local stack, with a customer who has connected."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from local.demo.scene import Scene
from local.demo.teller import Teller
from local.deployment import BUCKET
from local.ministack import REGION
from local.stack import OPEN, LocalStack
from tests.commands.blocks import commands_of
from tests.commands.shell import Outcome, Shell, copy_of_the_project
from tests.examples.test_deployed import connect, parameters

type Run = Callable[[str], Outcome]


@pytest.fixture(scope="session")
def customer(stack: LocalStack) -> Scene:
    """Give the open deployment, where acme has just connected with all that the example's worker needs."""
    scene = Scene(stack, Teller(Console(file=io.StringIO(), width=200)), OPEN)
    connect(scene, "acme")
    return scene


@pytest.fixture(scope="session")
def shell(customer: Scene, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Return a shell in a copy of the project where `sam deploy --guided` has been answered for this deployment."""
    overrides = " ".join(f'{name}="{value}"' for name, value in parameters(customer.stack).items())
    answers = {
        "examples/worker-stack/samconfig.toml": f"""version = 0.1
[default.deploy.parameters]
stack_name = "zendesk-worker"
s3_bucket = "{BUCKET}"
region = "{REGION}"
capabilities = "CAPABILITY_IAM"
confirm_changeset = false
parameter_overrides = {overrides!r}
"""
    }
    return Shell(copy_of_the_project(tmp_path_factory.mktemp("project"), answers), customer.stack)


@pytest.fixture(scope="session")
def run(shell: Shell) -> Run:
    """Run a document's commands, once in a session; whoever asks again gets what came of it."""
    outcomes: dict[str, Outcome] = {}

    def run_once(document: str) -> Outcome:
        if document not in outcomes:
            outcomes[document] = shell.run(document, commands_of(document))
        return outcomes[document]

    return run_once
