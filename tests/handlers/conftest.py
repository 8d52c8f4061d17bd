"""The real handlers, on moto and the stand-in for Zendesk."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.sam import example_installs as examples
from local.zendesk.pytest_plugin import zendesk, zendesk_server, zendesk_settings
from local.zendesk.standin import StandIn
from tests.handlers.aws import PROCESS_ENVIRONMENT, Aws, running_aws
from tests.handlers.gateway import Handler
from zendesk_oauth.bootstrap import callback, installs, revoke, start

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]

_BUILDERS: dict[str, Callable[[dict[str, str]], Any]] = {
    "start": start.build,
    "callback": callback.build,
    "installs": installs.build,
    "revoke": revoke.build,
}


@pytest.fixture(scope="module")
def running() -> Iterator[Aws]:
    """Give AWS for a module, and what botocore and Powertools read for themselves."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in PROCESS_ENVIRONMENT.items():
            patch.setenv(name, value)
        with running_aws() as aws:
            yield aws


@pytest.fixture
def aws(running: Aws) -> Aws:
    """Return AWS with the example installs in it, and nothing else."""
    running.clear()
    examples.seed(running.installs)
    return running


@pytest.fixture(scope="module")
def build(running: Aws, zendesk_server: StandIn) -> Callable[..., Handler]:
    """Return what builds a handler by its verb and changes of the environment; one container each, as in Lambda."""
    containers: dict[tuple[object, ...], Handler] = {}

    def handler(verb: str, **changes: str) -> Handler:
        key = (verb, *sorted(changes.items()))
        if key not in containers:
            containers[key] = _BUILDERS[verb](running.environ(zendesk_server.base_url, **changes))
        return containers[key]

    return handler
