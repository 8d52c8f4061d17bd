"""The row of a replaced pair: a connection that is being disconnected, under a key of its own.

The pair that a newer one replaces is still alive at Zendesk, or may be. It is moved to this row by the write that
replaces it, encrypted as it is, with all that its disconnect has to know: version, scopes, times, and what says that a
response of Zendesk may have been lost.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from zendesk_oauth.adapters.dynamodb_attributes import SEALED, Item, instant, text, unfinished_attributes
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.models.connection import ConnectionStatus, connection_key, keep_alive_shard
from zendesk_oauth.models.subdomain import Subdomain

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

COPIED = (
    *("grant", "subdomain", "epoch", "generation", "scopes", "install_id"),
    *("issued_at", "established_at", "expires_at", "refresh_at", "refresh_expires_at", "keep_alive_at"),
    *("commit_id", *SEALED),
    *("claim_id", "claim_until", "claim_state", "reconnect_reason"),
)
"""What of a row goes along with its pair, where it is there."""
CONDITIONS: Mapping[str, dict[str, str]] = {
    "keep replaced": {"no such row": "attribute_not_exists(#connection_key)"},
    "replace": {
        "same pair": "#commit_id = :replaced_commit",
        "nothing found out since": "#status = :replaced_status AND attribute_not_exists(#claim_id)",
    },
    "replace a claimed one": {
        "same pair": "#commit_id = :replaced_commit",
        "nothing found out since": "#status = :replaced_status AND #claim_id = :replaced_claim",
    },
}
"""The conditions of both writes of a replacement: of the pair's own row, and of the row that it is moved from.

A pair that was kept before stays as it is: it may have been revoked since.
"""


def replaced_key(item: Item) -> str:
    """Return the key of the row that the pair of this one has once it is replaced."""
    return connection_key(item["grant"]["S"], Subdomain(item["subdomain"]["S"]), item["commit_id"]["S"])


def unchanged(item: Item) -> "tuple[tuple[str, ...], dict[str, AttributeValueTypeDef]]":
    """Return the conditions, and their values, on which the pair of this row may be replaced.

    What is moved is what was read. So the row must still have that pair, and say the same of it: whoever has claimed or
    judged it since may have spent its refresh token. A row that was erased since has another status.
    """
    values = {":replaced_commit": item["commit_id"], ":replaced_status": item["status"]}
    if "claim_id" not in item:
        return tuple(CONDITIONS["replace"].values()), values
    claimed = values | {":replaced_claim": item["claim_id"]}
    return tuple(CONDITIONS["replace a claimed one"].values()), claimed


def replaced_write(table: str, item: Item, now: datetime) -> "TransactWriteItemTypeDef":
    """Return that write as one of the transaction that replaces the pair."""
    key = {"connection_key": text(replaced_key(item))}
    return replaced_update(item, now).in_transaction(table, key)


def replaced_update(item: Item, now: datetime) -> ConditionalUpdate:
    """Return the write that keeps the pair of this row as a replaced one, due to be revoked now."""
    copied: dict[str, AttributeValueTypeDef] = {name: item[name] for name in COPIED if name in item}
    return ConditionalUpdate(
        conditions=tuple(CONDITIONS["keep replaced"].values()),
        assigned=copied
        | {"status": text(ConnectionStatus.DISCONNECTING), "disconnecting_since": instant(now)}
        | unfinished_attributes(keep_alive_shard(replaced_key(item)), now),
    )
