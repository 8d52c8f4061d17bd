"""What the refresh protocol knows of a connection: its version, its claim, and how a refresh ended."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from zendesk_oauth.models.connection import ConnectionStatus, TokenTimes, connection_key
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import base64url
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealContext, SealedPair

CLAIM_LIFE = timedelta(seconds=70)
"""Longer than the function may run (60 s), which is longer than the POST may take (45 s)."""
REPLAY_ROUND = timedelta(seconds=60)
"""How long a refresh token that may have been spent is left alone, from the moment its claim became unresolved.

Its successor may wait in the rescue queue, and a server that revokes the token family on reuse would revoke that too
(RFC 9700 section 4.14.2).
"""
DEAD_HOLDER_ROUND = timedelta(seconds=35)
"""The same, from the end of the claim of a holder who never said how it ended.

The function lives for 60 s, so a holder is stopped, and has sent its rescue message, 10 s before its claim ends. That
message has been replayed once by then. Where the replay failed, the message is visible again after 20 s, and a replay
takes up to 10 s with a table and a key service that hang. CLAIM_LIFE and this round are 105 s, which leaves a POST 10
of the 115 s within which a worker is served.
"""
FRESH_REPLAY = timedelta(seconds=45)
"""Up to this age nobody can have posted the refresh token again.

The age counts from before the POST, which begins only while its claim has 45 s left: nobody else holds the claim, and
posts, before those are over.
"""
LEAST_BETWEEN_REFRESHES = timedelta(seconds=60)
"""Whatever clocks and answers say: a connection is refreshed at most once a minute."""
CLOCK_SKEW = timedelta(minutes=5)
"""How wrong a clock may be."""
EXPIRY_SKEW = 2 * CLOCK_SKEW
"""How far from the truth a stored expiry may seem: one clock wrote it, another compares it, and both may be wrong."""
BACK_OFF = timedelta(seconds=15)
"""Where Zendesk does not say how long to wait."""
GENERATIONS_PER_DATA_KEY = 100
"""A generation that this divides is sealed under fresh data keys; the others keep those that readers have warm."""

NONCE_LENGTH, BOUND_BYTES = 22, 16
"""A renewal's commit id: 16 random bytes, and as many of a digest of its terms, each in base64url."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to refresh, for a while. One that is over, or marked unresolved, may have spent the refresh token.

    `until` is when it ends; of an unresolved one, when it became unresolved.
    """

    claim_id: str
    until: datetime
    unresolved: bool = False

    @property
    def replayed_by(self) -> datetime:
        """When the rescue queue has had the time to replay what this claim's holder may have sent there."""
        return self.until + (REPLAY_ROUND if self.unresolved else DEAD_HOLDER_ROUND)

    @property
    def began_by(self) -> datetime:
        """The latest time at which its holder can have begun; of an unresolved one, when it ended its work."""
        return self.until if self.unresolved else self.until - CLAIM_LIFE

    def lives(self, now: datetime) -> bool:
        """Whether its holder may still be at work."""
        return not self.unresolved and now < self.until


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """Orders all that is ever said of a connection: the epoch first, then the generation within all epochs."""

    epoch: int
    generation: int


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection's row. `sealed` is None once it is erased; `install_id` names the install that made it.

    `replaced` is None for the connection itself. A replaced pair is a row of its own that is being disconnected:
    `replaced` is the commit id that the pair had when it was replaced, and names the row.
    `missing_scopes` are those that were asked for, or had by an earlier pair of the install, and are not granted.
    """

    grant: str
    subdomain: Subdomain
    version: Version
    status: ConnectionStatus
    scopes: Scopes
    issued_at: datetime
    times: TokenTimes
    sealed: SealedPair | None
    claim: Claim | None = None
    retry_at: datetime | None = None
    reconnect_reason: str | None = None
    reconnect_since: datetime | None = None
    install_id: str | None = None
    replaced: str | None = None
    missing_scopes: Scopes = ()

    @property
    def key(self) -> str:
        """The row's key."""
        return connection_key(self.grant, self.subdomain, self.replaced)

    @property
    def as_replaced(self) -> "Connection":
        """The row that its pair has, or would have, once it is replaced. Raises ValueError once it is erased."""
        return replace(
            self, status=ConnectionStatus.DISCONNECTING, replaced=self.living_pair.commit_id, retry_at=None
        )

    @property
    def context(self) -> SealContext:
        """Where its tokens are sealed."""
        return SealContext(self.grant, self.subdomain)

    @property
    def living_pair(self) -> SealedPair:
        """The sealed pair of a connection that still has one. Raises ValueError once it is erased."""
        if self.sealed is None:
            raise ValueError("an erased connection has no tokens")
        return self.sealed

    @property
    def is_active(self) -> bool:
        """Whether its tokens may be used."""
        return self.status is ConnectionStatus.ACTIVE

    @property
    def may_have_lost(self) -> bool:
        """Whether an answer of Zendesk may never have reached us, with a living pair in it that nobody knows."""
        return self.claim is not None or self.reconnect_reason == LossReason.ANSWER_LOST

    def claimed_at(self, now: datetime) -> bool:
        """Whether somebody else may be refreshing it now."""
        return self.claim is not None and self.claim.lives(now)


