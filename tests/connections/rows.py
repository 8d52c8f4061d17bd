"""Rows of connections as the functions leave them, and how they get into a table."""

from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from tests.doubles.scripted import NOON
from zendesk_oauth.adapters.dynamodb_attributes import instant, number, scope_list, sealed_attributes, text
from zendesk_oauth.models.connection import keep_alive_shard
from zendesk_oauth.models.tokens import SealedPair, SealedToken

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

type Row = dict[str, Any]

SEALED_BYTES = b"a sealed access token", b"its wrapped key", b"a sealed refresh token", b"another wrapped key"
_BATCH = 25
"""As many writes as DynamoDB takes at once."""


def sealed_pair() -> SealedPair:
    """Return a pair that opens nowhere; each of its parts can be looked for."""
    access, access_key, refresh, refresh_key = SEALED_BYTES
    return SealedPair("commit-40", SealedToken(access, access_key), SealedToken(refresh, refresh_key))


def row(
    grant: str = "default",
    subdomain: str = "acme",
    *,
    sealed: SealedPair | None = None,
    now: datetime = NOON,
    without: tuple[str, ...] = (),
    **changes: Any,
) -> Row:
    """Return the row of an active connection of epoch 3, generation 40, refreshed an hour ago."""
    key = f"{grant}#{subdomain}"
    whole: Row = {
        "connection_key": text(key),
        "grant": text(grant),
        "subdomain": text(subdomain),
        "status": text("active"),
        "epoch": number(3),
        "generation": number(40),
        "scopes": scope_list(("users:read", "tickets:read")),
        "missing_scopes": scope_list(("tickets:write",)),
        "issued_at": instant(now - timedelta(hours=1)),
        "expires_at": instant(now + timedelta(hours=47)),
        "refresh_at": instant(now + timedelta(hours=46)),
        "refresh_expires_at": instant(now + timedelta(days=90)),
        "keep_alive_shard": text(keep_alive_shard(key)),
        "keep_alive_at": instant(now + timedelta(days=50)),
        "list_shard": text(keep_alive_shard(key)),
        "install_id": text("A" * 22),
        "established_at": instant(now - timedelta(days=30)),
        "connected_at": instant(now - timedelta(days=30)),
        "authorized_user_id": number(17),
        "authorized_user_role": text("admin"),
        "user_reference": text("user-7"),
        **sealed_attributes(sealed or sealed_pair()),
    }
    return {name: value for name, value in (whole | changes).items() if name not in without}


def put(client: "DynamoDBClient", table: str, *rows: Row) -> None:
    """Write rows, whatever was there."""
    for some in batched(rows, _BATCH, strict=False):
        writes: Any = [{"PutRequest": {"Item": each}} for each in some]
        answer = client.batch_write_item(RequestItems={table: writes})
        assert not answer["UnprocessedItems"]


def read(client: "DynamoDBClient", table: str, key: str = "default#acme") -> Row:
    """Return a row, raw."""
    answer = client.get_item(TableName=table, Key={"connection_key": text(key)}, ConsistentRead=True)
    return answer["Item"]
