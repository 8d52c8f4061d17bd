"""Rows come back out of a restored table: raised, without their last moment, and never over what is younger."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cli.errors import RefusedError
from cli.jobs import restore_rows, restore_update
from cli.jobs.replacing import is_written
from cli.jobs.restore_outcome import RAISED_BY, RestoreOutcome
from cli.jobs.restore_rows import RestoreRows
from cli.jobs.restore_table import RestoreTable, RowReport
from tests.doubles.samples import ACME, GLOBEX
from tests.doubles.scripted import NOON
from tests.dynamodb_local import Tables, create_tables
from tests.jobs.doubles import Clock
from tests.stores.refreshing import KEY, OURS, due, item_of, pair, renewal, resealed, times
from zendesk_oauth.adapters.dynamodb_connection_attributes import connection_of
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.errors import StoreError
from zendesk_oauth.models.connection import ConnectionStatus, keep_alive_shard
from zendesk_oauth.models.refresh import Connection, Version
from zendesk_oauth.models.subdomain import Subdomain

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

RESTORED, DONE, KEPT = RestoreOutcome.RESTORED, RestoreOutcome.DONE, RestoreOutcome.KEPT
RAISED, LATER, BAD = RestoreOutcome.RAISED, RestoreOutcome.LATER, RestoreOutcome.BAD
THEN = due()
"""As the backup has it: epoch 3, generation 40."""
LATER_ON = THEN.issued_at + timedelta(days=3)


class Shelf:
    """The stack's own table, a restored one, and hands for both."""

    def __init__(self, client: "DynamoDBClient", backup: str, live: str) -> None:
        self.client, self.backup, self.live = client, backup, live
        self.clock = Clock()
        self.rows = RestoreRows(client, backup, live, self.clock.sleep)
        self.store = DynamoDBRefreshStore(client, live)

    def keep(self, *connections: Connection, **more: Any) -> None:
        """Put rows into the backup."""
        for connection in connections:
            self.client.put_item(TableName=self.backup, Item=item_of(connection) | more)

    def put(self, connection: Connection, **more: Any) -> None:
        """Put a row into the stack's own table."""
        self.client.put_item(TableName=self.live, Item=item_of(connection) | more)

    def row(self, key: str = KEY) -> Any:
        """Return a row of the stack's own, raw; none where there is none."""
        named: Any = {"connection_key": {"S": key}}
        return self.client.get_item(TableName=self.live, Key=named).get("Item", {})

    def run(self, **options: Any) -> list[RowReport]:
        """Run a restore."""
        return list(RestoreTable(self.rows, self.clock, **options)())

    def outcome(self, **options: Any) -> RestoreOutcome:
        """Run a restore of one row."""
        (report,) = self.run(**options)
        return report.outcome

    def connection(self) -> Connection:
        """Return the row as a refresh sees it."""
        found = self.store.find("default", ACME)
        assert found is not None
        return found

    def replaced(self) -> list[Connection]:
        """Return the pairs that wait for their revocation."""
        rows = self.client.scan(TableName=self.live)["Items"]
        found = [connection_of(row) for row in rows if row["connection_key"]["S"].startswith("~")]
        return [row for row in found if row.sealed]


@pytest.fixture(scope="module")
def backup(dynamodb: "DynamoDBClient") -> Iterator[str]:
    """Give a table of the same form."""
    made = create_tables(dynamodb)
    yield made.connections
    for name in (made.installs, made.connections):
        dynamodb.delete_table(TableName=name)


@pytest.fixture
def shelf(dynamodb: "DynamoDBClient", tables: Tables, backup: str) -> Shelf:
    """Return both tables, empty."""
    for row in dynamodb.scan(TableName=backup)["Items"]:
        dynamodb.delete_item(TableName=backup, Key={"connection_key": row["connection_key"]})
    return Shelf(dynamodb, backup, tables.connections)


def test_a_row_that_is_gone_comes_back(shelf: Shelf) -> None:
    """As it was, sealed as it was, with a raised epoch, and with where it came from."""
    shelf.keep(THEN, user_reference={"S": "user-7"})
    assert shelf.run() == [RowReport(KEY, RESTORED)]
    origin = {"restored_from": {"S": f"{shelf.backup} 3.40"}, "epoch": {"N": str(3 + RAISED_BY)}}
    assert shelf.row() == item_of(THEN) | {"user_reference": {"S": "user-7"}} | origin


