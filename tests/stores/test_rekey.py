"""What every store must do where pairs are sealed anew: the same pair of the same commit, under other keys."""

from dataclasses import replace

import pytest

from tests.doubles.samples import ACME, GLOBEX
from tests.doubles.scripted import NOON
from tests.stores.refreshing import (
    KEY,
    OURS,
    THEIRS,
    DynamoDBRows,
    RefreshRows,
    due,
    item_of,
    renewal,
    renewed,
    replaced,
    resealed,
)
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import Connection
from zendesk_oauth.models.rekey import SealedRow
from zendesk_oauth.models.tokens import SealedPair, SealedToken

MARK = "one"


def sealed_row(rows: RefreshRows) -> SealedRow:
    """Return what is sealed in the row."""
    found = rows.store.find_sealed("default", ACME)
    assert found is not None
    return found


def test_a_row_is_found_with_its_pair_and_mark(rows: RefreshRows) -> None:
    """A row that nobody has sealed anew has no mark."""
    rows.put(due())
    assert sealed_row(rows) == SealedRow(due(), None)
    rows.store.reseal(due(), resealed("c40"), MARK, NOON)
    assert sealed_row(rows) == SealedRow(due(sealed=resealed("c40")), MARK)


def test_what_was_never_connected_has_nothing_sealed(rows: RefreshRows) -> None:
    """Absence is None, and no write makes a row of it."""
    before = rows.row()
    assert rows.store.find_sealed("default", GLOBEX) is None
    assert not rows.store.reseal(due(), resealed("c40"), MARK, NOON)
    assert rows.row() == before


@pytest.mark.parametrize(
    "connection",
    [
        pytest.param(due(), id="active"),
        pytest.param(due(claim=replace(THEIRS, unresolved=True), retry_at=NOON), id="unresolved"),
        pytest.param(due(claim=replace(THEIRS, until=NOON)), id="a claim that is over"),
        pytest.param(due(status=ConnectionStatus.DISCONNECTING), id="disconnecting"),
        pytest.param(
            due(
                status=ConnectionStatus.RECONNECT_REQUIRED,
                reconnect_reason="answer_lost",
                reconnect_since=NOON,
            ),
            id="judged",
        ),
    ],
)
def test_a_pair_is_laid_under_other_keys_and_nothing_else_is_changed(
    rows: RefreshRows, connection: Connection
) -> None:
    """Version, status, commit, claim and times stay: for everybody else it is the same row."""
    rows.put(connection)
    assert rows.store.reseal(connection, resealed("c40"), MARK, NOON)
    assert rows.store.find("default", ACME) == replace(connection, sealed=resealed("c40"))


def test_sealing_again_leaves_one_mark(rows: RefreshRows) -> None:
    """Marks of campaigns that are long over do not gather in the row."""
    rows.put(due())
    rows.store.reseal(due(), resealed("c40"), MARK, NOON)
    assert rows.store.reseal(due(), resealed("c40", "fresher"), "three", NOON)
    assert sealed_row(rows) == SealedRow(due(sealed=resealed("c40", "fresher")), "three")


def test_a_refresh_that_read_the_row_before_commits_all_the_same(rows: RefreshRows) -> None:
    """It brings the old keys back, and the mark stays, which then fits no longer."""
    rows.put(due(claim=replace(OURS, unresolved=True)))
    rows.store.reseal(due(), resealed("c40"), MARK, NOON)
    assert rows.store.commit(renewal()) == renewed(due())
    assert sealed_row(rows) == SealedRow(renewed(due()), MARK)


def test_a_refresh_in_between_is_not_written_over(rows: RefreshRows) -> None:
    """Whoever read the row before has another pair in hand than the row's."""
    rows.put(due())
    rows.store.commit(renewal())
    assert not rows.store.reseal(due(), resealed("c40"), MARK, NOON)
    assert sealed_row(rows) == SealedRow(renewed(due()), None)


def test_the_row_of_a_replaced_pair_is_sealed_anew(rows: RefreshRows) -> None:
    """It is a row like any other, and found by the name of its pair."""
    rows.put(replaced())
    assert rows.store.reseal(replaced(), resealed("c40"), "one", NOON)
    found = rows.store.find_sealed("default", ACME, "c40")
    assert found == SealedRow(replaced(sealed=resealed("c40")), "one")
    assert rows.store.find_sealed("default", ACME) is None


def test_a_pair_sealed_anew_can_still_be_ended(rows: RefreshRows) -> None:
    """Whoever revokes it has read it before, under the old keys: the row is known by its version."""
    rows.put(replaced())
    rows.store.reseal(replaced(), resealed("c40"), "one", NOON)
    assert rows.store.erase(replaced(), "revoked", NOON)
    found = rows.store.find_sealed("default", ACME, "c40")
    assert found is not None
    assert found.connection.sealed is None


def test_a_mark_is_one_text(dynamodb_rows: DynamoDBRows) -> None:
    """And the write touches no other attribute than the pair's four."""
    dynamodb_rows.put(due())
    half = SealedPair("c40", SealedToken(b"1", b"2"), SealedToken(b"3", b"4"))
    assert dynamodb_rows.store.reseal(due(), half, "one", NOON)
    assert dynamodb_rows.row(KEY) == item_of(due()) | {
        "access_token": {"B": b"1"},
        "access_token_key": {"B": b"2"},
        "refresh_token": {"B": b"3"},
        "refresh_token_key": {"B": b"4"},
        "rekeyed": {"S": "one"},
    }
