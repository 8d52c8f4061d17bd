"""Doubles of what reading a token needs: rows, keys, a refresher and time, each with a list of what it was asked."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

from tests import loopback
from zendesk_oauth.errors import ZendeskOAuthError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.token import AccessToken, RefreshReport, RefreshRequest, StoredToken
from zendesk_oauth.services.read_token import ReadToken
from zendesk_oauth.worker.connections import WAIT, Clocks, Connections

BEGAN = datetime(2027, 1, 4, 12, tzinfo=UTC)
ACME = Subdomain("acme")
SCOPES = ("tickets:read", "users:read")
START = "https://connect.example.com/oauth/start"
ACCOUNT_URL = "https://{subdomain}.zendesk.com"


def row(generation: int = 1, lives: float = 3600.0, **changes: object) -> StoredToken:
    """Return an active row whose token has that many seconds left, and is due ten minutes before its end."""
    expires_at = BEGAN + timedelta(seconds=lives)
    stored = StoredToken(
        grant="default",
        subdomain=ACME,
        status="active",
        epoch=1,
        generation=generation,
        commit_id=f"commit-{generation}",
        ciphertext=f"token-{generation}".encode(),
        wrapped_key=b"wrapped",
        scopes=SCOPES,
        expires_at=expires_at,
        refresh_at=expires_at - timedelta(minutes=10),
    )
    return stored._replace(**changes)  # type: ignore[arg-type] # the test's own names


@dataclass
class Time:
    """Both clocks, moved by sleeping; what happens meanwhile is scripted for an instant."""

    seconds: float = 0.0
    sleeps: list[float] = field(default_factory=list)
    then: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def now(self) -> datetime:
        """Return the present."""
        return BEGAN + timedelta(seconds=self.seconds)

    def epoch(self) -> float:
        """Return the same in seconds since 1970."""
        return BEGAN.timestamp() + self.seconds

    def monotonic(self) -> float:
        """Return seconds."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass, and happen what was to happen until then."""
        self.sleeps.append(seconds)
        self.seconds += seconds
        for happened in [one for one in self.then if one[0] <= self.seconds]:
            self.then.remove(happened)
            happened[1]()


@dataclass
class Rows:
    """One row at a time; `stale` is what an eventually consistent read shows instead, if anything."""

    stored: StoredToken | None = None
    stale: list[StoredToken | None] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def find(self, grant: str, subdomain: Subdomain, *, consistent: bool) -> StoredToken | None:
        """Return the row."""
        assert (grant, subdomain) == ("default", ACME)
        self.reads.append("strong" if consistent else "eventual")
        return self.stale.pop(0) if self.stale and not consistent else self.stored


@dataclass
class Keys:
    """Opens what is no more than named."""

    opened: list[int] = field(default_factory=list)

    def open(self, stored: StoredToken) -> Secret:
        """Return the token."""
        self.opened.append(stored.generation)
        return Secret(stored.ciphertext.decode())


type Act = Callable[[], RefreshReport]


@dataclass
class Refresh:
    """Does the next act for each request; with none left it fails the test."""

    acts: list[Act] = field(default_factory=list)
    asked: list[tuple[RefreshRequest, float]] = field(default_factory=list)

    def ask(self, request: RefreshRequest, seconds: float) -> RefreshReport:
        """Act, or raise what the act raises."""
        self.asked.append((request, seconds))
        return self.acts.pop(0)()


class World:
    """A worker with its surroundings."""

    def __init__(self, stored: StoredToken | None = None) -> None:
        self.time = Time()
        self.rows = Rows(stored)
        self.keys = Keys()
        self.refresh = Refresh()
        self.read_token = ReadToken(self.rows, self.keys, self.refresh, self.time, START)
        self.read_token.jitter = lambda: 1.0

    def connections(self, wait: float = 55.0) -> Connections:
        """Return the library's front over all this."""
        clocks = Clocks(self.time.epoch, self.time.monotonic)
        return Connections(self.read_token, ACCOUNT_URL, clocks, timedelta(seconds=wait))

    def become(self, stored: StoredToken | None) -> None:
        """Let the row be this from now on."""
        self.rows.stored = stored

    def report(
        self, outcome: str, stored: StoredToken | None = None, retry_at: datetime | None = None
    ) -> Act:
        """Return an act that leaves this row behind, if one is given, and reports the outcome."""

        def act() -> RefreshReport:
            if stored is not None:
                self.become(stored)
            return RefreshReport(outcome, retry_at)

        return act


def failing(error: ZendeskOAuthError) -> Act:
    """Return an act that raises."""

    def act() -> RefreshReport:
        raise error

    return act


def token_of(stored: StoredToken) -> AccessToken:
    """Return the token that a row opens to."""
    return AccessToken(
        Secret(stored.ciphertext.decode()),
        stored.epoch,
        stored.generation,
        stored.expires_at,
        stored.refresh_at,
        stored.scopes,
    )


class Tokens:
    """In place of reading: gives generation after generation; `is_alive` is Zendesk's word for one that failed."""

    def __init__(self, generation: int = 1, lives: float = 3600.0) -> None:
        self.generation = generation
        self.lives = lives
        self.error: ZendeskOAuthError | None = None
        self.is_alive = False
        self.questions: list[object] = []
        self._turn = Lock()

    def __call__(self, question: object, until: float) -> AccessToken:
        """Return the token; one that failed is replaced by the next."""
        del until
        with self._turn:
            self.questions.append(question)
            if self.error:
                raise self.error
            if not self.is_alive and getattr(question, "newer_than", None) == self.generation:
                self.generation += 1
            expires_at = datetime.now(UTC) + timedelta(seconds=self.lives)
            stored = row(self.generation)._replace(
                expires_at=expires_at, refresh_at=expires_at - timedelta(minutes=10)
            )
            return token_of(stored)


def connections_of(account_url: str, tokens: Tokens, wait: timedelta = WAIT) -> Connections:
    """Return connections over these tokens, by the machine's own clocks."""
    return Connections(tokens, account_url, Clocks(time.time, time.monotonic), wait)


def answer(status: int = 200, body: str = "{}", headers: Mapping[str, str] | None = None) -> loopback.Script:
    """Return a script of a server that hangs up after its answer, and says so: no client takes the connection again."""
    return loopback.answer(status, body, {"Connection": "close"} | dict(headers or {}))


def bearers(server: loopback.Loopback) -> list[str | None]:
    """Return the token of each request that came, or None."""
    sent = [server.head(number)[1].get("authorization") for number in range(len(server.requests))]
    return [one.removeprefix("Bearer ") if one else None for one in sent]
