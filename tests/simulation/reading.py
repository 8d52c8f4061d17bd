"""Readers: whoever wants a token, gets it out of the row, and has it refreshed where that is due."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.simulation.invariants import Invariants
from tests.simulation.keys import opened
from tests.simulation.world import Call, Killed, ViolationError, World
from tests.simulation.zendesk import SimulatedZendesk
from zendesk_oauth.errors import (
    ReconnectRequiredError,
    RefreshPendingError,
    StoreUnavailableError,
    TokenUnavailableError,
)
from zendesk_oauth.models.refresh import Asked, Connection, RefreshAnswer, RefreshQuestion, Version
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.token import (
    AccessToken,
    RefreshReport,
    RefreshRequest,
    StoredToken,
    TokenQuestion,
)
from zendesk_oauth.models.tokens import SealedToken
from zendesk_oauth.services.read_token import ReadToken

ACME = Subdomain("acme")
WAIT_SECONDS = 55.0
"""How long a reader waits for one token."""
SERVED_WITHIN = 115.0
"""A claim's life and Zendesk's longest answer: I10."""
FUNCTION_SECONDS = 60.0
"""The function's own limit."""
_EMPTY = SealedToken(b"", b"")


def _unavailable() -> Exception:
    return StoreUnavailableError("no answer")


def _nobody_there() -> Exception:
    return RefreshPendingError("no answer")


@dataclass(slots=True)
class SimulatedReader:
    """The port `TokenReader`: a glimpse may show the row as it was before its last change."""

    world: World
    seen: Invariants
    shown: Connection | None = None
    """What the last read has shown."""

    def find(self, grant: str, subdomain: Subdomain, *, consistent: bool) -> StoredToken | None:
        name = "read strongly" if consistent else "glimpse"
        self.shown = self.world.call(Call(name, _unavailable), self.seen.now if consistent else self._glimpse)
        return stored_token(self.shown)

    def _glimpse(self) -> Connection:
        is_stale = self.seen.before is not self.seen.seen and self.world.decide()
        return self.seen.before if is_stale else self.seen.now()


class SimulatedOpener:
    """The port `TokenOpener`, with its keys at hand."""

    @staticmethod
    def open(stored: StoredToken) -> Secret:
        return Secret(opened(SealedToken(stored.ciphertext, stored.wrapped_key), stored.commit_id))


@dataclass(slots=True)
class SimulatedRefresher:
    """The port `Refresher`: the invoked function works while its caller waits; its death is not his."""

    world: World
    zendesk: SimulatedZendesk
    refresh: Callable[[RefreshQuestion, float], RefreshAnswer]

    def ask(self, request: RefreshRequest, seconds: float) -> RefreshReport:
        self.world.call(Call("invoke refresh", _nobody_there), lambda: None)
        report = self._report(request)
        self.world.call(Call("the answer of refresh", _nobody_there), lambda: None)
        return report

    def _report(self, request: RefreshRequest) -> RefreshReport:
        seen = Version(*request.failed) if request.failed else None
        asked = Asked.FAILED if seen else Asked.DUE
        question = RefreshQuestion(request.grant, request.subdomain, asked, seen)
        try:
            answer = self.refresh(question, self.world.monotonic() + FUNCTION_SECONDS)
        except StoreUnavailableError as error:
            raise RefreshPendingError("the function failed") from error
        except Killed:
            self.zendesk.bury(self.world.current)
            raise RefreshPendingError("the function died") from None
        finally:
            self.zendesk.put_down(self.world.current)
        return RefreshReport(answer.outcome.value, answer.retry_at)


@dataclass(slots=True)
class Reader:
    """Somebody who works at Zendesk with the token that he is given."""

    world: World
    zendesk: SimulatedZendesk
    reader: SimulatedReader
    refresher: SimulatedRefresher

    def read(self, newer_than: int | None, until: float) -> AccessToken:
        """Read one token, and see that it may be used (I4). Raises what `ReadToken` raises."""
        read = ReadToken(self.reader, SimulatedOpener(), self.refresher, self.world)
        read.jitter = lambda: 1.0
        try:
            token = read(TokenQuestion("default", ACME, newer_than=newer_than), until)
        except ReconnectRequiredError:
            self._see(self.reader.shown is None or not self.reader.shown.is_active, "I4: refused for nothing")
            raise
        row = self.reader.shown
        self._see(row is not None and row.is_active, "I4: a token of a connection that is not active")
        self._see(self.world.now() < token.expires_at, "I4: a token that is over")
        return token

    def read_once(self, newer_than: int | None) -> None:
        """Read as any worker does."""
        with suppress(TokenUnavailableError, StoreUnavailableError):
            self.read(newer_than, self.world.monotonic() + WAIT_SECONDS)

    def be_served(self, within: float = SERVED_WITHIN) -> None:
        """Work until Zendesk accepts the token, or the row says why not, within so many seconds (I10)."""
        until = self.world.monotonic() + within
        newer_than = None
        while self.world.monotonic() < until:
            try:
                token = self.read(newer_than, until)
            except RefreshPendingError as error:
                self.world.sleep(error.retry_after.total_seconds() if error.retry_after else 1.0)
                continue
            except ReconnectRequiredError:
                return
            if token.value.reveal() in self.zendesk.alive():
                return
            newer_than = token.generation
            self.world.sleep(5.0)
        self._see(False, "I10: neither a valid token nor a verdict within 115 s")  # noqa: FBT003 - a fact

    def _see(self, fact: bool, what: str) -> None:  # noqa: FBT001 - a fact
        if not fact:
            raise ViolationError(what, self.world.story)


def stored_token(row: Connection | None) -> StoredToken | None:
    """Return what a row shows to a reader."""
    if row is None:
        return None
    sealed = row.sealed
    claim = row.claim if row.claim and not row.claim.unresolved else None
    return StoredToken(
        grant=row.grant,
        subdomain=row.subdomain,
        status=row.status.value,
        epoch=row.version.epoch,
        generation=row.version.generation,
        commit_id=sealed.commit_id if sealed else "",
        ciphertext=(sealed.access_token if sealed else _EMPTY).ciphertext,
        wrapped_key=(sealed.access_token if sealed else _EMPTY).wrapped_key,
        scopes=row.scopes,
        expires_at=row.times.expires_at,
        refresh_at=row.times.refresh_at,
        claimed_until=claim.until if claim else None,
        reason=row.reconnect_reason,
        since=row.reconnect_since,
    )
