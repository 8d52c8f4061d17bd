"""Rows by their keys, a batch at a time, read strongly and no more of each than is named."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zendesk_oauth.adapters.dynamodb_attributes import Item, text
from zendesk_oauth.adapters.dynamodb_connection_table import KEY
from zendesk_oauth.adapters.dynamodb_errors import store_errors
from zendesk_oauth.adapters.dynamodb_expressions import attribute_names
from zendesk_oauth.errors import StoreUnavailableError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import KeysAndAttributesTypeDef

MOST_KEYS = 100
"""Rows of one batch: as many as DynamoDB takes."""
ATTEMPTS = 5
FIRST_PAUSE = 0.1
"""Seconds before what DynamoDB was too busy to read is asked for again; doubled each time."""


@dataclass(frozen=True, slots=True)
class BatchRead:
    """Reads the named attributes, the key among them. `pause` waits that many seconds."""

    client: "DynamoDBClient"
    table: str
    attributes: Sequence[str]
    pause: Callable[[float], None]

    def __call__(self, keys: Iterable[str]) -> Iterator[Item]:
        """Yield the rows that there are of at most MOST_KEYS keys, in any order. Raises StoreUnavailableError."""
        waiting: Sequence[Any] = [{KEY: text(key)} for key in dict.fromkeys(keys)]
        pause = FIRST_PAUSE
        for _ in range(ATTEMPTS):
            if not waiting:
                return
            rows, waiting = self._read(waiting)
            yield from rows
            if waiting:
                self.pause(pause)
                pause *= 2
        if waiting:
            raise StoreUnavailableError("a batch was not read to its end")

    def _read(self, keys: Sequence[Any]) -> tuple[Sequence[Item], Sequence[Any]]:
        """Read a batch; return the rows, and the keys that have to be asked for again."""
        projection = ", ".join(f"#{name}" for name in self.attributes)
        wanted: KeysAndAttributesTypeDef = {
            "Keys": keys,
            "ConsistentRead": True,
            "ProjectionExpression": projection,
            "ExpressionAttributeNames": attribute_names(projection),
        }
        with store_errors():
            answer = self.client.batch_get_item(RequestItems={self.table: wanted})
        unread = answer["UnprocessedKeys"].get(self.table)
        return answer["Responses"].get(self.table, ()), unread["Keys"] if unread else ()
