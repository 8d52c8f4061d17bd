import json

import pytest

from benchmarks.answers import Call
from benchmarks.capacity import item_bytes, read_units, writes


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "é"}, 2),
        ({"N": "1795000000"}, 6),
        ({"B": "AAAA"}, 3),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 3 + 3 + 2),
        ({"M": {"k": {"S": "v"}}}, 3 + 1 + 1 + 1),
        ({"BOOL": True}, 1),
    ],
)
def test_a_value_has_the_size_that_dynamodb_bills(value: dict[str, object], size: int) -> None:
    """Sizes follow the Developer Guide's rules for each type, on top of the attribute's name."""
    assert item_bytes({"name": value}) == 4 + size


def test_a_put_is_billed_by_the_kilobyte() -> None:
    """An item of a byte more than 1,024 is two units."""
    body = {"TableName": "installs", "Item": {"id": {"S": "x" * 1023}}}
    (write,) = writes(Call("DynamoDB.PutItem", json.dumps(body)), {})
    assert (write.bytes, write.units) == (1025, 2)


UPDATE = {
    "TableName": "connections",
    "Key": {"k": {"S": "default#acme"}},
    "UpdateExpression": "SET #a = :a, #epoch = if_not_exists(#epoch, :zero) + :one REMOVE #gone",
    "ExpressionAttributeNames": {"#a": "keep_alive_shard", "#epoch": "epoch", "#gone": "gone"},
    "ExpressionAttributeValues": {":a": {"S": "shard-01"}, ":zero": {"N": "0"}, ":one": {"N": "1"}},
}


def test_an_update_is_billed_for_the_whole_row() -> None:
    """What the row held before counts as well as what is assigned."""
    (write,) = writes(Call("DynamoDB.UpdateItem", json.dumps(UPDATE)), {"before": {"S": "x" * 94}})
    assert write.bytes == (6 + 94) + (1 + 12) + (16 + 8) + (5 + 2)
    assert write.units == 1 + 1


def test_a_transaction_is_billed_twice_and_a_sparse_index_once() -> None:
    """Each row of a transaction costs two units a kilobyte, and a row that enters an index one more."""
    body = {"TransactItems": [{"Update": UPDATE}]}
    (write,) = writes(Call("DynamoDB.TransactWriteItems", json.dumps(body)), {"id": {"S": "another row"}})
    assert (write.table, write.units) == ("connections", 2 + 1)


INDEXED = {
    "connection_key": {"S": "default#acme"},
    "list_shard": {"S": "shard-01"},
    "keep_alive_shard": {"S": "shard-01"},
    "keep_alive_at": {"N": "1795000000"},
}


def renewed(**values: str) -> Call:
    """Return an update of the indexed row that assigns these numbers."""
    update = {
        "TableName": "connections",
        "Key": {"connection_key": {"S": "default#acme"}},
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
        "ExpressionAttributeNames": {f"#{name}": name for name in values},
        "ExpressionAttributeValues": {f":{name}": {"N": value} for name, value in values.items()},
    }
    return Call("DynamoDB.UpdateItem", json.dumps(update))


def test_a_row_that_enters_every_index_is_billed_for_each() -> None:
    """The first install puts its row into the listing too, not only where it is kept alive."""
    item = INDEXED | {"unfinished_shard": {"S": "shard-01"}, "unfinished_at": {"N": "1"}}
    (write,) = writes(Call("DynamoDB.PutItem", json.dumps({"TableName": "connections", "Item": item})), {})
    assert write.units == 1 + 3


@pytest.mark.parametrize(
    ("update", "units"),
    [(renewed(keep_alive_at="1799000000"), 1 + 2), (renewed(expires_at="1799000000"), 1)],
    ids=["its place in one changes", "none of its keys changes"],
)
def test_an_index_is_written_where_its_keys_change(update: Call, units: int) -> None:
    """An entry that moves is taken away and put elsewhere, and one that stays is not written at all."""
    (write,) = writes(update, INDEXED)
    assert write.units == units


@pytest.mark.parametrize(("consistent", "units"), [(True, 2), (False, 1)])
def test_a_read_is_billed_by_four_kilobytes(*, consistent: bool, units: float) -> None:
    """The whole row counts, whatever part of it is asked for, and half where it may be stale."""
    call = Call("DynamoDB.GetItem", json.dumps({"ConsistentRead": consistent}))
    assert read_units(call, {"key": {"S": "x" * 4096}}) == units
    assert read_units(call, {}) == 0


@pytest.mark.parametrize("name", ["KMS.GenerateDataKey", "DynamoDB.Query"])
def test_what_writes_nothing_costs_no_write(name: str) -> None:
    """Reads and other services use no write units."""
    assert writes(Call(name, "{}"), {}) == []
