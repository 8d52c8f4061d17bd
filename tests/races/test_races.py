"""Many at once, on DynamoDB Local: exactly one wins, and every loser learns how it ended."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from tests.doubles.samples import (
    HANDLE,
    INSTALL_ID,
    allowed,
    establishment,
    offered,
    pending,
    proof,
    start,
)
from tests.doubles.scripted import NOON
from tests.dynamodb_local import CONNECTIONS, Tables
from zendesk_oauth.adapters.dynamodb_connections import DynamoDBConnectionStore
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.errors import VersionConflictError
from zendesk_oauth.models.install import CANDIDATE_LIFE, InstallStatus
from zendesk_oauth.models.secret import Secret

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

CALLBACKS = 1000
ROUNDS = 30


@pytest.fixture
def installs(dynamodb: "DynamoDBClient", tables: Tables) -> DynamoDBInstallStore:
    """Return the installs."""
    return DynamoDBInstallStore(dynamodb, tables.installs)


@pytest.fixture
def connections(dynamodb: "DynamoDBClient", tables: Tables) -> DynamoDBConnectionStore:
    """Return the connections."""
    return DynamoDBConnectionStore(dynamodb, tables.installs, tables.connections)


def epoch(dynamodb: "DynamoDBClient", tables: Tables) -> int | None:
    """Return the epoch of the one connection, or None where there is none."""
    rows = dynamodb.scan(TableName=tables.connections)["Items"]
    assert len(rows) <= 1
    return int(rows[0]["epoch"]["N"]) if rows else None


def at_once[T](*works: Callable[[], T]) -> list[T]:
    """Do all works at the same moment, each in a thread of its own."""
    gate = Barrier(len(works))

    def work(wanted: Callable[[], T]) -> T:
        gate.wait()
        return wanted()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(work, works))


def test_a_thousand_callbacks_consume_an_install_once(installs: DynamoDBInstallStore) -> None:
    """One callback makes the exchange, and 999 see that it is being made."""
    installs.put_if_absent(pending())
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        changes = list(
            pool.map(
                lambda number: installs.consume(proof(), allowed(f"attempt-{number}"), NOON), range(CALLBACKS)
            )
        )
    assert Counter(change.made for change in changes) == {True: 1, False: CALLBACKS - 1}
    assert {change.install.status for change in changes if change.install} == {InstallStatus.EXCHANGING}


def test_many_browsers_press_one_invitation_once(installs: DynamoDBInstallStore) -> None:
    """One of them has the install, and it is bound to that one's cookie."""
    installs.put_if_absent(offered())
    browsers = [Secret(f"{number:043d}") for number in range(CONNECTIONS)]
    changes = at_once(
        *(
            lambda browser=browser: installs.start_offered(start(browser=browser), NOON)
            for browser in browsers
        )
    )
    made = [change.install for change in changes if change.made]
    assert len(made) == 1
    assert installs.find(INSTALL_ID) == made[0]


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_candidate_is_confirmed_or_revoked_and_never_both(
    number: int,
    dynamodb: "DynamoDBClient",
    tables: Tables,
    installs: DynamoDBInstallStore,
    connections: DynamoDBConnectionStore,
) -> None:
    """Confirmation and revocation meet at the last second, their clocks apart: exactly one wins."""
    installs.put_if_absent(offered())
    installs.start_offered(start(), NOON)
    installs.consume(proof(), allowed(), NOON)
    installs.keep_candidate(INSTALL_ID, establishment(), HANDLE.fingerprint, NOON)
    candidate = installs.find_candidate(INSTALL_ID)
    assert candidate is not None

    def confirm() -> bool:
        try:
            connections.confirm(candidate, NOON)
        except VersionConflictError:
            return False
        return True

    def lease() -> bool:
        return installs.lease_revocation(INSTALL_ID, NOON + CANDIDATE_LIFE) is not None

    works = (confirm, lease) if number % 2 else (lease, confirm)
    assert sum(at_once(*works)) == 1
    install = installs.find(INSTALL_ID)
    assert install is not None
    connected = install.status is InstallStatus.CONNECTED
    assert epoch(dynamodb, tables) == (1 if connected else None)


def test_one_commit_sent_many_times_at_once_is_one_epoch(
    dynamodb: "DynamoDBClient",
    tables: Tables,
    installs: DynamoDBInstallStore,
    connections: DynamoDBConnectionStore,
) -> None:
    """Whoever repeats it, with the answer of the first still on its way, gets the same success."""
    installs.put_if_absent(pending())
    installs.consume(proof(), allowed(), NOON)
    at_once(*[lambda: connections.establish(establishment(), INSTALL_ID, NOON)] * 8)
    assert epoch(dynamodb, tables) == 1
