"""An install, and the establishment that it keeps for a while, as attributes of its row, and back."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from zendesk_oauth.adapters.dynamodb_attributes import (
    Item,
    authorized_by_attributes,
    instant,
    instant_of,
    optional_text,
    optional_texts,
    scope_list,
    scopes_of,
    sealed_attributes,
    sealed_token,
    text,
)
from zendesk_oauth.models.connection import Establishment, TokenTimes
from zendesk_oauth.models.install import OUTCOME_KEPT, Install, InstallStatus
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, SealedPair

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

UNFINISHED_KEPT = timedelta(hours=1)
"""How long an install that nobody finished stays to be explained to its browser; then DynamoDB may remove the row."""


def install_item(install: Install) -> dict[str, "AttributeValueTypeDef"]:
    """Return the row of a new install."""
    return {
        "install_id": text(install.install_id),
        "status": text(install.status),
        "grant": text(install.grant),
        "scopes": scope_list(install.scopes),
        "created_at": instant(install.created_at),
        "expires_at": instant(install.expires_at),
        "delete_at": instant(install.expires_at + UNFINISHED_KEPT),
    } | optional_texts(
        {
            "subdomain": install.subdomain,
            "return_to": install.return_to,
            "user_reference": install.user_reference,
            "state_fingerprint": install.state_fingerprint,
            "browser_fingerprint": install.browser_fingerprint,
            "invitation_fingerprint": install.invitation_fingerprint,
        }
    )


def install_of(item: Item) -> Install:
    """Return the install that a row holds."""
    subdomain = optional_text(item, "subdomain")
    return Install(
        install_id=item["install_id"]["S"],
        status=InstallStatus(item["status"]["S"]),
        grant=item["grant"]["S"],
        scopes=scopes_of(item, "scopes"),
        subdomain=Subdomain(subdomain) if subdomain is not None else None,
        created_at=instant_of(item, "created_at"),
        expires_at=instant_of(item, "expires_at"),
        return_to=optional_text(item, "return_to"),
        user_reference=optional_text(item, "user_reference"),
        state_fingerprint=optional_text(item, "state_fingerprint"),
        browser_fingerprint=optional_text(item, "browser_fingerprint"),
        invitation_fingerprint=optional_text(item, "invitation_fingerprint"),
        handle_fingerprint=optional_text(item, "handle_fingerprint"),
        reason=optional_text(item, "reason"),
        missing_scopes=scopes_of(item, "missing_scopes"),
    )


def outcome_kept(now: datetime) -> "AttributeValueTypeDef":
    """Return when DynamoDB may remove an install that is over now."""
    return instant(now + OUTCOME_KEPT)


def kept_attributes(establishment: Establishment) -> dict[str, "AttributeValueTypeDef"]:
    """Return an establishment as an install's row keeps it.

    The install has scopes and an `expires_at` of its own, so here they are `granted_scopes` and `access_expires_at`.
    """
    times = establishment.times
    return (
        sealed_attributes(establishment.sealed)
        | authorized_by_attributes(establishment.authorized_by)
        | {
            "granted_scopes": scope_list(establishment.scopes),
            "missing_scopes": scope_list(establishment.missing_scopes),
            "access_expires_at": instant(times.expires_at),
            "refresh_at": instant(times.refresh_at),
            "refresh_expires_at": instant(times.refresh_expires_at),
            "keep_alive_at": instant(times.keep_alive_at),
            "established_at": instant(establishment.established_at),
        }
    )


def establishment_of(item: Item) -> Establishment | None:
    """Return the establishment that an install's row keeps, or None where it has no sealed pair (any more)."""
    if "access_token" not in item:
        return None
    return Establishment(
        grant=item["grant"]["S"],
        subdomain=Subdomain(item["subdomain"]["S"]),
        scopes=scopes_of(item, "granted_scopes"),
        missing_scopes=scopes_of(item, "missing_scopes"),
        sealed=SealedPair(
            item["commit_id"]["S"], sealed_token(item, "access_token"), sealed_token(item, "refresh_token")
        ),
        times=TokenTimes(
            expires_at=instant_of(item, "access_expires_at"),
            refresh_at=instant_of(item, "refresh_at"),
            refresh_expires_at=instant_of(item, "refresh_expires_at"),
            keep_alive_at=instant_of(item, "keep_alive_at"),
        ),
        authorized_by=_authorized_by(item),
        established_at=instant_of(item, "established_at"),
        user_reference=optional_text(item, "user_reference"),
    )


def _authorized_by(item: Item) -> AuthorizedUser | None:
    if "authorized_user_id" not in item:
        return None
    return AuthorizedUser(int(item["authorized_user_id"]["N"]), item["authorized_user_role"]["S"])
