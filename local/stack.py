"""`python -m local.stack`, which is `make local`: the whole product on this machine, until Ctrl-C.

The rule: whatever is started here is ended here, in reverse, whichever way the block is left.
"""

import secrets
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from rich.console import Console

from local import places
from local.backend import Backend
from local.caller import Caller
from local.company.site import CompanySite, running_company
from local.containers import ContainerEngine
from local.deployment import Deployer, Deployment, Order, build
from local.desk import OperatorDesk
from local.environment import kept, variables
from local.listener import Listener
from local.ministack import Emulator, free_port, running_ministack
from local.processes import CommandFailedError, Processes, Stopped, stoppable
from local.progress import Progress
from local.proxy import ReverseProxy, running_proxy
from local.sam.ready import ready_for_sam_local
from local.sam.settings import API_ADDRESS, CONFIG
from local.worker_stack import ExampleBuild, WorkerStack
from local.worker_stack import deploy as deploy_worker_stack
from local.workers import Workers, worker_settings
from local.zendesk.server import running_zendesk
from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn

OPEN = "open"
CONFIRMED = "confirmed"
FIRST_PORT = 8700
_PORTS_TRIED = 20
CLIENT_ID = "zdg-example"
_TRIED = "acme"
"""The account that a person is invited to try, whose webhook tells the worker's stack of new tickets."""


@dataclass(frozen=True, slots=True)
class LocalStack:
    """Everything that runs: the emulator, the stand-in, the company's site, and a deployment for each start mode.

    The backend is one of the confirmed deployment; workers, the stack of the example, the caller who gets tokens over
    HTTP, the operator and the listener to events are of the open one.
    """

    emulator: Emulator
    zendesk: StandIn
    company: CompanySite
    deployments: Mapping[str, Deployment]
    backend: Backend
    workers: Workers
    worker_stack: WorkerStack
    token_caller: Caller
    operator: Caller
    desk: OperatorDesk
    listener: Listener


@contextmanager
def running_stack(progress: Progress) -> Iterator[LocalStack]:
    """Build, start and deploy everything; end it when the block is left. Raises CommandFailedError."""
    logs = places.fresh_logs()
    with ExitStack() as stack:
        processes = stack.enter_context(Processes())
        with progress.step("Building functions and layers for this machine"):
            example = ExampleBuild.start(processes, logs)
            build(processes, logs)
        with progress.step("Starting the emulator of AWS"):
            emulator = stack.enter_context(running_ministack(processes, logs))
        proxies = {
            mode: stack.enter_context(running_proxy(_next_port(), emulator.port))
            for mode in (OPEN, CONFIRMED)
        }
        company = stack.enter_context(running_company())
        zendesk = stack.enter_context(running_zendesk(_zendesk_settings(proxies)))
        orders = _orders(emulator, zendesk, company, proxies)
        deployer = Deployer(emulator, processes, logs)
        with progress.step("Packaging what was built"):
            template = deployer.package()
        with progress.step("Deploying template.yaml, in open and in confirmed mode"):
            deployments = dict(zip(proxies, deployer.deploy(template, orders), strict=True))
        for mode, proxy in proxies.items():
            proxy.host = deployments[mode].host(emulator.port)
        with progress.step("Deploying the example of a worker's stack"):
            worker_stack = deploy_worker_stack(deployer, example.template(), deployments[OPEN])
        yield _connected(zendesk, company, deployments, worker_stack)


def _connected(
    zendesk: StandIn, company: CompanySite, deployments: Mapping[str, Deployment], worker_stack: WorkerStack
) -> LocalStack:
    """Give everybody who calls a deployment what it takes, and return the whole."""
    emulator = worker_stack.emulator
    backend = Backend.of(emulator, deployments[CONFIRMED])
    company.open_start_url, company.backend = deployments[OPEN].outputs["StartUrl"], backend
    workers = Workers.of(emulator, deployments[OPEN])
    token_caller = Caller.of(emulator, deployments[OPEN], "TokenRoutePolicyArn")
    operator = Caller.of(emulator, deployments[OPEN], "OperatorPolicyArn")
    return LocalStack(
        emulator=emulator,
        zendesk=zendesk,
        company=company,
        deployments=deployments,
        backend=backend,
        workers=workers,
        worker_stack=worker_stack,
        token_caller=token_caller,
        operator=operator,
        desk=OperatorDesk.of(emulator, deployments[OPEN], operator),
        listener=Listener.of(emulator, deployments[OPEN]),
    )


def _next_port() -> int:
    """Return the first free port from 8700, or any where the next twenty are taken."""
    for port in range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED):
        if free_port(port) == port:
            return port
    return free_port()


def _address(proxy: ReverseProxy) -> str:
    """Return the proxy's address by name: browsers keep Secure cookies for http://localhost."""
    return f"http://localhost:{proxy.server_port}"


