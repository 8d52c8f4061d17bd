"""A conditional write of DynamoDB, put together from named parts.

Every name in an expression is written `#name` and every value `:value`, so that no reserved word (`status`, `grant`)
can break one, and each sub-condition can stand as a sentence of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef, UpdateTypeDef

_NAME = re.compile(r"#(\w+)")


@dataclass(frozen=True, slots=True)
class ConditionalUpdate:
    """All conditions must hold; then `assigned` and `computed` are set and `removed` is removed.

    `values` are those that conditions and computed assignments speak of; `names` gives a placeholder another attribute
    than the one it is called after.
    """

    conditions: tuple[str, ...]
    assigned: Mapping[str, "AttributeValueTypeDef"]
    computed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    values: Mapping[str, "AttributeValueTypeDef"] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """Return the expressions as UpdateItem and the Update of a transaction take them."""
        update = self._update_expression()
        condition = " AND ".join(f"({each})" for each in self.conditions)
        return {
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": attribute_names(f"{update} {condition}", self.names),
            "ExpressionAttributeValues": {f":new_{name}": value for name, value in self.assigned.items()}
            | dict(self.values),
        }

    def in_transaction(
        self, table: str, key: Mapping[str, "AttributeValueTypeDef"], **options: str
    ) -> "TransactWriteItemTypeDef":
        """Return it as one write of a transaction."""
        update = {"TableName": table, "Key": key} | options | self.arguments()
        return {"Update": cast("UpdateTypeDef", update)}

    def _update_expression(self) -> str:
        clauses = {
            "SET": [*(f"#{name} = :new_{name}" for name in self.assigned), *self.computed],
            "REMOVE": [f"#{name}" for name in self.removed],
        }
        return " ".join(f"{clause} {', '.join(parts)}" for clause, parts in clauses.items() if parts)


def attribute_names(expression: str, names: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the attribute that each `#name` of the expression stands for: itself, unless `names` says otherwise."""
    named = names or {}
    return {f"#{name}": named.get(name, name) for name in _NAME.findall(expression)}
