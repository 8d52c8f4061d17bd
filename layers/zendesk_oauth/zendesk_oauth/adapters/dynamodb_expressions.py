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

    `added` and `deleted` are sets, whose members come into an attribute that is a set, or leave it. `values` are
    those that conditions and computed assignments speak of; `names` gives a placeholder another attribute than the
    one it is called after.
    """

    conditions: tuple[str, ...]
    assigned: Mapping[str, "AttributeValueTypeDef"]
    computed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    values: Mapping[str, "AttributeValueTypeDef"] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, "AttributeValueTypeDef"] = field(default_factory=dict)
    deleted: Mapping[str, "AttributeValueTypeDef"] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """Return the expressions as UpdateItem and the Update of a transaction take them."""
        update = self._update_expression()
        condition = " AND ".join(f"({each})" for each in self.conditions)
        return {
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": attribute_names(f"{update} {condition}", self.names),
            "ExpressionAttributeValues": self._new_values() | dict(self.values),
        }

    def in_transaction(
        self, table: str, key: Mapping[str, "AttributeValueTypeDef"], **options: str
    ) -> "TransactWriteItemTypeDef":
        """Return it as one write of a transaction."""
        update = {"TableName": table, "Key": key} | options | self.arguments()
        return {"Update": cast("UpdateTypeDef", update)}

    def _new_values(self) -> "dict[str, AttributeValueTypeDef]":
        new = {"new": self.assigned, "added": self.added, "deleted": self.deleted}
        return {f":{kind}_{name}": value for kind, of in new.items() for name, value in of.items()}

    def _update_expression(self) -> str:
        clauses = {
            "SET": [*(f"#{name} = :new_{name}" for name in self.assigned), *self.computed],
            "REMOVE": [f"#{name}" for name in self.removed],
            "ADD": [f"#{name} :added_{name}" for name in self.added],
            "DELETE": [f"#{name} :deleted_{name}" for name in self.deleted],
        }
        return " ".join(f"{clause} {', '.join(parts)}" for clause, parts in clauses.items() if parts)


def attribute_names(expression: str, names: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the attribute that each `#name` of the expression stands for: itself, unless `names` says otherwise."""
    named = names or {}
    return {f"#{name}": named.get(name, name) for name in _NAME.findall(expression)}
