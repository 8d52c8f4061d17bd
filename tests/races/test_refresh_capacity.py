"""What a refresh and its losers cost the one partition that a connection's row lies in, as DynamoDB itself bills it.

A partition takes 1,000 write units and 3,000 read units a second; a row with tokens of the length of JWTs is 6 kB.
A thousand workers who each tried a conditional write would ask for 6,000, and throttle the one write that matters.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON
from tests.dynamodb_local import CONNECTIONS, Tables
from tests.stores.refreshing import due, every_write_sent_twice, item_of
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.errors import StoreUnavailableError
from zendesk_oauth.models.refresh import Connection, RefreshOutcome, RefreshQuestion, Renewal, Version
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, IssuedTokens, SealContext, SealedPair, SealedToken
from zendesk_oauth.ports.refresh import RefreshGrant
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import RefreshPorts

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

WORKERS = 1000
TRIES = 2
PARTITION_WRITE_UNITS = 1000
TOKEN_BYTES, WRAPPED_KEY_BYTES = 2600, 184
ROW_WRITE_UNITS = 6
"""A write is billed for the whole row, by the kilobyte; one whose condition fails as well."""
ROW_READ_UNITS = 2
"""A strong read, by four kilobytes."""
KEEP_ALIVE_WRITE_UNITS = 2
"""The index entry moves to another time: one unit to take it out, one to put it back."""


def jwt_pair(commit_id: str) -> SealedPair:
    """Return a pair of the size that JWTs have."""
    token = SealedToken(b"x" * TOKEN_BYTES, b"k" * WRAPPED_KEY_BYTES)
    return SealedPair(commit_id, token, token)


def jwt_row() -> Connection:
    """Return a connection whose token is due."""
    return due(sealed=jwt_pair("c40"))


class Used(NamedTuple):
    """Units that were billed."""

    operation: str
    table: float
    indexes: float


@dataclass(slots=True)
class Bill:
    """What DynamoDB says that each request has used, and how many writes it refused: those it bills in silence."""

    used: list[Used] = field(default_factory=list)
    refused: int = 0
    _lock: Lock = field(default_factory=Lock)

    def note(self, event_name: str, parsed: Any, **_: Any) -> None:
        """Note one answer."""
        with self._lock:
            if parsed.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                self.refused += 1
                return
            capacity = parsed["ConsumedCapacity"]
            table = capacity["Table"]["CapacityUnits"]
            used = Used(event_name.rpartition(".")[2], table, capacity["CapacityUnits"] - table)
            self.used.append(used)

    def counted(self) -> Counter[Used]:
        """Return how often each kind of request was billed."""
        return Counter(self.used)

    def write_units(self) -> float:
        """Return all write units, those of refused writes too."""
        made = sum(used.table + used.indexes for used in self.used if used.operation == "UpdateItem")
        return made + self.refused * ROW_WRITE_UNITS


@contextmanager
def billed(client: "DynamoDBClient") -> Iterator[Bill]:
    """Ask for the bill of each request while this lasts."""
    bill = Bill()

    def ask(params: Any, **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"

    events = client.meta.events
    events.register("provide-client-params.dynamodb", ask)
    events.register("after-call.dynamodb", bill.note)
    try:
        yield bill
    finally:
        events.unregister("provide-client-params.dynamodb", ask)
        events.unregister("after-call.dynamodb", bill.note)


class Pair:
    """The port `UnlockedPair`, of the size that JWTs have."""

    access_token = refresh_token = Secret("t")

    def seal(self, access_token: Secret, refresh_token: Secret, commit_id: str) -> SealedPair:
        """Seal the next pair."""
        assert (access_token.reveal(), refresh_token.reveal()) == ("a", "r")
        return jwt_pair(commit_id)


@dataclass(slots=True)
class World:
    """Everything but the store: keys in hand, a Zendesk that answers, and a clock that stands still."""

    while_posting: Callable[[], None] = lambda: None
    posts: int = 0
    _drawn: int = 0
    _lock: Lock = field(default_factory=Lock)

    def unlock(self, context: SealContext, sealed: SealedPair, *, fresh_keys: bool = False) -> Pair:
        """Return the pair."""
        assert (context.subdomain, sealed.commit_id, fresh_keys) == (ACME, "c40", False)
        return Pair()

    def refresh(self, grant: RefreshGrant, deadline: float) -> IssuedTokens:
        """Answer the POST."""
        assert deadline
        with self._lock:
            self.posts += 1
        self.while_posting()
        return IssuedTokens(Secret("a"), Secret("r"), grant.scopes, timedelta(hours=48), timedelta(days=90))

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        """Never asked."""
        raise NotImplementedError

    def find_token_id(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> int | None:
        """Never asked."""
        raise NotImplementedError

    def delete_token(
        self, subdomain: Subdomain, token_id: int, access_token: Secret, deadline: float
    ) -> None:
        """Never asked."""
        raise NotImplementedError

    def send(self, renewal: Renewal) -> None:
        """Never needed."""
        raise NotImplementedError

    def now(self) -> datetime:
        """Return noon."""
        return NOON + timedelta(minutes=1)

    def monotonic(self) -> float:
        """Return the same second always."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Never waited."""
        raise NotImplementedError

    def entropy(self, count: int) -> bytes:
        """Return bytes that nobody else gets."""
        with self._lock:
            self._drawn += 1
            return self._drawn.to_bytes(count, "big")


