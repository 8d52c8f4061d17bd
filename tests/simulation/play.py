"""A schedule from its first call to the peace after it, and the invariants that hold on the way."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from tests.simulation.keys import SimulatedKeyring, opened, seal
from tests.simulation.schedule import Chooser
from tests.simulation.store import ConditionalRows, SimulatedQueue, SimulatedStore
from tests.simulation.world import EPOCH, Budget, Call, ViolationError, World
from tests.simulation.zendesk import SimulatedZendesk
from zendesk_oauth.errors import StoreUnavailableError
from zendesk_oauth.models.connection import ConnectionStatus, token_times
from zendesk_oauth.models.refresh import (
    Asked,
    Connection,
    RefreshQuestion,
    Version,
)
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.services.disconnect_connection import DisconnectConnection
from zendesk_oauth.services.refresh_attempt import keep_renewal
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.services.retire_superseded import RetireSuperseded

ACME = Subdomain("acme")
KEY = "default#acme"
FUNCTION_SECONDS = 60.0
"""The function's own limit."""
PEACE_ROUNDS = 6
_FIRST = Version(1, 1)
_ENDING = (ConnectionStatus.DISCONNECTING, ConnectionStatus.DISCONNECTED)


@dataclass(frozen=True, slots=True)
class Plot:
    """What a schedule is about: how many workers meet a token that is due, and what else happens meanwhile."""

    name: str
    workers: int = 2
    harms: int = 1
    ticks: int = 1
    tick_seconds: tuple[float, ...] = (75.0,)
    asked: Asked = Asked.DUE
    disconnects: int = 0
    reinstalls: int = 0
    revoked: bool = False

    @property
    def posts(self) -> int:
        """How many POSTs there are where nothing befalls anybody: a refused token that lives needs none."""
        return 0 if self.asked is Asked.FAILED and not self.revoked else 1


