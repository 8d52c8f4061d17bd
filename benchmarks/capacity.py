"""What DynamoDB bills for the requests that the handlers really sent: item bytes and write units.

Source: DynamoDB Developer Guide, "DynamoDB item sizes and formats" and "DynamoDB read and write operations".
"""

import base64
import json
from dataclasses import dataclass
from math import ceil
from typing import Any

from benchmarks.answers import Call, Json
from benchmarks.updates import after

_UNIT_BYTES = 1024
_READ_UNIT_BYTES = 4096
_CONTAINER_BYTES = 3
INDEXES = (
    ("keep_alive_shard", "keep_alive_at"),
    ("list_shard", "connection_key"),
    ("revoke_shard", "revoke_at"),
    ("unfinished_shard", "unfinished_at"),
)
"""The keys of each index. A row that has the first is in it, and the index is written too, with its keys alone."""


@dataclass(frozen=True, slots=True)
class Write:
    """One row as it is after a write."""

    table: str
    bytes: int
    units: int


def writes(call: Call, before: Json) -> list[Write]:
    """Return the rows that a call writes; `before` is the row as the situation finds it."""
    if not call.name.startswith("DynamoDB."):
        return []
    request: dict[str, Any] = json.loads(call.body)
    if call.name == "DynamoDB.PutItem":
        return [_write(request["TableName"], request["Item"], 1, {})]
    if call.name == "DynamoDB.UpdateItem":
        return [_write(request["TableName"], before | after(request), 1, before)]
    if call.name == "DynamoDB.TransactWriteItems":
        updates = [each["Update"] for each in request["TransactItems"]]
        found = [before if before.items() >= update["Key"].items() else {} for update in updates]
        return [
            _write(update["TableName"], row | after(update), 2, row)
            for update, row in zip(updates, found, strict=True)
        ]
    return []


def item_bytes(item: Json) -> int:
    """Return the size of an item: the names of its attributes and their values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def read_units(call: Call, row: Json) -> float:
    """Return what a read of the situation's row uses: half as much where it may be stale."""
    if call.name != "DynamoDB.GetItem" or not row:
        return 0
    units = ceil(item_bytes(row) / _READ_UNIT_BYTES)
    return units if json.loads(call.body).get("ConsistentRead") else units / 2


def _write(table: str, item: Json, factor: int, before: Json) -> Write:
    size = item_bytes(item)
    indexed = sum(_entries(before, item, shard, at) for shard, at in INDEXES)
    return Write(table, size, factor * ceil(size / _UNIT_BYTES) + indexed)


def _entries(before: Json, item: Json, shard: str, at: str) -> int:
    """Return what is written to one index: an entry goes, or comes, or (where its keys change) both."""
    old, new = ([row[shard], row.get(at)] if shard in row else None for row in (before, item))
    return 0 if old == new else (old is not None) + (new is not None)


def _value_bytes(value: Json) -> int:
    ((kind, content),) = value.items()
    if kind == "B":
        return len(base64.b64decode(content))
    if kind == "N":
        return ceil(len(content.lstrip("-").replace(".", "")) / 2) + 1
    if kind == "L":
        return _CONTAINER_BYTES + sum(1 + _value_bytes(each) for each in content)
    if kind == "M":
        return _CONTAINER_BYTES + sum(
            1 + len(name.encode()) + _value_bytes(each) for name, each in content.items()
        )
    return len(str(content).encode()) if kind == "S" else 1