def test_claim_and_back_off_stay_behind(shelf: Shelf) -> None:
    """They belong to a moment that is over."""
    shelf.keep(replace(THEN, claim=OURS, retry_at=LATER_ON))
    assert shelf.outcome() is RESTORED
    assert shelf.connection() == replace(THEN, version=Version(1003, 40))


@pytest.mark.parametrize(
    "status",
    [ConnectionStatus.RECONNECT_REQUIRED, ConnectionStatus.DISCONNECTING, ConnectionStatus.DISCONNECTED],
)
def test_a_row_comes_back_whatever_its_status(shelf: Shelf, status: ConnectionStatus) -> None:
    """A tombstone too: a new install counts on from it."""
    then = replace(
        THEN, status=status, sealed=None if status is ConnectionStatus.DISCONNECTED else THEN.sealed
    )
    shelf.keep(then)
    assert shelf.outcome() is RESTORED
    assert shelf.connection() == replace(then, version=Version(1003, 40))


def test_what_was_to_be_revoked_is_looked_after_again(shelf: Shelf) -> None:
    """The rows of replaced pairs come back like any other, and into the index."""
    store = DynamoDBRefreshStore(shelf.client, shelf.backup)
    kept = [store.keep_replaced(renewal(commit_id)) for commit_id in ("old", "older-one_x")]
    assert [report.outcome for report in shelf.run()] == [RESTORED, RESTORED]
    for row in kept:
        back = replace(row, version=Version(1003, 41))
        assert shelf.store.find("default", ACME, row.replaced) == back
        shard = keep_alive_shard(row.key)
        assert row.replaced in [due.replaced for due in shelf.store.unfinished(shard, NOON)]
        assert shelf.store.erase(back, "revoked", NOON)


def test_what_is_not_being_disconnected_leaves_the_index(shelf: Shelf) -> None:
    """The stack's own row was being disconnected: now the backup's connection is there, and its pair elsewhere."""
    ending = replace(THEN, sealed=pair("c41"))
    shelf.keep(THEN)
    shelf.put(ending)
    assert shelf.store.mark_disconnecting(ending, NOON)
    assert shelf.outcome(over_newer=True) is RESTORED
    assert not {"unfinished_shard", "unfinished_at"} & shelf.row().keys()
    assert [row.replaced for row in shelf.replaced()] == ["c41"]


def test_a_second_run_changes_nothing(shelf: Shelf) -> None:
    """Whatever became of the row since: it may have been refreshed or installed anew."""
    shelf.keep(THEN, due(subdomain=GLOBEX))
    assert Counter(report.outcome for report in shelf.run()) == {RESTORED: 2}
    before = shelf.row()
    for options in ({}, {"over_newer": True}):
        assert Counter(report.outcome for report in shelf.run(**options)) == {DONE: 2}
        assert shelf.row() == before
    shelf.put(replace(THEN, version=Version(1004, 41)), restored_from=before["restored_from"])
    assert Counter(report.outcome for report in shelf.run(over_newer=True)) == {DONE: 2}


@pytest.mark.parametrize(
    "live",
    [
        pytest.param(THEN, id="the same"),
        pytest.param(
            replace(THEN, version=Version(3, 41), sealed=pair("c41"), issued_at=LATER_ON), id="refreshed"
        ),
        pytest.param(
            replace(THEN, version=Version(4, 41), sealed=pair("c41"), issued_at=LATER_ON), id="reinstalled"
        ),
        pytest.param(
            replace(THEN, status=ConnectionStatus.DISCONNECTED, sealed=None), id="disconnected since"
        ),
        pytest.param(replace(THEN, status=ConnectionStatus.DISCONNECTING), id="being disconnected"),
        pytest.param(
            replace(
                THEN,
                status=ConnectionStatus.RECONNECT_REQUIRED,
                reconnect_reason="answer_lost",
                reconnect_since=LATER_ON,
            ),
            id="judged since",
        ),
    ],
)
def test_a_row_that_is_as_new_or_newer_is_kept(shelf: Shelf, live: Connection) -> None:
    """Nothing of it is touched: what was done since was done on purpose."""
    shelf.keep(THEN)
    shelf.put(live)
    before = shelf.row()
    assert shelf.outcome() is KEPT
    assert shelf.row() == before


