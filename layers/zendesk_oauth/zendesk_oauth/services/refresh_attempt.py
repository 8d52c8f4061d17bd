"""What the holder of a claim does: keys, the question what became of an earlier attempt, one POST, the commit."""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from zendesk_oauth.errors import (
    ClientRejectedError,
    GrantRejectedError,
    ProviderError,
    ProviderUnavailableError,
    SealError,
    StoreUnavailableError,
    TokenRefusedError,
)
from zendesk_oauth.models.connection import ConnectionStatus, token_times
from zendesk_oauth.models.refresh import (
    CLOCK_SKEW,
    Claim,
    Connection,
    LossReason,
    RefreshAnswer,
    RefreshOutcome,
    Renewal,
    Superseded,
)
from zendesk_oauth.models.secret import base64url
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.ports.refresh import RefreshGrant, RefreshStore, UnlockedPair
from zendesk_oauth.services.refresh_ports import BACK_OFF, ID_BYTES, RefreshPorts
from zendesk_oauth.services.retire_pair import POST_SECONDS
from zendesk_oauth.services.retire_superseded import RetireSuperseded

COMMIT_SECONDS = 5.0
"""What has to be left for the commit when the POST has taken its full length."""
PROBE_SECONDS = 3.0
RESCUE_SECONDS = 2.0
"""What is kept of the remaining time for the rescue queue, when the store is down."""
COMMIT_PAUSE = 0.2
"""Between two tries of a commit, in seconds, doubled each time up to a second."""


