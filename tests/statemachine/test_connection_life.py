"""Whatever happens to a connection, in any order: no token is lost in silence, and nothing ended comes back."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.simulation.keys import opened
from tests.simulation.store import ConditionalRows
from tests.statemachine.life import Issued, Life, Queue
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import Asked, Connection, LossReason, Renewal

HOUR = 3600.0
PAUSES = (1.0, 16.0, 71.0, HOUR, 47.9 * HOUR, 24 * 50 * HOUR)
"""A moment, a back-off, a claim's life, an hour, until a refresh is due, until a keep-alive is."""
ENDED = (ConnectionStatus.DISCONNECTING, ConnectionStatus.DISCONNECTED)
SOME = settings(
    max_examples=60,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class ConnectionLife(RuleBasedStateMachine):
    """What companies, admins, schedules, networks and time do to one connection."""

    left_out: frozenset[str] = frozenset()
    queue: type[Queue] = Queue

    @initialize()
    def connect(self) -> None:
        """Begin with a connection."""
        self.life = Life(ConditionalRows(left_out=self.left_out), self.queue())
        self.before = self.life.row
        self.ended_epoch = 0

    # what happens

    @rule()
    def install(self) -> None:
        """Somebody connects again, whatever was there."""
        self.life.install()

    @rule(asked=st.sampled_from(Asked))
    def refresh(self, asked: Asked) -> None:
        """A worker asks, because a token is due or refused, or the keep-alive schedule comes by."""
        self.life.refresh(asked)

    @rule()
    def refresh_when_due(self) -> None:
        """The token comes near its end, and a worker asks."""
        times, clock = self.life.row.times, self.life.clock
        clock.sleep(max(0.0, (times.refresh_at - clock.now()).total_seconds()))
        self.life.refresh(Asked.DUE)

    @rule(seconds=st.sampled_from(PAUSES))
    def time_passes(self, seconds: float) -> None:
        """Nothing happens."""
        self.life.clock.sleep(seconds)

    @rule()
    def admin_revokes(self) -> None:
        """The customer's admin takes the permission back, at Zendesk."""
        self.life.zendesk.revoke_all()

    @rule()
    def answer_gets_lost(self) -> None:
        """The next answer of the token endpoint will not arrive."""
        self.life.zendesk.losing = 1

    @rule(after=st.integers(0, 5), calls=st.sampled_from([1, 2, 100]))
    def store_goes_down(self, after: int, calls: int) -> None:
        """In a while the store fails, for a moment or for long."""
        self.life.store.after, self.life.store.down = after, calls

    @rule()
    def commit_fails(self) -> None:
        """A refresh gets its answer while the store is down, until the function's time is over."""
        self.life.store.after, self.life.store.down = 2, 1_000
        self.refresh_when_due()
        self.store_comes_back()

    @rule()
    def store_comes_back(self) -> None:
        """It works again."""
        self.life.store.after = self.life.store.down = 0

    @rule()
    def disconnect(self) -> None:
        """The company ends the connection."""
        self.life.disconnect()

    @rule()
    def schedule_comes_by(self) -> None:
        """What is unfinished is looked after."""
        self.life.finish()

    @precondition(lambda self: self.life.queue.waiting)
    @rule()
    def rescued_pair_is_replayed(self) -> None:
        """The rescue queue delivers."""
        self.life.replay()

    # what must hold

    @invariant()
    def the_version_only_rises(self) -> None:
        """I3, and I9: what has ended needs a new epoch to come back."""
        old, new = self.before, self.life.row
        assert new.version >= old.version
        if old.status in ENDED and new.status not in ENDED:
            assert new.version.epoch > old.version.epoch
        self.before = new

    @invariant()
    def both_tokens_are_of_one_answer(self) -> None:
        """I3: a pair is written whole."""
        sealed = self.life.row.sealed
        if sealed is not None:
            access = opened(sealed.access_token, sealed.commit_id)
            refresh = opened(sealed.refresh_token, sealed.commit_id)
            assert access[1:] == refresh[1:]

    @invariant()
    def a_version_is_rotated_once(self) -> None:
        """I1: Zendesk never gives two pairs for one."""
        assert all(times == 1 for times in self.life.zendesk.rotations.values())

    @invariant()
    def what_lives_is_durable_or_was_never_received(self) -> None:
        """I2: every living pair lies in a row or in the rescue queue; but for answers that were lost."""
        self.life.zendesk.expire()
        kept = self.life.kept()
        assert {pair.number for pair in self.life.zendesk.pairs if pair.alive and not pair.lost} <= kept

    @invariant()
    def no_loss_is_silent(self) -> None:
        """I2: where a rotation's answer was lost, the row says so: by a claim that is not resolved, or by a verdict."""
        self.life.zendesk.expire()
        row = self.life.row
        if row.is_active and self._is_lost(row):
            assert row.claim is not None or self.life.queue.waiting
        if row.status is ConnectionStatus.RECONNECT_REQUIRED:
            assert row.reconnect_reason in set(LossReason)
            assert not self._pair(row).alive

    def _is_lost(self, row: Connection) -> bool:
        """Whether the row's refresh token was spent, rather than ended by an admin or by its age."""
        pair = self._pair(row)
        return not pair.alive and not pair.ended

    def _pair(self, row: Connection) -> Issued:
        assert row.sealed is not None
        return self.life.zendesk.pair(opened(row.sealed.refresh_token, row.sealed.commit_id))


class Sieve(Queue):
    """A rescue queue that keeps nothing."""

    def send(self, renewal: Renewal) -> None:
        """Lose it."""


class Doubled(ConnectionLife):
    """Commits any pair over any other."""

    left_out = frozenset({"commit: same version"})


class Undead(ConnectionLife):
    """Commits over the end of a connection."""

    left_out = frozenset({"commit: neither disconnected nor judged meanwhile"})


class Careless(ConnectionLife):
    """Loses pairs that cannot be committed."""

    queue = Sieve


def test_no_life_breaks_an_invariant() -> None:
    """Many lives, each of forty events, the same in every run."""
    run_state_machine_as_test(ConnectionLife, settings=SOME)


@pytest.mark.parametrize("broken", [Doubled, Undead, Careless], ids=lambda broken: broken.__name__)
def test_what_is_broken_is_noticed(broken: type[ConnectionLife]) -> None:
    """The machine has teeth: a condition left out, or a queue that keeps nothing, breaks an invariant soon.

    The first that does ends the search. How soon depends on what else the process has loaded, whose constants
    Hypothesis tries, too: so there are many tries, and few are needed.
    """
    many = settings(SOME, max_examples=5_000, phases=(Phase.generate,), report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(broken, settings=many)