def test_a_row_that_is_older_is_replaced(shelf: Shelf) -> None:
    """By an older copy of the table, for one: nothing that lives is lost, and what it had waits for its revocation."""
    older = replace(
        THEN, version=Version(3, 38), sealed=pair("c38"), issued_at=THEN.issued_at - timedelta(days=4)
    )
    shelf.keep(THEN)
    shelf.clock.seconds = (OURS.until - shelf.clock.now()).total_seconds()
    shelf.put(replace(older, claim=OURS, reconnect_reason="goes along"))
    assert shelf.outcome() is RESTORED
    assert shelf.connection() == replace(THEN, version=Version(1003, 40))
    (replaced,) = shelf.replaced()
    assert replaced == replace(older.as_replaced, claim=OURS, reconnect_reason="goes along")
    assert not {"reconnect_reason", "claim_id"} & shelf.row().keys()
    due_rows = shelf.store.unfinished(keep_alive_shard(replaced.key), shelf.clock.now())
    assert [row.replaced for row in due_rows] == ["c38"]


def test_a_younger_row_of_a_lower_epoch_is_kept_and_raised(shelf: Shelf) -> None:
    """The table was lost, and the account was connected anew: consumers would ignore what comes of it."""
    young = due(version=Version(1, 1), sealed=pair("new"), issued_at=LATER_ON, times=times(LATER_ON))
    shelf.keep(THEN)
    shelf.put(young)
    assert shelf.outcome() is RAISED
    assert shelf.connection() == replace(young, version=Version(1003, 1))
    assert shelf.replaced() == []
    assert shelf.outcome() is KEPT


def test_a_row_that_was_only_raised_can_be_replaced_later(shelf: Shelf) -> None:
    """It never came out of the backup, so a run with `--all` does not take it for one that did."""
    young = due(version=Version(1, 1), sealed=pair("new"), issued_at=LATER_ON, times=times(LATER_ON))
    shelf.keep(THEN)
    shelf.put(young)
    assert shelf.outcome() is RAISED
    assert shelf.outcome(over_newer=True) is RESTORED
    assert shelf.connection() == replace(THEN, version=Version(2003, 40))
    assert shelf.replaced() == [replace(young.as_replaced, version=Version(1003, 1))]


@pytest.mark.parametrize("over_newer", [True, False])
def test_a_row_is_not_replaced_while_it_is_refreshed(shelf: Shelf, *, over_newer: bool) -> None:
    """Not even by its own copy: its refresh commits on its version, and is the only one who has the next pair."""
    live = replace(THEN, version=Version(3, 40 if over_newer else 39), claim=OURS)
    shelf.clock.seconds = (OURS.until - shelf.clock.now()).total_seconds() - 1
    shelf.keep(THEN)
    shelf.put(live)
    assert shelf.outcome(over_newer=over_newer) is LATER
    assert shelf.connection() == live
    shelf.clock.seconds += 2
    assert shelf.outcome(over_newer=over_newer) is RESTORED


def test_a_pair_that_the_backup_has_as_replaced_lies_there_once(shelf: Shelf) -> None:
    """The stack's own row is older than the backup, and has the pair that was replaced since: in any order."""
    older = replace(
        THEN, version=Version(2, 39), sealed=pair("old"), issued_at=THEN.issued_at - timedelta(days=4)
    )
    shelf.keep(THEN, older.as_replaced)
    shelf.put(older)
    assert RESTORED in [report.outcome for report in shelf.run()]
    assert [row.replaced for row in shelf.replaced()] == ["old"]
    assert shelf.connection() == replace(THEN, version=Version(1003, 40))


def test_a_younger_row_is_not_raised_while_it_is_refreshed(shelf: Shelf) -> None:
    """Whoever refreshes it commits on its version, and would lose what Zendesk has just given."""
    young = due(version=Version(1, 1), sealed=pair("new"), issued_at=LATER_ON, claim=OURS)
    shelf.clock.seconds = (OURS.until - shelf.clock.now()).total_seconds() - 1
    shelf.keep(THEN)
    shelf.put(young)
    assert shelf.outcome() is LATER
    assert shelf.connection() == young
    shelf.clock.seconds += 2
    assert shelf.outcome() is RAISED


