"""Replay a renewal out of the rescue queue: the pair that Zendesk issued while the store was down.

It is the same conditional write as a refresh's own commit, so it can come late, twice, and over a verdict.
Whoever may invoke the function can send what looks like a message, so both seals are opened first: only the function
itself can have sealed them for this connection. And the terms have to be those that the pair was sealed for, or a pair
of before, which its row has shown to others, could be laid over the one that lives.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from zendesk_oauth.errors import ProviderUnavailableError, SealBrokenError, StoreUnavailableError
from zendesk_oauth.models.refresh import (
    CLAIM_LIFE,
    FRESH_REPLAY,
    Claim,
    Connection,
    RefreshOutcome,
    Renewal,
)
from zendesk_oauth.models.secret import base64url
from zendesk_oauth.models.tokens import SealContext
from zendesk_oauth.ports.refresh import UnlockedPair
from zendesk_oauth.services.disconnect_connection import end_replaced
from zendesk_oauth.services.keep_renewal import commit_or_supersede, is_judged
from zendesk_oauth.services.probe_rotation import Probe, probe_rotation
from zendesk_oauth.services.refresh_attempt import RefreshAttempt
from zendesk_oauth.services.refresh_ports import ID_BYTES, KEEP_SECONDS, RefreshPorts


class ReplayOutcome(StrEnum):
    """What became of a rescued renewal."""

    RESTORED = "restored"
    """The row has its pair, or the one that Zendesk gave for it: now, or by an earlier delivery of the message."""
    REFUSED = "refused"
    """Zendesk takes neither of its tokens: it is dead, and a person has to connect again."""
    SUPERSEDED = "superseded"
    """The row went another way, or is gone: it lies in a row of its own until it is revoked."""


class ReplayAnswer(NamedTuple):
    """The outcome, the row as it is then, and how the revocation of a pair ended that nobody wants any more."""

    outcome: ReplayOutcome
    connection: Connection | None = None
    revocation: str | None = None


@dataclass(frozen=True, slots=True)
class ReplayRescued:
    """Make it durable first; what the row does not want is revoked, now or by the schedule.

    A pair that may have died in the queue is put to Zendesk before: a late one, and one whose row was judged
    meanwhile. Whoever judged, or had waited in vain for the replay, has posted the old refresh token again, and a
    server with reuse detection has revoked its successor then.
    """

    ports: RefreshPorts

    def __call__(self, renewal: Renewal, until: float) -> ReplayAnswer:
        """Return what became of it; safe to repeat. Nothing is begun that could not end by `until`.

        Raises SealBrokenError for a pair that was not sealed here, or not for these terms, and KeyUnavailableError and
        StoreUnavailableError: the queue is still the only place it lies in.
        """
        if self.ports.clock.monotonic() + KEEP_SECONDS > until:
            raise StoreUnavailableError("no time is left to replay it")
        context = SealContext(renewal.grant, renewal.subdomain)
        pair = self.ports.keyring.unlock(context, renewal.sealed)
        if not renewal.is_bound:
            raise SealBrokenError("a pair that was sealed for other terms")
        store = self.ports.store
        found = store.find(renewal.grant, renewal.subdomain, renewal.replaced)
        if found is not None and _is_succeeded(found, renewal):
            return ReplayAnswer(ReplayOutcome.RESTORED, found)
        if found is not None and self._may_be_dead(found, renewal):
            return self._ask_first(renewal, pair, found, until)
        current, superseded = commit_or_supersede(store, renewal)
        if current is not None and is_judged(current, renewal):
            return self._ask_first(renewal, pair, current, until)
        return self._ended(current, superseded, until)

    def _may_be_dead(self, current: Connection, renewal: Renewal) -> bool:
        """Whether the row waits for the pair, and the old refresh token may have been posted since it was issued.

        Nobody has posted while the claim lives under which the pair was issued. A renewal that seems to be of the
        future, by a clock that is wrong, is late.
        """
        if is_judged(current, renewal):
            return True
        now, claim = self.ports.clock.now(), current.claim
        if not current.is_active or current.version != renewal.replaces:
            return False
        if claim is not None and claim.lives(now) and claim.until - CLAIM_LIFE <= renewal.issued_at:
            return False
        return not timedelta() <= now - renewal.issued_at < FRESH_REPLAY

    def _ask_first(
        self, renewal: Renewal, pair: UnlockedPair, current: Connection, until: float
    ) -> ReplayAnswer:
        """Hold the claim, so that nobody posts meanwhile, and ask Zendesk with the rescued access token."""
        ports, now = self.ports, self.ports.clock.now()
        claim = Claim(base64url(ports.entropy(ID_BYTES)), now + CLAIM_LIFE)
        if current.claimed_at(now) or not ports.store.claim(current, claim, now):
            raise StoreUnavailableError("somebody else is refreshing this connection")
        rescued = replace(current, sealed=renewal.sealed, scopes=renewal.scopes, times=renewal.times)
        attempt = RefreshAttempt(ports, rescued, claim, until, due_by_time=True, earlier=current.claim)
        if now >= renewal.times.expires_at:
            due = replace(renewal.times, keep_alive_at=now)  # its refresh token is the only judge, at once
            return self._restore(replace(renewal, times=due), until)
        probe = probe_rotation(ports, rescued, pair.access_token)
        if probe is Probe.ALIVE:
            return self._restore(renewal, until)
        if probe is Probe.UNKNOWN:
            attempt.give_back(RefreshOutcome.POSTPONED)
            raise ProviderUnavailableError("nobody says whether a rescued pair lives")
        return self._spend(attempt, pair)

    def _restore(self, renewal: Renewal, until: float) -> ReplayAnswer:
        current, superseded = commit_or_supersede(self.ports.store, renewal, over_verdict=True)
        return self._ended(current, superseded, until)

    def _spend(self, attempt: RefreshAttempt, pair: UnlockedPair) -> ReplayAnswer:
        """Post the rescued refresh token, whose access token Zendesk calls dead: only that can tell whether it is."""
        answer = (attempt.earlier and attempt.await_replay(attempt.earlier)) or attempt.post(pair)
        match answer.outcome:
            case RefreshOutcome.REFRESHED | RefreshOutcome.RESCUED:
                return ReplayAnswer(ReplayOutcome.RESTORED, answer.connection)
            case RefreshOutcome.RECONNECT_REQUIRED:
                attempt.ports.store.release(attempt.connection, attempt.claim, None)
                return ReplayAnswer(ReplayOutcome.REFUSED, answer.connection)
            case RefreshOutcome.CURRENT | RefreshOutcome.NOT_CONNECTED:
                return ReplayAnswer(ReplayOutcome.SUPERSEDED, answer.connection, answer.revocation)
        raise ProviderUnavailableError("nobody says whether a rescued pair lives")

    def _ended(self, current: Connection | None, superseded: Connection | None, until: float) -> ReplayAnswer:
        row = superseded or current
        if row is None or row.replaced is None:
            return ReplayAnswer(ReplayOutcome.RESTORED, row)
        ended = end_replaced(self.ports, row, until)
        return ReplayAnswer(ReplayOutcome.SUPERSEDED, current, ended.revocation)


def _is_succeeded(current: Connection, renewal: Renewal) -> bool:
    """Whether the row has a later pair of the same install: a refresh token is rotated once, so it descends from this.

    To revoke this one would spend a refresh token that is spent, and a server with reuse detection would end the row's.
    """
    version, replaced = current.version, renewal.replaces
    return version.epoch == replaced.epoch and version.generation > replaced.generation
