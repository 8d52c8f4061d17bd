"""A connection's row as the refresh protocol sees it: what is read of it, and what it says."""

from typing import TYPE_CHECKING

from zendesk_oauth.adapters.dynamodb_attributes import (
    SEALED,
    Item,
    instant,
    instant_of,
    optional_text,
    scopes_of,
    sealed_token,
)
from zendesk_oauth.models.connection import ConnectionStatus, TokenTimes, named_by
from zendesk_oauth.models.refresh import Claim, Connection, Version
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

LIVING = "living"
UNRESOLVED = "unresolved"
CLAIM = ("claim_id", "claim_until", "claim_state")
"""The three attributes of a claim: all there, or none."""
CONNECTION = (
    "connection_key",
    *("grant", "subdomain", "epoch", "generation", "status", "scopes", "missing_scopes"),
    *("issued_at", "established_at", "expires_at", "refresh_at", "refresh_expires_at", "keep_alive_at"),
    *("commit_id", *SEALED, *CLAIM),
    *("retry_at", "reconnect_reason", "reconnect_since", "install_id"),
)
"""All that `connection_of` reads."""


def connection_of(item: Item) -> Connection:
    """Return the connection that a row holds.

    A row that was written before there were refreshes has no `issued_at`: its pair is that of its install.
    """
    return Connection(
        grant=item["grant"]["S"],
        subdomain=Subdomain(item["subdomain"]["S"]),
        version=Version(int(item["epoch"]["N"]), int(item["generation"]["N"])),
        status=ConnectionStatus(item["status"]["S"]),
        scopes=scopes_of(item, "scopes"),
        issued_at=instant_of(item, "issued_at" if "issued_at" in item else "established_at"),
        times=TokenTimes(
            expires_at=instant_of(item, "expires_at"),
            refresh_at=instant_of(item, "refresh_at"),
            refresh_expires_at=instant_of(item, "refresh_expires_at"),
            keep_alive_at=instant_of(item, "keep_alive_at"),
        ),
        sealed=_sealed_of(item),
        claim=_claim_of(item),
        retry_at=instant_of(item, "retry_at") if "retry_at" in item else None,
        reconnect_reason=optional_text(item, "reconnect_reason"),
        reconnect_since=instant_of(item, "reconnect_since") if "reconnect_since" in item else None,
        install_id=optional_text(item, "install_id"),
        replaced=named_by(item["connection_key"]["S"])[2],
        missing_scopes=scopes_of(item, "missing_scopes"),
    )


def times_attributes(times: TokenTimes) -> "dict[str, AttributeValueTypeDef]":
    """Return the four instants of a pair."""
    return {
        "expires_at": instant(times.expires_at),
        "refresh_at": instant(times.refresh_at),
        "refresh_expires_at": instant(times.refresh_expires_at),
        "keep_alive_at": instant(times.keep_alive_at),
    }


def _sealed_of(item: Item) -> SealedPair | None:
    if "access_token" not in item:
        return None
    return SealedPair(
        item["commit_id"]["S"], sealed_token(item, "access_token"), sealed_token(item, "refresh_token")
    )


def _claim_of(item: Item) -> Claim | None:
    if "claim_id" not in item:
        return None
    unresolved = item["claim_state"]["S"] == UNRESOLVED
    return Claim(item["claim_id"]["S"], instant_of(item, "claim_until"), unresolved)
