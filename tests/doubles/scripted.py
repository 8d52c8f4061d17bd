"""Doubles that do as they are told: a clock, entropy, sealing, Zendesk and a client secret."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from zendesk_oauth.errors import SealBrokenError, TokenRefusedError, ZendeskOAuthError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, IssuedTokens, SealContext, SealedPair, SealedToken
from zendesk_oauth.ports import CodeExchange

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)


class ScriptedClock:
    """A clock that moves only when told, both hands together."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """Return the scripted present."""
        return self._now

    def monotonic(self) -> float:
        """Return the scripted seconds."""
        return self._monotonic

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by
        self._monotonic += by.total_seconds()


class CountingEntropy:
    """Bytes that are different for each call and the same for each run: the call's number, repeated."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self, count: int) -> bytes:
        """Return that many bytes."""
        self._calls += 1
        return self._calls.to_bytes(2, "big") * (count // 2) + bytes([self._calls % 256]) * (count % 2)


@dataclass(slots=True)
class ScriptedSealer:
    """Sealer, keys and opener in one: "seals" by naming everything that a seal binds. For tests alone."""

    error: ZendeskOAuthError | None = None
    prepared: list[SealContext] = field(default_factory=list)

    def prepare(self, context: SealContext) -> "ScriptedKeys":
        """Return keys, or raise what was scripted."""
        if self.error:
            raise self.error
        self.prepared.append(context)
        return ScriptedKeys(context)

    def open_access_token(self, sealed: SealedToken, context: SealContext, commit_id: str) -> Secret:
        """Return the token where it was sealed for this place."""
        if self.error:
            raise self.error
        place = _place(context, "access_token", commit_id)
        if not sealed.ciphertext.startswith(place):
            raise SealBrokenError("another place")
        return Secret(sealed.ciphertext.removeprefix(place).decode())


@dataclass(frozen=True, slots=True)
class ScriptedKeys:
    """Keys in hand."""

    context: SealContext

    def seal(self, access_token: Secret, refresh_token: Secret, commit_id: str) -> SealedPair:
        """Seal both."""
        return SealedPair(
            commit_id,
            self._sealed("access_token", access_token, commit_id),
            self._sealed("refresh_token", refresh_token, commit_id),
        )

    def _sealed(self, field_name: str, token: Secret, commit_id: str) -> SealedToken:
        place = _place(self.context, field_name, commit_id)
        return SealedToken(place + token.reveal().encode(), b"wrapped key")


def _place(context: SealContext, field_name: str, commit_id: str) -> bytes:
    return f"{context.grant}|{context.subdomain}|{field_name}|{commit_id}|".encode()


def issued(
    access_token: str = "access-1", refresh_token: str = "refresh-1", scopes: tuple[str, ...] = ("read",)
) -> IssuedTokens:
    """Return a whole answer of the token endpoint."""
    return IssuedTokens(
        Secret(access_token), Secret(refresh_token), scopes, timedelta(hours=48), timedelta(days=90)
    )


@dataclass(slots=True)
class ScriptedZendesk:
    """Token endpoint and API in one. Each answer can be replaced by an error; what was asked is written down."""

    answer: IssuedTokens | Exception = field(default_factory=issued)
    user: AuthorizedUser | Exception = field(default_factory=lambda: AuthorizedUser(7, "admin"))
    deletion: Exception | None = None
    deletion_works: bool = True
    alive: set[str] = field(default_factory=set)
    exchanges: list[CodeExchange] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    on_exchange: Callable[[], None] = lambda: None
    find_error: Exception | None = None
    lies: set[str] = field(default_factory=set)
    """Calls that say once that a living token is dead."""

    def exchange(self, exchange: CodeExchange, deadline: float) -> IssuedTokens:
        """Issue the scripted tokens, which are alive from now on."""
        self.asked.append("exchange")
        self.exchanges.append(exchange)
        assert deadline > 0
        self.on_exchange()
        if isinstance(self.answer, Exception):
            raise self.answer
        self.alive.add(self.answer.access_token.reveal())
        return self.answer

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        """Return the scripted user."""
        self._note("who_authorized", subdomain, access_token, deadline)
        if isinstance(self.user, Exception):
            raise self.user
        return self.user

    def find_token_id(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> int | None:
        """Return an id for a living token."""
        self._note("find_token_id", subdomain, access_token, deadline)
        if self.find_error:
            raise self.find_error
        if self._lies("find_token_id"):
            return None
        return 99 if access_token.reveal() in self.alive else None

    def delete_token(
        self, subdomain: Subdomain, token_id: int, access_token: Secret, deadline: float
    ) -> None:
        """End the token's life, unless scripted otherwise."""
        assert token_id == 99
        self._note("delete_token", subdomain, access_token, deadline)
        if self._lies("delete_token"):
            raise TokenRefusedError("HTTP 401", status=401)
        if self.deletion:
            raise self.deletion
        if self.deletion_works:
            self.alive.discard(access_token.reveal())

    def _lies(self, call: str) -> bool:
        lies = call in self.lies
        self.lies.discard(call)
        return lies

    def _note(self, name: str, subdomain: Subdomain, access_token: Secret, deadline: float) -> None:
        assert subdomain
        assert access_token
        assert deadline > 0
        self.asked.append(name)


class ScriptedClientSecret:
    """A client secret, and how often it was read and forgotten."""

    def __init__(self, text: str = "client-secret") -> None:
        self.text = text
        self.before: str | None = None
        self.reads = 0
        self.forgotten = 0

    def __call__(self) -> Secret:
        """Return it."""
        self.reads += 1
        return Secret(self.text)

    def previous(self) -> Secret | None:
        """Return the one before, if there is one."""
        self.reads += 1
        return Secret(self.before) if self.before else None

    def forget(self) -> None:
        """Note that it was forgotten."""
        self.forgotten += 1
