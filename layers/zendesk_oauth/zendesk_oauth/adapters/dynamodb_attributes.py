"""Our frozen values as DynamoDB's typed attributes, and back.

Inside there are aware datetimes, here epoch seconds (N): rounded down, so that nothing lives longer than it should.
An absent attribute is None; no attribute is ever NULL or an empty set.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.tokens import AuthorizedUser, SealedPair, SealedToken

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

type Item = Mapping[str, "AttributeValueTypeDef"]

SEALED = ("access_token", "access_token_key", "refresh_token", "refresh_token_key")
"""The four attributes of a sealed pair, by the same names in both tables."""


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


def unfinished_attributes(shard: str, now: datetime) -> dict[str, "AttributeValueTypeDef"]:
    """Return what puts a row into the index of those that are being disconnected."""
    return {"unfinished_shard": text(shard), "unfinished_at": instant(now)}


def authorized_by_attributes(user: AuthorizedUser | None) -> dict[str, "AttributeValueTypeDef"]:
    """Return who pressed Allow, as far as it is known."""
    if user is None:
        return {}
    return {"authorized_user_id": number(user.user_id), "authorized_user_role": text(user.role)}


def optional_text(item: Item, name: str) -> str | None:
    """Return a string attribute, or None where it is absent."""
    return item[name]["S"] if name in item else None


def scopes_of(item: Item, name: str) -> Scopes:
    """Return a list of scopes; an absent one is empty."""
    return tuple(scope["S"] for scope in item[name]["L"]) if name in item else ()


def instant_of(item: Item, name: str) -> datetime:
    """Return an instant as an aware datetime in UTC."""
    return datetime.fromtimestamp(int(item[name]["N"]), UTC)
