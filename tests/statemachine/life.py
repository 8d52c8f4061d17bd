"""One connection's years, call by call: the real services over the rows of the simulation and a model of Zendesk.

Nothing happens at the same time here; for that there are the schedules of `make simulate`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulation.keys import SimulatedPair, opened, seal
from tests.simulation.store import ConditionalRows
from zendesk_oauth.errors import GrantRejectedError, ProviderUnavailableError, StoreUnavailableError
from zendesk_oauth.models.connection import ConnectionStatus, named_by, token_times
from zendesk_oauth.models.refresh import (
    Asked,
    Claim,
    Connection,
    RefreshOutcome,
    RefreshQuestion,
    Renewal,
    Version,
)
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, IssuedTokens, SealContext, SealedPair
from zendesk_oauth.ports.refresh import RefreshGrant
from zendesk_oauth.services.disconnect_connection import DisconnectConnection
from zendesk_oauth.services.finish_connection import FinishConnection
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.services.replay_rescued import ReplayRescued

ACME = Subdomain("acme")
KEY = "default#acme"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
FUNCTION_SECONDS = 60.0
REFRESH_LIFE = timedelta(days=90)


@dataclass
class Clock:
    """Time that passes when somebody says so, or waits."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Issued:
    """A pair, and what became of it: alive, lost on its way, ended by an admin or by its age."""

    number: int
    over_at: datetime
    alive: bool = True
    lost: bool = False
    ended: bool = False


