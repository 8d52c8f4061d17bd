"""The actors of a schedule: each one runs a real service over the models."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, cycle

from tests.simulation.invariants import Invariants
from tests.simulation.keys import SimulatedKeyring, seal
from tests.simulation.plot import Plot
from tests.simulation.reading import ACME, FUNCTION_SECONDS, Reader, SimulatedReader, SimulatedRefresher
from tests.simulation.rekey_rows import RekeyRows
from tests.simulation.simulated_store import SimulatedQueue, SimulatedRekeyStore, SimulatedStore
from tests.simulation.world import Call, World
from tests.simulation.zendesk import SimulatedZendesk
from zendesk_oauth.errors import KeyUnavailableError, ProviderUnavailableError, StoreUnavailableError
from zendesk_oauth.models.connection import ConnectionStatus, named_by, token_times
from zendesk_oauth.models.refresh import Asked, Connection, RefreshAnswer, RefreshQuestion, Version
from zendesk_oauth.models.rekey import RekeyOutcome
from zendesk_oauth.ports import ZendeskApi
from zendesk_oauth.ports.refresh import RefreshStore
from zendesk_oauth.services.disconnect_connection import DisconnectConnection
from zendesk_oauth.services.finish_connection import FinishConnection
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.services.rekey_connection import RekeyConnection
from zendesk_oauth.services.replay_rescued import ReplayRescued

KEY = "default#acme"
CAMPAIGN = "campaign"
_WORST_FIRST = (
    RekeyOutcome.BROKEN,
    RekeyOutcome.LATER,
    RekeyOutcome.RESEALED,
    RekeyOutcome.DONE,
    RekeyOutcome.NOTHING,
)
_HALFWAY = b"\x80"


@dataclass(slots=True)
class Cast:
    """Everybody who may touch the connection."""

    plot: Plot
    world: World
    zendesk: SimulatedZendesk
    rows: RekeyRows
    queue: SimulatedQueue
    seen: Invariants
    is_fenced: bool = False
    asked_to_end: set[int] = field(default_factory=set)
    ended: dict[int, str] = field(default_factory=dict)
    """How the end of each pair was reported, by its number."""
    keyring: SimulatedKeyring = field(init=False)
    api: ZendeskApi = field(init=False)
    rekeyed: RekeyOutcome | None = None
    """What the last visit of a campaign has said."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.keyring = SimulatedKeyring(self.world)
        self.api = self.zendesk.api

    @property
    def ports(self) -> RefreshPorts:
        """What one worker works with."""
        return RefreshPorts(
            store=SimulatedStore(self.world, self.rows, self.asked_to_end, self.ended, self.is_fenced),
            keyring=self.keyring,
            token_endpoint=self.zendesk,
            api=self.api,
            rescue=self.queue,
            clock=self.world,
            entropy=self._entropy,
        )

    def _entropy(self, size: int) -> bytes:
        return next(self._numbers).to_bytes(size, "big") if size > 1 else _HALFWAY

    def enter(self) -> None:
        """Put everybody on the stage."""
        plot, skews = self.plot, cycle(self.plot.skews[1:] or (0.0,))
        for name, times, work in (
            ("worker", plot.workers, self.refresh),
            ("reader", plot.readers, self.read),
            ("disconnect", plot.disconnects, self.disconnect),
            ("install", plot.reinstalls, self.reinstall),
            ("schedule", plot.finishes, self.finish),
            ("rekey", plot.rekeys, self.rekey),
            ("rescue", plot.replays, self.replay_once),
        ):
            for number in range(1, times + 1):
                self.world.add(f"{name} {number}", work, next(skews))

    def refresh(self) -> None:
        """One worker's request for a refresh."""
        seen = Version(1, 1) if self.plot.asked is Asked.FAILED else None
        with suppress(StoreUnavailableError):
            self._ask(RefreshQuestion("default", ACME, self.plot.asked, seen), self._until())

    def _ask(self, question: RefreshQuestion, until: float) -> RefreshAnswer:
        return RefreshConnection(self.ports)(question, until)

    def _until(self) -> float:
        return self.world.monotonic() + FUNCTION_SECONDS

    def reader(self) -> Reader:
        """Return somebody who reads tokens."""
        return Reader(
            self.world,
            self.zendesk,
            SimulatedReader(self.world, self.seen),
            SimulatedRefresher(self.world, self.zendesk, self._ask),
        )

    def read(self) -> None:
        """Want one token; after a 401 one that is newer."""
        self.reader().read_once(1 if self.plot.asked is Asked.FAILED else None)

    def disconnect(self) -> None:
        """End the connection that is there, as the company wishes."""
        with suppress(StoreUnavailableError):
            marked = self._marked(self.ports.store)
            if marked is not None:
                DisconnectConnection(self.ports)(marked, self._until())

    def _marked(self, store: RefreshStore) -> Connection | None:
        """Mark the connection, as `connections` does; None: there is nothing to end."""
        connection = store.find("default", ACME)
        if connection is None or connection.status is ConnectionStatus.DISCONNECTED:
            return None
        if connection.status is ConnectionStatus.DISCONNECTING:
            return connection
        return store.mark_disconnecting(connection, self.world.now())

    def reinstall(self) -> None:
        """Connect once more: Zendesk issues a pair, and the callback's transaction keeps it."""
        store = SimulatedStore(self.world, self.rows, self.asked_to_end, self.ended)
        fresh = self.world.call(Call("POST code"), self.zendesk.issue)
        self.zendesk.take(fresh)
        times = token_times(self.zendesk.tokens_of(fresh), self.world.now(), 0.5)
        sealed = seal(fresh.access, fresh.refresh, f"install-{fresh.number}")
        while True:
            with suppress(StoreUnavailableError):
                store.establish(KEY, sealed, self.world.now(), times)
                return

    def finish(self) -> None:
        """Go on with what is unfinished, as the schedule does: each row is an invocation of its own."""
        for key in (KEY, *(key for key in self.rows.unfinished_at if key != KEY)):
            grant, subdomain, replaced = named_by(key)
            with suppress(StoreUnavailableError):
                FinishConnection(self.ports)(grant, subdomain, self._until(), replaced)
            self.zendesk.put_down(self.world.current)

    def rekey(self) -> None:
        """Seal every row anew, as `refresh` does for the operator's command; its word is the worst of theirs."""
        store = SimulatedRekeyStore(self.world, self.rows)
        visit = RekeyConnection(store, self.keyring, self.world)
        outcomes = set()
        for key in tuple(self.rows.rows):
            outcomes.add(visit(*named_by(key), CAMPAIGN, self._until()).outcome)
        self.rekeyed = next(outcome for outcome in _WORST_FIRST if outcome in outcomes)

    def replay_rescued(self) -> None:
        """Make durable what could not be committed, as the queue's consumer does."""
        while self.queue.waiting:
            self.replay_once()

    def deliver(self) -> None:
        """Be the queue that delivers each of its messages in time; what nobody could replay comes again."""
        for _ in tuple(self.queue.waiting):
            self.replay_once()
        if self.queue.waiting:
            self.queue.ring_again()

    def replay_once(self) -> None:
        """Replay the message that waits longest; where it could not be replayed, it waits as the last."""
        if not self.queue.waiting:
            return
        message = self.queue.waiting[0]
        try:
            ReplayRescued(self.ports)(message, self._until())
        except (StoreUnavailableError, ProviderUnavailableError, KeyUnavailableError):
            if message in self.queue.waiting:
                self.queue.waiting.remove(message)
                self.queue.waiting.append(message)
        else:
            if message in self.queue.waiting:
                self.queue.waiting.remove(message)
