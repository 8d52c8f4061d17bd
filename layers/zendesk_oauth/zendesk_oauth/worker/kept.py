"""What a process remembers of its connections: tokens until they are due, and for a moment why there is none.

Wall-clock seconds decide, because a frozen container's monotonic clock may stand still while its tokens grow old.
"""

from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import NamedTuple

from zendesk_oauth.errors import RefreshPendingError
from zendesk_oauth.models.scopes import missing
from zendesk_oauth.models.token import LEAST_LIFE, AccessToken, TokenQuestion

HOLD_SECONDS = 10.0
"""How long it is remembered that nothing better could be had, so that an outage does not make every call ask."""
WITHOUT_WORD = 1.0
"""The same where nobody knows when to ask again: the next look may find the token."""
VOUCHED_SECONDS = 60.0
"""How long Zendesk's word is believed that a token lives which its API answered with 401."""
MOST_KEPT = 1024
"""Connections of one grant whose tokens a process keeps; the one that was read longest ago is let go."""


class KeptToken:
    """A token in epoch seconds, so that giving it needs no arithmetic of dates. Slots are the fastest to read.

    Until `wished_until` it is given also to who wishes for more time than it has: nothing longer could be had.
    """

    __slots__ = ("token", "usable_until", "vouched_until", "wished_until")

    def __init__(
        self, token: AccessToken, usable_until: float, vouched_until: float, wished_until: float
    ) -> None:
        self.token = token
        self.usable_until = usable_until
        self.vouched_until = vouched_until
        self.wished_until = wished_until


class KeptError(NamedTuple):
    """Why a question had no answer, until when that is said again, and when to ask again, in epoch seconds."""

    question: TokenQuestion
    message: str
    until: float
    retry_at: float | None

    def answers(self, question: TokenQuestion) -> bool:
        """Whether the row would say the same: no more is allowed that failed, and no other scope is looked for."""
        failed, asked = self.question.newer_than, question.newer_than
        is_as_old = failed is None or (asked is not None and asked >= failed)
        return is_as_old and not missing(question.scopes, self.question.scopes)


class KeptTokens:
    """Tokens and errors by connection. `by_grant` has the tokens by grant, then subdomain: no key to put together."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.by_grant: dict[str, dict[str, KeptToken]] = {}
        self._errors: dict[tuple[str, str], KeptError] = {}
        self._seconds = seconds
        self.reset()

    def reset(self) -> None:
        """Begin with a new lock; all that is kept stays."""
        self._guard = Lock()

    def find(self, question: TokenQuestion) -> AccessToken | None:
        """Return the token that is kept, if it answers the question."""
        kept, seconds = self._at(question), self._seconds()
        if kept is None or kept.usable_until <= seconds or missing(question.scopes, kept.token.scopes):
            return None
        if seconds >= kept.wished_until and _is_short(kept.token, question, seconds):
            return None
        is_new = question.newer_than is None or kept.token.generation > question.newer_than
        return kept.token if is_new or seconds < kept.vouched_until else None

    def refuse(self, question: TokenQuestion) -> None:
        """Raise RefreshPendingError where it was raised a moment ago, and the row would still say the same."""
        kept, seconds = self._errors.get((question.grant, question.subdomain)), self._seconds()
        if kept is None or kept.until <= seconds or not kept.answers(question):
            return
        left = None if kept.retry_at is None else timedelta(seconds=kept.retry_at - seconds)
        raise RefreshPendingError(kept.message, retry_after=left)

    def drop_failed(self, question: TokenQuestion) -> None:
        """Give nobody a token again that Zendesk has refused, while it is looked into."""
        with self._guard:
            kept = self._at(question)
            if kept and question.newer_than is not None and kept.token.generation <= question.newer_than:
                del self.by_grant[question.grant][question.subdomain]

    def keep(self, question: TokenQuestion, token: AccessToken) -> AccessToken:
        """Keep what was read for the question, and return it."""
        seconds = self._seconds()
        usable_until = token.refresh_at.timestamp()
        if usable_until <= seconds:
            usable_until = min(seconds + HOLD_SECONDS, (token.expires_at - LEAST_LIFE).timestamp())
        is_vouched = question.newer_than is not None and token.generation <= question.newer_than
        vouched_until = seconds + VOUCHED_SECONDS if is_vouched else seconds
        wished_until = seconds + HOLD_SECONDS if _is_short(token, question, seconds) else seconds
        kept = KeptToken(token, usable_until, vouched_until, wished_until)
        with self._guard:
            _put(self.by_grant.setdefault(question.grant, {}), question.subdomain, kept)
        return token

    def keep_error(self, question: TokenQuestion, error: RefreshPendingError) -> None:
        """Remember why there was none: until it is time to ask again, and no longer than HOLD_SECONDS."""
        seconds, wait = self._seconds(), error.retry_after
        retry_at = None if wait is None else seconds + wait.total_seconds()
        until = seconds + WITHOUT_WORD if retry_at is None else min(retry_at, seconds + HOLD_SECONDS)
        kept = KeptError(question, str(error), until, retry_at)
        with self._guard:
            _put(self._errors, (question.grant, question.subdomain), kept)

    def _at(self, question: TokenQuestion) -> KeptToken | None:
        return self.by_grant.get(question.grant, {}).get(question.subdomain)


def _is_short(token: AccessToken, question: TokenQuestion, seconds: float) -> bool:
    return token.expires_at.timestamp() - seconds < question.min_ttl.total_seconds()


def _put[K, V](kept: dict[K, V], key: K, value: V) -> None:
    """Put it last, and let the first go where there are too many."""
    kept.pop(key, None)
    if len(kept) >= MOST_KEPT:
        del kept[next(iter(kept))]
    kept[key] = value
