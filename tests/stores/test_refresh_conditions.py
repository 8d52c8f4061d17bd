"""That every condition of the protocol stands in the adapter, under the name by which the simulation leaves it out.

Each loser here loses for one condition alone: with it he writes nothing, without it he does.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.doubles.scripted import NOON
from tests.simulation.mutations import CONDITIONS, REPLACING, RESEALING
from tests.stores.refreshing import (
    ADAPTER_NAMES,
    OURS,
    THEIRS,
    RefreshRows,
    RowStore,
    due,
    pair,
    renewal,
    replaced,
    resealed,
)
from zendesk_oauth.adapters import dynamodb_replaced_rows
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import Connection, LossReason, Version

SEEN = due()
NEWER = due(version=Version(3, 41))
REINSTALLED = due(version=Version(4, 41))
CLAIMED = due(claim=THEIRS)
LEFT = due(claim=replace(THEIRS, unresolved=True))
ANOTHER = replace(THEIRS, claim_id="another", unresolved=True)
ENDING = due(status=ConnectionStatus.DISCONNECTING)
KEPT_BEFORE = replaced(replaced="c41", status=ConnectionStatus.DISCONNECTED, sealed=None)
JUDGED = due(status=ConnectionStatus.RECONNECT_REQUIRED, reconnect_reason=LossReason.ANSWER_LOST)
ENDED = due(status=ConnectionStatus.DISCONNECTED, sealed=None)


def claim(store: RowStore) -> object:
    """Claim the row that was seen."""
    return store.claim(SEEN, OURS, NOON)


def claim_after_theirs(store: RowStore) -> object:
    """Claim the row that was seen with a claim on it."""
    return store.claim(CLAIMED, OURS, NOON)


def release(store: RowStore) -> object:
    """Give back a claim that may not be ours."""
    store.release(SEEN, OURS, NOON)
    return False


def leave_unresolved(store: RowStore) -> object:
    """Mark a claim that may not be ours."""
    store.leave_unresolved(SEEN, OURS, NOON)
    return False


def commit(store: RowStore) -> object:
    """Commit over the row that was seen."""
    row = store.commit(renewal())
    return row is not None and row.sealed == renewal().sealed


def commit_over_a_verdict(store: RowStore) -> object:
    """Commit over the row that was seen, though it may have been judged meanwhile."""
    row = store.commit(renewal(), over_verdict=True)
    return row is not None and row.sealed == renewal().sealed


def commit_for_a_disconnect(store: RowStore) -> object:
    """Commit over the row that was being disconnected."""
    row = store.commit(renewal(), disconnecting=True)
    return row is not None and row.sealed == renewal().sealed


def require_reconnect(store: RowStore) -> object:
    """Judge the row that was seen."""
    return store.require_reconnect(SEEN, OURS, LossReason.GRANT_REJECTED, NOON)


def mark_disconnecting(store: RowStore) -> object:
    """End the row that was seen."""
    return store.mark_disconnecting(SEEN, NOON) is not None


def erase(store: RowStore) -> object:
    """Erase the row that was seen."""
    return store.erase(SEEN, "revoked", NOON)


def keep_replaced(store: RowStore) -> object:
    """Keep the pair of a renewal that its row does not want."""
    return store.keep_replaced(renewal()).sealed == renewal().sealed


def reseal(store: RowStore) -> object:
    """Seal the row that was seen anew."""
    return store.reseal(SEEN, resealed("c40"), "mark", NOON)


def erase_it(store: RowStore) -> None:
    """Let the row be a tombstone, which keeps its commit id."""
    store.erase(SEEN, "revoked", NOON)


def nothing(_: RowStore) -> None:
    """Leave the row as it is."""


@dataclass(frozen=True, slots=True)
class Loser:
    """Who comes too late: what he does, to which row, and the one condition that stops him."""

    condition: str
    row: Connection
    write: Callable[[RowStore], object]
    before: Callable[[RowStore], None] = nothing


LOSERS = [
    Loser("claim: same version", NEWER, claim),
    Loser("claim: same version", REINSTALLED, claim),
    Loser("claim: same status", ENDING, claim),
    Loser("claim: same version", replace(LEFT, version=NEWER.version), claim_after_theirs),
    Loser("claim: same status", replace(LEFT, status=ENDING.status), claim_after_theirs),
    Loser("claim: no claim but the one seen", LEFT, claim),
    Loser("claim: no claim but the one seen", CLAIMED, claim_after_theirs),
    Loser("claim: no claim but the one seen", replace(LEFT, claim=ANOTHER), claim_after_theirs),
    Loser("claim: no claim but the one seen", SEEN, claim_after_theirs),
    Loser("release: own claim", CLAIMED, release),
    Loser("leave unresolved: own claim", CLAIMED, leave_unresolved),
    Loser("commit: same version", NEWER, commit),
    Loser("commit: same version", REINSTALLED, commit),
    Loser("commit: neither disconnected nor judged meanwhile", ENDING, commit),
    Loser("commit: neither disconnected nor judged meanwhile", JUDGED, commit),
    Loser("commit over a verdict: same version", NEWER, commit_over_a_verdict),
    Loser("commit over a verdict: same version", REINSTALLED, commit_over_a_verdict),
    Loser("commit over a verdict: not disconnected meanwhile", ENDING, commit_over_a_verdict),
    Loser(
        "commit for a disconnect: same version",
        replace(ENDING, version=NEWER.version),
        commit_for_a_disconnect,
    ),
    Loser("commit for a disconnect: still disconnecting", SEEN, commit_for_a_disconnect),
    Loser("require reconnect: same version", NEWER, require_reconnect),
    Loser("require reconnect: same version", REINSTALLED, require_reconnect),
    Loser("require reconnect: active", ENDING, require_reconnect),
    Loser("require reconnect: nobody else's living claim", CLAIMED, require_reconnect),
    Loser("mark disconnecting: same epoch", REINSTALLED, mark_disconnecting),
    Loser("mark disconnecting: active or judged", ENDED, mark_disconnecting),
    Loser("erase: same version", NEWER, erase),
    Loser("erase: same version", REINSTALLED, erase),
    Loser("keep replaced: no such row", KEPT_BEFORE, keep_replaced),
    Loser("reseal: same pair", replace(NEWER, sealed=pair("c41")), reseal),
    Loser("reseal: not erased", SEEN, reseal, erase_it),
    Loser("reseal: no living claim", CLAIMED, reseal),
]
EACH = pytest.mark.parametrize("loser", LOSERS, ids=[loser.condition for loser in LOSERS])


@EACH
def test_i6_a_loser_writes_nothing(rows: RefreshRows, loser: Loser) -> None:
    """And learns that he lost; the winner's row is what it was, attribute by attribute."""
    rows.put(loser.row)
    loser.before(rows.store)
    before = rows.row(loser.row.key)
    assert loser.write(rows.store) is False
    assert rows.row(loser.row.key) == before


@EACH
def test_without_its_condition_a_loser_writes(rows: RefreshRows, loser: Loser) -> None:
    """So it is that condition that stops him, and no other."""
    rows.put(loser.row)
    loser.before(rows.store)
    before = rows.row(loser.row.key)
    rows.leave_out(loser.condition)
    loser.write(rows.store)
    assert rows.row(loser.row.key) != before


def test_the_adapter_has_the_conditions_that_the_simulation_leaves_out() -> None:
    """Neither may have one that the other has not; each has its loser here, or in `test_dynamodb_rows`."""
    of_installs = {name for name in REPLACING if not name.startswith("keep replaced")}
    replaces = {f"replace: {name}" for name in dynamodb_replaced_rows.CONDITIONS["replace"]}
    assert of_installs == replaces | {"connect: no pair"}
    assert dynamodb_replaced_rows.CONDITIONS["replace a claimed one"].keys() == {
        name.removeprefix("replace: ") for name in replaces
    }
    losers = {loser.condition for loser in LOSERS}
    assert set(ADAPTER_NAMES) == set(CONDITIONS | RESEALING | REPLACING) - of_installs == losers
