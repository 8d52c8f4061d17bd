"""The time of one call: a table, a queue and a Zendesk that hang as long as their clients let them.

The rule: whatever hangs, a pair that Zendesk has issued is durable or told of before the function is stopped, and
nothing is begun at Zendesk whose answer could come too late.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from tests.unit.services.test_refreshing import ACME, BEGAN, Clock, Queue, Store, World, between
from zendesk_oauth.bootstrap import aws
from zendesk_oauth.bootstrap import refresh as bootstrap
from zendesk_oauth.bootstrap.refresh_on_event import RESERVED_SECONDS
from zendesk_oauth.errors import ProviderUnavailableError, StoreUnavailableError
from zendesk_oauth.models.refresh import (
    Claim,
    Connection,
    RefreshOutcome,
    RefreshQuestion,
    Renewal,
    Version,
)
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.ports.refresh import RefreshGrant, RefreshStore
from zendesk_oauth.services.finish_connection import LONGEST_REFRESH_LIFE, FinishConnection
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import (
    KEEP_SECONDS,
    POST_SECONDS,
    PROBE_SECONDS,
    QUEUE_SECONDS,
    REFRESH_SECONDS,
    RETIRE_POST_SECONDS,
    RETIRE_SECONDS,
    REVOKE_SECONDS,
    STORE_SECONDS,
    RefreshPorts,
)
from zendesk_oauth.services.replay_rescued import ReplayRescued

PAGE = Path(__file__).parents[3] / "docs/refresh.md"
LIMIT = 60.0
"""When Lambda stops the function."""
SDK_PAUSE = 1.0
"""The longest that botocore waits before its first repeat, in its standard mode."""


class HangingStore(Store):
    """Rows whose writes hang from the first commit on, for as many calls as the test says."""

    def __init__(self, world: "Hanging", calls: int) -> None:
        super().__init__(world.rows, world.clock)
        self._clock, self.calls = world.clock, calls

    def commit(self, renewal: Renewal, **how: bool) -> Connection | None:
        """Hang, or commit."""
        self._hang()
        return self._rows.commit(renewal, **how)

    def keep_replaced(self, renewal: Renewal) -> Connection:
        """Hang, or keep."""
        self._hang()
        return self._rows.keep_replaced(renewal)

    def _hang(self) -> None:
        if self.calls:
            self.calls -= 1
            self._clock.sleep(STORE_SECONDS)
            raise StoreUnavailableError("ReadTimeoutError")


class HangingQueue(Queue):
    """A queue that hangs for as many calls."""

    def __init__(self, clock: Clock, calls: int) -> None:
        super().__init__()
        self._clock, self.calls = clock, calls

    def send(self, renewal: Renewal) -> None:
        """Hang as long as a client is built and asks, and fail or send."""
        self._clock.sleep(QUEUE_SECONDS)
        if self.calls:
            self.calls -= 1
            raise StoreUnavailableError("ReadTimeoutError")
        super().send(renewal)


class Hanging(World):
    """A world whose Zendesk takes its time for a POST, and whose table and queue then hang."""

    def __init__(self, post_seconds: float, commits: int = 1_000, sends: int = 0) -> None:
        super().__init__()
        self.began = self.clock.seconds
        self.post_seconds = post_seconds
        self.told: list[float] = []
        self.queue = HangingQueue(self.clock, sends)
        self.store = HangingStore(self, commits)
        self._refresh = self.zendesk.refresh
        self.zendesk.refresh = self.slowly  # type: ignore[method-assign]  # it takes its time

    def slowly(self, grant: RefreshGrant, deadline: float) -> IssuedTokens:
        """Answer late, by the deadline at the latest."""
        self.clock.sleep(min(self.post_seconds, deadline - self.clock.seconds))
        return self._refresh(grant, deadline)

    @property
    def ports(self) -> RefreshPorts:
        """Put what hangs in the place of what does not."""
        store = cast("RefreshStore", self.store)
        return replace(super().ports, store=store, rescue=self.queue, tell_unkept=self.tell)

    def tell(self, renewal: Renewal) -> None:
        """Note when it was told."""
        assert renewal.subdomain == ACME
        self.told.append(self.passed)

    @property
    def passed(self) -> float:
        """How long the function has been at work."""
        return self.clock.seconds - self.began

    @property
    def until(self) -> float:
        """Return by when the function wants to have ended."""
        return self.began + LIMIT - RESERVED_SECONDS


def refreshed(world: Hanging, begun_after: float = 0.0) -> RefreshOutcome:
    """Ask for a refresh after the function has been at work for so long."""
    world.clock.sleep(begun_after)
    return RefreshConnection(world.ports)(RefreshQuestion("default", ACME), world.until).outcome


LATEST = LIMIT - RESERVED_SECONDS - REFRESH_SECONDS
"""The latest moment at which a refresh begins."""


def test_the_clients_keep_to_the_budget() -> None:
    """What the services reckon for one call is what its client may take at most."""
    one_try = bootstrap.CONNECT_SECONDS + bootstrap.READ_SECONDS
    assert aws.ATTEMPTS * one_try + (aws.ATTEMPTS - 1) * SDK_PAUSE <= STORE_SECONDS
    assert one_try < QUEUE_SECONDS
    assert max(REFRESH_SECONDS, RETIRE_SECONDS) + RESERVED_SECONDS < LIMIT
    clients = aws.AwsClients(bootstrap.READ_SECONDS, bootstrap.CONNECT_SECONDS)
    for client, attempts in ((clients.dynamodb(), aws.ATTEMPTS), (clients.sqs(), 1)):
        config: Any = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (0.5, 1.5)
        assert config.retries == {"mode": "standard", "total_max_attempts": attempts}


def test_the_page_says_the_same() -> None:
    """The budget in docs/refresh.md is the one that is reckoned with, and adds up to the function's time."""
    rows = dict(re.findall(r"^\| ([^|]+) \| ([\d.]+) \|$", PAGE.read_text(), re.MULTILINE))
    told = [float(seconds) for seconds in list(rows.values())[:6]]
    assert told == [LATEST, PROBE_SECONDS, POST_SECONDS, STORE_SECONDS, QUEUE_SECONDS, RESERVED_SECONDS]
    assert sum(told) == LIMIT


