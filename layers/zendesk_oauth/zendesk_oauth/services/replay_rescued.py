"""Replay a renewal out of the rescue queue: the pair that Zendesk issued while the store was down.

It is the same conditional write as a refresh's own commit, so it can come late, twice, and over a verdict.
Whoever may invoke the function can send what looks like a message, so both seals are opened first: only the function
itself can have sealed them for this connection. And the terms have to be those that the pair was sealed for, or a pair
of before, which its row has shown to others, could be laid over the one that lives.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from zendesk_oauth.errors import SealBrokenError, StoreUnavailableError
from zendesk_oauth.models.refresh import Connection, Renewal
from zendesk_oauth.models.tokens import SealContext
from zendesk_oauth.services.disconnect_connection import end_replaced
from zendesk_oauth.services.keep_renewal import commit_or_supersede
from zendesk_oauth.services.refresh_ports import KEEP_SECONDS, RefreshPorts


class ReplayOutcome(StrEnum):
    """What became of a rescued renewal."""

    RESTORED = "restored"
    """It is the row's pair: written now, or by an earlier delivery of the same message."""
    SUPERSEDED = "superseded"
    """The row went another way, or is gone: it lies in a row of its own until it is revoked."""


class ReplayAnswer(NamedTuple):
    """The outcome, the row as it is then, and how the revocation of a pair ended that nobody wants any more."""

    outcome: ReplayOutcome
    connection: Connection | None = None
    revocation: str | None = None


@dataclass(frozen=True, slots=True)
class ReplayRescued:
    """Make it durable first; what the row does not want is revoked, now or by the schedule."""

    ports: RefreshPorts

    def __call__(self, renewal: Renewal, until: float) -> ReplayAnswer:
        """Return what became of it; safe to repeat. Nothing is begun that could not end by `until`.

        Raises SealBrokenError for a pair that was not sealed here, or not for these terms, and KeyUnavailableError and
        StoreUnavailableError: the queue is still the only place it lies in.
        """
        if self.ports.clock.monotonic() + KEEP_SECONDS > until:
            raise StoreUnavailableError("no time is left to replay it")
        context = SealContext(renewal.grant, renewal.subdomain)
        self.ports.keyring.unlock(context, renewal.sealed)
        if not renewal.is_bound:
            raise SealBrokenError("a pair that was sealed for other terms")
        current, superseded = commit_or_supersede(self.ports.store, renewal)
        row = superseded or current
        if row is None or row.replaced is None:
            return ReplayAnswer(ReplayOutcome.RESTORED, row)
        ended = end_replaced(self.ports, row, until)
        return ReplayAnswer(ReplayOutcome.SUPERSEDED, current, ended.revocation)
