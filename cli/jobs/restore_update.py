"""The writes of a restore: a row as the backup has it, or its epoch alone.

A row comes back with a raised epoch and without what belonged to its last moment: the claim and the back-off. A living
pair that is replaced moves to a row of its own, as under an install. Such a row comes back like any other.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from zendesk_oauth.adapters.dynamodb_attributes import (
    SEALED,
    Item,
    instant,
    instant_of,
    number,
    optional_text,
    text,
)
from zendesk_oauth.adapters.dynamodb_connection_attributes import CLAIM, CONNECTION, LIVING
from zendesk_oauth.adapters.dynamodb_connection_table import KEY
from zendesk_oauth.adapters.dynamodb_directory_rows import PROJECTED
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.adapters.dynamodb_rekey import MARK
from zendesk_oauth.adapters.dynamodb_replaced_rows import COPIED, unchanged
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import Version

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

RESTORED_FROM = "restored_from"
"""What a row that was brought back says of its origin: the table, and the version that it had there."""
NEEDED = frozenset({"epoch", "generation", "status", "grant", "subdomain"})
"""What every row of ours has."""
SEEN = tuple(dict.fromkeys((KEY, "status", RESTORED_FROM, *COPIED)))
"""All that is read of the stack's own row."""
_WHOLE = {"commit_id", *SEALED, "expires_at", "refresh_at", "refresh_expires_at", "keep_alive_at"}
"""What a pair needs to be disconnected; of less than that nothing could be revoked."""
_OF_THE_MOMENT = (*CLAIM, "retry_at")
_INDEXED = ("keep_alive_shard", "list_shard", "unfinished_shard", "unfinished_at")
_KNOWN = frozenset((*CONNECTION, *PROJECTED, *_INDEXED, MARK, RESTORED_FROM, "delete_at")) - {KEY}
"""Every attribute of a row but its key."""
_SAME_VERSION = "#epoch = :epoch AND #generation = :generation"
_SAME_STATUS = "#status = :status"
_NO_LIVING_CLAIM = "attribute_not_exists(#claim_id) OR #claim_state <> :living OR #claim_until <= :now"
CONDITIONS: Mapping[str, dict[str, str]] = {
    "restore": {"still absent": f"attribute_not_exists(#{KEY})"},
    "restore over": {
        "same version": _SAME_VERSION,
        "same status": _SAME_STATUS,
        "no living claim": _NO_LIVING_CLAIM,
    },
    "raise": {"same version": _SAME_VERSION, "no living claim": _NO_LIVING_CLAIM},
}
"""Every condition of each write. A refresh under way commits on its version, so none may be when that is raised."""


class BackupRow(NamedTuple):
    """A row of the restored table."""

    item: Item

    @property
    def key(self) -> str:
        """The connection's key."""
        return self.item[KEY]["S"]

    @property
    def is_ours(self) -> bool:
        """Whether it is a connection's row."""
        return self.item.keys() >= NEEDED

    @property
    def version(self) -> Version:
        """The version that it had then."""
        return _version(self.item)

    @property
    def issued_at(self) -> datetime:
        """When its pair was issued."""
        return _issued_at(self.item)


class LiveRow(NamedTuple):
    """The stack's own row of the same key, with its pair, sealed, if it is whole."""

    item: Item

    @property
    def version(self) -> Version:
        """Its version."""
        return _version(self.item)

    @property
    def status(self) -> ConnectionStatus:
        """Its status."""
        return ConnectionStatus(self.item["status"]["S"])

    @property
    def issued_at(self) -> datetime:
        """When its pair was issued."""
        return _issued_at(self.item)

    @property
    def restored_from(self) -> str | None:
        """Where an earlier run has brought it from."""
        return optional_text(self.item, RESTORED_FROM)

    def is_replaced_by(self, row: BackupRow) -> bool:
        """Tell whether its pair, which may live, is another than the one that the backup has."""
        is_whole = self.item.keys() >= _WHOLE
        return is_whole and optional_text(self.item, "commit_id") != optional_text(row.item, "commit_id")


def restore_update(
    row: BackupRow, live: LiveRow | None, epoch: int, origin: str, now: datetime
) -> ConditionalUpdate:
    """Return the write: all that the backup has, and nothing else of what the row may have now."""
    attributes = _attributes(row, epoch, origin)
    names = {f"a{place}": name for place, name in enumerate(attributes)}
    conditions = tuple(CONDITIONS["restore" if live is None else "restore over"].values())
    values = {**_seen(live, now), ":status": text(live.status)} if live else {}
    if live is not None and live.is_replaced_by(row):
        still, seen = unchanged(live.item)
        conditions, values = (*conditions, *still), values | seen
    return ConditionalUpdate(
        conditions=conditions,
        assigned={placeholder: attributes[name] for placeholder, name in names.items()},
        removed=tuple(sorted(_KNOWN - attributes.keys())),
        values=values,
        names=names,
    )


def _attributes(row: BackupRow, epoch: int, origin: str) -> "dict[str, AttributeValueTypeDef]":
    """Return what the row will have: the backup's, but for its last moment."""
    left_out = {KEY, *_OF_THE_MOMENT}
    kept: dict[str, Any] = {name: value for name, value in row.item.items() if name not in left_out}
    return kept | {"epoch": number(epoch), RESTORED_FROM: text(origin)}


def raise_update(live: LiveRow, epoch: int, now: datetime) -> ConditionalUpdate:
    """Return the write that raises the epoch of the stack's own row, and changes nothing else of it.

    It does not say that it was brought back, for it was not: who wishes can still bring back what the backup has.
    """
    return ConditionalUpdate(
        conditions=tuple(CONDITIONS["raise"].values()),
        assigned={"epoch": number(epoch)},
        values=_seen(live, now),
    )


def _seen(live: LiveRow, now: datetime) -> "dict[str, AttributeValueTypeDef]":
    """Return what the conditions on the stack's own row speak of."""
    version = {":epoch": number(live.version.epoch), ":generation": number(live.version.generation)}
    return {**version, ":living": text(LIVING), ":now": instant(now)}


def _version(item: Item) -> Version:
    return Version(int(item["epoch"]["N"]), int(item["generation"]["N"]))


def _issued_at(item: Item) -> datetime:
    """Return when a row's pair was issued; the oldest rows are as old as their install."""
    return instant_of(item, "issued_at" if "issued_at" in item else "established_at")