class Probe(Enum):
    """What Zendesk says of the old access token, and so of a rotation: a rotation kills it."""

    ALIVE = "not rotated"
    DEAD = "rotated, or revoked"
    UNKNOWN = "no information"


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
            pair = self.ports.keyring.unlock(self.connection.context, self.connection.living_pair)
        except SealError:
            return self._give_back(RefreshOutcome.POSTPONED, BACK_OFF)
        answer = self._look_before(pair)
        if answer is not None:
            return answer
        if not self._has_time():
            return self._give_back(RefreshOutcome.POSTPONED)
        return self._post(pair)

    def _has_time(self) -> bool:
        """Look again after the claim: a worker that was frozen meanwhile must not begin what it cannot finish."""
        clock = self.ports.clock
        in_time = clock.monotonic() + POST_SECONDS + COMMIT_SECONDS <= self.until
        return in_time and clock.now() + timedelta(seconds=POST_SECONDS) <= self.claim.until

    def _look_before(self, pair: UnlockedPair) -> RefreshAnswer | None:
        """Ask Zendesk where an earlier attempt is unresolved, or where only a worker's 401 speaks for a refresh."""
        if not self.earlier and self.due_by_time:
            return None
        probe = self._probe(pair)
        if probe is Probe.ALIVE:
            self.earlier = False
            return None if self.due_by_time else self._give_back(RefreshOutcome.CURRENT)
        if self.earlier:
            return self._mark(self.connection, LossReason.ANSWER_LOST) if probe is Probe.DEAD else None
        return None if probe is Probe.DEAD else self._give_back(RefreshOutcome.POSTPONED, BACK_OFF)

    def _probe(self, pair: UnlockedPair) -> Probe:
        if self.ports.clock.now() + CLOCK_SKEW >= self.connection.times.expires_at:
            return Probe.UNKNOWN
        deadline = self.ports.clock.monotonic() + PROBE_SECONDS
        try:
            token_id = self.ports.api.find_token_id(self.connection.subdomain, pair.access_token, deadline)
        except TokenRefusedError:
            return Probe.ALIVE
        except ProviderError:
            return Probe.UNKNOWN
        return Probe.DEAD if token_id is None else Probe.ALIVE

    def _post(self, pair: UnlockedPair) -> RefreshAnswer:
        grant = RefreshGrant(self.connection.subdomain, pair.refresh_token, self.connection.scopes)
        try:
            issued = self.ports.token_endpoint.refresh(grant, self.ports.clock.monotonic() + POST_SECONDS)
        except GrantRejectedError:
            return self._judge_rejection()
        except ClientRejectedError:
            return self._give_back(RefreshOutcome.CLIENT_REJECTED, BACK_OFF)
        except ProviderUnavailableError as error:
            if error.nothing_sent or error.throttled:
                return self._give_back(RefreshOutcome.POSTPONED, error.retry_after or BACK_OFF)
            return self._leave_unresolved(error.retry_after or BACK_OFF)
        except ProviderError:
            return self._leave_unresolved(BACK_OFF)
        return self._commit(self._renewal(pair, issued))

    def _renewal(self, pair: UnlockedPair, issued: IssuedTokens) -> Renewal:
        entropy, now = self.ports.entropy, self.ports.clock.now()
        commit_id = base64url(entropy(ID_BYTES))
        return Renewal(
            grant=self.connection.grant,
            subdomain=self.connection.subdomain,
            replaces=self.connection.version,
            scopes=issued.scopes,
            issued_at=now,
            times=token_times(issued, now, entropy(1)[0] / 255),
            sealed=pair.seal(issued.access_token, issued.refresh_token, commit_id),
        )

    def _commit(self, renewal: Renewal) -> RefreshAnswer:
        """Commit first, think later; the rescue queue where the store stays down."""
        pause = COMMIT_PAUSE
        while True:
            try:
                current, superseded = keep_renewal(self.ports.store, renewal)
            except StoreUnavailableError:
                if self._is_rescued(renewal, pause):
                    return RefreshAnswer(RefreshOutcome.RESCUED, self.connection)
            else:
                if superseded is None:
                    return RefreshAnswer(RefreshOutcome.REFRESHED, current)
                return self._give_up(current, superseded)
            self.ports.clock.sleep(pause)
            pause = min(pause * 2, 1.0)

    def _is_rescued(self, renewal: Renewal, pause: float) -> bool:
        """Near the end of the time, put it into the queue; if that is down too, go on with both until the end."""
        if self.ports.clock.monotonic() + pause + RESCUE_SECONDS < self.until:
            return False
        try:
            self.ports.rescue.send(renewal)
        except StoreUnavailableError:
            return False
        return True

    def _give_up(self, current: Connection | None, superseded: Superseded) -> RefreshAnswer:
        """Retire what we hold: the row went another way, by a disconnect or a new install, or is gone."""
        retire = RetireSuperseded(self.ports)
        if current is None:
            retire.is_retired(self.connection, superseded)
        else:
            retire.retire(current, superseded)
            self.ports.store.release(current, self.claim, None)
        return answer_of(current)

    def _judge_rejection(self) -> RefreshAnswer:
        """`invalid_grant` proves nothing until a strong read shows the same version and no living claim but ours."""
        current = self.ports.store.find(self.connection.grant, self.connection.subdomain)
        if current is None or current.version != self.connection.version or not current.is_active:
            return answer_of(current)
        ours = current.claim is not None and current.claim.claim_id == self.claim.claim_id
        if not ours and current.claimed_at(self.ports.clock.now()):
            return RefreshAnswer(RefreshOutcome.IN_PROGRESS, current)
        reason = LossReason.ANSWER_LOST if self.earlier else LossReason.GRANT_REJECTED
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

    def _give_back(self, outcome: RefreshOutcome, wait: timedelta | None = None) -> RefreshAnswer:
        """Nothing was spent by us. An earlier attempt that is still unresolved stays so."""
        if self.earlier:
            return self._leave_unresolved(wait or BACK_OFF, outcome)
        retry_at = self.ports.clock.now() + wait if wait else None
        self.ports.store.release(self.connection, self.claim, retry_at)
        return RefreshAnswer(outcome, self.connection, retry_at)

    def _leave_unresolved(
        self, wait: timedelta, outcome: RefreshOutcome = RefreshOutcome.UNRESOLVED
    ) -> RefreshAnswer:
        retry_at = self.ports.clock.now() + wait
        self.ports.store.leave_unresolved(self.connection, self.claim, retry_at)
        return RefreshAnswer(outcome, self.connection, retry_at)


def keep_renewal(store: RefreshStore, renewal: Renewal) -> tuple[Connection | None, Superseded | None]:
    """Make a renewal durable: as the next generation, or as superseded where the row went another way.

    Return the row, and what now has to be retired. Raises StoreUnavailableError: try again.
    """
    current = store.commit(renewal)
    if current is not None and is_committed(current, renewal):
        return current, None
    superseded = Superseded(renewal.sealed, renewal.times.expires_at)
    if current is not None:
        store.keep_superseded(current, superseded)
    return current, superseded


def is_committed(current: Connection, renewal: Renewal) -> bool:
    """Whether the row is this renewal's: the commit id is random, so it can be nobody else's."""
    return current.sealed is not None and current.sealed.commit_id == renewal.sealed.commit_id


def answer_of(current: Connection | None) -> RefreshAnswer:
    """Answer by the row alone."""
    if current is None:
        return RefreshAnswer(RefreshOutcome.NOT_CONNECTED)
    if current.status is ConnectionStatus.RECONNECT_REQUIRED:
        return RefreshAnswer(RefreshOutcome.RECONNECT_REQUIRED, current)
    outcome = RefreshOutcome.CURRENT if current.is_active else RefreshOutcome.NOT_CONNECTED
    return RefreshAnswer(outcome, current)