@pytest.mark.parametrize("post_seconds", [0.3, 20.0, POST_SECONDS])
@pytest.mark.parametrize("begun_after", [0.0, LATEST])
def test_a_table_that_hangs_leaves_the_pair_in_the_queue_in_time(
    post_seconds: float, begun_after: float
) -> None:
    """R6: also after the longest POST of the latest beginning: rescued once, and answered before the function ends."""
    world = Hanging(post_seconds)
    assert refreshed(world, begun_after) is RefreshOutcome.RESCUED
    assert (len(world.queue.sent), world.told) == (1, [])
    assert world.passed <= LIMIT - RESERVED_SECONDS


def test_the_queue_is_asked_after_the_first_failure_and_the_table_on() -> None:
    """R6: whatever ends the process in between, the pair is durable; and who waits gets a row that was written."""
    world = Hanging(0.3, commits=2)
    assert refreshed(world) is RefreshOutcome.REFRESHED
    assert (len(world.queue.sent), world.row.version) == (1, Version(1, 2))
    assert world.passed == pytest.approx(0.3 + 2 * STORE_SECONDS + QUEUE_SECONDS + 0.2 + 0.4)


@pytest.mark.parametrize("post_seconds", [0.3, POST_SECONDS])
def test_a_pair_that_nothing_takes_is_told_before_the_function_is_stopped(post_seconds: float) -> None:
    """R6: and then it is tried on; that the process lives long enough for it is not ours to say."""
    world = Hanging(post_seconds, commits=30, sends=30)
    assert refreshed(world, LATEST) is RefreshOutcome.REFRESHED
    assert world.told[0] <= LIMIT - RESERVED_SECONDS
    assert world.row.version == Version(1, 2)