@dataclass(slots=True)
class Performance:
    """One schedule of a plot."""

    plot: Plot
    chooser: Chooser
    left_out: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    world: World = field(init=False)
    zendesk: SimulatedZendesk = field(init=False)
    rows: ConditionalRows = field(init=False)
    queue: SimulatedQueue = field(init=False)
    budget: Budget = field(init=False)
    highest: Version = _FIRST

    def __post_init__(self) -> None:
        self.budget = Budget(self.plot.harms, self.plot.ticks, self.plot.tick_seconds)
        self.world = World(self.chooser, self.budget, self.check)
        self.zendesk = SimulatedZendesk(self.world)
        self.rows = ConditionalRows(left_out=self.left_out, added=self.added)
        self.queue = SimulatedQueue(self.world)
        self.rows.rows[KEY] = self._first_row()

    def _first_row(self) -> Connection:
        pair = self.zendesk.issue()
        pair.alive = not self.plot.revoked
        times = token_times(self.zendesk.tokens_of(pair), EPOCH, 0.5)
        self.world.seconds = (times.refresh_at - EPOCH).total_seconds() + 1
        if self.plot.asked is Asked.FAILED:
            self.world.seconds = timedelta(hours=1).total_seconds()
        return Connection(
            grant="default",
            subdomain=ACME,
            version=Version(1, 1),
            status=ConnectionStatus.ACTIVE,
            scopes=("tickets:read",),
            issued_at=EPOCH,
            times=times,
            sealed=seal(pair.access, pair.refresh, "c0"),
        )

    # the actors

    @property
    def ports(self) -> RefreshPorts:
        return RefreshPorts(
            store=SimulatedStore(self.world, self.rows),
            keyring=SimulatedKeyring(self.world),
            token_endpoint=self.zendesk,
            api=self.zendesk,
            rescue=self.queue,
            clock=self.world,
            entropy=self.entropy,
        )

    def refresh(self) -> None:
        """One worker's request for a refresh."""
        seen = Version(1, 1) if self.plot.asked is Asked.FAILED else None
        question = RefreshQuestion("default", ACME, self.plot.asked, seen)
        with suppress(StoreUnavailableError):
            RefreshConnection(self.ports)(question, self.world.monotonic() + FUNCTION_SECONDS)

    def disconnect(self) -> None:
        """End the connection, as the company wishes."""
        with suppress(StoreUnavailableError):
            DisconnectConnection(self.ports)("default", ACME)

    def reinstall(self) -> None:
        """Connect once more: Zendesk issues a pair, and the callback's transaction keeps it."""
        store = SimulatedStore(self.world, self.rows)
        fresh = self.world.call(Call("POST code"), self.zendesk.issue)
        assert self.world.current is not None
        self.zendesk.received[fresh.access] = self.world.current
        times = token_times(self.zendesk.tokens_of(fresh), self.world.now(), 0.5)
        sealed = seal(fresh.access, fresh.refresh, f"install-{fresh.number}")
        while True:
            with suppress(StoreUnavailableError):
                store.establish(KEY, sealed, self.world.now(), times)
                return

    def retire_superseded(self) -> None:
        """Revoke what new installs have replaced, as the schedule does."""
        with suppress(StoreUnavailableError):
            RetireSuperseded(self.ports)("default", ACME)

    def replay_rescued(self) -> None:
        """Make durable what could not be committed, as the queue's consumer does."""
        store = SimulatedStore(self.world, self.rows)
        while self.queue.waiting:
            keep_renewal(store, self.queue.waiting[0])
            del self.queue.waiting[0]

    def entropy(self, size: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(size, "big") if size > 1 else b"\x80"

    drawn: int = 0
    ended_epoch: int = 0
    status: ConnectionStatus = ConnectionStatus.ACTIVE

    # the play

    def run(self) -> None:
        """Play it, then let peace return: faults end, time passes, and what is left must be whole."""
        try:
            for number in range(self.plot.workers):
                self.world.add(f"worker {number + 1}", self.refresh)
            for number in range(self.plot.disconnects):
                self.world.add(f"disconnect {number + 1}", self.disconnect)
            for number in range(self.plot.reinstalls):
                self.world.add(f"install {number + 1}", self.reinstall)
            self.world.play()
            self._peace()
        except ViolationError as violation:
            raise ViolationError(violation.what, self.world.story, []) from None
        finally:
            self.world.close()

    def _peace(self) -> None:
        self.world.budget = Budget(0, 0)
        for number in count(1):
            self.world.sleep(75.0)
            if self.queue.waiting:
                self.world.add(f"rescue {number}", self.replay_rescued)
            self.world.add(f"worker in peace {number}", self.refresh)
            if self.rows.rows[KEY].status is ConnectionStatus.DISCONNECTING:
                self.world.add(f"disconnect in peace {number}", self.disconnect)
            if self.rows.replaced:
                self.world.add(f"retirement in peace {number}", self.retire_superseded)
            self.world.play()
            if self._is_settled():
                break
            if number == PEACE_ROUNDS:
                raise ViolationError("I10: no valid token and no verdict after all is over", [], [])
        wrong = self.check() or self._final()
        if wrong:
            raise ViolationError(wrong, [], [])

    def _is_settled(self) -> bool:
        row = self.rows.rows[KEY]
        if row.status is ConnectionStatus.DISCONNECTING or self.rows.replaced:
            return False
        if row.status is not ConnectionStatus.ACTIVE:
            return True
        return row.claim is None and self._access(row) in self._alive()

    def _alive(self) -> set[str]:
        return {pair.access for pair in self.zendesk.pairs if pair.alive}

    @property
    def is_plain(self) -> bool:
        """Whether workers met a token that was due, and nothing else happened."""
        whole = (self.plot.harms, self.plot.ticks) == (self.budget.harms, self.budget.ticks)
        return whole and not self.plot.disconnects and not self.plot.reinstalls

    @staticmethod
    def _access(row: Connection) -> str:
        sealed = row.living_pair
        return opened(sealed.access_token, sealed.commit_id)

    # the invariants

    def check(self) -> str | None:
        """Tell which invariant does not hold now."""
        row = self.rows.rows[KEY]
        wrong = next(iter(self.rows.trespasses), None) or self._wrong_turn(row) or self._wrong_version(row)
        if wrong:
            return wrong
        if any(times > 1 for times in self.zendesk.rotations.values()):
            return "I1: a refresh token was rotated twice"
        return self._wrong_pair(row)

    def _wrong_version(self, row: Connection) -> str | None:
        """Tell whether the version fell, or an ended epoch came back."""
        if row.version < self.highest:
            return f"I3: the version fell from {self.highest} to {row.version}"
        if row.version.epoch == self.ended_epoch and row.status is not ConnectionStatus.DISCONNECTED:
            return "I9: a disconnected connection came back without a new install"
        if row.status is ConnectionStatus.DISCONNECTED:
            self.ended_epoch = row.version.epoch
        self.highest = row.version
        return None

    def _wrong_pair(self, row: Connection) -> str | None:
        """Tell whether the row's tokens are of one answer."""
        if row.sealed is None:
            return None
        refresh = opened(row.sealed.refresh_token, row.sealed.commit_id)
        one = self.zendesk.by_access(self._access(row)) is self.zendesk.by_refresh(refresh)
        return None if one else "I3: the tokens of the row are of two answers"

    def _wrong_turn(self, row: Connection) -> str | None:
        """Tell whether the status took a way that it may not take."""
        old, self.status, same_epoch = self.status, row.status, row.version.epoch == self.highest.epoch
        if old is ConnectionStatus.DISCONNECTING and same_epoch and row.status not in _ENDING:
            return f"I9: a disconnect under way became {row.status}"
        if row.status is ConnectionStatus.DISCONNECTING and row.version.epoch not in self.rows.asked_to_end:
            return "I6: a disconnect of an older epoch ended a newer one"
        if row.status is ConnectionStatus.DISCONNECTED and row.claim is not None:
            return "I6: a claim lies on a tombstone"
        return None

    def _final(self) -> str | None:
        """Tell what is wrong in the end: what lives must be in the row, or have been lost with an excuse."""
        row = self.rows.rows[KEY]
        if self.is_plain and self.zendesk.posts != self.plot.posts:
            return f"I1: {self.zendesk.posts} POSTs where nothing befell anybody"
        kept = self._access(row) if row.sealed is not None else ""
        if row.status is ConnectionStatus.RECONNECT_REQUIRED and kept in self._alive():
            return "I2: a connection was given up whose refresh token lives"
        orphans = self._alive() - {kept}
        careless = [a for a in orphans if a in self.zendesk.received and not self.zendesk.received[a].killed]
        if careless:
            return f"I2: {careless[0]} was received by a worker who lived, and lost"
        return None
