"""Keep a fresh pair: the one place that seals it, makes it durable, and tries again where that fails.

First the table, and after its first failure the rescue queue at once: a table that hangs would take all the time
there is. Lying in both does no harm, because a replay is the same conditional write.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import NamedTuple

from zendesk_oauth.errors import StoreError, StoreUnavailableError
from zendesk_oauth.models.connection import ConnectionStatus, token_times
from zendesk_oauth.models.refresh import Claim, Connection, Renewal, RenewalTerms, Version
from zendesk_oauth.models.scopes import Scopes, bounded, missing
from zendesk_oauth.models.secret import base64url
from zendesk_oauth.models.tokens import IssuedTokens, SealContext
from zendesk_oauth.ports.refresh import RefreshStore, UnlockedPair
from zendesk_oauth.services.refresh_ports import ID_BYTES, KEEP_SECONDS, STORE_SECONDS, RefreshPorts

FIRST_PAUSE = 0.2
"""Between two tries, in seconds, doubled each time up to LONGEST_PAUSE."""
LONGEST_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class KeepRenewal:
    """Tries the table and the rescue queue in turn, `until` the time (monotonic seconds) does not hold another try."""

    ports: RefreshPorts
    until: float

    def __call__[T](
        self, renewal: Renewal, write: Callable[[Renewal], T], *, insist: bool = False
    ) -> T | None:
        """Return what `write` has returned; None: it lies in the rescue queue.

        With `insist` the table is tried on though the queue has it: somebody waits for the row. Raises
        StoreUnavailableError where neither has taken it in time.
        """
        pause, is_rescued = FIRST_PAUSE, False
        while True:
            try:
                return write(renewal)
            except StoreError:
                is_rescued = is_rescued or self._is_rescued(renewal)
            if is_rescued and not (insist and self._has_time(pause + STORE_SECONDS)):
                return None
            if not is_rescued and not self._has_time(pause + KEEP_SECONDS):
                raise StoreUnavailableError("neither the table nor the rescue queue has taken a fresh pair")
            self.ports.clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def at_any_cost[T](
        self, renewal: Renewal, write: Callable[[Renewal], T], *, insist: bool = False
    ) -> T | None:
        """Do the same, say so when the time is over, and go on until one of them takes it or the process is ended."""
        while True:
            try:
                return self(renewal, write, insist=insist)
            except StoreUnavailableError:
                self.ports.tell_unkept(renewal)
            self.ports.clock.sleep(LONGEST_PAUSE)

    def _has_time(self, seconds: float) -> bool:
        return self.ports.clock.monotonic() + seconds <= self.until

    def _is_rescued(self, renewal: Renewal) -> bool:
        try:
            self.ports.rescue.send(renewal)
        except StoreUnavailableError:
            return False
        return True


class Replaced(NamedTuple):
    """What a renewal comes in the place of: where it is sealed, its version, and its scopes if they count.

    `replaced` names the row where the pair before is a replaced one. `missing_scopes` are those that its row lacked
    before.
    """

    context: SealContext
    version: Version
    scopes: Scopes = ()
    replaced: str | None = None
    missing_scopes: Scopes = ()


def sealed_renewal(
    ports: RefreshPorts, replaced: Replaced, pair: UnlockedPair, fresh: IssuedTokens, asked_at: datetime
) -> Renewal:
    """Return what Zendesk has issued in the place of a pair, sealed under that pair's keys and for these terms.

    `asked_at` is when the holder was about to ask for it. Its lives are counted from then: a holder who is frozen with
    the answer in hand takes a pair for too old, and never for too young.
    """
    entropy = ports.entropy
    terms = RenewalTerms(
        grant=replaced.context.grant,
        subdomain=replaced.context.subdomain,
        replaces=replaced.version,
        scopes=fresh.scopes,
        issued_at=asked_at,
        times=token_times(fresh, asked_at, entropy(1)[0] / 255),
        lost_scopes=bounded(missing((*replaced.missing_scopes, *replaced.scopes), fresh.scopes)),
        replaced=replaced.replaced,
    )
    commit_id = terms.commit_id(base64url(entropy(ID_BYTES)))
    sealed = pair.seal(fresh.access_token, fresh.refresh_token, commit_id)
    return Renewal(**{field.name: getattr(terms, field.name) for field in fields(terms)}, sealed=sealed)


def commit_or_supersede(
    store: RefreshStore, renewal: Renewal, *, disconnecting: bool = False, over_verdict: bool = False
) -> tuple[Connection | None, Connection | None]:
    """Write a renewal: as the next generation, or in a row of its own where its row went another way, or is gone.

    Return its row, and the row of its own, which now has to be disconnected. Where the row was judged meanwhile, and is
    still judged as it is returned, nothing was written: `over_verdict` is for a pair that Zendesk accepts. Raises
    StoreUnavailableError.
    """
    for_disconnect = disconnecting or renewal.replaced is not None
    current = store.commit(renewal, disconnecting=for_disconnect, over_verdict=over_verdict)
    if current is not None and (_is_committed(current, renewal) or is_judged(current, renewal)):
        return current, None
    return current, store.keep_replaced(renewal)


def release_spent(store: RefreshStore, connection: Connection, claim: Claim) -> None:
    """Take our claim back from a pair whose successor is stored: nothing of it can be lost any more.

    Whoever has replaced the pair since has moved the claim along with it. Raises StoreUnavailableError.
    """
    store.release(connection, claim, None)
    store.release(connection.as_replaced, claim, None)


def is_judged(current: Connection, renewal: Renewal) -> bool:
    """Whether a person has been asked to connect again because of the version that this renewal replaces."""
    return current.status is ConnectionStatus.RECONNECT_REQUIRED and current.version == renewal.replaces


def _is_committed(current: Connection, renewal: Renewal) -> bool:
    """Whether the row is this renewal's: the commit id is random, so it can be nobody else's."""
    return current.sealed is not None and current.sealed.commit_id == renewal.sealed.commit_id
