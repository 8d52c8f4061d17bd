"""What the documents' commands run on: the deployed local stack, with a customer who has connected."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from rich.console import Console

from local.demo.scene import Scene
from local.demo.teller import Teller
from local.deployment import BUCKET
from local.ministack import REGION
from local.stack import OPEN, LocalStack
from local.worker_stack import parameters
from local.zendesk.lifetimes import Lifetimes
from local.zendesk.tokens import TokenPair
from tests.commands.blocks import commands_of
from tests.commands.exceptions import GOES_ON, STACK_OF_ITS_OWN
from tests.commands.shell import Outcome, Shell, copy_of_the_project

type Run = Callable[[str], Outcome]


@pytest.fixture(scope="session")
def customer(stack: LocalStack) -> Scene:
    """Give the open deployment, where acme has just connected, and globex, which will be disconnected."""
    scene = Scene(stack, Teller(Console(file=io.StringIO(), width=200)), OPEN)
    for subdomain in ("acme", "globex"):
        scene.connect(scene.browser(), subdomain)
    return scene


@pytest.fixture(scope="session")
def shell(customer: Scene, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Return a shell in a copy of the project where `sam deploy --guided` has been answered for this deployment."""
    stack = customer.stack
    overrides = " ".join(f'{name}="{value}"' for name, value in parameters(stack.deployments[OPEN]).items())
    imported = pair_of(stack, "initech", "users:read tickets:read")
    answers = {
        "examples/worker-stack/samconfig.toml": f"""version = 0.1
[default.build.parameters]
cached = true
[default.deploy.parameters]
stack_name = "zendesk-worker"
s3_bucket = "{BUCKET}"
region = "{REGION}"
capabilities = "CAPABILITY_IAM"
confirm_changeset = false
parameter_overrides = {overrides!r}
""",
        "tokens.csv": f"""subdomain,access_token,refresh_token
initech,{imported.access_token},{imported.refresh_token}
""",
    }
    given = {"TOKEN": pair_of(stack, "acme", "webhooks:read webhooks:write").access_token}
    return Shell(copy_of_the_project(tmp_path_factory.mktemp("project"), answers), stack, given)


def pair_of(stack: LocalStack, subdomain: str, scopes: str) -> TokenPair:
    """Return a pair that an account's admin has given to somebody else."""
    account = stack.zendesk.accounts.get(subdomain)
    return stack.zendesk.tokens.issue(account, account.people["admin"], scopes, Lifetimes(172_800, 7_776_000))


@pytest.fixture(scope="session")
def beside(
    customer: Scene, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    """Run documents with a stack of their own in a copy of their own, while the others run; give what comes of it."""
    asked = {
        item.callspec.params.get("document") for item in request.session.items if hasattr(item, "callspec")
    }
    with ThreadPoolExecutor() as pool:
        yield {
            document: pool.submit(
                Shell(copy_of_the_project(tmp_path_factory.mktemp("own"), {}), customer.stack).run,
                document,
                commands_of(document),
            )
            for document in STACK_OF_ITS_OWN & asked
        }


@pytest.fixture(scope="session")
def run(shell: Shell, beside: dict[str, Future[Outcome]]) -> Run:
    """Run a document's commands, once in a session; whoever asks again gets what came of it."""
    outcomes: dict[str, Outcome] = {}

    def run_once(document: str) -> Outcome:
        if document in beside:
            return beside[document].result()
        if document in GOES_ON:
            run_once(GOES_ON[document])
        if document not in outcomes:
            outcomes[document] = shell.run(document, commands_of(document))
        return outcomes[document]

    return run_once