@dataclass
class Zendesk:
    """The reference model: a refresh token works once, and a rotation kills the pair that it belonged to."""

    clock: Clock
    pairs: list[Issued] = field(default_factory=list)
    losing: int = 0
    """How many of the next answers are lost, after the work was done."""
    stored: Callable[[], Connection | None] = lambda: None
    rotations: dict[Version, int] = field(default_factory=dict)
    """How many times the row's own token was rotated, by the row's version then."""

    def issue(self) -> IssuedTokens:
        number = len(self.pairs) + 1
        self.pairs.append(Issued(number, self.clock.now() + REFRESH_LIFE))
        return IssuedTokens(
            Secret(f"a{number}"),
            Secret(f"r{number}"),
            ("tickets:read",),
            timedelta(hours=48),
            REFRESH_LIFE,
        )

    def pair(self, token: str) -> Issued:
        return self.pairs[int(token[1:]) - 1]

    def revoke_all(self) -> None:
        """Let an admin take the permission back."""
        for pair in self.pairs:
            _end(pair)

    def expire(self) -> None:
        """Let age end what nobody has refreshed."""
        for pair in self.pairs:
            if self.clock.now() >= pair.over_at:
                _end(pair)

    def refresh(self, grant: RefreshGrant, deadline: float) -> IssuedTokens:
        self.expire()
        old = self.pair(grant.refresh_token.reveal())
        if not old.alive:
            raise GrantRejectedError("invalid_grant")
        old.alive = False
        self._count(old)
        fresh = self.issue()
        if self.losing:
            self.losing -= 1
            self.pairs[-1].lost = True
            raise ProviderUnavailableError("no answer")
        return fresh

    def _count(self, old: Issued) -> None:
        row = self.stored()
        if row is not None and row.sealed is not None and number_in(row.sealed) == old.number:
            self.rotations[row.version] = self.rotations.get(row.version, 0) + 1

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        return AuthorizedUser(1, "admin")

    def find_token_id(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> int | None:
        pair = self.pair(access_token.reveal())
        return pair.number if pair.alive else None

    def delete_token(
        self, subdomain: Subdomain, token_id: int, access_token: Secret, deadline: float
    ) -> None:
        self.pairs[token_id - 1].alive = False


class Keyring:
    """Keys that are always in hand."""

    def unlock(self, context: SealContext, sealed: SealedPair, *, fresh_keys: bool = False) -> SimulatedPair:
        return SimulatedPair(
            Secret(opened(sealed.access_token, sealed.commit_id)),
            Secret(opened(sealed.refresh_token, sealed.commit_id)),
        )


@dataclass
class Store:
    """The rows behind a connection that can be down: after so many calls, for so many calls."""

    rows: ConditionalRows
    clock: Clock
    after: int = 0
    down: int = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.rows, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self._pass()
            return method(*arguments, **options)

        return call

    def _pass(self) -> None:
        if self.after:
            self.after -= 1
        elif self.down:
            self.down -= 1
            raise StoreUnavailableError("down")

    def release(self, connection: Connection, claim: Claim, retry_at: datetime | None) -> None:
        self._pass()
        self.rows.release(connection, claim, retry_at, self.clock.now())

    def leave_unresolved(self, connection: Connection, claim: Claim, retry_at: datetime) -> None:
        self._pass()
        self.rows.leave_unresolved(connection, claim, retry_at, self.clock.now())


@dataclass
class Queue:
    """The rescue queue."""

    waiting: list[Renewal] = field(default_factory=list)

    def send(self, renewal: Renewal) -> None:
        self.waiting.append(renewal)


class Life:
    """A connection, and all that can be done with it."""

    def __init__(self, rows: ConditionalRows, queue: Queue) -> None:
        self.clock, self.queue, self.rows = Clock(), queue, rows
        self.zendesk = Zendesk(self.clock)
        self.store = Store(rows, self.clock)
        self.zendesk.stored = lambda: self.rows.rows.get(KEY)
        self.drawn = 0
        self._connect()

    def _connect(self) -> None:
        tokens = self.zendesk.issue()
        self.rows.rows[KEY] = Connection(
            grant="default",
            subdomain=ACME,
            version=Version(1, 1),
            status=ConnectionStatus.ACTIVE,
            scopes=("tickets:read",),
            issued_at=self.clock.now(),
            times=token_times(tokens, self.clock.now(), 0.5),
            sealed=seal("a1", "r1", "install-1"),
        )

    @property
    def row(self) -> Connection:
        """The row as it is."""
        return self.rows.rows[KEY]

    @property
    def ports(self) -> RefreshPorts:
        """What the services work with."""
        return RefreshPorts(
            self.store,
            Keyring(),
            self.zendesk,
            self.zendesk,
            self.queue,
            self.clock,
            self._entropy,
        )

    def _entropy(self, size: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(size, "big") if size > 1 else b"\x80"

    def _until(self) -> float:
        return self.clock.monotonic() + FUNCTION_SECONDS

    def refresh(self, asked: Asked) -> RefreshOutcome | None:
        """Ask for a refresh; None: the store was down."""
        seen = self.row.version if asked is Asked.FAILED else None
        with suppress(StoreUnavailableError):
            question = RefreshQuestion("default", ACME, asked, seen)
            return RefreshConnection(self.ports)(question, self._until()).outcome
        return None

    def install(self) -> None:
        """Connect again."""
        tokens = self.zendesk.issue()
        number = len(self.zendesk.pairs)
        sealed = seal(f"a{number}", f"r{number}", f"install-{number}")
        now = self.clock.now()
        times, seen = token_times(tokens, now, 0.5), None
        while (in_the_way := self.rows.establish(seen, KEY, sealed, now, times)) is not None:
            seen = in_the_way

    def disconnect(self) -> None:
        """End it."""
        with suppress(StoreUnavailableError):
            connection = self.store.find("default", ACME)
            marked = self.store.mark_disconnecting(connection, self.clock.now())
            if marked is not None:
                DisconnectConnection(self.ports)(marked, self._until())

    def finish(self) -> None:
        """Let the schedule of what is unfinished come by."""
        for key in tuple(self.rows.unfinished_at):
            grant, subdomain, replaced = named_by(key)
            with suppress(StoreUnavailableError):
                FinishConnection(self.ports)(grant, subdomain, self._until(), replaced)

    def replay(self) -> None:
        """Let the rescue queue deliver its oldest message, which stays there where it cannot be kept."""
        with suppress(StoreUnavailableError, ProviderUnavailableError):
            ReplayRescued(self.ports)(self.queue.waiting[0], self._until())
            del self.queue.waiting[0]

    def kept(self) -> set[int]:
        """Return the numbers of all pairs that lie somewhere durable."""
        sealed = [renewal.sealed for renewal in self.queue.waiting]
        sealed += [row.sealed for row in self.rows.rows.values() if row.sealed]
        return {number_in(pair) for pair in sealed}


def _end(pair: Issued) -> None:
    pair.ended |= pair.alive
    pair.alive = False


def number_in(sealed: SealedPair) -> int:
    """Return which pair of Zendesk's lies sealed here, by its refresh token."""
    return int(opened(sealed.refresh_token, sealed.commit_id)[1:])
