"""What the refresh protocol needs from outside: the row with its conditional writes, the keys, the rescue queue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from zendesk_oauth.models.refresh import Claim, Connection, DueConnection, LossReason, Renewal
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens, SealContext, SealedPair
from zendesk_oauth.ports import Clock


class RefreshStore(Protocol):
    """The connections' rows, as the refresh protocol writes them.

    Every method raises StoreUnavailableError where the store does not answer, and recognises our own write that
    was made before its answer was lost.
    """

    def find(self, grant: str, subdomain: Subdomain, replaced: str | None = None) -> Connection | None:
        """Read one strongly, a replaced pair's where `replaced` names it; None: there is none."""

    def claim(self, connection: Connection, claim: Claim, now: datetime) -> bool:
        """Take the claim if the row is still of that version and status, and bears no claim but the one seen.

        That one has to be over. Whoever did not see a claim does not know that the refresh token may have been spent.
        """

    def release(self, connection: Connection, claim: Claim, retry_at: datetime | None) -> None:
        """Give the claim back if it is still this one.

        With `retry_at` this write, and that of `leave_unresolved`, moves a row that is due for its keep-alive:
        `models.keep_alive` says to when.
        """

    def leave_unresolved(self, connection: Connection, claim: Claim, retry_at: datetime) -> None:
        """Mark the claim, if it is still this one: Zendesk may have rotated, until `claim.until` at the latest."""

    def commit(
        self, renewal: Renewal, *, disconnecting: bool = False, over_verdict: bool = False
    ) -> Connection | None:
        """Write the pair as the next generation, whoever holds the claim; return the row as it is then.

        It is written if the row is still of the version that the renewal replaces, and active; `over_verdict`, which
        is for a pair that Zendesk accepts, also if judged `reconnect_required`; for a disconnect, which needs a living
        token to revoke with, only if disconnecting.
        The returned row bears the renewal's commit id exactly if it was written. None: there is no row.
        """

    def keep_replaced(self, renewal: Renewal) -> Connection:
        """Write the pair as a replaced one, in a row of its own that is being disconnected; return that row.

        A row that is there under its commit id stays as it is: the pair was kept before, and may have ended since.
        """

    def require_reconnect(
        self, connection: Connection, claim: Claim, reason: LossReason, now: datetime
    ) -> bool:
        """Judge an active row of that version that bears nobody else's living claim."""

    def mark_disconnecting(self, connection: Connection, now: datetime) -> Connection | None:
        """Stop the use of a connection of that epoch that is active or judged; None: it changed meanwhile."""

    def erase(self, connection: Connection, revocation: str, now: datetime) -> bool:
        """Erase the tokens of a row still of that version, and leave a tombstone that says how it ended.

        That of a replaced pair is deleted after `REPLACED_KEPT`.
        """

    def idle(self, shard: str, now: datetime) -> Iterable[DueConnection]:
        """Name the active connections of one shard whose keep-alive is due, the longest due first."""

    def unfinished(self, shard: str, now: datetime) -> Iterable[DueConnection]:
        """Name the rows of one shard that are being disconnected and are due, replaced pairs among them."""

    def postpone(self, connection: Connection, until: datetime) -> None:
        """Look after an unfinished row again then; one that is finished stays so."""


class UnlockedPair(Protocol):
    """A pair with its data keys in hand: from here on neither opening nor sealing asks anybody."""

    @property
    def access_token(self) -> Secret:
        """The access token."""

    @property
    def refresh_token(self) -> Secret:
        """The refresh token: works once."""

    def seal(self, access_token: Secret, refresh_token: Secret, commit_id: str) -> SealedPair:
        """Seal the pair that replaces this one."""


class Keyring(Protocol):
    """Opens pairs. At most two calls of the key service, none where the keys are warm."""

    def unlock(self, context: SealContext, sealed: SealedPair, *, fresh_keys: bool = False) -> UnlockedPair:
        """Return the pair, which seals its successor under the same data keys, or under fresh ones: two calls more.

        Raise KeyUnavailableError, or SealBrokenError where it does not open.
        """


class RescueQueue(Protocol):
    """Where a sealed answer goes when the store is down: kept 14 days."""

    def send(self, renewal: Renewal) -> None:
        """Keep it. Raise StoreUnavailableError where the queue is down too."""


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A refresh token to be spent (RFC 6749 section 6). Its scopes are kept, and not asked for."""

    subdomain: Subdomain
    refresh_token: Secret
    scopes: Scopes


class RefreshEndpoint(Protocol):
    """Zendesk's token endpoint, as a refresh uses it. Raises a ProviderError."""

    def refresh(self, grant: RefreshGrant, deadline: float) -> IssuedTokens:
        """Post the refresh token once and return the whole, checked answer."""


class PatientClock(Clock, Protocol):
    """Time that can also be waited for."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
