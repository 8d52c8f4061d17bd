"""What the holder of a claim does: keys, the question what became of an earlier attempt, one POST, the commit."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    ProviderError,
    ProviderUnavailableError,
    SealError,
    StoreError,
    StoreUnavailableError,
    UnrecognisedErrorError,
)
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import (
    BACK_OFF,
    EXPIRY_SKEW,
    GENERATIONS_PER_DATA_KEY,
    REPLAY_ROUND,
    Claim,
    Connection,
    LossReason,
    RefreshAnswer,
    RefreshOutcome,
    Renewal,
)
from zendesk_oauth.models.scopes import missing
from zendesk_oauth.models.secret import Secret, base64url
from zendesk_oauth.models.tokens import UnusableTokensError
from zendesk_oauth.ports.refresh import RefreshGrant, UnlockedPair
from zendesk_oauth.services.back_off import longer_back_off
from zendesk_oauth.services.disconnect_connection import end_replaced
from zendesk_oauth.services.keep_renewal import (
    KeepRenewal,
    Replaced,
    commit_or_supersede,
    is_judged,
    release_spent,
    sealed_renewal,
)
from zendesk_oauth.services.probe_rotation import Probe, probe_rotation
from zendesk_oauth.services.refresh_ports import ID_BYTES, KEEP_SECONDS, POST_SECONDS, RefreshPorts


@dataclass(slots=True)
class RefreshAttempt:
    """One claim's worth of work. `earlier` is the claim of an attempt that may have spent the refresh token before."""

    ports: RefreshPorts
    connection: Connection
    claim: Claim
    until: float
    due_by_time: bool
    earlier: Claim | None

    def run(self) -> RefreshAnswer:
        """Return how it ended. The claim is given back, left unresolved, or gone with the commit."""
        try:
            pair = self._unlocked()
        except SealError as error:
            return self.give_back(RefreshOutcome.POSTPONED, BACK_OFF, error.code)
        return self._look_before(pair) or self.post(pair)

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
        probe = probe_rotation(self.ports, self.connection, pair.access_token)
        if probe is Probe.ALIVE:
            # No round is waited for, but the doubt stays: an earlier holder may be frozen just before its POST.
            return None if self.due_by_time else self.give_back(RefreshOutcome.CURRENT)
        if self.earlier is not None:
            return self.await_replay(self.earlier)
        return None if probe is Probe.DEAD else self.give_back(RefreshOutcome.POSTPONED, BACK_OFF)

    def await_replay(self, earlier: Claim) -> RefreshAnswer | None:
        """Leave the refresh token alone while its successor may wait in the rescue queue; None: it had its time."""
        left = earlier.replayed_by - self.ports.clock.now()
        return self.give_back(RefreshOutcome.UNRESOLVED, min(left, BACK_OFF)) if left > timedelta() else None

    def post(self, pair: UnlockedPair) -> RefreshAnswer:
        """Spend the refresh token if there is time for it, and return how that ended."""
        asked_at = self.ports.clock.now()
        if not self._has_time():
            return self.give_back(RefreshOutcome.POSTPONED)
        grant = RefreshGrant(self.connection.subdomain, pair.refresh_token, self.connection.scopes)
        try:
            issued = self.ports.token_endpoint.refresh(grant, self.ports.clock.monotonic() + POST_SECONDS)
        except ProviderError as error:
            return self._without_pair(pair, error)
        connection = self.connection
        replaced = Replaced(
            connection.context,
            connection.version,
            connection.scopes,
            missing_scopes=connection.missing_scopes,
        )
        renewal = sealed_renewal(self.ports, replaced, pair, issued, asked_at)
        answer = self._commit(renewal, issued.access_token)
        return replace(
            answer,
            kept_refresh_token=issued.kept_refresh_token,
            lost_scopes=missing(connection.scopes, issued.scopes),
            cut_scopes=issued.cut_scopes,
            cause=answer.cause if issued.access_lifetime else UnusableTokensError.code,
        )

    def _without_pair(self, pair: UnlockedPair, error: ProviderError) -> RefreshAnswer:
        match error:
            case GrantRejectedError():
                return self._judge_rejection()
            case ClientRejectedError():
                return self.give_back(RefreshOutcome.CLIENT_REJECTED, BACK_OFF, error.code)
            case ProviderUnavailableError():
                return self._put_off(error)
            case UnusableTokensError():
                self._keep_to_revoke(pair, error)
        return self._leave_unread(error)

    def _keep_to_revoke(self, pair: UnlockedPair, unusable: UnusableTokensError) -> None:
        """Keep tokens that came with a failure beside the row: they may live, and the schedule revokes them."""
        nothing = base64url(self.ports.entropy(ID_BYTES))  # names no row: a replay commits it to none
        replaced = Replaced(self.connection.context, self.connection.version, replaced=nothing)
        fresh, now = unusable.to_revoke(self.connection.scopes), self.ports.clock.now()
        renewal = sealed_renewal(self.ports, replaced, pair, fresh, now)
        KeepRenewal(self.ports, self.until).at_any_cost(renewal, self.ports.store.keep_replaced)

    def _put_off(self, error: ProviderUnavailableError) -> RefreshAnswer:
        wait = error.retry_after or BACK_OFF
        if error.nothing_sent or error.throttled:
            return self.give_back(RefreshOutcome.POSTPONED, wait, error.code)
        return self._leave_unresolved(self.ports.clock.now(), wait, cause=error.code)

    def _commit(self, renewal: Renewal, access_token: Secret) -> RefreshAnswer:
        """Commit first, think later; a holder who comes so late that another may have posted since asks first."""
        if self.ports.clock.now() >= self.claim.replayed_by:
            kept = self._kept_if_alive(renewal, access_token)
        else:
            keep = KeepRenewal(self.ports, self.until)
            kept = keep.at_any_cost(renewal, partial(commit_or_supersede, self.ports.store), insist=True)
            if kept is not None and kept[0] is not None and is_judged(kept[0], renewal):
                kept = self._kept_if_alive(renewal, access_token)
        if kept is None:
            return RefreshAnswer(RefreshOutcome.RESCUED, self.connection)
        current, superseded = kept
        if superseded is None:
            return RefreshAnswer(RefreshOutcome.REFRESHED, current)
        return self._give_up(current, superseded)

    def _kept_if_alive(
        self, renewal: Renewal, access_token: Secret
    ) -> tuple[Connection | None, Connection | None] | None:
        """Commit if Zendesk accepts what we hold, also over a verdict that was written while the answer was on its way.

        Another holder may have posted the refresh token again, and a server with reuse detection has revoked our pair
        then. The rescue queue has it first, and keeps it where Zendesk does not say that it lives: its replay decides.
        """
        ports = self.ports

        def commit(renewal: Renewal) -> tuple[Connection | None, Connection | None]:
            fresh = replace(self.connection, times=renewal.times)
            if probe_rotation(ports, fresh, access_token) is not Probe.ALIVE:
                raise StoreError("a late pair that Zendesk does not accept is not stored")
            return commit_or_supersede(ports.store, renewal, over_verdict=True)

        with suppress(StoreUnavailableError):
            ports.rescue.send(renewal)
        return KeepRenewal(ports, self.until).at_any_cost(renewal, commit)

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

    def give_back(
        self, outcome: RefreshOutcome, wait: timedelta | None = None, cause: str | None = None
    ) -> RefreshAnswer:
        """Nothing was spent by us. An earlier attempt that is still unresolved stays so, since when it has been."""
        earlier, retry_at = self.earlier, self.ports.clock.now() + wait if wait else None
        if earlier is not None:
            since = earlier.replayed_by - REPLAY_ROUND
            return self._leave_unresolved(since, wait or BACK_OFF, outcome, cause)
        self.ports.store.release(self.connection, self.claim, retry_at)
        return RefreshAnswer(outcome, self.connection, retry_at, cause=cause)

    def _leave_unread(self, error: ProviderError) -> RefreshAnswer:
        """Nobody could read the answer: ask less and less, and no more once the refresh token is over."""
        now = self.ports.clock.now()
        if now >= self.connection.times.refresh_expires_at + EXPIRY_SKEW:
            return self._mark(self.connection, LossReason.GRANT_REJECTED)
        answer = self._leave_unresolved(now, longer_back_off(self.connection), cause=error.code)
        server_error = error.server_code if isinstance(error, UnrecognisedErrorError) else None
        return replace(answer, server_error=server_error)

    def _leave_unresolved(
        self,
        since: datetime,
        wait: timedelta,
        outcome: RefreshOutcome = RefreshOutcome.UNRESOLVED,
        cause: str | None = None,
    ) -> RefreshAnswer:
        retry_at = self.ports.clock.now() + wait
        self.ports.store.leave_unresolved(self.connection, replace(self.claim, until=since), retry_at)
        return RefreshAnswer(outcome, self.connection, retry_at, cause=cause)


def answer_of(current: Connection | None) -> RefreshAnswer:
    """Answer by the row alone."""
    if current is None:
        return RefreshAnswer(RefreshOutcome.NOT_CONNECTED)
    if current.status is ConnectionStatus.RECONNECT_REQUIRED:
        return RefreshAnswer(RefreshOutcome.RECONNECT_REQUIRED, current)
    outcome = RefreshOutcome.CURRENT if current.is_active else RefreshOutcome.NOT_CONNECTED
    return RefreshAnswer(outcome, current)
