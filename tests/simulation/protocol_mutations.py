"""The rules of the protocol that stand in the services and in no conditional write, each with what breaks it.

A mutation replaces one function of a service by one that lacks the rule, for as long as a schedule is played.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from tests.simulation.simulated_store import SimulatedStore
from zendesk_oauth.errors import GrantRejectedError, ProviderError, ProviderUnavailableError
from zendesk_oauth.models.refresh import Claim, Connection, LossReason, RefreshAnswer, RefreshOutcome, Renewal
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.ports.refresh import RefreshGrant, UnlockedPair
from zendesk_oauth.services import disconnect_connection, refresh_attempt
from zendesk_oauth.services.disconnect_connection import DisconnectAnswer, DisconnectConnection
from zendesk_oauth.services.keep_renewal import Replaced, commit_or_supersede, is_judged, sealed_renewal
from zendesk_oauth.services.probe_rotation import Probe, probe_rotation
from zendesk_oauth.services.refresh_attempt import RefreshAttempt
from zendesk_oauth.services.refresh_ports import RETIRE_POST_SECONDS, REVOKE_SECONDS, RefreshPorts
from zendesk_oauth.services.replay_rescued import ReplayAnswer, ReplayRescued
from zendesk_oauth.services.retire_pair import Keep, Retired, RetirePair
from zendesk_oauth.services.revoke_token import Revocation

_LOOK_BEFORE = RefreshAttempt._look_before
_COMMIT = RefreshAttempt._commit
_CLAIM = SimulatedStore.claim
_NEVER_OVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rule:
    """Where a rule stands, and the function that lacks it."""

    owner: Any
    name: str
    without: Callable[..., Any]


@contextmanager
def broken(names: frozenset[str]) -> Iterator[None]:
    """Break the rules of these names for a while."""
    for name in names & RULES.keys():
        rule = RULES[name]
        with patch.object(rule.owner, rule.name, rule.without):
            yield
        return
    yield


def _end_by_probe(self: RefreshAttempt, pair: UnlockedPair) -> RefreshAnswer | None:
    """Give the connection up where the API calls its access token dead."""
    if self.earlier and probe_rotation(self.ports, self.connection, pair.access_token) is Probe.DEAD:
        return self._mark(self.connection, LossReason.ANSWER_LOST)
    return _LOOK_BEFORE(self, pair)


def _believe_alive(self: RefreshAttempt, pair: UnlockedPair) -> RefreshAnswer | None:
    """Forget an earlier attempt once the API calls the access token alive."""
    if self.earlier and probe_rotation(self.ports, self.connection, pair.access_token) is Probe.ALIVE:
        self.earlier = None
    return _LOOK_BEFORE(self, pair)


def _post_at_once(_self: RefreshAttempt, _earlier: Claim) -> RefreshAnswer | None:
    """Post a token again that may have been spent."""


def _post_at_any_time(_self: RefreshAttempt) -> bool:
    """Post though the claim may end before the answer arrives."""
    return True


def _forget_the_post(self: RefreshAttempt, error: ProviderUnavailableError) -> RefreshAnswer:
    """Give the claim back, whatever became of the POST."""
    return self.give_back(RefreshOutcome.POSTPONED, error.retry_after, error.code)


def _commit_though_late(self: RefreshAttempt, renewal: Renewal, access_token: Any) -> RefreshAnswer:
    """Commit as if the claim were never over."""
    self.claim = replace(self.claim, until=_NEVER_OVER)
    return _COMMIT(self, renewal, access_token)


def _commit_over_a_verdict(
    self: RefreshAttempt, renewal: Renewal, _access_token: Any
) -> tuple[Connection | None, Connection | None] | None:
    """Commit a late pair without asking whether it lives."""
    return commit_or_supersede(self.ports.store, renewal, over_verdict=True)


def _seal_as_of_now(
    ports: RefreshPorts, replaced: Replaced, pair: UnlockedPair, fresh: IssuedTokens, _asked_at: datetime
) -> Renewal:
    """Count a pair's age from the moment it is stored."""
    return sealed_renewal(ports, replaced, pair, fresh, ports.clock.now())


