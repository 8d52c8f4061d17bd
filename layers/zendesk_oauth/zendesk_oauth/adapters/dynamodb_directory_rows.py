"""A connection's row without what is sealed: which attributes are read, and what they say."""

from datetime import datetime

from zendesk_oauth.adapters.dynamodb_attributes import Item, instant_of, optional_text, scopes_of
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.connection_summary import ClaimSummary, ConnectionSummary, DisconnectSummary
from zendesk_oauth.models.subdomain import Subdomain

PROJECTED = (
    *("grant", "subdomain", "status", "epoch", "generation", "scopes", "missing_scopes"),
    *("issued_at", "expires_at", "refresh_at", "refresh_expires_at", "keep_alive_at"),
    *("established_at", "connected_at", "reconnect_reason", "reconnect_since"),
    *("authorized_user_id", "authorized_user_role", "user_reference"),
    *("claim_state", "claim_until", "retry_at"),
    *("disconnecting_since", "disconnected_at", "revocation"),
    "install_id",
)
"""All that is asked for: no ciphertext, no wrapped key, and no claim's id."""


def summary_of(item: Item) -> ConnectionSummary:
    """Return what a row says of itself."""
    return ConnectionSummary(
        grant=item["grant"]["S"],
        subdomain=Subdomain(item["subdomain"]["S"]),
        status=ConnectionStatus(item["status"]["S"]),
        epoch=int(item["epoch"]["N"]),
        generation=int(item["generation"]["N"]),
        scopes=scopes_of(item, "scopes"),
        missing_scopes=scopes_of(item, "missing_scopes"),
        issued_at=_instant(item, "issued_at"),
        expires_at=_instant(item, "expires_at"),
        refresh_at=_instant(item, "refresh_at"),
        refresh_expires_at=_instant(item, "refresh_expires_at"),
        keep_alive_at=_instant(item, "keep_alive_at"),
        established_at=_instant(item, "established_at"),
        connected_at=_instant(item, "connected_at"),
        reconnect_reason=optional_text(item, "reconnect_reason"),
        reconnect_since=_instant(item, "reconnect_since"),
        authorized_user_id=_number(item, "authorized_user_id"),
        authorized_user_role=optional_text(item, "authorized_user_role"),
        user_reference=optional_text(item, "user_reference"),
        claim=_claim(item),
        retry_at=_instant(item, "retry_at"),
        disconnect=_disconnect(item),
        install_id=optional_text(item, "install_id"),
    )


def _claim(item: Item) -> ClaimSummary | None:
    state = optional_text(item, "claim_state")
    return None if state is None else ClaimSummary(state, instant_of(item, "claim_until"))


def _disconnect(item: Item) -> DisconnectSummary | None:
    since, ended_at = _instant(item, "disconnecting_since"), _instant(item, "disconnected_at")
    if since is None and ended_at is None:
        return None
    return DisconnectSummary(since, ended_at, optional_text(item, "revocation"))


def _instant(item: Item, name: str) -> datetime | None:
    return instant_of(item, name) if name in item else None


def _number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None
