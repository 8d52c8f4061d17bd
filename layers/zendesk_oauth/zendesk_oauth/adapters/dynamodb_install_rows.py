"""What each step of an install writes to its row, and how a step knows a write of its own again.

DynamoDB removes expired rows days late, so every time limit stands in a condition.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from zendesk_oauth.adapters.dynamodb_attributes import (
    SEALED,
    Item,
    instant,
    instant_of,
    optional_text,
    optional_texts,
    sealed_token,
    text,
)
from zendesk_oauth.adapters.dynamodb_expressions import ConditionalUpdate
from zendesk_oauth.adapters.dynamodb_install_attributes import (
    UNFINISHED_KEPT,
    install_of,
    kept_attributes,
    outcome_kept,
)
from zendesk_oauth.models.connection import Establishment
from zendesk_oauth.models.install import (
    EXCHANGE_LIFE,
    OUTCOME_KEPT,
    PENDING_LIFE,
    InstallStatus,
)
from zendesk_oauth.models.tokens import SealContext
from zendesk_oauth.ports import DueRevocation, OfferedStart, Proof, Verdict

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

REVOCATION_SHARD = "due"
"""One hash value is enough: only installs that hold a token which must not live on are in this sparse index, and one
partition takes a thousand writes a second, which is more installs than Zendesk has accounts to give."""
REVOKE_SOON = timedelta(seconds=60)
"""Until the next try after a revocation that failed at once."""
LEASE = timedelta(minutes=5)
"""How long a leased revocation is left alone: longer than a run of the function that does it."""
UNCONFIRMED = "unconfirmed"

_IS_OFFERED = "#status = :offered"
_IS_PENDING = "#status = :pending"
_IS_EXCHANGING = "#status = :exchanging"
_STATUS_AS_SEEN = "#status = :seen"
_INVITATION_FITS = "#invitation_fingerprint = :invitation"
_STATE_FITS = "#state_fingerprint = :state"
_BROWSER_FITS = "#browser_fingerprint = :browser"
_ISSUER_FITS = "#subdomain = :issuer"
_SUBDOMAIN_IS_KNOWN = "attribute_exists(#subdomain)"
_SUBDOMAIN_AS_KNOWN_OR_GIVEN = "#subdomain = if_not_exists(#subdomain, :given)"
_IS_ALIVE = "#expires_at > :now"
_IS_SEALED = "attribute_exists(#access_token)"
_IS_DUE = "#revoke_at <= :now"
_FINGERPRINTS = ("state_fingerprint", "browser_fingerprint", "invitation_fingerprint")


def start_update(start: OfferedStart, now: datetime) -> ConditionalUpdate:
    """Return the write that makes an offered row pending."""
    expires_at = now + PENDING_LIFE
    return ConditionalUpdate(
        conditions=(
            _IS_OFFERED,
            _INVITATION_FITS,
            _IS_ALIVE,
            *(() if start.subdomain else (_SUBDOMAIN_IS_KNOWN,)),
        ),
        assigned={
            "status": text(InstallStatus.PENDING),
            "state_fingerprint": text(start.state_fingerprint),
            "browser_fingerprint": text(start.browser_fingerprint),
            "expires_at": instant(expires_at),
            "delete_at": instant(expires_at + UNFINISHED_KEPT),
        },
        computed=(_SUBDOMAIN_AS_KNOWN_OR_GIVEN,) if start.subdomain else (),
        values={
            ":offered": text(InstallStatus.OFFERED),
            ":invitation": text(start.invitation.fingerprint),
            ":now": instant(now),
        }
        | optional_texts({":given": start.subdomain}),
    )


def consume_update(proof: Proof, verdict: Verdict, now: datetime) -> ConditionalUpdate:
    """Return the write that makes a pending row what the verdict says."""
    exchanging = verdict.status is InstallStatus.EXCHANGING
    return ConditionalUpdate(
        conditions=(
            _IS_PENDING,
            _STATE_FITS,
            _BROWSER_FITS,
            _IS_ALIVE,
            *((_ISSUER_FITS,) if proof.issuer else ()),
        ),
        assigned={
            "status": text(verdict.status),
            "attempt_id": text(verdict.attempt_id),
            "consumed_at": instant(now),
            "delete_at": outcome_kept(now),
        }
        | optional_texts({"reason": verdict.reason})
        | ({"expires_at": instant(now + EXCHANGE_LIFE)} if exchanging else {}),
        values={
            ":pending": text(InstallStatus.PENDING),
            ":state": text(proof.state_fingerprint),
            ":browser": text(proof.browser_fingerprint),
            ":now": instant(now),
        }
        | optional_texts({":issuer": proof.issuer}),
    )


def fail_update(reason: str, unrevoked: Establishment | None, now: datetime) -> ConditionalUpdate:
    """Return the write that ends an exchange as failed, with what is still to be revoked."""
    return ConditionalUpdate(
        conditions=(_IS_EXCHANGING,),
        assigned={
            "status": text(InstallStatus.FAILED),
            "reason": text(reason),
            "delete_at": outcome_kept(now),
        }
        | (_due_attributes(unrevoked, now + REVOKE_SOON) if unrevoked else {}),
        values={":exchanging": text(InstallStatus.EXCHANGING)},
    )


def candidate_update(
    establishment: Establishment, handle_fingerprint: str, now: datetime
) -> ConditionalUpdate:
    """Return the write that turns an exchange into a candidate, due for revocation when its time is over."""
    expires_at = establishment.candidacy_ends(now)
    return ConditionalUpdate(
        conditions=(_IS_EXCHANGING,),
        assigned={
            "status": text(InstallStatus.CANDIDATE),
            "handle_fingerprint": text(handle_fingerprint),
            "expires_at": instant(expires_at),
            "delete_at": instant(expires_at + OUTCOME_KEPT),
        }
        | _due_attributes(establishment, expires_at),
        values={":exchanging": text(InstallStatus.EXCHANGING)},
    )


def lease_update(seen: InstallStatus, now: datetime) -> ConditionalUpdate:
    """Return the write that takes what is due; from a candidate it takes the candidacy too."""
    is_candidate = seen is InstallStatus.CANDIDATE
    abandoned = {"status": text(InstallStatus.ABANDONED), "reason": text(UNCONFIRMED)}
    return ConditionalUpdate(
        conditions=(_STATUS_AS_SEEN, _IS_SEALED, _IS_DUE),
        assigned={"revoke_at": instant(now + LEASE)} | (abandoned if is_candidate else {}),
        values={":seen": text(seen), ":now": instant(now)},
    )


def close_update(outcome: str) -> ConditionalUpdate:
    """Return the write that erases a sealed pair and notes how it ended."""
    return ConditionalUpdate(
        conditions=(_IS_SEALED,),
        assigned={"revocation": text(outcome)},
        removed=(*SEALED, "revoke_shard", "revoke_at"),
    )


def is_own_install(row: Item | None, item: Item) -> bool:
    """Tell whether the row in the way is the very install that was put."""
    return row is not None and all(row.get(name) == item.get(name) for name in _FINGERPRINTS)


def is_own_start(row: Item | None, start: OfferedStart) -> bool:
    """Tell whether the row in the way was started by this very browser, with this invitation."""
    return (
        row is not None
        and optional_text(row, "invitation_fingerprint") == start.invitation.fingerprint
        and optional_text(row, "browser_fingerprint") == start.browser_fingerprint
    )


def due_revocation(row: Item) -> DueRevocation:
    """Return what a leased row holds to revoke."""
    install = install_of(row)
    return DueRevocation(
        install=install,
        context=SealContext(install.grant, install.account),
        commit_id=row["commit_id"]["S"],
        access_token=sealed_token(row, "access_token"),
        access_expires_at=instant_of(row, "access_expires_at"),
    )


def _due_attributes(establishment: Establishment, revoke_at: datetime) -> "dict[str, AttributeValueTypeDef]":
    return kept_attributes(establishment) | {
        "revoke_shard": text(REVOCATION_SHARD),
        "revoke_at": instant(revoke_at),
    }
