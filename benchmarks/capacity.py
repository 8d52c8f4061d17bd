"""What DynamoDB bills for the requests that the handlers really sent: item bytes and write units.

Source: DynamoDB Developer Guide, "DynamoDB item sizes and formats" and "DynamoDB read and write operations".
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from benchmarks.answers import Call, Json

_UNIT_BYTES = 1024
_CONTAINER_BYTES = 3
_SET = re.compile(r"(#\w+) = (?:if_not_exists\(#\w+, (:\w+)\)(?: \+ :\w+)?|(:\w+))")
INDEXES = ("keep_alive_shard", "revoke_shard")
"""The attributes that put a row into a sparse index; the index is written too, with its keys alone: one unit."""


@dataclass(frozen=True, slots=True)
class Write:
    """One row as it is after a write."""

    table: str
    bytes: int
    units: int


def writes(call: Call, before: Json) -> list[Write]:
    """Return the rows that a call writes; `before` is the install's row as an update finds it."""
    if not call.name.startswith("DynamoDB."):
        return []
    request: dict[str, Any] = json.loads(call.body)
    if call.name == "DynamoDB.PutItem":
        return [_write(request["TableName"], request["Item"], 1)]
    if call.name == "DynamoDB.UpdateItem":
        return [_write(request["TableName"], before | after(request), 1)]
    if call.name == "DynamoDB.TransactWriteItems":
        updates = [each["Update"] for each in request["TransactItems"]]
        return [_write(update["TableName"], _row(update, before), 2) for update in updates]
    return []


def after(update: Mapping[str, Any]) -> Json:
    """Return the attributes that an update leaves behind, by its key and its assignments."""
    names, values = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]
    assigned = {names[name]: values[a or b] for name, a, b in _SET.findall(update["UpdateExpression"])}
    return {**update["Key"], **assigned}


def item_bytes(item: Json) -> int:
    """Return the size of an item: the names of its attributes and their values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _row(update: Json, before: Json) -> Json:
    """Return the row of one update in a transaction: the install's adds to what it was, the connection's is new."""
    return (before if before.items() >= update["Key"].items() else {}) | after(update)


def _write(table: str, item: Json, factor: int) -> Write:
    size = item_bytes(item)
    indexed = sum(1 for attribute in INDEXES if attribute in item)
    return Write(table, size, factor * ceil(size / _UNIT_BYTES) + indexed)


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