@pytest.mark.parametrize("seconds", [RETIRE_SECONDS - 1, RETIRE_SECONDS])
def test_a_retiring_post_is_begun_only_if_all_after_it_fits(seconds: float) -> None:
    """A pair that is over: without the time for POST, keeping and revocation nothing is spent, and it stays due."""
    world = Hanging(RETIRE_POST_SECONDS)
    row = world.supersede(times=replace(world.row.times, expires_at=BEGAN))
    until = world.clock.seconds + seconds
    answer = world.finish(row, seconds)
    if seconds < RETIRE_SECONDS:
        (left,) = world.rows.replaced
        assert (answer.finished, world.zendesk.posts, left.claim) == (False, 0, None)
    else:
        assert (world.rows.revocations, len(world.queue.sent)) == ({row.key: "revoked"}, 1)
        assert (world.zendesk.alive, world.clock.seconds <= until) == (set(), True)


@pytest.mark.parametrize("seconds", [RETIRE_SECONDS - 1, RETIRE_SECONDS])
def test_a_disconnect_spends_only_what_it_can_finish(seconds: float) -> None:
    """The access token is over: without the time the claim is given back, and the next visit does it."""
    world = Hanging(RETIRE_POST_SECONDS)
    world.clock.sleep(timedelta(days=5).total_seconds())
    until = world.clock.seconds + seconds
    outcome = world.disconnect(seconds)
    if seconds < RETIRE_SECONDS:
        assert (outcome, world.zendesk.posts, world.row.claim) == ("under_way", 0, None)
    else:
        assert (outcome, len(world.queue.sent), world.zendesk.alive) == ("disconnected", 1, set())
        assert world.clock.seconds <= until


def test_a_living_token_is_not_even_asked_about_without_time() -> None:
    """A revocation takes up to ten seconds."""
    world = Hanging(0.3)
    row = world.supersede()
    assert not world.finish(row, REVOKE_SECONDS - 1).finished
    assert (world.zendesk.alive, world.rows.replaced) == ({"a0", "a1"}, [row])
    world.keyring.before = lambda: world.clock.sleep(1)
    assert not world.finish(row, REVOKE_SECONDS).finished
    assert world.zendesk.alive == {"a0", "a1"}


def test_a_fresh_pair_that_nobody_wants_waits_in_the_row_without_time() -> None:
    """R14: the latest refresh finds another install: its pair is kept, nothing is begun, the claim is given back."""
    world = Hanging(POST_SECONDS, commits=0)
    between(world, "keep_replaced", lambda: world.clock.sleep(1))
    between(world, "claim", lambda: world.change(version=Version(2, 2)))
    assert refreshed(world, LATEST) is RefreshOutcome.CURRENT
    assert (len(world.rows.replaced), world.zendesk.alive, world.row.claim) == (1, {"a2"}, None)


def test_a_pair_without_a_row_that_cannot_be_revoked_has_a_row_of_its_own() -> None:
    """It may live: the schedule revokes it."""
    world = Hanging(0.3, commits=0)
    between(world, "claim", world.rows.rows.clear)
    world.zendesk.asked = ProviderUnavailableError("503")
    assert refreshed(world, LATEST) is RefreshOutcome.NOT_CONNECTED
    assert [row.key for row in world.rows.replaced] == list(world.rows.unfinished_at)


def test_a_replay_without_time_is_not_begun() -> None:
    """The last messages of a batch whose table hangs go back to their queue."""
    world = Hanging(0.3)
    assert refreshed(world) is RefreshOutcome.RESCUED
    (renewal,), before = world.queue.sent, world.clock.seconds
    with pytest.raises(StoreUnavailableError):
        ReplayRescued(world.ports)(renewal, world.clock.seconds + KEEP_SECONDS - 1)
    assert world.clock.seconds == before


def over(world: World) -> datetime:
    """Let even the longest-lived token be over."""
    world.clock.sleep((LONGEST_REFRESH_LIFE + timedelta(days=3)).total_seconds())
    return world.clock.now()


def test_an_end_after_a_lost_answer_is_told_as_given_up() -> None:
    """R26: all that we hold is over, and an answer was lost: something may live that nobody knows."""
    world = World()
    world.change(claim=Claim("theirs", BEGAN, unresolved=True))
    world.rows.mark_disconnecting(world.row, over(world))
    answer = FinishConnection(world.ports)("default", ACME, world.clock.monotonic() + 58)
    assert answer.disconnect is not None
    assert answer.disconnect.revocation == "given_up"
