"""A connection's row as the refresh protocol sees it: what is read of it, and what its superseded pairs are.

A superseded pair lies under the id of the commit that put it there: that of the install that replaced it, or its own
where its row never wanted it. Its seal is bound to its own commit id, which lies beside it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from zendesk_oauth.adapters.dynamodb_attributes import (
    LOSS,
    MAY_HAVE_LOST,
    SEALED,
    Item,
    instant,
    instant_of,
    optional_text,
    scopes_of,
    sealed_attributes,
    sealed_token,
    superseded_name,
)
from zendesk_oauth.models.connection import ConnectionStatus, TokenTimes
from zendesk_oauth.models.refresh import Claim, Connection, LossReason, Superseded, Version
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealedPair

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

LIVING = "living"
UNRESOLVED = "unresolved"
CLAIM = ("claim_id", "claim_until", "claim_state")
"""The three attributes of a claim: all there, or none."""
CONNECTION = (
    *("grant", "subdomain", "epoch", "generation", "status", "scopes"),
    *("issued_at", "established_at", "expires_at", "refresh_at", "refresh_expires_at", "keep_alive_at"),
    *("commit_id", *SEALED, *CLAIM),
    *("retry_at", "reconnect_reason", "reconnect_since", "install_id"),
)
"""All that `connection_of` reads: superseded pairs are not among it, which may be many."""
_COMMIT_PREFIX = superseded_name("commit_id", "")


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
    )


def times_attributes(times: TokenTimes) -> "dict[str, AttributeValueTypeDef]":
    """Return the four instants of a pair."""
    return {
        "expires_at": instant(times.expires_at),
        "refresh_at": instant(times.refresh_at),
        "refresh_expires_at": instant(times.refresh_expires_at),
        "keep_alive_at": instant(times.keep_alive_at),
    }


def superseded_of(item: Item) -> tuple[Superseded, ...]:
    """Return the pairs that a row keeps for revocation, each once, though two commits may have put it there."""
    pairs: dict[str, Superseded] = {}
    for put_by, own in _commits(item):
        pair = _superseded(item, put_by)
        before = pairs.get(own)
        pairs[own] = replace(pair, may_have_lost=True) if before and before.may_have_lost else pair
    return tuple(pairs.values())


def superseded_places_of(item: Item) -> tuple[Superseded, ...]:
    """Return what lies in each place of a superseded pair: one that two commits have put there comes twice."""
    return tuple(_superseded(item, put_by) for put_by, _ in _commits(item))


def superseding_commits(item: Item, superseded: Superseded) -> list[str]:
    """Return the ids of the commits under which this pair lies."""
    return [put_by for put_by, own in _commits(item) if own == superseded.sealed.commit_id]


def superseded_attributes(superseded: Superseded) -> "dict[str, AttributeValueTypeDef]":
    """Return what is kept of a pair that its row never wanted, by the names it has in a row of its own."""
    kept = sealed_attributes(superseded.sealed) | {"expires_at": instant(superseded.access_expires_at)}
    return kept | ({MAY_HAVE_LOST: {"BOOL": True}} if superseded.may_have_lost else {})


def _commits(item: Item) -> Iterator[tuple[str, str]]:
    """Name each commit that put a superseded pair there, with the pair's own; the oldest rows have no list of them."""
    for name in sorted(item):
        if name.startswith(_COMMIT_PREFIX):
            yield name.removeprefix(_COMMIT_PREFIX), item[name]["S"]


def _superseded(item: Item, put_by: str) -> Superseded:
    pair = {name: item[superseded_name(name, put_by)] for name in (*SEALED, "commit_id", "expires_at")}
    sealed = SealedPair(
        pair["commit_id"]["S"], sealed_token(pair, "access_token"), sealed_token(pair, "refresh_token")
    )
    return Superseded(sealed, instant_of(pair, "expires_at"), _may_have_lost(item, put_by))


def _may_have_lost(item: Item, put_by: str) -> bool:
    claim, reason = (optional_text(item, superseded_name(name, put_by)) for name in LOSS)
    is_told = superseded_name(MAY_HAVE_LOST, put_by) in item
    return is_told or bool(claim) or reason == LossReason.ANSWER_LOST


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
