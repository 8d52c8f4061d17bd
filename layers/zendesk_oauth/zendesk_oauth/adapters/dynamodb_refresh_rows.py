"""What the refresh protocol writes to a connection's row, each write with its conditions by their names.

Each of them is necessary: `make simulate` plays the schedule that goes wrong without it. All of them speak of what the
row says, so none makes a row where there is none, but for the one that keeps a replaced pair. A row stands in the
index `unfinished` exactly while it is being disconnected: the writes that change the one change the other.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from zendesk_oauth.adapters.dynamodb_attributes import (
    SEALED,
    instant,
    number,
    scope_list,
    sealed_attributes,
    text,
    unfinished_attributes,
)
from zendesk_oauth.adapters.dynamodb_connection_attributes import (
    CLAIM,
    LIVING,
    UNRESOLVED,
    times_attributes,
)
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.adapters.dynamodb_replaced_rows import replaced_update
from zendesk_oauth.models.connection import (
    REPLACED_KEPT,
    ConnectionStatus,
    connection_key,
    keep_alive_shard,
)
from zendesk_oauth.models.refresh import Claim, Connection, LossReason, Renewal, Version

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_SAME_VERSION = "#epoch = :epoch AND #generation = :generation"
_SAME_EPOCH = "#epoch = :epoch"
_SAME_STATUS = "#status = :seen"
_OWN_CLAIM = "#claim_id = :claim"
_NO_CLAIM = "attribute_not_exists(#claim_id)"
_CLAIM_IS_OVER = "#claim_state <> :living OR #claim_until <= :now"
_ACTIVE = "#status = :active"
_ACTIVE_OR_JUDGED = "#status IN (:active, :judged)"
_DISCONNECTING = "#status = :disconnecting"

CONDITIONS: Mapping[str, dict[str, str]] = {
    "claim": {
        "same version": _SAME_VERSION,
        "same status": _SAME_STATUS,
        "no claim but the one seen": _NO_CLAIM,
    },
    "claim after another": {
        "same version": _SAME_VERSION,
        "same status": _SAME_STATUS,
        "no claim but the one seen": f"#claim_id = :before AND ({_CLAIM_IS_OVER})",
    },
    "release": {"own claim": _OWN_CLAIM},
    "leave unresolved": {"own claim": _OWN_CLAIM},
    "commit": {"same version": _SAME_VERSION, "neither disconnected nor judged meanwhile": _ACTIVE},
    "commit over a verdict": {"same version": _SAME_VERSION, "not disconnected meanwhile": _ACTIVE_OR_JUDGED},
    "commit for a disconnect": {"same version": _SAME_VERSION, "still disconnecting": _DISCONNECTING},
    "require reconnect": {
        "same version": _SAME_VERSION,
        "active": _ACTIVE,
        "nobody else's living claim": f"{_NO_CLAIM} OR {_OWN_CLAIM} OR {_CLAIM_IS_OVER}",
    },
    "mark disconnecting": {"same epoch": _SAME_EPOCH, "active or judged": _ACTIVE_OR_JUDGED},
    "erase": {"same version": _SAME_VERSION},
    "postpone": {"unfinished": "attribute_exists(#unfinished_shard)"},
}
"""Every condition of every write of a refresh or a disconnect."""
_TRACES = ("retry_at", "reconnect_reason", "reconnect_since")
"""What an earlier attempt left behind, and the next pair ends."""
_STATUSES: "Mapping[str, AttributeValueTypeDef]" = {
    ":active": text(ConnectionStatus.ACTIVE),
    ":judged": text(ConnectionStatus.RECONNECT_REQUIRED),
    ":disconnecting": text(ConnectionStatus.DISCONNECTING),
}


def claim_update(connection: Connection, claim: Claim, now: datetime) -> ConditionalUpdate:
    """Return the write that takes the claim, after the one that was seen on the row if there was one."""
    before = connection.claim
    values = _version(connection.version) | {":seen": text(connection.status)}
    if before is not None:
        values |= {":before": text(before.claim_id), ":living": text(LIVING), ":now": instant(now)}
    return ConditionalUpdate(
        conditions=_conditions("claim" if before is None else "claim after another"),
        assigned={
            "claim_id": text(claim.claim_id),
            "claim_until": instant(claim.until),
            "claim_state": text(LIVING),
        },
        values=values,
    )


def release_update(claim: Claim, retry_at: datetime | None) -> ConditionalUpdate:
    """Return the write that gives the claim back."""
    return ConditionalUpdate(
        conditions=_conditions("release"),
        assigned={"retry_at": instant(retry_at)} if retry_at else {},
        removed=CLAIM if retry_at else (*CLAIM, "retry_at"),
        values={":claim": text(claim.claim_id)},
    )


def unresolved_update(claim: Claim, retry_at: datetime) -> ConditionalUpdate:
    """Return the write that marks the claim."""
    return ConditionalUpdate(
        conditions=_conditions("leave unresolved"),
        assigned={
            "claim_state": text(UNRESOLVED),
            "claim_until": instant(claim.until),
            "retry_at": instant(retry_at),
        },
        values={":claim": text(claim.claim_id)},
    )


def commit_update(renewal: Renewal, *, over_verdict: bool = False) -> ConditionalUpdate:
    """Return the write of the next generation of an active row, or `over_verdict` also of a judged one.

    What is missing is a set, which the renewal brings whole: a scope that is granted again is missing no more.
    """
    shard = text(keep_alive_shard(connection_key(renewal.grant, renewal.subdomain)))
    return ConditionalUpdate(
        conditions=_conditions("commit over a verdict" if over_verdict else "commit"),
        assigned=_renewed(renewal)
        | {
            "status": _STATUSES[":active"],
            "keep_alive_shard": shard,
            "list_shard": shard,
            "missing_scopes": scope_list(renewal.lost_scopes),
        },
        removed=(*CLAIM, *_TRACES),
        values=_version(renewal.replaces)
        | _statuses(*([":active", ":judged"] if over_verdict else [":active"])),
    )


def commit_for_disconnect_update(renewal: Renewal) -> ConditionalUpdate:
    """Return the write of a generation that only serves to be revoked: the row stays as it is otherwise."""
    return ConditionalUpdate(
        conditions=_conditions("commit for a disconnect"),
        assigned=_renewed(renewal),
        removed=(*CLAIM, *_TRACES),
        values=_version(renewal.replaces) | _statuses(":disconnecting"),
    )


def require_reconnect_update(
    connection: Connection, claim: Claim, reason: LossReason, now: datetime
) -> ConditionalUpdate:
    """Return the write of the verdict; what needs a person needs no keep-alive."""
    return ConditionalUpdate(
        conditions=_conditions("require reconnect"),
        assigned={
            "status": _STATUSES[":judged"],
            "reconnect_reason": text(reason),
            "reconnect_since": instant(now),
        },
        removed=(*CLAIM, "keep_alive_shard"),
        values=_version(connection.version)
        | _statuses(":active")
        | {":claim": text(claim.claim_id), ":living": text(LIVING), ":now": instant(now)},
    )


def mark_disconnecting_update(key: str, epoch: int, now: datetime) -> ConditionalUpdate:
    """Return the write that stops the use of the connection of that key and epoch; a claim on it stays."""
    return ConditionalUpdate(
        conditions=_conditions("mark disconnecting"),
        assigned={"status": _STATUSES[":disconnecting"], "disconnecting_since": instant(now)}
        | unfinished_attributes(keep_alive_shard(key), now),
        removed=("keep_alive_shard",),
        values={":epoch": number(epoch)} | _statuses(":active", ":judged"),
    )


def erase_update(connection: Connection, revocation: str, now: datetime) -> ConditionalUpdate:
    """Return the write that leaves a tombstone: no ciphertext, no key, and how it ended.

    DynamoDB deletes that of a replaced pair, when no renewal can be replayed any more that would bring it back.
    """
    kept = {"delete_at": instant(now + REPLACED_KEPT)} if connection.replaced else {}
    return ConditionalUpdate(
        conditions=_conditions("erase"),
        assigned={
            "status": text(ConnectionStatus.DISCONNECTED),
            "disconnected_at": instant(now),
            "revocation": text(revocation),
        }
        | kept,
        removed=(*SEALED, *CLAIM, *_TRACES, "unfinished_shard", "unfinished_at"),
        values=_version(connection.version),
    )


def keep_replaced_update(renewal: Renewal) -> ConditionalUpdate:
    """Return the write that keeps the pair of a renewal as a replaced one."""
    item = _renewed(renewal) | {
        "grant": text(renewal.grant),
        "subdomain": text(renewal.subdomain),
        "epoch": number(renewal.replaces.epoch),
    }
    return replaced_update(item, renewal.issued_at)


def postpone_update(until: datetime) -> ConditionalUpdate:
    """Return the write that leaves an unfinished row alone until then."""
    return ConditionalUpdate(conditions=_conditions("postpone"), assigned={"unfinished_at": instant(until)})


def _renewed(renewal: Renewal) -> "dict[str, AttributeValueTypeDef]":
    return (
        sealed_attributes(renewal.sealed)
        | times_attributes(renewal.times)
        | {
            "generation": number(renewal.replaces.generation + 1),
            "scopes": scope_list(renewal.scopes),
            "issued_at": instant(renewal.issued_at),
        }
    )


def _conditions(write: str) -> tuple[str, ...]:
    return tuple(CONDITIONS[write].values())


def _version(version: Version) -> "dict[str, AttributeValueTypeDef]":
    return {":epoch": number(version.epoch), ":generation": number(version.generation)}


def _statuses(*names: str) -> "dict[str, AttributeValueTypeDef]":
    return {name: _STATUSES[name] for name in names}
