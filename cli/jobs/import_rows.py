"""The connections' rows as an import writes them: read without anything sealed, and written by one conditional write.

The write is that of an install, without an install's own row: epoch and generation rise by one, and a pair that is
replaced moves to a row of its own, encrypted as it is, until it is revoked. It asks for nothing of a row to come back.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from cli.jobs.batch_read import BatchRead
from cli.jobs.replacing import is_replaced, is_written
from zendesk_oauth.adapters.dynamodb_attributes import Item, instant_of, optional_text
from zendesk_oauth.adapters.dynamodb_connection_rows import connection_update
from zendesk_oauth.adapters.dynamodb_connection_table import KEY
from zendesk_oauth.adapters.dynamodb_replaced_rows import COPIED
from zendesk_oauth.models.connection import ConnectionStatus, Establishment

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

READ = (KEY, "install_id", "status", "epoch", "refresh_at")
"""What is asked for of every row: nothing sealed."""
READ_TO_REPLACE = tuple(dict.fromkeys((KEY, "status", *COPIED)))
"""What is asked for of a row that is written over: its pair is moved, encrypted as it is."""


class Over(StrEnum):
    """What a row may be that is written over."""

    NOTHING = "nothing"
    """One without a pair: none, or a tombstone."""
    LOST = "one that is lost"
    ANY = "any"


class SeenRow(NamedTuple):
    """What a row says of itself."""

    install_id: str | None
    status: ConnectionStatus
    epoch: int
    refresh_at: datetime | None

    @property
    def is_erased(self) -> bool:
        """Whether it is a tombstone."""
        return self.status is ConnectionStatus.DISCONNECTED


class NewRow(NamedTuple):
    """A row about to be written: what it holds, the id by which its line knows it again, and what it may replace."""

    establishment: Establishment
    install_id: str
    over: Over
    seen: SeenRow | None


@dataclass(frozen=True, slots=True)
class ImportRows:
    """Reads and writes on a low-level client. Every method raises StoreUnavailableError, and StoreError for a refusal.

    `pause` waits that many seconds.
    """

    client: "DynamoDBClient"
    table: str
    pause: Callable[[float], None]

    def find(self, keys: Iterable[str]) -> Mapping[str, SeenRow]:
        """Read rows strongly, by their keys, at most MOST_KEYS; those that there are not are left out."""
        read = BatchRead(self.client, self.table, READ, self.pause)
        return {item[KEY]["S"]: _seen(item) for item in read(keys)}

    def write(self, row: NewRow, now: datetime) -> bool:
        """Write it; False, and nothing was written, where the row is not, or no longer, what may be replaced."""
        if row.over is Over.NOTHING:
            update = connection_update(row.establishment, row.install_id, now)
            return is_written(self.client, self.table, row.establishment.key, update)
        read = BatchRead(self.client, self.table, READ_TO_REPLACE, self.pause)
        replaced = next(iter(read([row.establishment.key])), None)
        if replaced is None or not _may_replace(row, replaced):
            return False
        update = connection_update(row.establishment, row.install_id, now, replaced)
        return is_replaced(self.client, self.table, update, replaced, now)


def _may_replace(row: NewRow, item: Item) -> bool:
    """Tell whether the row is still what was seen, and has a pair; the write asks whether it still is this one."""
    seen = row.seen.epoch if row.seen else None
    is_lost = item["status"]["S"] == ConnectionStatus.RECONNECT_REQUIRED
    return int(item["epoch"]["N"]) == seen and "access_token" in item and (is_lost or row.over is Over.ANY)


def _seen(item: Item) -> SeenRow:
    return SeenRow(
        optional_text(item, "install_id"),
        ConnectionStatus(item["status"]["S"]),
        int(item["epoch"]["N"]),
        instant_of(item, "refresh_at") if "refresh_at" in item else None,
    )