def test_all_rows_are_replaced_where_that_is_wished(shelf: Shelf) -> None:
    """The epoch is higher than both, and the living pair waits for its revocation as after an install."""
    newer = replace(
        THEN, version=Version(2007, 55), sealed=pair("c55"), issued_at=LATER_ON, times=times(LATER_ON)
    )
    shelf.keep(THEN)
    shelf.put(newer)
    assert shelf.outcome(over_newer=True, raised_by=1) is RESTORED
    assert shelf.connection() == replace(THEN, version=Version(2008, 40))
    assert shelf.replaced() == [newer.as_replaced]


def test_the_same_pair_is_not_replaced_by_itself(shelf: Shelf) -> None:
    """It may have been sealed anew since: what comes back is the backup's seal of the same tokens."""
    shelf.keep(THEN)
    shelf.put(replace(THEN, sealed=resealed("c40")), rekeyed={"S": "mark"})
    assert shelf.outcome(over_newer=True) is RESTORED
    assert shelf.replaced() == []
    assert shelf.connection() == replace(THEN, version=Version(1003, 40))
    assert "rekeyed" not in shelf.row()


@pytest.mark.parametrize("lost", ["access_token", "refresh_token_key", "expires_at", "commit_id"])
def test_a_damaged_row_is_replaced_too(shelf: Shelf, lost: str) -> None:
    """Half a pair is none that could be revoked."""
    shelf.keep(THEN)
    damaged = {name: value for name, value in item_of(due(version=Version(3, 41))).items() if name != lost}
    shelf.client.put_item(TableName=shelf.live, Item=damaged)
    assert shelf.outcome(over_newer=True) is RESTORED
    assert (shelf.connection(), shelf.replaced()) == (replace(THEN, version=Version(1003, 40)), [])


def test_a_tombstone_is_replaced_only_where_that_is_wished(shelf: Shelf) -> None:
    """Its commit id is no pair."""
    shelf.keep(THEN)
    shelf.put(THEN)
    shelf.store.erase(THEN, "revoked", LATER_ON)
    assert shelf.outcome() is KEPT
    assert shelf.outcome(over_newer=True) is RESTORED
    assert (shelf.connection().is_active, shelf.replaced()) == (True, [])
    assert not {"revocation", "disconnected_at"} & shelf.row().keys()


def test_a_dry_run_writes_nothing(shelf: Shelf) -> None:
    """It says what would become of each row."""
    shelf.keep(THEN, due(subdomain=GLOBEX))
    shelf.put(due(subdomain=GLOBEX))
    assert Counter(report.outcome for report in shelf.run(dry_run=True)) == {RESTORED: 1, KEPT: 1}
    assert shelf.row() == {}


def test_a_row_that_is_none_of_ours_is_told(shelf: Shelf) -> None:
    """And the others come back."""
    shelf.client.put_item(TableName=shelf.backup, Item={"connection_key": {"S": "odd"}})
    shelf.keep(THEN)
    assert {report.key: report.outcome for report in shelf.run()} == {"odd": BAD, KEY: RESTORED}


def test_many_rows_come_back_in_batches(shelf: Shelf) -> None:
    """More than one read of the stack's own table takes."""
    for number in range(130):
        shelf.keep(due(subdomain=Subdomain(f"account-{number}")))
    assert Counter(report.outcome for report in shelf.run()) == {RESTORED: 130}


OVERTAKING = [
    pytest.param(
        None, replace(THEN, version=Version(1, 1), issued_at=LATER_ON), RAISED, id="connected meanwhile"
    ),
    pytest.param(None, replace(THEN, version=Version(3, 41)), KEPT, id="restored by others"),
    pytest.param(
        replace(THEN, version=Version(3, 39)),
        replace(THEN, version=Version(3, 41)),
        KEPT,
        id="refreshed meanwhile",
    ),
    pytest.param(
        replace(THEN, version=Version(3, 39)),
        replace(THEN, version=Version(3, 39), status=ConnectionStatus.DISCONNECTING),
        RESTORED,
        id="marked meanwhile",
    ),
]


@pytest.mark.parametrize(("before", "after", "outcome"), OVERTAKING)
def test_a_row_that_changes_meanwhile_is_judged_anew(
    shelf: Shelf,
    monkeypatch: pytest.MonkeyPatch,
    before: Connection | None,
    after: Connection,
    outcome: RestoreOutcome,
) -> None:
    """Between the look and the write: nothing that was not seen is written over."""
    shelf.keep(THEN)
    if before:
        shelf.put(before)
    overtake(shelf, monkeypatch, lambda: shelf.put(after))
    assert shelf.outcome() is outcome


