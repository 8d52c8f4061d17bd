"""The connections for operators: found by the index `listing`, read without anything that is sealed.

The index has sixteen partitions. They are read one after the other, each in the order of its keys, so a page begins
where the one before it ended, whatever was added in the meantime; the cursor's own key says in which partition.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from zendesk_oauth.adapters.dynamodb_attributes import text
from zendesk_oauth.adapters.dynamodb_directory_rows import PROJECTED, summary_of
from zendesk_oauth.adapters.dynamodb_errors import store_errors
from zendesk_oauth.adapters.dynamodb_expressions import attribute_names
from zendesk_oauth.errors import StoreUnavailableError
from zendesk_oauth.models.connection import SHARDS, connection_key, keep_alive_shard
from zendesk_oauth.models.connection_summary import ConnectionPage, ConnectionSummary, Cursor, ListQuestion
from zendesk_oauth.models.subdomain import Subdomain

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, KeysAndAttributesTypeDef

INDEX = "listing"
ATTEMPTS = 4
"""Batches asked for by one page: DynamoDB hands back the keys that it was too busy to read."""
LONGEST_FIRST_PAUSE = 0.1
"""Seconds; doubled for each further pause, and drawn between nothing and that."""
_PROJECTION = ", ".join(f"#{name}" for name in PROJECTED)
_NAMES = attribute_names(_PROJECTION)


class DynamoDBConnectionDirectory(NamedTuple):
    """The port `ConnectionDirectory` on a low-level client. `pause` waits that many seconds."""

    client: "DynamoDBClient"
    table: str
    pause: Callable[[float], None] = time.sleep

    def find(self, grant: str, subdomain: Subdomain) -> ConnectionSummary | None:
        """Read one strongly; None: there is none."""
        with store_errors():
            answer = self.client.get_item(
                TableName=self.table,
                Key={"connection_key": text(connection_key(grant, subdomain))},
                ConsistentRead=True,
                ProjectionExpression=_PROJECTION,
                ExpressionAttributeNames=_NAMES,
            )
        return summary_of(answer["Item"]) if "Item" in answer else None

    def page(self, question: ListQuestion) -> ConnectionPage:
        """Return the next page, with a cursor only where there is more."""
        found = list(islice(self._keys(question), question.limit + 1))
        rows = self._read(found[: question.limit])
        is_last = len(found) <= question.limit
        return ConnectionPage(rows, None if is_last else Cursor.of_key(found[question.limit - 1]))

    def _keys(self, question: ListQuestion) -> Iterator[str]:
        """Yield the keys after the cursor, and ask for no partition before its first key is wanted."""
        after = question.after
        first = keep_alive_shard(after.key) if after else SHARDS[0]
        for shard in SHARDS[SHARDS.index(first) :]:
            yield from self._keys_of(shard, question, after if shard == first else None)

    def _keys_of(self, shard: str, question: ListQuestion, after: Cursor | None) -> Iterator[str]:
        query = _query(shard, question)
        if after:
            query["ExclusiveStartKey"] = {"list_shard": text(shard), "connection_key": text(after.key)}
        while True:
            with store_errors():
                answer = self.client.query(TableName=self.table, **query)
            yield from (item["connection_key"]["S"] for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _read(self, keys: Sequence[str]) -> tuple[ConnectionSummary, ...]:
        """Return the rows in the order of their keys, read strongly; one that is gone is left out."""
        rows: dict[str, ConnectionSummary] = {}
        waiting: Sequence[Any] = [{"connection_key": text(key)} for key in keys]
        for attempt in range(ATTEMPTS):
            if not waiting:
                break
            if attempt:
                self.pause(_jittered(attempt))
            waiting = self._read_into(rows, waiting)
        if waiting:
            raise StoreUnavailableError("a batch was not read to its end")
        return tuple(rows[key] for key in keys if key in rows)

    def _read_into(self, rows: dict[str, ConnectionSummary], keys: Sequence[Any]) -> Sequence[Any]:
        """Read a batch, and return the keys that have to be asked for again."""
        wanted: KeysAndAttributesTypeDef = {
            "Keys": keys,
            "ConsistentRead": True,
            "ProjectionExpression": _PROJECTION,
            "ExpressionAttributeNames": _NAMES,
        }
        with store_errors():
            answer = self.client.batch_get_item(RequestItems={self.table: wanted})
        summaries = map(summary_of, answer["Responses"].get(self.table, ()))
        rows.update((summary.key, summary) for summary in summaries)
        unread = answer["UnprocessedKeys"].get(self.table)
        return unread["Keys"] if unread else ()


def _query(shard: str, question: ListQuestion) -> dict[str, Any]:
    """Return one partition's query; it reads at most what a page can need."""
    condition = "#list_shard = :shard"
    values: dict[str, AttributeValueTypeDef] = {":shard": text(shard)}
    if question.grant is not None:
        condition += " AND begins_with(#connection_key, :grant)"
        values[":grant"] = text(connection_key(question.grant, Subdomain("")))
    return {
        "IndexName": INDEX,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": attribute_names(condition),
        "ExpressionAttributeValues": values,
        "Limit": question.limit + 1,
    }


def _jittered(attempt: int) -> float:
    return random.uniform(0, LONGEST_FIRST_PAUSE * 2 ** (attempt - 1))  # noqa: S311 - a pause is no secret
