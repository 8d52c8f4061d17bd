"""The connections' later life in DynamoDB: each step of a refresh or a disconnect is one conditional write of one row.

A failed condition gives the row back, so that nobody has to read it. The SDK repeats a write whose answer was lost:
by the claim, the commit id or the status in that row each write knows itself again; those that say no more than the
row then says already hold a second time.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, cast

from zendesk_oauth.adapters import dynamodb_refresh_rows as rows
from zendesk_oauth.adapters.dynamodb_attributes import Item, instant, instant_of, optional_text, text
from zendesk_oauth.adapters.dynamodb_connection_attributes import CONNECTION, connection_of
from zendesk_oauth.adapters.dynamodb_connection_table import get_row, update_row
from zendesk_oauth.adapters.dynamodb_errors import store_errors
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate, attribute_names
from zendesk_oauth.models.connection import ConnectionStatus, connection_key, named_by
from zendesk_oauth.models.keep_alive import keep_alive_after
from zendesk_oauth.models.refresh import Claim, Connection, DueConnection, LossReason, Renewal
from zendesk_oauth.models.subdomain import Subdomain

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.literals import ReturnValueType

KEEP_ALIVE_INDEX = "keep-alive"
UNFINISHED_INDEX = "unfinished"
_PROJECTION = ", ".join(f"#{name}" for name in CONNECTION)
_NAMES = attribute_names(_PROJECTION)


class DynamoDBRefreshStore(NamedTuple):
    """The port `RefreshStore` on a low-level client: one call per method."""

    client: "DynamoDBClient"
    table: str

    def find(self, grant: str, subdomain: Subdomain, replaced: str | None = None) -> Connection | None:
        """Read one strongly."""
        row = get_row(
            self.client,
            self.table,
            connection_key(grant, subdomain, replaced),
            ProjectionExpression=_PROJECTION,
            ExpressionAttributeNames=_NAMES,
        )
        return connection_of(row) if row else None

    def claim(self, connection: Connection, claim: Claim, now: datetime) -> bool:
        """Take the claim; a row that bears it is our own write, repeated."""
        made, row = self._update(connection.key, rows.claim_update(connection, claim, now))
        return made or (row is not None and optional_text(row, "claim_id") == claim.claim_id)

    def release(self, connection: Connection, claim: Claim, retry_at: datetime | None) -> None:
        """Give the claim back; nothing happens where it is another's, or gone."""
        update = rows.release_update(claim, retry_at)
        self._update(connection.key, _postponed(update, connection, retry_at) if retry_at else update)

    def leave_unresolved(self, connection: Connection, claim: Claim, retry_at: datetime) -> None:
        """Mark the claim; nothing happens where it is another's, or gone."""
        update = rows.unresolved_update(claim, retry_at)
        self._update(connection.key, _postponed(update, connection, retry_at))

    def commit(
        self, renewal: Renewal, *, disconnecting: bool = False, over_verdict: bool = False
    ) -> Connection | None:
        """Write the next generation and return the row, which bears the renewal's commit id if it ever was written."""
        if disconnecting:
            update = rows.commit_for_disconnect_update(renewal)
        else:
            update = rows.commit_update(renewal, over_verdict=over_verdict)
        key = connection_key(renewal.grant, renewal.subdomain, renewal.replaced)
        _, row = self._update(key, update, returned="ALL_NEW")
        return connection_of(row) if row is not None else None

    def keep_replaced(self, renewal: Renewal) -> Connection:
        """Write the pair in a row of its own, and return that, or the one that is there."""
        key = connection_key(renewal.grant, renewal.subdomain, renewal.sealed.commit_id)
        _, row = self._update(key, rows.keep_replaced_update(renewal), returned="ALL_NEW")
        return connection_of(cast("Item", row))

    def require_reconnect(
        self, connection: Connection, claim: Claim, reason: LossReason, now: datetime
    ) -> bool:
        """Judge the row; one of that version that is judged is our own write, repeated, or another's like it."""
        update = rows.require_reconnect_update(connection, claim, reason, now)
        made, row = self._update(connection.key, update)
        if made or row is None:
            return made
        current = connection_of(row)
        is_judged = current.status is ConnectionStatus.RECONNECT_REQUIRED
        return is_judged and current.version == connection.version

    def mark_disconnecting(self, connection: Connection, now: datetime) -> Connection | None:
        """Mark the row and return it; one of that epoch that is marked is our own write, repeated, or another's."""
        update = rows.mark_disconnecting_update(connection.key, connection.version.epoch, now)
        made, row = self._update(connection.key, update, returned="ALL_NEW")
        if row is None:
            return None
        current = connection_of(row)
        is_marked = current.status is ConnectionStatus.DISCONNECTING
        is_same_epoch = current.version.epoch == connection.version.epoch
        return current if made or (is_marked and is_same_epoch) else None

    def erase(self, connection: Connection, revocation: str, now: datetime) -> bool:
        """Leave a tombstone, which keeps its version: the same write holds a second time."""
        made, _ = self._update(connection.key, rows.erase_update(connection, revocation, now))
        return made

    def idle(self, shard: str, now: datetime) -> Iterator[DueConnection]:
        """Name what is due, page after page; only active rows are in the index."""
        return self._due(KEEP_ALIVE_INDEX, "keep_alive", shard, now)

    def unfinished(self, shard: str, now: datetime) -> Iterator[DueConnection]:
        """Name what is due, page after page."""
        return self._due(UNFINISHED_INDEX, "unfinished", shard, now)

    def postpone(self, connection: Connection, until: datetime) -> None:
        """Set when it is due; nothing happens where it is in the index no more."""
        self._update(connection.key, rows.postpone_update(until))

    def _update(
        self, key: str, update: ConditionalUpdate, returned: "ReturnValueType" = "NONE"
    ) -> tuple[bool, Item | None]:
        return update_row(self.client, self.table, key, update, returned)

    def _due(self, index: str, what: str, shard: str, now: datetime) -> Iterator[DueConnection]:
        with store_errors():
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                IndexName=index,
                KeyConditionExpression=f"{what}_shard = :shard AND {what}_at <= :now",
                ExpressionAttributeValues={":shard": text(shard), ":now": instant(now)},
            )
            for page in pages:
                for key in page["Items"]:
                    grant, subdomain, replaced = named_by(key["connection_key"]["S"])
                    yield DueConnection(grant, subdomain, instant_of(key, f"{what}_at"), replaced)


def _postponed(update: ConditionalUpdate, connection: Connection, retry_at: datetime) -> ConditionalUpdate:
    """Return the write that also moves the row in the keep-alive index, where it is due before it may be refreshed.

    `connection` is the row as it was claimed: no one else moves it while the claim is ours.
    """
    keep_alive_at = keep_alive_after(connection, retry_at)
    if keep_alive_at == connection.times.keep_alive_at:
        return update
    return replace(update, assigned={**update.assigned, "keep_alive_at": instant(keep_alive_at)})
