"""An access token on its way to a worker: the question, what a row says of it, and the token itself.

Workers import this at each cold start, so these are named tuples: a frozen dataclass costs three times as much.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain

ACTIVE = "active"
"""The one status whose token may be used."""
LEAST_LIFE = timedelta(seconds=5)
"""What a token must have left to be given to anybody: less would be over before the call arrives."""


class TokenQuestion(NamedTuple):
    """Which token is wanted.

    `min_ttl` is a wish: with less left the row is read again and a refresh that is under way is waited for, and the
    token is given all the same if nothing longer can be had.
    `newer_than` is a generation that Zendesk's API answered with 401.
    """

    grant: str
    subdomain: Subdomain
    scopes: Scopes = ()
    min_ttl: timedelta = timedelta()
    newer_than: int | None = None


class AccessToken(NamedTuple):
    """A token to call Zendesk with. It lives until `expires_at`, and is due for refresh from `refresh_at` on."""

    value: Secret
    epoch: int
    generation: int
    expires_at: datetime
    refresh_at: datetime
    scopes: Scopes


class StoredToken(NamedTuple):
    """What a connection's row says of its access token; nothing of the refresh token is even read.

    `claimed_until` is the end of a claim whose holder may still be at work, or None where there is none.
    `reason` and `since` say why and from when on a row is not active, as far as it knows.
    """

    grant: str
    subdomain: Subdomain
    status: str
    epoch: int
    generation: int
    commit_id: str
    ciphertext: bytes
    wrapped_key: bytes
    scopes: Scopes
    expires_at: datetime
    refresh_at: datetime
    claimed_until: datetime | None = None
    reason: str | None = None
    since: datetime | None = None

    def is_claimed(self, now: datetime) -> bool:
        """Whether somebody may be refreshing it now."""
        return self.claimed_until is not None and now < self.claimed_until

    def has_failed(self, question: TokenQuestion) -> bool:
        """Whether it got the 401 itself, or is older than what did."""
        return question.newer_than is not None and self.generation <= question.newer_than

    def has_left(self, least: timedelta, now: datetime) -> bool:
        """Whether it lives that much longer, and long enough to be given at all."""
        return now + max(least, LEAST_LIFE) <= self.expires_at

    def is_fresh(self, question: TokenQuestion, now: datetime) -> bool:
        """Whether nothing speaks against giving it: not due, long enough, and newer than the one that failed."""
        is_good = now < self.refresh_at and not self.has_failed(question)
        return is_good and self.has_left(question.min_ttl, now)


class RefreshRequest(NamedTuple):
    """A row to be looked after. `failed` is the (epoch, generation) that got a 401, or None where it is only due."""

    grant: str
    subdomain: Subdomain
    failed: tuple[int, int] | None = None


class RefreshReport(NamedTuple):
    """How `refresh` says that it ended: a `models.refresh.RefreshOutcome`, or HANDED_OVER; and when to ask again."""

    outcome: str
    retry_at: datetime | None = None


IN_PROGRESS = "in_progress"
"""The outcome that asked nobody for anything: somebody else is at it."""
HANDED_OVER = "handed_over"
"""The request was given to `refresh`, and its end is not awaited: the row will show it."""
