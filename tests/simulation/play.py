"""A schedule from its first call to the peace after it."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from tests.simulation.accounting import Accounting
from tests.simulation.cast import KEY, Cast
from tests.simulation.invariants import Invariants, access_of
from tests.simulation.keys import seal
from tests.simulation.plot import Plot
from tests.simulation.protocol_mutations import broken
from tests.simulation.reading import ACME, SERVED_WITHIN
from tests.simulation.rekey_rows import RekeyRows
from tests.simulation.schedule import Chooser
from tests.simulation.simulated_store import SimulatedQueue
from tests.simulation.world import EPOCH, Budget, ViolationError, World
from tests.simulation.zendesk import SimulatedZendesk
from zendesk_oauth.models.connection import ConnectionStatus, token_times
from zendesk_oauth.models.refresh import Asked, Connection, Version
from zendesk_oauth.models.rekey import RekeyOutcome

COMMIT_FENCED = "commit requires the claim"
"""A condition that must not be there: it would throw away the only living refresh token of a late holder."""
PEACE_ROUNDS = 6
_LOOKS = 2
"""The first seals what is left, the second finds it done."""
_SEALED = (RekeyOutcome.DONE, RekeyOutcome.NOTHING)
_SKEWED = 301.0
"""More seconds than a clock may be wrong."""
_AN_HOUR = timedelta(hours=1).total_seconds()


@dataclass(slots=True)
class Performance:
    """One schedule of a plot."""

    plot: Plot
    chooser: Chooser
    left_out: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    world: World = field(init=False)
    zendesk: SimulatedZendesk = field(init=False)
    rows: RekeyRows = field(init=False)
    invariants: Invariants = field(init=False)
    cast: Cast = field(init=False)

    def __post_init__(self) -> None:
        plot = self.plot
        budget = Budget(plot.harms, plot.ticks, plot.tick_seconds, plot.lies)
        self.world = World(self.chooser, budget, self._wrong)
        self.zendesk = SimulatedZendesk(self.world, plot.reuse_ends_family, not plot.skews)
        row = self._first_row()
        self.rows = RekeyRows({KEY: row}, self.left_out, self.added)
        for _ in range(plot.replaced):
            self._install_before()
        row = self.rows.rows[KEY]
        queue = SimulatedQueue(self.world)
        accounting = Accounting(self.world, self.zendesk, self.rows, queue.waiting, queue.late)
        self.invariants = Invariants(self.rows, self.zendesk, KEY, row, row, accounting)
        self.zendesk.is_wanted = accounting.is_wanted
        is_fenced = COMMIT_FENCED in self.added
        self.cast = Cast(plot, self.world, self.zendesk, self.rows, queue, self.invariants, is_fenced)
        accounting.ended = self.cast.ended
        if plot.reuse_ends_family:
            self.world.ring = self.cast.deliver

    def _install_before(self) -> None:
        """Let an install have replaced the row's pair, which nobody has revoked yet."""
        pair = self.zendesk.issue()
        times = token_times(self.zendesk.tokens_of(pair), EPOCH, 0.5)
        pair.access_ends_at = (times.expires_at - EPOCH).total_seconds()
        sealed = seal(pair.access, pair.refresh, f"install-{pair.number}")
        self.rows.establish(self.rows.rows[KEY], KEY, sealed, EPOCH, times)

    def _first_row(self) -> Connection:
        pair = self.zendesk.issue()
        pair.alive = not self.plot.revoked
        written_at = EPOCH + timedelta(seconds=next(iter(self.plot.skews), 0.0))
        times = token_times(self.zendesk.tokens_of(pair), written_at, 0.5)
        begins_at = times.expires_at if self.plot.over else times.refresh_at
        is_early = self.plot.asked is Asked.FAILED
        self.world.seconds = _AN_HOUR if is_early else (begins_at - EPOCH).total_seconds() + 1
        return Connection(
            grant="default",
            subdomain=ACME,
            version=Version(1, 1),
            status=ConnectionStatus.ACTIVE,
            scopes=("tickets:read",),
            issued_at=written_at,
            times=times,
            sealed=seal(pair.access, pair.refresh, "c0"),
        )

    def _wrong(self) -> str | None:
        return self.invariants.check(self.cast.asked_to_end)

    def run(self) -> None:
        """Play it, then let peace return: faults end, time passes, and what is left must be whole."""
        try:
            with broken(self.added):
                self.cast.enter()
                self.world.play()
                self._peace()
        finally:
            self.world.close()

    def _peace(self) -> None:
        left = self.world.budget
        self.world.budget = Budget(0, 0)
        self.world.is_quiet = self.plot.quiet
        within = SERVED_WITHIN + 2 * max((abs(skew) for skew in self.plot.skews), default=0.0)
        self.world.add("reader in peace", partial(self.cast.reader().be_served, within))
        self.world.play()
        for number in range(1, PEACE_ROUNDS + 1):
            self.world.sleep(75.0)
            self._round(number)
            if self._is_settled():
                break
        else:
            raise ViolationError("I10: no valid token and no verdict after all is over", self.world.story)
        self._next_refresh()
        wrong = self.invariants.at_the_end(self.plot, left)
        if wrong:
            raise ViolationError(wrong, self.world.story)

    def _next_refresh(self) -> None:
        """Let the next refresh become due where an attempt is unresolved, though its token lives: that resolves it."""
        row = self.rows.rows[KEY]
        if not row.is_active or row.claim is None:
            return
        due_at = max(row.times.refresh_at, row.retry_at or row.times.refresh_at)
        self.world.seconds = max(self.world.seconds, (due_at - EPOCH).total_seconds() + _SKEWED)
        self._round(PEACE_ROUNDS + 1)
        row = self.rows.rows[KEY]
        if not self._is_settled() or row.claim is not None:
            raise ViolationError("I10: an attempt stays unresolved when its refresh is due", self.world.story)

    def _round(self, number: int) -> None:
        cast, world = self.cast, self.world
        if cast.queue.waiting:
            world.add(f"rescue in peace {number}", cast.replay_rescued)
        world.add(f"worker in peace {number}", cast.refresh)
        if self.rows.unfinished_at:
            world.add(f"schedule in peace {number}", cast.finish)
        world.play()
        if self.plot.rekeys:
            self._look_again(number)

    def _look_again(self, number: int) -> None:
        """Let the command look when nobody is at work who has read the row before: then "done" is its last word."""
        for _ in range(_LOOKS):
            self.world.add(f"rekey in peace {number}", self.cast.rekey)
            self.world.play()
            if self.cast.rekeyed is not RekeyOutcome.RESEALED:
                break

    def _is_settled(self) -> bool:
        row = self.rows.rows[KEY]
        if self.plot.rekeys and self.cast.rekeyed not in _SEALED:
            return False
        if self.rows.unfinished_at or self.cast.queue.waiting:
            return False
        if row.status is not ConnectionStatus.ACTIVE:
            return True
        is_resolvable = row.claim is None or row.claim.unresolved
        return is_resolvable and access_of(row) in self.zendesk.alive()
