"""Refresh a connection: spend a refresh token that works once, and lose neither it nor its successor.

The question only names a row; the row decides. Whoever refreshes holds the claim, has the data keys in hand
before the refresh token is spent, posts exactly once, and commits before anything else, on the condition of the
version alone: a late holder has the only living refresh token in the world, and fencing it off would lose it.
Anything unclear leaves the claim unresolved, and whoever comes next asks Zendesk what became of it.
"""

from dataclasses import dataclass
from datetime import datetime

from zendesk_oauth.models.refresh import (
    CLAIM_LIFE,
    LEAST_BETWEEN_REFRESHES,
    Asked,
    Claim,
    Connection,
    RefreshAnswer,
    RefreshOutcome,
    RefreshQuestion,
)
from zendesk_oauth.models.secret import base64url
from zendesk_oauth.services.refresh_attempt import RefreshAttempt, answer_of
from zendesk_oauth.services.refresh_ports import ID_BYTES, REFRESH_SECONDS, RefreshPorts


@dataclass(frozen=True, slots=True)
class RefreshConnection:
    """Answers at once where nothing is to be done, and otherwise takes the claim and makes one attempt."""

    ports: RefreshPorts

    def __call__(self, question: RefreshQuestion, until: float) -> RefreshAnswer:
        """Return how it ended, by `until` (monotonic seconds).

        Raises StoreUnavailableError where the row cannot be read or claimed: nothing was spent then.
        """
        ports = self.ports
        connection = ports.store.find(question.grant, question.subdomain)
        if connection is None or not connection.is_active:
            return answer_of(connection)
        now = ports.clock.now()
        answer = self._without_claim(connection, question, now, until)
        if answer is not None:
            return answer
        claim = Claim(base64url(ports.entropy(ID_BYTES)), now + CLAIM_LIFE)
        if not ports.store.claim(connection, claim, now):
            return RefreshAnswer(RefreshOutcome.IN_PROGRESS, connection)
        return RefreshAttempt(
            ports,
            connection,
            claim,
            until,
            due_by_time=is_due_by_time(connection, question, now),
            earlier=connection.claim,
        ).run()

    def _without_claim(
        self, connection: Connection, question: RefreshQuestion, now: datetime, until: float
    ) -> RefreshAnswer | None:
        """Answer what needs no write: a thousand failing writes would throttle the one that matters."""
        if connection.claimed_at(now):
            return RefreshAnswer(RefreshOutcome.IN_PROGRESS, connection)
        if not is_due(connection, question, now):
            return _without_need(connection, question, now)
        if connection.retry_at is not None and now < connection.retry_at:
            return RefreshAnswer(RefreshOutcome.POSTPONED, connection, connection.retry_at)
        if self.ports.clock.monotonic() + REFRESH_SECONDS > until:
            return RefreshAnswer(RefreshOutcome.POSTPONED, connection)
        return None


def is_due(connection: Connection, question: RefreshQuestion, now: datetime) -> bool:
    """Whether the row itself gives reason to look into it.

    A claim that is over says that a refresh token may have been spent; a worker's 401 counts only where no newer
    version is stored, and is put to Zendesk before it is believed.
    """
    if now < connection.issued_at + LEAST_BETWEEN_REFRESHES:
        return False
    if connection.claim is not None or is_due_by_time(connection, question, now):
        return True
    return has_failed(connection, question)


def has_failed(connection: Connection, question: RefreshQuestion) -> bool:
    """Whether the caller has met a 401 with what is stored, or with what was stored before a backup was restored."""
    seen = question.seen
    return question.asked is Asked.FAILED and seen is not None and seen >= connection.version


def is_due_by_time(connection: Connection, question: RefreshQuestion, now: datetime) -> bool:
    """Whether the clock alone asks for a refresh."""
    times = connection.times
    return now >= (times.keep_alive_at if question.asked is Asked.IDLE else times.refresh_at)


def _without_need(connection: Connection, question: RefreshQuestion, now: datetime) -> RefreshAnswer:
    """Answer for a row that gives no reason: what has failed too early to be looked into is not vouched for."""
    too_early_until = connection.issued_at + LEAST_BETWEEN_REFRESHES
    if now < too_early_until and has_failed(connection, question):
        return RefreshAnswer(RefreshOutcome.POSTPONED, connection, too_early_until)
    return RefreshAnswer(RefreshOutcome.CURRENT, connection)
