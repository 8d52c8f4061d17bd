"""What every store must do where pairs are sealed anew: the same pair of the same commit, under other keys."""

from dataclasses import replace
from typing import Any

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
    pair,
    renewal,
    renewed,
    resealed,
    superseded,
)
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import Connection, Superseded
from zendesk_oauth.models.rekey import SealedRow
from zendesk_oauth.models.tokens import SealedPair, SealedToken

MARKS = frozenset({"one", "two"})
OLD = superseded("old")
OLD_RESEALED = replace(OLD, sealed=resealed("old"))


def sealed_row(rows: RefreshRows) -> SealedRow:
    """Return what is sealed in the row."""
    found = rows.store.find_sealed("default", ACME)
    assert found is not None
    return found


def test_a_row_is_found_with_all_that_is_sealed_in_it(rows: RefreshRows) -> None:
    """Its own pair, the superseded ones, and the marks; a row that nobody has sealed anew has none."""
    rows.put(due())
    assert sealed_row(rows) == SealedRow(due(), (), frozenset())
    rows.store.keep_superseded(due(), OLD)
    rows.store.reseal(due(), resealed("c40"), MARKS, NOON)
    assert sealed_row(rows) == SealedRow(due(sealed=resealed("c40")), (OLD,), MARKS)


def test_what_was_never_connected_has_nothing_sealed(rows: RefreshRows) -> None:
    """Absence is None, and no write makes a row of it."""
    before = rows.row()
    assert rows.store.find_sealed("default", GLOBEX) is None
    assert not rows.store.reseal(due(), resealed("c40"), MARKS, NOON)
    assert not rows.store.reseal_superseded(due(), OLD_RESEALED, "one")
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
    assert rows.store.reseal(connection, resealed("c40"), MARKS, NOON)
    assert rows.store.find("default", ACME) == replace(connection, sealed=resealed("c40"))


def test_sealing_again_says_anew_which_marks_there_are(rows: RefreshRows) -> None:
    """Marks of campaigns that are long over do not gather in the row."""
    rows.put(due())
    rows.store.reseal(due(), resealed("c40"), MARKS, NOON)
    assert rows.store.reseal(due(), resealed("c40", "fresher"), frozenset({"three"}), NOON)
    assert sealed_row(rows) == SealedRow(due(sealed=resealed("c40", "fresher")), (), frozenset({"three"}))


def test_a_refresh_that_read_the_row_before_commits_all_the_same(rows: RefreshRows) -> None:
    """It brings the old keys back, and the marks stay, which then fit no longer."""
    rows.put(due(claim=replace(OURS, unresolved=True)))
    rows.store.reseal(due(), resealed("c40"), MARKS, NOON)
    assert rows.store.commit(renewal()) == renewed(due())
    assert sealed_row(rows) == SealedRow(renewed(due()), (), MARKS)


def test_a_refresh_in_between_is_not_written_over(rows: RefreshRows) -> None:
    """Whoever read the row before has another pair in hand than the row's."""
    rows.put(due())
    rows.store.commit(renewal())
    assert not rows.store.reseal(due(), resealed("c40"), MARKS, NOON)
    assert sealed_row(rows) == SealedRow(renewed(due()), (), frozenset())


def test_a_superseded_pair_is_sealed_anew_beside_the_rows_own(rows: RefreshRows) -> None:
    """Only that one, and its mark comes to those that there are."""
    rows.put(due())
    for commit_id in ("old", "older"):
        rows.store.keep_superseded(due(), superseded(commit_id))
    rows.store.reseal(due(), resealed("c40"), frozenset({"one"}), NOON)
    assert rows.store.reseal_superseded(due(), OLD_RESEALED, "two")
    found = sealed_row(rows)
    assert (found.connection, found.marks) == (due(sealed=resealed("c40")), MARKS)
    assert set(found.superseded) == {OLD_RESEALED, superseded("older")}


def test_a_pair_sealed_anew_is_still_forgotten_when_it_is_revoked(rows: RefreshRows) -> None:
    """Whoever retires it has read it before, under the old keys: it is known by its commit."""
    rows.put(due())
    rows.store.keep_superseded(due(), OLD)
    assert rows.store.reseal_superseded(due(), OLD_RESEALED, "two")
    rows.store.forget_superseded(due(), OLD)
    assert rows.store.superseded(due()) == ()
    assert rows.store.finish(due())


