"""Rows of a restored table, and the stack's own, as a restore reads and writes them: sealed as they are."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cli.errors import RefusedError
from cli.jobs.batch_read import BatchRead
from cli.jobs.replacing import is_replaced, is_written
from cli.jobs.restore_update import SEEN, BackupRow, LiveRow, raise_update, restore_update
from zendesk_oauth.adapters.dynamodb_connection_table import KEY
from zendesk_oauth.adapters.dynamodb_errors import store_errors

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class RestoreRows:
    """Reads both tables and writes to the stack's own. Every method raises StoreUnavailableError.

    `pause` waits that many seconds. A row is busy while somebody refreshes it.
    """

    client: "DynamoDBClient"
    backup_table: str
    table: str
    pause: Callable[[float], None]

    def backup(self) -> Iterator[BackupRow]:
        """Yield every row of the restored table. Raises RefusedError where there is no such table."""
        pages = self.client.get_paginator("scan").paginate(TableName=self.backup_table, ConsistentRead=True)
        with store_errors():
            try:
                for page in pages:
                    yield from map(BackupRow, page["Items"])
            except self.client.exceptions.ResourceNotFoundException:
                raise RefusedError(
                    f"there is no table {self.backup_table}; --from names the restored one"
                ) from None

    def live(self, keys: Iterable[str]) -> Mapping[str, LiveRow]:
        """Read the stack's own rows strongly, by their keys, at most MOST_KEYS."""
        read = BatchRead(self.client, self.table, SEEN, self.pause)
        return {item[KEY]["S"]: LiveRow(item) for item in read(keys)}

    def origin(self, row: BackupRow) -> str:
        """Return by what a row is known that this one was brought back to."""
        return f"{self.backup_table} {row.version.epoch}.{row.version.generation}"

    def restore(self, row: BackupRow, live: LiveRow | None, epoch: int, now: datetime) -> bool:
        """Bring a row back; False, and nothing was written, where the stack's own is not what was seen, or busy."""
        update = restore_update(row, live, epoch, self.origin(row), now)
        if live is None or not live.is_replaced_by(row):
            return is_written(self.client, self.table, row.key, update)
        return is_replaced(self.client, self.table, update, live.item, now)

    def raise_epoch(self, row: BackupRow, live: LiveRow, epoch: int, now: datetime) -> bool:
        """Raise the epoch of the stack's own row; False where it is not what was seen, or busy."""
        return is_written(self.client, self.table, row.key, raise_update(live, epoch, now))