def overtake(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, work: Any) -> None:
    """Let something happen just before the next write."""
    write = shelf.client.update_item

    def overtaken(**asked: Any) -> Any:
        monkeypatch.setattr(shelf.client, "update_item", write)
        work()
        return write(**asked)

    monkeypatch.setattr(shelf.client, "update_item", overtaken)


@pytest.mark.parametrize(
    ("write", "condition", "before", "after"),
    [
        ("restore", "still absent", None, replace(THEN, version=Version(3, 41))),
        (
            "restore over",
            "same version",
            replace(THEN, version=Version(3, 39)),
            replace(THEN, version=Version(3, 41)),
        ),
        (
            "restore over",
            "same status",
            replace(THEN, version=Version(3, 39)),
            replace(THEN, version=Version(3, 39), status=ConnectionStatus.DISCONNECTING),
        ),
        (
            "restore over",
            "no living claim",
            replace(THEN, version=Version(3, 39)),
            replace(THEN, version=Version(3, 39), claim=OURS),
        ),
        (
            "raise",
            "same version",
            replace(THEN, version=Version(1, 1), issued_at=LATER_ON),
            replace(THEN, version=Version(1, 2), sealed=pair("c2"), issued_at=LATER_ON),
        ),
        (
            "raise",
            "no living claim",
            replace(THEN, version=Version(1, 1), issued_at=LATER_ON),
            replace(THEN, version=Version(1, 1), issued_at=LATER_ON, claim=OURS),
        ),
    ],
)
def test_each_condition_stops_a_write_that_comes_too_late(
    shelf: Shelf,
    monkeypatch: pytest.MonkeyPatch,
    write: str,
    condition: str,
    before: Connection | None,
    after: Connection,
) -> None:
    """With it the first write is refused, without it the row that came in between is written over."""
    writes: list[bool] = []

    def noted(*arguments: Any) -> bool:
        writes.append(is_written(*arguments))
        return writes[-1]

    monkeypatch.setattr(restore_rows, "is_written", noted)
    for left_out in (False, True):
        if left_out:
            conditions = restore_update.CONDITIONS[write]
            weak = f"{conditions[condition]} OR attribute_not_exists(#nothing)"
            monkeypatch.setitem(conditions, condition, weak)
        shelf.client.delete_item(TableName=shelf.live, Key={"connection_key": {"S": KEY}})
        shelf.keep(THEN)
        if before:
            shelf.put(before)
        writes.clear()
        overtake(shelf, monkeypatch, lambda: shelf.put(after))
        shelf.run()
        assert writes[0] is left_out


def test_every_condition_has_its_loser() -> None:
    """None stands there without a proof."""
    there = {(write, name) for write, named in restore_update.CONDITIONS.items() for name in named}
    marks = test_each_condition_stops_a_write_that_comes_too_late.pytestmark  # type: ignore[attr-defined]
    shown = {case[:2] for case in marks[0].args[1]}
    assert shown == there


def test_a_table_that_does_not_answer_leaves_a_row_for_later(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go on, and the next run takes it up."""
    from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415 - here alone

    shelf.keep(THEN)

    def unanswered(**_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="x")

    with monkeypatch.context() as patched:
        patched.setattr(shelf.client, "update_item", unanswered)
        assert shelf.outcome() is LATER
    assert shelf.outcome() is RESTORED


@pytest.mark.parametrize("gone", ["backup", "live"])
def test_only_the_restored_table_is_called_missing_when_it_is(shelf: Shelf, gone: str) -> None:
    """The stack's own table may be gone as well: that is no slip of whoever typed the command."""
    shelf.keep(THEN)
    tables = {"backup": shelf.backup, "live": shelf.live} | {gone: "nowhere"}
    rows = RestoreRows(shelf.client, tables["backup"], tables["live"], lambda _: None)
    error = {"backup": RefusedError, "live": StoreError}[gone]
    with pytest.raises(error, match="nowhere" if gone == "backup" else "ResourceNotFoundException"):
        list(RestoreTable(rows, shelf.clock)())


def test_a_row_that_changes_each_time_is_left_for_later(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times are enough."""
    shelf.keep(THEN)
    monkeypatch.setattr(restore_rows, "is_written", lambda *_: False)
    assert shelf.outcome() is LATER