def test_a_pair_that_is_forgotten_is_not_sealed_anew(rows: RefreshRows) -> None:
    """It was revoked meanwhile, and nobody would come back to revoke it again."""
    rows.put(due())
    rows.store.keep_superseded(due(), OLD)
    rows.store.forget_superseded(due(), OLD)
    before = rows.row()
    assert not rows.store.reseal_superseded(due(), OLD_RESEALED, "two")
    assert rows.row() == before


def test_a_tombstones_superseded_pair_is_sealed_anew(rows: RefreshRows) -> None:
    """It waits for its revocation there too."""
    rows.put(due())
    rows.store.keep_superseded(due(), OLD)
    rows.store.erase(due(), "revoked", NOON)
    assert rows.store.reseal_superseded(due(), OLD_RESEALED, "two")
    found = sealed_row(rows)
    assert (found.connection.sealed, found.superseded) == (None, (OLD_RESEALED,))


def forget_between(rows: DynamoDBRows, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a superseded pair be forgotten just after the next look at the row."""
    read = rows.client.get_item

    def read_and_forget(**asked: Any) -> Any:
        answer = read(**asked)
        monkeypatch.setattr(rows.client, "get_item", read)
        rows.store.forget_superseded(due(), OLD)
        return answer

    monkeypatch.setattr(rows.client, "get_item", read_and_forget)


@pytest.mark.parametrize("left_out", [False, True])
def test_a_pair_forgotten_between_the_look_and_the_write_is_not_brought_back(
    dynamodb_rows: DynamoDBRows, monkeypatch: pytest.MonkeyPatch, *, left_out: bool
) -> None:
    """And it is that condition, and no other, which keeps it away."""
    dynamodb_rows.put(due())
    dynamodb_rows.store.keep_superseded(due(), OLD)
    if left_out:
        dynamodb_rows.leave_out("reseal superseded: still there")
    forget_between(dynamodb_rows, monkeypatch)
    assert dynamodb_rows.store.reseal_superseded(due(), OLD_RESEALED, "two") is left_out
    assert ("rekeyed" in dynamodb_rows.row()) is left_out


def test_both_places_of_a_pair_are_sealed_anew(dynamodb_rows: DynamoDBRows) -> None:
    """Replaced by an install, and kept by a commit that came late: no copy stays behind under the old keys."""
    dynamodb_rows.put(due())
    dynamodb_rows.store.keep_superseded(due(), OLD)
    place_again(dynamodb_rows, "install", Superseded(pair("old"), OLD.access_expires_at))
    found = dynamodb_rows.store.find_sealed("default", ACME)
    assert found is not None
    assert found.superseded == (OLD, OLD)
    assert dynamodb_rows.store.reseal_superseded(due(), OLD_RESEALED, "two")
    found = dynamodb_rows.store.find_sealed("default", ACME)
    assert found is not None
    assert found.superseded == (OLD_RESEALED, OLD_RESEALED)


def place_again(rows: DynamoDBRows, put_by: str, kept: Superseded) -> None:
    """Let a superseded pair lie under the id of another commit too."""
    item: dict[str, Any] = {
        f"superseded_{name}_{put_by}": value
        for name, value in item_of(due(sealed=kept.sealed)).items()
        if name.startswith(("access_token", "refresh_token", "commit_id"))
    }
    item[f"superseded_expires_at_{put_by}"] = {"N": str(int(kept.access_expires_at.timestamp()))}
    rows.client.put_item(TableName=rows.table, Item={**rows.row(), **item})


def test_a_mark_is_one_set_of_texts(dynamodb_rows: DynamoDBRows) -> None:
    """And the write touches no other attribute than the pair's four."""
    dynamodb_rows.put(due())
    half = SealedPair("c40", SealedToken(b"1", b"2"), SealedToken(b"3", b"4"))
    assert dynamodb_rows.store.reseal(due(), half, frozenset({"one"}), NOON)
    assert dynamodb_rows.row(KEY) == item_of(due()) | {
        "access_token": {"B": b"1"},
        "access_token_key": {"B": b"2"},
        "refresh_token": {"B": b"3"},
        "refresh_token_key": {"B": b"4"},
        "rekeyed": {"SS": ["one"]},
    }