def _trust_its_age(_self: ReplayRescued, current: Connection, renewal: Renewal) -> bool:
    """Replay a pair without asking, however late it comes."""
    return is_judged(current, renewal)


def _restore_unasked(
    self: ReplayRescued, renewal: Renewal, _pair: UnlockedPair, _current: Connection, until: float
) -> ReplayAnswer:
    """Replay a pair over a verdict, or late, without asking whether it lives."""
    return self._restore(renewal, until)


def _claim_unless_replaced(self: SimulatedStore, connection: Connection, claim: Claim, now: datetime) -> bool:
    """Write no claim on the row of a replaced pair."""
    return connection.replaced is not None or _CLAIM(self, connection, claim, now)


def _renew_and_believe(self: RetirePair, grant: RefreshGrant, keep: Keep) -> Retired:
    """Take a 401 to a pair that was issued a moment ago for its end."""
    try:
        fresh = self.token_endpoint.refresh(grant, self.clock.monotonic() + RETIRE_POST_SECONDS)
    except GrantRejectedError:
        return Retired(Revocation.NOT_ALIVE)
    except ProviderError as error:
        return Retired(error=error, is_spent=True)
    keep(fresh, self.until - REVOKE_SECONDS)
    return self._revoke(grant.subdomain, fresh.access_token)._replace(is_spent=True)


def _keep_nothing(_self: object, _fresh: IssuedTokens, _until: float) -> None:
    """Revoke a fresh pair that is stored nowhere."""


def _report_as_seen(revocation: str, **_may_have_lost: bool) -> str:
    """Report a dead pair as dead, though the answer to an earlier POST of it may have been lost."""
    return revocation


def _believe_a_refusal(_self: DisconnectConnection, _connection: Connection, _claim: Claim) -> bool:
    """Report a pair as dead though another may have spent it since the claim ended."""
    return True


def _forget_the_revocation(
    self: DisconnectConnection, connection: Connection, claim: Claim, _retired: Retired
) -> DisconnectAnswer:
    """Give the claim back, whatever became of the POST of a revocation."""
    now = self.ports.clock.now()
    self.ports.store.release(connection, claim, now)
    return self._later(now)


RULES = {
    "a probe may end a connection": Rule(RefreshAttempt, "_look_before", _end_by_probe),
    "ALIVE ends the doubt": Rule(RefreshAttempt, "_look_before", _believe_alive),
    "no replay round before a second POST": Rule(RefreshAttempt, "await_replay", _post_at_once),
    "a POST may outlive its claim": Rule(RefreshAttempt, "_has_time", _post_at_any_time),
    "a POST without an answer leaves no mark": Rule(RefreshAttempt, "_put_off", _forget_the_post),
    "a late holder commits without asking": Rule(RefreshAttempt, "_commit", _commit_though_late),
    "a commit over a verdict does not ask": Rule(RefreshAttempt, "_kept_if_alive", _commit_over_a_verdict),
    "a pair's age counts from its seal": Rule(refresh_attempt, "sealed_renewal", _seal_as_of_now),
    "a late replay does not ask": Rule(ReplayRescued, "_may_be_dead", _trust_its_age),
    "a replay over a verdict does not ask": Rule(ReplayRescued, "_ask_first", _restore_unasked),
    "no claim before the POST of a replaced pair": Rule(SimulatedStore, "claim", _claim_unless_replaced),
    "NOT_ALIVE ends a fresh pair": Rule(RetirePair, "_renew_to_revoke", _renew_and_believe),
    "a fresh pair is revoked before it is stored": Rule(
        disconnect_connection._Kept, "__call__", _keep_nothing
    ),
    "a possible loss is reported as not_alive": Rule(disconnect_connection, "told_end", _report_as_seen),
    "a refusal proves that nobody else has spent": Rule(DisconnectConnection, "_is_ours", _believe_a_refusal),
    "a revocation without an answer leaves no mark": Rule(
        DisconnectConnection, "_go_on_later", _forget_the_revocation
    ),
}
"""Each rule that is broken, by what holds without it."""
