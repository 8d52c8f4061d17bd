"""What the holder of a claim does: keys, the question what became of an earlier attempt, one POST, the commit."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    ProviderError,
    ProviderUnavailableError,
    SealError,
    StoreUnavailableError,
)
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import (
    BACK_OFF,
    EXPIRY_SKEW,
    GENERATIONS_PER_DATA_KEY,
    Claim,
    Connection,
    LossReason,
    RefreshAnswer,
    RefreshOutcome,
    Renewal,
)
from zendesk_oauth.ports.refresh import RefreshGrant, UnlockedPair
from zendesk_oauth.services.back_off import longer_back_off
from zendesk_oauth.services.disconnect_connection import end_replaced
from zendesk_oauth.services.keep_renewal import (
    KeepRenewal,
    Replaced,
    commit_or_supersede,
    release_spent,
    sealed_renewal,
)
from zendesk_oauth.services.probe_rotation import Probe, probe_rotation
from zendesk_oauth.services.refresh_ports import KEEP_SECONDS, POST_SECONDS, RefreshPorts


@dataclass(slots=True)
class RefreshAttempt:
    """One claim's worth of work. `earlier` says that an attempt before this one may have spent the refresh token."""

    ports: RefreshPorts
    connection: Connection
    claim: Claim
    until: float
    due_by_time: bool
    earlier: bool

    def run(self) -> RefreshAnswer:
        """Return how it ended. The claim is given back, left unresolved, or gone with the commit."""
        try:
            pair = self._unlocked()
        except SealError as error:
            return self._give_back(RefreshOutcome.POSTPONED, BACK_OFF, error.code)
        answer = self._look_before(pair)
        if answer is not None:
            return answer
        if not self._has_time():
            return self._give_back(RefreshOutcome.POSTPONED)
        return self._post(pair)

    def _unlocked(self) -> UnlockedPair:
        """Have all data keys in hand, for opening and for sealing, before anything is spent."""
        connection = self.connection
        fresh_keys = (connection.version.generation + 1) % GENERATIONS_PER_DATA_KEY == 0
        return self.ports.keyring.unlock(connection.context, connection.living_pair, fresh_keys=fresh_keys)

    def _has_time(self) -> bool:
        """Look again after the claim: a worker that was frozen meanwhile must not begin what it cannot finish."""
        clock = self.ports.clock
        in_time = clock.monotonic() + POST_SECONDS + KEEP_SECONDS <= self.until
        return in_time and clock.now() + timedelta(seconds=POST_SECONDS) <= self.claim.until

    def _look_before(self, pair: UnlockedPair) -> RefreshAnswer | None:
        """Ask Zendesk where an earlier attempt is unresolved, or where only a worker's 401 speaks for a refresh.

        No answer ends the connection here: whether a refresh token is spent, only its POST can tell.
        """
        if not self.earlier and self.due_by_time:
            return None
        probe = probe_rotation(self.ports, self.connection, pair)
        if probe is Probe.ALIVE:
            self.earlier = False
            return None if self.due_by_time else self._give_back(RefreshOutcome.CURRENT)
        if self.earlier or probe is Probe.DEAD:
            return None
        return self._give_back(RefreshOutcome.POSTPONED, BACK_OFF)

    def _post(self, pair: UnlockedPair) -> RefreshAnswer:
        grant = RefreshGrant(self.connection.subdomain, pair.refresh_token, self.connection.scopes)
        try:
            issued = self.ports.token_endpoint.refresh(grant, self.ports.clock.monotonic() + POST_SECONDS)
        except GrantRejectedError:
            return self._judge_rejection()
        except ClientRejectedError as error:
            return self._give_back(RefreshOutcome.CLIENT_REJECTED, BACK_OFF, error.code)
        except ProviderUnavailableError as error:
            return self._put_off(error)
        except ProviderError as error:
            return self._leave_unread(error)
        connection = self.connection
        replaced = Replaced(connection.context, connection.version, connection.scopes)
        renewal = sealed_renewal(self.ports, replaced, pair, issued)
        return replace(
            self._commit(renewal),
            kept_refresh_token=issued.kept_refresh_token,
            lost_scopes=renewal.lost_scopes,
        )

    def _put_off(self, error: ProviderUnavailableError) -> RefreshAnswer:
        wait = error.retry_after or BACK_OFF
        if error.nothing_sent or error.throttled:
            return self._give_back(RefreshOutcome.POSTPONED, wait, error.code)
        return self._leave_unresolved(wait, cause=error.code)

    def _commit(self, renewal: Renewal) -> RefreshAnswer:
        """Commit first, think later."""
        keep = KeepRenewal(self.ports, self.until)
        kept = keep.at_any_cost(renewal, partial(commit_or_supersede, self.ports.store), insist=True)
        if kept is None:
            return RefreshAnswer(RefreshOutcome.RESCUED, self.connection)
        current, superseded = kept
        if superseded is None:
            return RefreshAnswer(RefreshOutcome.REFRESHED, current)
        return self._give_up(current, superseded)

    def _give_up(self, current: Connection | None, superseded: Connection) -> RefreshAnswer:
        """Revoke what we hold: the row went another way, by a disconnect or a new install, or is gone.

        Where there is no time for it, or Zendesk does not answer, the pair is due at once in its own row.
        """
        ended = end_replaced(self.ports, superseded, self.until)
        with suppress(StoreUnavailableError):  # a claim that stays says too much, and loses nothing
            release_spent(self.ports.store, self.connection, self.claim)
        return replace(answer_of(current), revocation=ended.revocation, cause=ended.cause)

    def _judge_rejection(self) -> RefreshAnswer:
        """`invalid_grant` proves nothing until a strong read shows the same version and no living claim but ours."""
        current = self.ports.store.find(self.connection.grant, self.connection.subdomain)
        if current is None or current.version != self.connection.version or not current.is_active:
            return answer_of(current)
        ours = current.claim is not None and current.claim.claim_id == self.claim.claim_id
        if not ours and current.claimed_at(self.ports.clock.now()):
            return RefreshAnswer(RefreshOutcome.IN_PROGRESS, current)
        spent_by_others = self.earlier or (current.claim is not None and not ours)
        reason = LossReason.ANSWER_LOST if spent_by_others else LossReason.GRANT_REJECTED
        return self._mark(current, reason)

    def _mark(self, connection: Connection, reason: LossReason) -> RefreshAnswer:
        now = self.ports.clock.now()
        if not self.ports.store.require_reconnect(connection, self.claim, reason, now):
            return RefreshAnswer(RefreshOutcome.IN_PROGRESS, connection)
        judged = replace(
            connection,
            status=ConnectionStatus.RECONNECT_REQUIRED,
            claim=None,
            reconnect_reason=reason,
            reconnect_since=now,
        )
        return RefreshAnswer(RefreshOutcome.RECONNECT_REQUIRED, judged)

    def _give_back(
        self, outcome: RefreshOutcome, wait: timedelta | None = None, cause: str | None = None
    ) -> RefreshAnswer:
        """Nothing was spent by us. An earlier attempt that is still unresolved stays so."""
        if self.earlier:
            return self._leave_unresolved(wait or BACK_OFF, outcome, cause)
        retry_at = self.ports.clock.now() + wait if wait else None
        self.ports.store.release(self.connection, self.claim, retry_at)
        return RefreshAnswer(outcome, self.connection, retry_at, cause=cause)

    def _leave_unread(self, error: ProviderError) -> RefreshAnswer:
        """Nobody could read the answer: ask less and less, and no more once the refresh token is over."""
        over_at = self.connection.times.refresh_expires_at + EXPIRY_SKEW
        if self.ports.clock.now() >= over_at:
            return self._mark(self.connection, LossReason.GRANT_REJECTED)
        return self._leave_unresolved(longer_back_off(self.connection), cause=error.code)

    def _leave_unresolved(
        self,
        wait: timedelta,
        outcome: RefreshOutcome = RefreshOutcome.UNRESOLVED,
        cause: str | None = None,
    ) -> RefreshAnswer:
        retry_at = self.ports.clock.now() + wait
        self.ports.store.leave_unresolved(self.connection, self.claim, retry_at)
        return RefreshAnswer(outcome, self.connection, retry_at, cause=cause)


def answer_of(current: Connection | None) -> RefreshAnswer:
    """Answer by the row alone."""
    if current is None:
        return RefreshAnswer(RefreshOutcome.NOT_CONNECTED)
    if current.status is ConnectionStatus.RECONNECT_REQUIRED:
        return RefreshAnswer(RefreshOutcome.RECONNECT_REQUIRED, current)
    outcome = RefreshOutcome.CURRENT if current.is_active else RefreshOutcome.NOT_CONNECTED
    return RefreshAnswer(outcome, current)
