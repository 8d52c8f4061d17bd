"""Our frozen values as DynamoDB's typed attributes, and back.

Inside there are aware datetimes, here epoch seconds (N): rounded down, so that nothing lives longer than it should.
An absent attribute is None; no attribute is ever NULL or an empty set.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from zendesk_oauth.models.connection import Establishment, TokenTimes
from zendesk_oauth.models.install import OUTCOME_KEPT, Install, InstallStatus
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, SealedPair, SealedToken

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

type Item = Mapping[str, "AttributeValueTypeDef"]

SEALED = ("access_token", "access_token_key", "refresh_token", "refresh_token_key")
"""The four attributes of a sealed pair, by the same names in both tables."""
UNFINISHED_KEPT = timedelta(hours=1)
"""How long an install that nobody finished stays to be explained to its browser; then DynamoDB may remove the row."""


def text(value: str) -> "AttributeValueTypeDef":
    """Return a string attribute."""
    return {"S": value}


def number(value: int) -> "AttributeValueTypeDef":
    """Return a number attribute."""
    return {"N": str(value)}


def instant(value: datetime) -> "AttributeValueTypeDef":
    """Return an aware datetime as whole epoch seconds, rounded down."""
    return number(int(value.timestamp() // 1))


def scope_list(scopes: Scopes) -> "AttributeValueTypeDef":
    """Return scopes as a list: their order is kept, and there may be none."""
    return {"L": [text(scope) for scope in scopes]}


def optional_texts(values: Mapping[str, str | None]) -> dict[str, "AttributeValueTypeDef"]:
    """Return string attributes for those that are not None."""
    return {name: text(value) for name, value in values.items() if value is not None}


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


def sealed_attributes(sealed: SealedPair) -> dict[str, "AttributeValueTypeDef"]:
    """Return the four attributes of a pair, and the commit id that binds them."""
    return {
        "commit_id": text(sealed.commit_id),
        "access_token": {"B": sealed.access_token.ciphertext},
        "access_token_key": {"B": sealed.access_token.wrapped_key},
        "refresh_token": {"B": sealed.refresh_token.ciphertext},
        "refresh_token_key": {"B": sealed.refresh_token.wrapped_key},
    }


def sealed_token(item: Item, field: str) -> SealedToken:
    """Return one sealed token of a row, by its field's name."""
    return SealedToken(item[field]["B"], item[f"{field}_key"]["B"])


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


def authorized_by_attributes(user: AuthorizedUser | None) -> dict[str, "AttributeValueTypeDef"]:
    """Return who pressed Allow, as far as it is known."""
    if user is None:
        return {}
    return {"authorized_user_id": number(user.user_id), "authorized_user_role": text(user.role)}


def _authorized_by(item: Item) -> AuthorizedUser | None:
    if "authorized_user_id" not in item:
        return None
    return AuthorizedUser(int(item["authorized_user_id"]["N"]), item["authorized_user_role"]["S"])


def optional_text(item: Item, name: str) -> str | None:
    """Return a string attribute, or None where it is absent."""
    return item[name]["S"] if name in item else None


def scopes_of(item: Item, name: str) -> Scopes:
    """Return a list of scopes; an absent one is empty."""
    return tuple(scope["S"] for scope in item[name]["L"]) if name in item else ()


def instant_of(item: Item, name: str) -> datetime:
    """Return an instant as an aware datetime in UTC."""
    return datetime.fromtimestamp(int(item[name]["N"]), UTC)
