"""The one write of an import, condition by condition, and what a read asks for."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from cli.jobs.batch_read import ATTEMPTS, BatchRead
from cli.jobs.import_rows import READ, ImportRows, NewRow, Over, SeenRow
from tests.doubles.samples import ACME, establishment
from tests.doubles.scripted import NOON
from tests.dynamodb_local import Tables
from tests.jobs.doubles import Clock
from tests.stores.refreshing import KEY, OURS, due, item_of, pair
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.errors import StoreError, StoreUnavailableError
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import Connection, Version

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

LINE = "L" * 22
LOST = due(
    status=ConnectionStatus.RECONNECT_REQUIRED, reconnect_reason="grant_rejected", reconnect_since=NOON
)
ENDED = due(status=ConnectionStatus.DISCONNECTED, sealed=None)


class Table:
    """The table, and hands for its row."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self.client, self.table = client, table
        self.rows = ImportRows(client, table, Clock().sleep)

    def put(self, connection: Connection | None) -> None:
        """Let this be the row, or let there be none."""
        self.client.delete_item(TableName=self.table, Key={"connection_key": {"S": KEY}})
        if connection is not None:
            self.client.put_item(TableName=self.table, Item=item_of(connection))

    def row(self) -> Any:
        """Return the row, raw."""
        return self.client.get_item(TableName=self.table, Key={"connection_key": {"S": KEY}}).get("Item", {})

    def keys(self) -> set[str]:
        """Return the keys of all rows."""
        return {row["connection_key"]["S"] for row in self.client.scan(TableName=self.table)["Items"]}

    def write(self, over: Over, seen: Connection | None = None, commit_id: str = "commit-1") -> bool:
        """Write the line's row over what was seen."""
        row = SeenRow(None, seen.status, seen.version.epoch, None) if seen else None
        return self.rows.write(NewRow(establishment(commit_id), LINE, over, row), NOON)


@pytest.fixture
def table(dynamodb: "DynamoDBClient", tables: Tables) -> Table:
    """Return the table."""
    return Table(dynamodb, tables.connections)


def test_a_read_asks_for_nothing_sealed(table: Table) -> None:
    """Whose row it is, how it stands, and when it is due."""
    table.put(due())
    found = table.rows.find([KEY, KEY, "default#globex"])
    assert found == {KEY: SeenRow(None, ConnectionStatus.ACTIVE, 3, due().times.refresh_at)}
    assert not set(READ) & {"access_token", "refresh_token", "access_token_key", "refresh_token_key"}
    assert table.write(Over.ANY, due())
    assert table.rows.find([KEY])[KEY].install_id == LINE


def test_a_row_without_times_is_read_too(table: Table) -> None:
    """Nobody knows when it is due."""
    row = item_of(due())
    del row["refresh_at"]
    table.client.put_item(TableName=table.table, Item=row)
    assert table.rows.find([KEY])[KEY].refresh_at is None


@pytest.mark.parametrize("before", [None, ENDED])
def test_a_first_row_and_one_over_a_tombstone(table: Table, before: Connection | None) -> None:
    """Versions count on; nothing waits for its revocation."""
    table.put(before)
    assert table.write(Over.NOTHING)
    row = table.row()
    version = (4, 41) if before else (1, 1)
    assert (int(row["epoch"]["N"]), int(row["generation"]["N"])) == version
    assert (row["install_id"], row["status"]) == ({"S": LINE}, {"S": "active"})
    assert table.keys() == {KEY}


def test_a_lost_row_is_written_over(table: Table) -> None:
    """Its verdict and a claim go, and its pair waits for its revocation."""
    lost = replace(LOST, claim=OURS)
    table.put(lost)
    assert table.write(Over.LOST, lost)
    row = table.row()
    assert row["epoch"] == {"N": "4"}
    assert not {"reconnect_reason", "reconnect_since", "claim_id"} & row.keys()
    replaced = DynamoDBRefreshStore(table.client, table.table).find("default", ACME, "c40")
    assert replaced == replace(lost.as_replaced, reconnect_since=None)


@pytest.mark.parametrize(
    ("over", "seen", "found"),
    [
        pytest.param(Over.NOTHING, None, due(), id="somebody has connected it"),
        pytest.param(
            Over.LOST, LOST, replace(LOST, version=Version(4, 41)), id="lost again, in another epoch"
        ),
        pytest.param(Over.LOST, LOST, due(), id="restored by a late answer"),
        pytest.param(Over.ANY, due(), due(version=Version(4, 41)), id="installed anew"),
        pytest.param(Over.ANY, due(), ENDED, id="erased"),
    ],
)
def test_what_was_not_seen_is_not_written_over(
    table: Table, over: Over, seen: Connection | None, found: Connection
) -> None:
    """The row is as it was, attribute by attribute."""
    table.put(found)
    before = table.row()
    assert not table.write(over, seen)
    assert table.row() == before


