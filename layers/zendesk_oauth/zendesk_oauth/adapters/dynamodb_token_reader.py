"""The access tokens in DynamoDB, read as a worker's role may: by key, and never more than ATTRIBUTES.

A worker's policy names the same attributes, so a read that asked for one more would be refused as a whole.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from zendesk_oauth.adapters.dynamodb_attributes import Item, instant_of, optional_text, scopes_of, text
from zendesk_oauth.adapters.dynamodb_errors import store_errors
from zendesk_oauth.models.connection import connection_key
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.token import StoredToken

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

KEY = "connection_key"
ATTRIBUTES = (
    "status",
    "epoch",
    "generation",
    "commit_id",
    "access_token",
    "access_token_key",
    "scopes",
    "expires_at",
    "refresh_at",
    "claim_until",
    "claim_state",
    "reconnect_reason",
    "reconnect_since",
    "disconnecting_since",
    "disconnected_at",
)
"""All that is read. Nothing of a refresh token is among them."""
_PROJECTION = ", ".join(f"#{name}" for name in ATTRIBUTES)
_NAMES = {f"#{name}": name for name in ATTRIBUTES}
_JUDGED = "reconnect_required"
_SINCE = {
    _JUDGED: "reconnect_since",
    "disconnecting": "disconnecting_since",
    "disconnected": "disconnected_at",
}
"""Where a row that is not active says since when."""
_LIVING = "living"
_OVER = datetime.fromtimestamp(0, UTC)
"""The times of a row without a token."""


class DynamoDBTokenReader:
    """The port `TokenReader` on a low-level client."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self.client = client
        self.table = table

    def find(self, grant: str, subdomain: Subdomain, *, consistent: bool) -> StoredToken | None:
        """Read one; None: there is none. Raises StoreUnavailableError, and StoreError where it may not be read."""
        with store_errors():
            answer = self.client.get_item(
                TableName=self.table,
                Key={KEY: text(connection_key(grant, subdomain))},
                ConsistentRead=consistent,
                ProjectionExpression=_PROJECTION,
                ExpressionAttributeNames=_NAMES,
            )
        item = answer.get("Item")
        return stored_token(item, grant, subdomain) if item else None


def stored_token(item: Item, grant: str, subdomain: Subdomain) -> StoredToken:
    """Return what a row says of its access token. One without a token is over, and opens to nothing."""
    status = item["status"]["S"]
    return StoredToken(
        grant=grant,
        subdomain=subdomain,
        status=status,
        epoch=int(item["epoch"]["N"]),
        generation=int(item["generation"]["N"]),
        commit_id=optional_text(item, "commit_id") or "",
        ciphertext=_optional_bytes(item, "access_token"),
        wrapped_key=_optional_bytes(item, "access_token_key"),
        scopes=scopes_of(item, "scopes"),
        expires_at=_optional_instant(item, "expires_at") or _OVER,
        refresh_at=_optional_instant(item, "refresh_at") or _OVER,
        claimed_until=_claimed_until(item),
        reason=optional_text(item, "reconnect_reason") if status == _JUDGED else None,
        since=_optional_instant(item, _SINCE.get(status, "")),
    )


def _claimed_until(item: Item) -> datetime | None:
    """Return the end of a living claim; an unresolved one has no holder who could still be at work."""
    is_living = optional_text(item, "claim_state") == _LIVING
    return _optional_instant(item, "claim_until") if is_living else None


def _optional_instant(item: Item, name: str) -> datetime | None:
    return instant_of(item, name) if name in item else None


def _optional_bytes(item: Item, name: str) -> bytes:
    return item[name]["B"] if name in item else b""
