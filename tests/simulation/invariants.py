"""The invariants: what must hold after every step of every schedule, and what must be left when all is over.

I4 and I10 are checked by the readers themselves, I5, I7 and I8 by other tests: no secret, event or install is played.
"""

from dataclasses import dataclass, field

from tests.simulation.accounting import Accounting
from tests.simulation.keys import OLD_KEY, opened
from tests.simulation.plot import Plot
from tests.simulation.store import ConditionalRows
from tests.simulation.world import Budget
from tests.simulation.zendesk import SimulatedZendesk
from zendesk_oauth.errors import SealBrokenError
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import Connection, LossReason

_ENDING = (ConnectionStatus.DISCONNECTING, ConnectionStatus.DISCONNECTED)


def access_of(row: Connection) -> str:
    """Return the row's access token, or nothing where it is erased."""
    sealed = row.sealed
    return opened(sealed.access_token, sealed.commit_id) if sealed else ""


def refresh_of(row: Connection) -> str:
    """Return the row's refresh token, or nothing where it is erased."""
    sealed = row.sealed
    return opened(sealed.refresh_token, sealed.commit_id) if sealed else ""


@dataclass(slots=True)
class Invariants:
    """Looks at the row whenever it has changed; a step that changed nothing cannot break what held before."""

    rows: ConditionalRows
    zendesk: SimulatedZendesk
    key: str
    seen: Connection
    """The row when it was last looked at."""
    before: Connection
    """The row before that, which an eventually consistent read may still show."""
    accounting: Accounting
    ended_epoch: int = 0
    ended: set[str] = field(default_factory=set)
    """The rows of replaced pairs that have ended."""

    def now(self) -> Connection:
        """Return the row as it is."""
        return self.rows.rows[self.key]

    def check(self, asked_to_end: set[int]) -> str | None:
        """Tell which invariant does not hold now."""
        if self.zendesk.trespasses:
            return self.zendesk.trespasses[0]
        wrong = self._wrong_replaced()
        if wrong:
            return wrong
        row = self.now()
        if row is self.seen:
            return self.accounting.wrong()
        self.before, self.seen = self.seen, row
        if self.rows.trespasses:
            return self.rows.trespasses[0]
        return (
            self._wrong_turn(row, self.before, asked_to_end)
            or self._wrong_version(row, self.before)
            or self._wrong_pair(row)
            or self._forgotten(row)
            or self._wrongly_given_up(row, self.before)
            or self._dead_on_arrival(row, self.before)
            or self.accounting.wrong()
        )

    def _wrong_replaced(self) -> str | None:
        """Tell what is wrong with a replaced pair: each has a row of its own, which ends once."""
        if len(self.rows.rows) == 1:
            return None
        for key, row in self.rows.rows.items():
            is_ended = row.status is ConnectionStatus.DISCONNECTED
            if row.replaced and key in self.ended and not is_ended:
                return "I9: a replaced pair that had ended came back"
            if row.replaced and is_ended:
                self.ended.add(key)
            if (row.status is ConnectionStatus.DISCONNECTING) != (key in self.rows.unfinished_at):
                return f"I2: {key} is {row.status}, and the schedule does not know it"
        return None

    def _wrong_turn(self, row: Connection, old: Connection, asked_to_end: set[int]) -> str | None:
        """Tell whether the status took a way that it may not take."""
        is_ending, same_epoch = row.status in _ENDING, row.version.epoch == old.version.epoch
        if old.status is ConnectionStatus.DISCONNECTING and same_epoch and not is_ending:
            return f"I9: a disconnect under way became {row.status}"
        if is_ending and row.version.epoch not in asked_to_end:
            return "I6: a disconnect of an older epoch ended a newer one"
        if row.status is ConnectionStatus.DISCONNECTED and (row.claim or row.sealed):
            return f"I6: a {'claim' if row.claim else 'pair'} lies on a tombstone"
        return None

    def _wrong_version(self, row: Connection, old: Connection) -> str | None:
        """Tell whether the version fell, or an ended epoch came back."""
        if row.version < old.version:
            return f"I3: the version fell from {old.version} to {row.version}"
        if row.version.epoch == self.ended_epoch and row.status is not ConnectionStatus.DISCONNECTED:
            return "I9: a disconnected connection came back without a new install"
        if row.status is ConnectionStatus.DISCONNECTED:
            self.ended_epoch = row.version.epoch
        return None

    def _wrong_pair(self, row: Connection) -> str | None:
        """Tell whether the row's tokens are of two answers."""
        try:
            is_one = row.sealed is None or access_of(row)[1:] == refresh_of(row)[1:]
        except SealBrokenError:
            return "I3: the row's tokens do not open where they lie"
        return None if is_one else "I3: the tokens of the row are of two answers"

    def _forgotten(self, row: Connection) -> str | None:
        """Tell whether something is left to do that no schedule will come back to."""
        if row.status is ConnectionStatus.DISCONNECTING and self.key not in self.rows.unfinished_at:
            return "I2: nobody will come back to a disconnect under way"
        return None

    def _wrongly_given_up(self, row: Connection, old: Connection) -> str | None:
        """Tell whether a connection was given up though the token endpoint had not ended its refresh token (I11)."""
        is_judged = row.status is ConnectionStatus.RECONNECT_REQUIRED
        if not is_judged or row.sealed is None or old.status is row.status:
            return None
        pair = self.zendesk.by_refresh(refresh_of(row))
        if pair.is_spent or pair.is_refused:
            return None
        return f"I11: given up, and the token endpoint has never spent or refused {pair.refresh}"

    def _dead_on_arrival(self, row: Connection, old: Connection) -> str | None:
        """Tell whether a pair was given to workers that had died before, and whose writer had not asked (I4).

        A writer in time need not ask: only a POST of a process that was frozen past its claim can have ended his pair.
        Nor one who looked at the clock when the answer came in time, and was frozen after that.
        """
        if not row.is_active or row.sealed is None or access_of(row) == access_of(old):
            return None
        pair = self.zendesk.by_access(access_of(row))
        writer = self.zendesk.world.current
        if pair.alive or pair.seen_alive_by is writer:
            return None
        if pair.is_ended_late and writer is not None and not self.zendesk.is_over(writer):
            return None
        if pair.is_in_time and pair.receiver is writer:
            return None
        return f"I4: {pair.access} was dead when it was made the connection's token"

    def at_the_end(self, plot: Plot, budget: Budget) -> str | None:
        """Tell what is wrong in the end: what lives must be in the row, or have been lost with an excuse."""
        row = self.now()
        if is_plain(plot, budget) and self.zendesk.posts != plot.posts:
            return f"I1: {self.zendesk.posts} POSTs where nothing befell anybody"
        if plot.rekeys and self._lies_under_old_keys():
            return "Rekey: a campaign has said that all is done, and something lies under the old keys"
        if row.status is ConnectionStatus.RECONNECT_REQUIRED:
            wrong = self._wrong_verdict(row, plot)
            if wrong:
                return wrong
        return self.accounting.wrong()

    def _lies_under_old_keys(self) -> bool:
        """Tell whether anything in the table is sealed under what its first pair was sealed under."""
        pairs = [row.sealed for row in self.rows.rows.values() if row.sealed]
        tokens = [token for pair in pairs for token in (pair.access_token, pair.refresh_token)]
        return any(token.wrapped_key == OLD_KEY for token in tokens)

    def _wrong_verdict(self, row: Connection, plot: Plot) -> str | None:
        """Tell whether a person is asked to connect again for no reason, or for another than is told."""
        given_up = self.zendesk.by_refresh(refresh_of(row))
        if given_up.alive:
            return "I11: a connection was given up whose refresh token lives"
        if plot.revoked or self.zendesk.has_ended_family:
            return None
        successor = next((pair for pair in self.zendesk.pairs if pair.parent == given_up.number), None)
        if successor is None:
            return f"I2: a connection was given up, and {given_up.refresh} was revoked by ourselves"
        receiver = successor.receiver
        if receiver is not None and not receiver.killed:
            return "I2: a connection was given up although Zendesk's last answer had arrived"
        if row.reconnect_reason != LossReason.ANSWER_LOST:
            return f"I2: an answer was lost, and what is told is {row.reconnect_reason}"
        return None


def is_plain(plot: Plot, budget: Budget) -> bool:
    """Whether a token that was due was met, and nothing else happened."""
    whole = (plot.harms, plot.ticks) == (budget.harms, budget.ticks)
    is_alone = not (plot.disconnects or plot.reinstalls or plot.replaced or plot.skews)
    return whole and is_alone and plot.lies == budget.lies