@pytest.mark.parametrize(
    ("found", "writes"),
    [
        pytest.param(due(sealed=pair("c41")), False, id="refreshed"),
        pytest.param(replace(due(), claim=OURS), False, id="claimed"),
        pytest.param(LOST, False, id="judged"),
        pytest.param(due(), True, id="nothing"),
    ],
)
def test_what_comes_between_the_read_and_the_write_is_not_written_over(
    table: Table, monkeypatch: pytest.MonkeyPatch, found: Connection, *, writes: bool
) -> None:
    """What is moved away is what was read."""
    table.put(due())
    send = table.client.transact_write_items

    def send_after(**asked: Any) -> Any:
        table.put(found)
        return send(**asked)

    monkeypatch.setattr(table.client, "transact_write_items", send_after)
    assert table.write(Over.ANY, due()) is writes
    assert (len(table.keys()) == 2) is writes


def test_a_pair_that_has_its_row_already_is_not_moved_again(table: Table) -> None:
    """A restore has brought it back beside that row, where it is revoked, or was."""
    ended = replace(due().as_replaced, status=ConnectionStatus.DISCONNECTED, sealed=None)
    table.put(due())
    table.client.put_item(TableName=table.table, Item=item_of(ended))
    assert table.write(Over.ANY, due())
    assert table.row()["install_id"] == {"S": LINE}
    assert DynamoDBRefreshStore(table.client, table.table).find("default", ACME, "c40") == ended


def test_a_table_that_is_busy_with_the_row_is_asked_later(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another transaction is at it; what can never be right is told as that."""
    table.put(due())
    reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
    for code, error in (("TransactionCanceledException", StoreUnavailableError), ("Denied", StoreError)):
        answer: Any = {"Error": {"Code": code}, "CancellationReasons": reasons}
        cancelled = ClientError(answer, "TransactWriteItems")

        def cancel(error: ClientError = cancelled, **_: Any) -> None:
            raise error

        monkeypatch.setattr(table.client, "transact_write_items", cancel)
        with pytest.raises(error):
            table.write(Over.ANY, due())


def test_the_same_commit_is_not_written_twice(table: Table) -> None:
    """The SDK's repeat of a write whose answer was lost replaces nothing."""
    assert table.write(Over.NOTHING)
    before = table.row()
    assert not table.write(Over.ANY, due(version=Version(1, 1)))
    assert table.row() == before


def test_a_table_that_refuses_is_told(table: Table) -> None:
    """It is no row in the way."""
    rows = ImportRows(table.client, "no-such-table", Clock().sleep)
    with pytest.raises(StoreError, match="ResourceNotFoundException"):
        rows.write(NewRow(establishment(), LINE, Over.NOTHING, None), NOON + timedelta(days=1))


class Busy:
    """A client that hands keys back that it was too busy to read, so many times."""

    def __init__(self, client: "DynamoDBClient", times: int) -> None:
        self._client, self._times = client, times

    def batch_get_item(self, **asked: Any) -> Any:
        """Read one row, and hand the others back."""
        (name, wanted), *_ = asked["RequestItems"].items()
        if not self._times:
            return self._client.batch_get_item(**asked)
        self._times -= 1
        first, rest = wanted["Keys"][:1], wanted["Keys"][1:]
        answer = self._client.batch_get_item(RequestItems={name: wanted | {"Keys": first}})
        return {"Responses": answer["Responses"], "UnprocessedKeys": {name: {"Keys": rest}} if rest else {}}


@pytest.mark.parametrize("times", [0, 1, ATTEMPTS - 1])
def test_what_was_not_read_is_asked_for_again(table: Table, times: int) -> None:
    """After growing pauses, until all is there."""
    keys = [f"default#account-{number}" for number in range(20)]
    for key in keys:
        table.client.put_item(TableName=table.table, Item={"connection_key": {"S": key}})
    clock = Clock()
    read = BatchRead(Busy(table.client, times), table.table, ["connection_key"], clock.sleep)  # type: ignore[arg-type]
    assert sorted(item["connection_key"]["S"] for item in read(keys)) == sorted(keys)
    assert clock.slept == [0.1 * 2**number for number in range(times)]


def test_a_batch_that_is_never_read_is_an_outage(table: Table) -> None:
    """Nothing is taken for absent that was not read."""
    read = BatchRead(Busy(table.client, 1000), table.table, ["connection_key"], Clock().sleep)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailableError):
        list(read([f"default#account-{number}" for number in range(20)]))


def test_no_key_is_no_call(table: Table) -> None:
    """A batch of bad lines alone."""
    assert table.rows.find([]) == {}
