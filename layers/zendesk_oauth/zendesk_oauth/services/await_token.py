"""Wait for an access token that a glimpse did not show: strong reads, at most one refresh, and pauses in between.

While somebody else refreshes, the old token may die at any moment: an ordinary refresh is waited for, because it
takes less than GRACE_SECONDS; one that takes longer says that Zendesk is slow or the holder dead, and then the old
token is given as long as it lives. Where more life is wished for than it has, it is waited for to the end of the time.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from zendesk_oauth.errors import MissingScopeError, ReconnectRequiredError, RefreshPendingError
from zendesk_oauth.models.scopes import missing
from zendesk_oauth.models.token import (
    ACTIVE,
    HANDED_OVER,
    IN_PROGRESS,
    LEAST_LIFE,
    RefreshReport,
    RefreshRequest,
    StoredToken,
    TokenQuestion,
)

if TYPE_CHECKING:
    from zendesk_oauth.services.read_token import ReadToken

CURRENT = "current"
READ_AGAIN = frozenset({"refreshed", CURRENT, "reconnect_required", "not_connected"})
"""Outcomes that the row tells better: its token, or why there is none."""
WAIT = frozenset({IN_PROGRESS, HANDED_OVER})
"""Outcomes that are none yet."""
NEVER_CONNECTED = "not_connected"
"""The reason where there is no row at all."""
GRACE_SECONDS = 2.0
"""How long an ordinary refresh is waited for while the old token still lives."""
FIRST_PAUSE = 0.1
PAUSE_GROWTH = 1.6
LONGEST_PAUSE = 2.0
"""Between two looks at a row that somebody else refreshes, in seconds: longer each time, and drawn from its half on.

Doubled, the look after the commit of a refresh that takes half a second could be 0.8 s late. A thousand workers who
wait long read one row less than a thousand times a second, a third of what it can bear.
"""


class AwaitToken:
    """One question, with the ports of `ReadToken`."""

    def __init__(self, ports: "ReadToken", question: TokenQuestion, until: float) -> None:
        self.ports = ports
        self.question = question
        self.until = until
        self.patient_until = min(until, ports.clock.monotonic() + GRACE_SECONDS)
        self.pauses = pauses(ports.jitter)
        self.report: RefreshReport | None = None
        self.failure: RefreshPendingError | None = None

    def run(self) -> StoredToken:
        """Return a row whose token may be given."""
        while True:
            stored = self._look()
            now = self.ports.clock.now()
            if stored.is_fresh(self.question, now):
                return stored
            claimed = stored.is_claimed(now)
            if not claimed and self._may_ask(stored, now):
                self._ask(stored)
                if self._outcome() in READ_AGAIN:
                    continue
            is_under_way = claimed or self._outcome() in WAIT
            if not (is_under_way and self._paused(stored)):
                return self._the_best_there_is(stored)

    def _look(self) -> StoredToken:
        """Read strongly; raise what the row says against any token."""
        question = self.question
        stored = self.ports.reader.find(question.grant, question.subdomain, consistent=True)
        if stored is None or stored.status != ACTIVE:
            self._refuse(stored)
        lacking = missing(question.scopes, stored.scopes)
        if lacking:
            raise MissingScopeError(f"the connection lacks {' '.join(lacking)}", scopes=lacking)
        self._count_from(stored)
        return stored

    def _count_from(self, stored: StoredToken) -> None:
        """Take a row older than the failed token, as of a restored table, for the failed one: what follows is new."""
        if stored.has_failed(self.question):
            self.question = self.question._replace(newer_than=stored.generation)

    def _refuse(self, stored: StoredToken | None) -> NoReturn:
        question, start = self.question, self.ports.reconnect_url
        reason = (stored.reason or stored.status) if stored else NEVER_CONNECTED
        raise ReconnectRequiredError(
            f"{question.grant} at {question.subdomain}: {reason}",
            reason=reason,
            since=stored.since if stored else None,
            reconnect_url=f"{start}?subdomain={question.subdomain}&grant={question.grant}" if start else None,
        )

    def _may_ask(self, stored: StoredToken, now: datetime) -> bool:
        """Once, unless the answer was that somebody else is at it, which asked nobody for anything.

        A row that is neither due nor failed would only answer so: a wish for more time refreshes nothing.
        """
        is_due = now >= stored.refresh_at or stored.has_failed(self.question)
        return is_due and (self.report is None or self._outcome() == IN_PROGRESS)

    def _ask(self, stored: StoredToken) -> None:
        failed = (stored.epoch, stored.generation) if stored.has_failed(self.question) else None
        request = RefreshRequest(stored.grant, stored.subdomain, failed)
        seconds = self.until - self.ports.clock.monotonic()
        try:
            self.report = self.ports.refresher.ask(request, seconds)
        except RefreshPendingError as error:
            self.failure, self.report = error, RefreshReport("unavailable")

    def _outcome(self) -> str | None:
        return self.report and self.report.outcome

    def _paused(self, stored: StoredToken) -> bool:
        """Wait a little; False where the time is over, which is soon if there is something to give."""
        clock = self.ports.clock
        limit = self.patient_until if self._serves(stored) else self.until
        left = limit - clock.monotonic()
        if left <= 0:
            return False
        clock.sleep(min(next(self.pauses), left))
        return True

    def _serves(self, stored: StoredToken) -> bool:
        """Whether the stored token is as good as was asked for, but for being due."""
        lives = stored.has_left(self.question.min_ttl, self.ports.clock.now())
        return lives and not stored.has_failed(self.question)

    def _the_best_there_is(self, stored: StoredToken) -> StoredToken:
        """Return a token that still lives and has not failed, or failed although Zendesk says that it lives."""
        now = self.ports.clock.now()
        is_believed = not stored.has_failed(self.question) or self._outcome() == CURRENT
        if is_believed and stored.has_left(LEAST_LIFE, now):
            return stored
        if self.failure:
            raise self.failure
        retry_at = self.report and self.report.retry_at
        raise RefreshPendingError(
            f"the refresh of {stored.grant} at {stored.subdomain} has not given a token: {self._outcome()}",
            retry_after=max(retry_at - now, timedelta()) if retry_at else None,
        )


def pauses(jitter: Callable[[], float]) -> Iterator[float]:
    """Yield seconds between looks: growing up to the longest, each drawn between its half and its whole."""
    pause = FIRST_PAUSE
    while True:
        yield pause * (0.5 + jitter() / 2)
        pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE)
