"""Marks a connection as ending, with the refresh protocol's own conditional write.

Unlike the refresh store it asks for nothing of the row to come back, whether the condition holds or not: whoever marks
may not read refresh tokens, not even sealed.
"""

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from zendesk_oauth.adapters.dynamodb_attributes import text
from zendesk_oauth.adapters.dynamodb_errors import store_errors
from zendesk_oauth.adapters.dynamodb_refresh_rows import mark_disconnecting_update
from zendesk_oauth.errors import VersionConflictError
from zendesk_oauth.models.connection_summary import ConnectionSummary

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class DynamoDBDisconnectMarker(NamedTuple):
    """The port `DisconnectMarker` on a low-level client: one write."""

    client: "DynamoDBClient"
    table: str

    def mark_disconnecting(self, connection: ConnectionSummary, now: datetime) -> bool:
        """Mark it; False where it is of another epoch or marked before, by our own repeated write for one."""
        update = mark_disconnecting_update(connection.key, connection.epoch, now)
        try:
            with store_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key={"connection_key": text(connection.key)},
                    ReturnValues="NONE",
                    **update.arguments(),
                )
        except VersionConflictError:
            return False
        return True
