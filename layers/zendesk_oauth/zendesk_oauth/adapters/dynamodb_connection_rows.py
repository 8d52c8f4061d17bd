"""What a commit writes: the connection's row, and the outcome of its install.

Epoch and generation only rise, by expressions, so nobody has to know them beforehand. A claim to refresh and the
traces of a dead status belong to the epoch that ends here, and are removed with it: with a pair that is replaced they
go to that pair's own row.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from zendesk_oauth.adapters.dynamodb_attributes import (
    SEALED,
    Item,
    authorized_by_attributes,
    instant,
    number,
    optional_texts,
    scope_list,
    sealed_attributes,
    text,
)
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.adapters.dynamodb_install_attributes import outcome_kept
from zendesk_oauth.adapters.dynamodb_replaced_rows import unchanged
from zendesk_oauth.models.connection import ConnectionStatus, Establishment, keep_alive_shard
from zendesk_oauth.models.install import Install, InstallStatus

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_COMMIT_IS_NEW = "attribute_not_exists(#commit_id) OR #commit_id <> :mine"
_HAS_NO_PAIR = "attribute_not_exists(#access_token)"
_IS_EXCHANGING = "#status = :exchanging"
_IS_CANDIDATE = "#status = :candidate"
_HANDLE_FITS = "#handle_fingerprint = :handle"
_USER_FITS = "#user_reference = :user"
_COMMIT_FITS = "#commit_id = :mine"
_IS_ALIVE = "#expires_at > :now"
_NEXT_EPOCH = "#epoch = if_not_exists(#epoch, :zero) + :one"
_NEXT_GENERATION = "#generation = if_not_exists(#generation, :zero) + :one"

_ENDS_WITH_THE_EPOCH = (
    "claim_id",
    "claim_until",
    "claim_state",
    "retry_at",
    "reconnect_reason",
    "reconnect_since",
    "disconnecting_since",
    "disconnected_at",
    "revocation",
    "unfinished_shard",
    "unfinished_at",
)
_NOT_IN_EVERY_INSTALL = ("authorized_user_id", "authorized_user_role", "user_reference")


def connection_update(
    establishment: Establishment, install_id: str, now: datetime, replaced: Item | None = None
) -> ConditionalUpdate:
    """Return the write of the connection: for a row without a pair, or for this one, whose pair is moved away."""
    assigned = _connection_attributes(establishment, install_id, now)
    conditions, values = unchanged(replaced) if replaced is not None else ((_HAS_NO_PAIR,), {})
    return ConditionalUpdate(
        conditions=(_COMMIT_IS_NEW, *conditions),
        assigned=assigned,
        computed=(_NEXT_EPOCH, _NEXT_GENERATION),
        removed=(
            *_ENDS_WITH_THE_EPOCH,
            *(name for name in _NOT_IN_EVERY_INSTALL if name not in assigned),
        ),
        values={":mine": text(establishment.sealed.commit_id), ":zero": number(0), ":one": number(1)}
        | values,
    )


def establish_update(establishment: Establishment, now: datetime) -> ConditionalUpdate:
    """Return the outcome of an exchange that made a connection."""
    return ConditionalUpdate(
        conditions=(_IS_EXCHANGING,),
        assigned=_outcome_attributes(establishment, now),
        values={":exchanging": text(InstallStatus.EXCHANGING)},
    )


def confirm_update(install: Install, establishment: Establishment, now: datetime) -> ConditionalUpdate:
    """Return the outcome of a confirmed candidate, which gives up its pair and is no longer due for revocation."""
    return ConditionalUpdate(
        conditions=(_IS_CANDIDATE, _HANDLE_FITS, _USER_FITS, _COMMIT_FITS, _IS_ALIVE),
        assigned=_outcome_attributes(establishment, now),
        removed=(*SEALED, "revoke_shard", "revoke_at"),
        values={
            ":candidate": text(InstallStatus.CANDIDATE),
            ":handle": text(install.handle_fingerprint or ""),
            ":user": text(install.user_reference or ""),
            ":mine": text(establishment.sealed.commit_id),
            ":now": instant(now),
        },
    )


def _outcome_attributes(establishment: Establishment, now: datetime) -> "dict[str, AttributeValueTypeDef]":
    return {
        "status": text(InstallStatus.CONNECTED),
        "commit_id": text(establishment.sealed.commit_id),
        "missing_scopes": scope_list(establishment.missing_scopes),
        "delete_at": outcome_kept(now),
    }


def _connection_attributes(
    establishment: Establishment, install_id: str, now: datetime
) -> "dict[str, AttributeValueTypeDef]":
    times, shard = establishment.times, keep_alive_shard(establishment.key)
    return (
        sealed_attributes(establishment.sealed)
        | authorized_by_attributes(establishment.authorized_by)
        | optional_texts({"user_reference": establishment.user_reference})
        | {
            "status": text(ConnectionStatus.ACTIVE),
            "grant": text(establishment.grant),
            "subdomain": text(establishment.subdomain),
            "scopes": scope_list(establishment.scopes),
            "missing_scopes": scope_list(establishment.missing_scopes),
            "issued_at": instant(establishment.established_at),
            "expires_at": instant(times.expires_at),
            "refresh_at": instant(times.refresh_at),
            "refresh_expires_at": instant(times.refresh_expires_at),
            "keep_alive_shard": text(shard),
            "keep_alive_at": instant(times.keep_alive_at),
            "list_shard": text(shard),
            "install_id": text(install_id),
            "established_at": instant(establishment.established_at),
            "connected_at": instant(now),
        }
    )