@dataclass(frozen=True, slots=True)
class Refresher:
    """A worker's question, over the real store."""

    store: DynamoDBRefreshStore
    world: World

    def __call__(self, _: int = 0) -> RefreshOutcome:
        """Ask once for what is due, and again as a worker would where the server has closed an idle connection."""
        for _ in range(TRIES):
            with suppress(StoreUnavailableError):
                return self._ask()
        return self._ask()

    def _ask(self) -> RefreshOutcome:
        world = self.world
        ports = RefreshPorts(self.store, world, world, world, world, world, world.entropy)
        question = RefreshQuestion("default", ACME, seen=Version(3, 40))
        return RefreshConnection(ports)(question, until=60.0).outcome


@pytest.fixture
def store(dynamodb: "DynamoDBClient", tables: Tables) -> DynamoDBRefreshStore:
    """Return the store, with one row of 6 kB."""
    item = item_of(jwt_row())
    dynamodb.put_item(TableName=tables.connections, Item=item)
    return DynamoDBRefreshStore(dynamodb, tables.connections)


def ask_at_once(refresher: Refresher) -> Counter[RefreshOutcome]:
    """Let a thousand workers ask, as many at a time as there are connections."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return Counter(pool.map(refresher, range(WORKERS)))


def test_r1_a_thousand_losers_only_read(dynamodb: "DynamoDBClient", store: DynamoDBRefreshStore) -> None:
    """While the holder waits for Zendesk, each of them reads the row once, and none writes."""
    bills: list[Bill] = []
    outcomes: list[Counter[RefreshOutcome]] = []

    def lose() -> None:
        with billed(dynamodb) as bill:
            outcomes.append(ask_at_once(Refresher(store, World())))
        bills.append(bill)

    world = World(while_posting=lose)
    assert Refresher(store, world)() is RefreshOutcome.REFRESHED
    assert outcomes == [Counter({RefreshOutcome.IN_PROGRESS: WORKERS})]
    assert bills[0].counted() == {Used("GetItem", ROW_READ_UNITS, 0): WORKERS}
    assert bills[0].write_units() == 0


def test_one_refresh_is_a_read_and_two_writes(
    dynamodb: "DynamoDBClient", store: DynamoDBRefreshStore
) -> None:
    """14 write units: the claim, the commit, and the place in the keep-alive index. The listing is not touched."""
    with billed(dynamodb) as bill:
        assert Refresher(store, World())() is RefreshOutcome.REFRESHED
    assert bill.counted() == {
        Used("GetItem", ROW_READ_UNITS, 0): 1,
        Used("UpdateItem", ROW_WRITE_UNITS, 0): 1,
        Used("UpdateItem", ROW_WRITE_UNITS, KEEP_ALIVE_WRITE_UNITS): 1,
    }
    assert bill.write_units() == 14


def test_r7_a_refresh_whose_answers_are_lost_is_one_refresh(
    dynamodb: "DynamoDBClient", store: DynamoDBRefreshStore
) -> None:
    """The SDK sends the claim and the commit twice; both are known again, and Zendesk is asked once."""
    world = World()
    with every_write_sent_twice(dynamodb), billed(dynamodb) as bill:
        assert Refresher(store, world)() is RefreshOutcome.REFRESHED
    assert (world.posts, bill.refused) == (1, 2)
    current = store.find("default", ACME)
    assert current is not None
    assert current.version == Version(3, 41)


def test_r1_a_thousand_workers_do_not_throttle_the_winner(
    dynamodb: "DynamoDBClient", store: DynamoDBRefreshStore
) -> None:
    """Whatever the race: one POST, and less than a partition takes in a second.

    Only who read before the claim was there tries to claim too: at most as many as there are at the same moment.
    """
    world = World()
    with billed(dynamodb) as bill:
        outcomes = ask_at_once(Refresher(store, world))
    assert (world.posts, outcomes[RefreshOutcome.REFRESHED]) == (1, 1)
    assert set(outcomes) <= {RefreshOutcome.REFRESHED, RefreshOutcome.IN_PROGRESS, RefreshOutcome.CURRENT}
    assert outcomes.total() == WORKERS
    made = {used: times for used, times in bill.counted().items() if used.operation == "UpdateItem"}
    assert sum(made.values()) == 2
    assert bill.refused < CONNECTIONS
    assert bill.write_units() < PARTITION_WRITE_UNITS