@dataclass(frozen=True, slots=True)
class RenewalTerms:
    """What one refresh has brought, but for the tokens themselves, and the version that it replaces.

    `issued_at` is when its holder was about to ask for it: its age and its lives count from then.
    `lost_scopes` are those that were asked for, or had by an earlier pair, and that this one has not: the row's
    `missing_scopes` from its commit on. `replaced` names the row where the pair before is a replaced one, which is
    refreshed only to be revoked.
    """

    grant: str
    subdomain: Subdomain
    replaces: Version
    scopes: Scopes
    issued_at: datetime
    times: TokenTimes
    lost_scopes: Scopes = ()
    replaced: str | None = None

    def commit_id(self, nonce: str) -> str:
        """Return the commit id of these terms, behind a nonce of NONCE_LENGTH: other terms have another."""
        version, times = self.replaces, self.times
        names = (self.grant, self.subdomain, self.replaced, version.epoch, version.generation)
        terms = (*names, self.scopes, self.lost_scopes)
        instants = (
            self.issued_at,
            times.expires_at,
            times.refresh_at,
            times.refresh_expires_at,
            times.keep_alive_at,
        )
        text = json.dumps([nonce, *terms, *(instant.isoformat() for instant in instants)])
        return nonce + base64url(hashlib.sha256(text.encode()).digest()[:BOUND_BYTES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal(RenewalTerms):
    """The sealed answer of one refresh, on its terms: all that a commit or a rescue needs."""

    sealed: SealedPair

    @property
    def is_bound(self) -> bool:
        """Whether its pair was sealed on just these terms: the seals know the commit id, and that knows the terms."""
        return self.sealed.commit_id == self.commit_id(self.sealed.commit_id[:NONCE_LENGTH])


class DueConnection(NamedTuple):
    """A row that an index names, and since when it has been due; `replaced` where it is a replaced pair's."""

    grant: str
    subdomain: Subdomain
    due_at: datetime
    replaced: str | None = None


class Asked(StrEnum):
    """Why a refresh is asked for."""

    DUE = "due"
    """A worker found it near its end."""
    FAILED = "failed"
    """A worker's call got a 401 with the generation that is named."""
    IDLE = "idle"
    """The keep-alive schedule came by."""


@dataclass(frozen=True, slots=True)
class RefreshQuestion:
    """Names a row and what was seen; the row decides."""

    grant: str
    subdomain: Subdomain
    asked: Asked = Asked.DUE
    seen: Version | None = None


class RefreshOutcome(StrEnum):
    """How a question ended."""

    REFRESHED = "refreshed"
    CURRENT = "current"
    """Nothing was due: the stored token is to be used."""
    IN_PROGRESS = "in_progress"
    """Somebody else is at it, or was a moment ago: read again."""
    POSTPONED = "postponed"
    """Zendesk, the key service or the remaining time does not allow it now; nothing is lost."""
    UNRESOLVED = "unresolved"
    """Zendesk may have rotated: whoever comes next asks it."""
    RESCUED = "rescued"
    """Zendesk rotated and the store was down: the sealed answer waits in the rescue queue."""
    RECONNECT_REQUIRED = "reconnect_required"
    NOT_CONNECTED = "not_connected"
    """Never connected, being disconnected, or disconnected."""
    CLIENT_REJECTED = "client_rejected"
    """Our own credentials: an alarm, and no connection is marked."""


class LossReason(StrEnum):
    """Why a person has to connect again."""

    GRANT_REJECTED = "grant_rejected"
    """Zendesk no longer knows the refresh token: revoked by an admin, or over."""
    ANSWER_LOST = "answer_lost"
    """Zendesk rotated and its answer never reached us: the one loss that cannot be prevented."""


@dataclass(frozen=True, slots=True)
class RefreshAnswer:
    """The outcome, the row as it was last seen, and when to ask again.

    `kept_refresh_token` says that Zendesk's answer had no refresh token of its own, which is counted.
    `lost_scopes` are those that the token before had and this one has not; `cut_scopes` says that the answer named more
    than are kept.
    `revocation` says how the revocation of a fresh pair ended that nobody wanted any more.
    `cause` is the code of the error that kept it from its end, where one did. `server_error` is the OAuth error code
    that Zendesk answered with, where it is none that we know.
    """

    outcome: RefreshOutcome
    connection: Connection | None = None
    retry_at: datetime | None = None
    kept_refresh_token: bool = False
    lost_scopes: Scopes = ()
    cut_scopes: bool = False
    revocation: str | None = None
    cause: str | None = None
    server_error: str | None = None
