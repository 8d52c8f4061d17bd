"""A connection: what a grant at a subdomain has."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from zendesk_oauth.models.install import CANDIDATE_LIFE
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, IssuedTokens, SealedPair

REFRESH_MARGIN = timedelta(minutes=10)
"""How long before its end a token is due for refresh, unless a fifth of its life is less."""
KEEP_ALIVE_SHARDS = 16
"""Partitions of the keep-alive index."""
SHARDS = tuple(f"shard-{number:02d}" for number in range(KEEP_ALIVE_SHARDS))
"""Their names, in order; every index over all connections is divided in the same way."""

REPLACED_MARK = "~"
"""Begins the key of a replaced pair's row."""
COMMIT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""No `#`: it can name a row."""
REPLACED_KEPT = timedelta(days=35)
"""How long the row of a replaced pair says how it ended: longer than a rescued renewal can wait to be replayed, 14 days
in the queue and 14 among its dead letters."""
LEFT_TO_REVOKE = timedelta(seconds=150)
"""What is left of a candidate's access token when nobody has confirmed it: two ticks of the schedule, and an answer."""


class ConnectionStatus(StrEnum):
    """Whether a connection's tokens may be used."""

    ACTIVE = "active"
    RECONNECT_REQUIRED = "reconnect_required"
    DISCONNECTING = "disconnecting"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class TokenTimes:
    """The instants that follow from one answer of the token endpoint; the writer sets them for everybody."""

    expires_at: datetime
    refresh_at: datetime
    refresh_expires_at: datetime
    keep_alive_at: datetime


@dataclass(frozen=True, slots=True)
class Establishment:
    """A connection about to be, or waiting as a candidate: its sealed pair and all that the row says of it."""

    grant: str
    subdomain: Subdomain
    scopes: Scopes
    missing_scopes: Scopes
    sealed: SealedPair
    times: TokenTimes
    authorized_by: AuthorizedUser | None
    established_at: datetime
    user_reference: str | None = None

    @property
    def key(self) -> str:
        """The row's key."""
        return connection_key(self.grant, self.subdomain)

    def candidacy_ends(self, now: datetime) -> datetime:
        """Return until when it may be confirmed, if it becomes a candidate now.

        Its access token has to live on for a while then: without a confirmation it is what revokes the pair.
        """
        return min(now + CANDIDATE_LIFE, self.times.expires_at - LEFT_TO_REVOKE)


def connection_key(grant: str, subdomain: Subdomain, replaced: str | None = None) -> str:
    """Return `grant#subdomain`: the grant leads, so that IAM can hold a worker to one.

    A replaced pair has a row of its own, named by the pair's commit id: `~grant#subdomain#commit_id`. No grant's name
    contains the mark, so no connection has such a key, and no worker's policy matches it.
    """
    key = f"{grant}#{subdomain}"
    return key if replaced is None else f"{REPLACED_MARK}{key}#{replaced}"


def named_by(key: str) -> tuple[str, Subdomain, str | None]:
    """Return grant, subdomain and, for the row of a replaced pair, the commit id that names it."""
    grant, subdomain, *replaced = key.removeprefix(REPLACED_MARK).split("#")
    return grant, Subdomain(subdomain), replaced[0] if replaced else None


def keep_alive_shard(key: str) -> str:
    """Return the partition of the keep-alive index that this connection lies in."""
    return SHARDS[hashlib.sha256(key.encode()).digest()[0] % KEEP_ALIVE_SHARDS]


def token_times(tokens: IssuedTokens, issued_at: datetime, jitter: float) -> TokenTimes:
    """Return the instants for tokens issued then.

    An idle connection is refreshed between a half and two thirds of its refresh token's life; `jitter`,
    from 0 to 1, says where, so that connections made together are not kept alive together.
    """
    margin = min(REFRESH_MARGIN, tokens.access_lifetime / 5)
    expires_at = issued_at + tokens.access_lifetime
    return TokenTimes(
        expires_at=expires_at,
        refresh_at=expires_at - margin,
        refresh_expires_at=issued_at + tokens.refresh_lifetime,
        keep_alive_at=issued_at + tokens.refresh_lifetime * (0.5 + jitter / 6),
    )
