"""The connections' rows as an import writes them: read without anything sealed, and written by one conditional write.

The write is that of an install, without an install's own row: epoch and generation rise by one, and a pair that is
replaced stays sealed as superseded until it is revoked. It asks for nothing of the row to come back.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from cli.jobs.batch_read import BatchRead
from zendesk_oauth.adapters.dynamodb_attributes import Item, instant_of, number, optional_text, text
from zendesk_oauth.adapters.dynamodb_connection_rows import connection_update
from zendesk_oauth.adapters.dynamodb_connection_table import KEY
from zendesk_oauth.adapters.dynamodb_errors import store_errors
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.errors import VersionConflictError
from zendesk_oauth.models.connection import ConnectionStatus, Establishment

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

READ = (KEY, "install_id", "status", "epoch", "refresh_at")
"""All that is asked for: nothing sealed."""
_SAME_EPOCH = "#epoch = :seen"
CONDITIONS: Mapping[str, dict[str, str]] = {
    "import": {},
    "import over a lost one": {"same epoch": _SAME_EPOCH, "still lost": "#status = :judged"},
    "import over any": {"same epoch": _SAME_EPOCH},
}
"""What each write asks for beyond an install's own conditions: that the commit is new, and whether there is a pair."""


class Over(StrEnum):
    """What a row may be that is written over."""

    NOTHING = "import"
    """One without a pair: none, or a tombstone."""
    LOST = "import over a lost one"
    ANY = "import over any"


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
        try:
            with store_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key={KEY: text(row.establishment.key)},
                    ReturnValues="NONE",
                    **import_update(row, now).arguments(),
                )
        except VersionConflictError:
            return False
        return True


def import_update(row: NewRow, now: datetime) -> ConditionalUpdate:
    """Return the write."""
    over = row.over is not Over.NOTHING
    update = connection_update(row.establishment, row.install_id, now, supersedes=over)
    values = dict(update.values)
    if over and row.seen is not None:
        values[":seen"] = number(row.seen.epoch)
    if row.over is Over.LOST:
        values[":judged"] = text(ConnectionStatus.RECONNECT_REQUIRED)
    conditions = (*update.conditions, *CONDITIONS[row.over].values())
    return replace(update, conditions=conditions, values=values)


def _seen(item: Item) -> SeenRow:
    return SeenRow(
        optional_text(item, "install_id"),
        ConnectionStatus(item["status"]["S"]),
        int(item["epoch"]["N"]),
        instant_of(item, "refresh_at") if "refresh_at" in item else None,
    )
