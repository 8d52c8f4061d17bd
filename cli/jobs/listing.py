"""Every connection by the index `listing`: its sixteen partitions one after the other, keys alone, and never a Scan."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zendesk_oauth.adapters.dynamodb_attributes import text
from zendesk_oauth.adapters.dynamodb_directory import INDEX
from zendesk_oauth.adapters.dynamodb_errors import store_errors
from zendesk_oauth.models.connection import SHARDS
from zendesk_oauth.models.subdomain import Subdomain

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.literals import SelectType
    from types_boto3_dynamodb.type_defs import QueryOutputTypeDef

type Named = tuple[str, Subdomain]
"""A connection by grant and subdomain."""


@dataclass(frozen=True, slots=True)
class ConnectionListing:
    """Names connections, on a low-level client. Raises StoreUnavailableError."""

    client: "DynamoDBClient"
    table: str

    def __iter__(self) -> Iterator[Named]:
        """Name each that is there all the while, once."""
        for page in self._pages("ALL_PROJECTED_ATTRIBUTES"):
            for item in page["Items"]:
                grant, _, subdomain = item["connection_key"]["S"].partition("#")
                yield grant, Subdomain(subdomain)

    def count(self) -> int:
        """Return how many there are."""
        return sum(page["Count"] for page in self._pages("COUNT"))

    def _pages(self, select: "SelectType") -> "Iterator[QueryOutputTypeDef]":
        for shard in SHARDS:
            with store_errors():
                yield from self.client.get_paginator("query").paginate(
                    TableName=self.table,
                    IndexName=INDEX,
                    Select=select,
                    KeyConditionExpression="list_shard = :shard",
                    ExpressionAttributeValues={":shard": text(shard)},
                )
