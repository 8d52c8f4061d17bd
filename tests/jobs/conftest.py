"""The key service, the stand-in for Zendesk, and an operator's desk, for the jobs that go through a whole table."""

from collections.abc import Iterator

import pytest

from local.zendesk.pytest_plugin import zendesk, zendesk_server, zendesk_settings
from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn
from tests.dynamodb_local import Tables
from tests.jobs.accounts import Accounts
from tests.jobs.desk import Addresses, Desk
from tests.processes.aws import LoopbackAws, running_aws

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]


@pytest.fixture(scope="session")
def loopback_aws() -> Iterator[LoopbackAws]:
    """Give the key service and the client secret."""
    with running_aws(Settings().client_secret) as aws:
        yield aws


@pytest.fixture
def desk(dynamodb_endpoint: str, tables: Tables, loopback_aws: LoopbackAws, zendesk: StandIn) -> Desk:
    """Return an operator's desk over tables of the test's own."""
    aws = loopback_aws
    addresses = Addresses(dynamodb_endpoint, tables.connections, aws.address, aws.queue_url, zendesk.base_url)
    return Desk(addresses)


@pytest.fixture
def accounts(zendesk: StandIn, desk: Desk) -> Accounts:
    """Return accounts at Zendesk whose tokens the company has, and eyes on what became of them here."""
    return Accounts(zendesk, desk)
