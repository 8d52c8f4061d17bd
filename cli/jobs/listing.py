"""Every row with a pair, by two indexes: sixteen partitions of each one after the other, keys alone, and never a Scan.

`listing` has the connections. Replaced pairs stand in `unfinished`, beside connections that are being disconnected.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from zendesk_oauth.adapters.dynamodb_attributes import text
from zendesk_oauth.adapters.dynamodb_directory import INDEX
from zendesk_oauth.adapters.dynamodb_errors import store_errors
from zendesk_oauth.adapters.dynamodb_refresh import UNFINISHED_INDEX
from zendesk_oauth.models.connection import REPLACED_MARK, SHARDS, named_by
from zendesk_oauth.models.subdomain import Subdomain

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.literals import SelectType
    from types_boto3_dynamodb.type_defs import QueryOutputTypeDef


class Named(NamedTuple):
    """A row by grant and subdomain; `replaced` names that of a replaced pair."""

    grant: str
    subdomain: Subdomain
    replaced: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionListing:
    """Names rows, on a low-level client. Raises StoreUnavailableError."""

    client: "DynamoDBClient"
    table: str

    def __iter__(self) -> Iterator[Named]:
        """Name each that is there all the while, once."""
        for page in self._pages(INDEX, "list_shard", "ALL_PROJECTED_ATTRIBUTES"):
            for item in page["Items"]:
                yield Named(*named_by(item["connection_key"]["S"]))
        yield from map(Named._make, map(named_by, self._replaced()))

    def count(self) -> int:
        """Return how many there are."""
        connections = sum(page["Count"] for page in self._pages(INDEX, "list_shard", "COUNT"))
        return connections + sum(1 for _ in self._replaced())

    def _replaced(self) -> Iterator[str]:
        """Yield the keys of replaced pairs, of which there are few at any time."""
        for page in self._pages(UNFINISHED_INDEX, "unfinished_shard", "ALL_PROJECTED_ATTRIBUTES"):
            keys = (item["connection_key"]["S"] for item in page["Items"])
            yield from (key for key in keys if key.startswith(REPLACED_MARK))

    def _pages(self, index: str, shard_name: str, select: "SelectType") -> "Iterator[QueryOutputTypeDef]":
        for shard in SHARDS:
            with store_errors():
                yield from self.client.get_paginator("query").paginate(
                    TableName=self.table,
                    IndexName=index,
                    Select=select,
                    KeyConditionExpression=f"{shard_name} = :shard",
                    ExpressionAttributeValues={":shard": text(shard)},
                )