def _zendesk_settings(proxies: Mapping[str, ReverseProxy]) -> Settings:
    """Register our addresses at the stand-in, `sam local start-api`'s too, with a client secret of this run alone."""
    addresses = (*(_address(proxy) for proxy in proxies.values()), API_ADDRESS)
    redirect_uris = tuple(f"{address}/oauth/callback" for address in addresses)
    return Settings(CLIENT_ID, secrets.token_urlsafe(32), redirect_uris)


def _orders(
    emulator: Emulator, zendesk: StandIn, company: CompanySite, proxies: Mapping[str, ReverseProxy]
) -> list[Order]:
    """Put the client secret where the template expects one, and order a deployment for each mode."""
    secret = emulator.client("secretsmanager").create_secret(
        Name="zendesk-client-secret", SecretString=zendesk.settings.client_secret
    )
    topic = emulator.client("sns").create_topic(Name="alarms")
    return [
        Order(
            application=f"zendesk-oauth-{mode}",
            start_mode=mode,
            public_base_url=_address(proxy),
            zendesk_base_url=zendesk.base_url,
            client_id=CLIENT_ID,
            client_secret_arn=secret["ARN"],
            alarm_topic_arn=topic["TopicArn"],
            site_url=company.return_url if mode == CONFIRMED else "",
            return_origins=company.origin,
        )
        for mode, proxy in proxies.items()
    ]


def _print_addresses(console: Console, stack: LocalStack, engine: ContainerEngine | None) -> None:
    """Print where everything is, and what can be tried."""
    opened, confirmed = (stack.deployments[mode] for mode in (OPEN, CONFIRMED))
    addresses = {
        "Example Company, with its Connect buttons": stack.company.origin,
        "The form that asks for the account": opened.outputs["StartUrl"],
        "Straight to the fake Zendesk's consent page": f"{opened.outputs['StartUrl']}?subdomain={_TRIED}",
        "The tickets of acme, with the worker's notes": f"{stack.zendesk.url(_TRIED)}/agent/tickets",
        "The API of the open deployment": opened.base_url,
        "The API of the confirmed deployment": confirmed.base_url,
        "The fake Zendesk": stack.zendesk.address,
        "The emulator of AWS": stack.emulator.address,
    }
    console.print()
    for what, address in addresses.items():
        console.print(f"  {what:45} {address}", markup=False, highlight=False)
    console.print("\nOn the consent page, choose who you are and press Allow or Deny.")
    console.print("Then open the callback's address again, or in another browser.")
    console.print("\nIn a second terminal, in this folder:")
    file = places.ENVIRONMENT.relative_to(places.ROOT)
    for command, what in _commands(engine):
        console.print(f"  {command:78} # {what}", markup=False, highlight=False, soft_wrap=True)
    if engine is None:
        console.print("For `sam local`, run scripts/lambda-image once, and then `make local` again.")
    console.print(
        f"The first line, '. {file}', is needed once in each terminal.", markup=False, highlight=False
    )
    console.print(
        "\nNo token leaves this machine, and none is kept. Ctrl-C ends everything; logs are in build/local.\n"
    )


def _commands(engine: ContainerEngine | None) -> list[tuple[str, str]]:
    """Return the commands for a second terminal, each with what it does."""
    sam = f"{places.SAM.relative_to(places.ROOT)} local"
    config = f"--config-file {CONFIG}"
    commands = [
        (f". {places.ENVIRONMENT.relative_to(places.ROOT)}", "this stack is your AWS now"),
        (".venv/bin/zendesk-oauth list", "the operator's command"),
    ]
    if engine is None:
        return commands
    return [
        *commands,
        ("make seed", "the rows, the code and the connection that events/ refers to"),
        (f"{sam} invoke StartFunction -e events/start/acme.json {config}", "one function, one event"),
        (f"{sam} start-api {config}", f"the API at {API_ADDRESS}"),
    ]


def main() -> int:
    """Run until Ctrl-C or SIGTERM; return the exit status."""
    console = Console(soft_wrap=True)
    try:
        with stoppable(), running_stack(Progress(console)) as stack:
            stack_name = stack.deployments[OPEN].order.stack_name
            stack.worker_stack.hear_of(stack.zendesk, _TRIED)
            worker = worker_settings(stack.deployments[OPEN])
            with ready_for_sam_local(stack) as engine:
                named = variables(stack.emulator, stack_name, worker) | dict(
                    engine.environment if engine else {}
                )
                with kept(named, places.ENVIRONMENT):
                    _print_addresses(console, stack, engine)
                    signal.pause()
    except Stopped:
        console.print("Stopped; nothing is running any more.")
    except CommandFailedError as error:
        console.print(str(error), markup=False, highlight=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
