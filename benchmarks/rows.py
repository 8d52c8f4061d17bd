"""Connections' rows as the canned endpoint gives them: sealed by our own code under the one data key that it has.

A row that did not open, or was not due, would let a handler answer early and look cheap.
"""

import base64
from typing import TYPE_CHECKING

from benchmarks import environment
from benchmarks.answers import DATA_KEY, TOKEN_CHARACTERS, WRAPPED_KEY, Json
from zendesk_oauth.adapters.kms_data_keys import ACCESS_TOKEN, REFRESH_TOKEN, DataKey, encryption_context
from zendesk_oauth.models.connection import connection_key, keep_alive_shard
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealContext
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

GRANT = "default"
SUBDOMAIN = Subdomain("acme")
LONG_AGO = "1700000000"
FAR_AWAY = "4102444800"


def connection_row(
    *, due: bool, subdomain: Subdomain = SUBDOMAIN, refresh_token: str = "r" * TOKEN_CHARACTERS
) -> Json:
    """Return an active connection's row in DynamoDB's JSON, whose access token is over, or lives on."""
    key = connection_key(GRANT, subdomain)
    at = LONG_AGO if due else FAR_AWAY
    texts = {
        "connection_key": key,
        "grant": GRANT,
        "subdomain": subdomain,
        "status": "active",
        "commit_id": "c" * 22,
        "keep_alive_shard": keep_alive_shard(key),
        "list_shard": keep_alive_shard(key),
        "install_id": "i" * 22,
        "authorized_user_role": "admin",
    }
    numbers = {
        "epoch": "1",
        "generation": "1",
        "issued_at": LONG_AGO,
        "established_at": LONG_AGO,
        "connected_at": LONG_AGO,
        "expires_at": at,
        "refresh_at": at,
        "refresh_expires_at": FAR_AWAY,
        "keep_alive_at": FAR_AWAY,
        "authorized_user_id": "35436",
    }
    return {
        **{name: {"S": text} for name, text in texts.items()},
        **{name: {"N": number} for name, number in numbers.items()},
        **_sealed(ACCESS_TOKEN, "a" * TOKEN_CHARACTERS, subdomain),
        **_sealed(REFRESH_TOKEN, refresh_token, subdomain),
        "scopes": {"L": [{"S": "users:read"}, {"S": "tickets:read"}]},
        "missing_scopes": {"L": []},
    }


def seal_settings() -> SealSettings:
    """Return what names a sealed value's place in every measured process."""
    given: Mapping[str, str] = environment.of_function("connections")
    return SealSettings(given["APPLICATION"], given["STAGE"], given["TOKEN_KEY_ARN"])


def _sealed(field_name: str, token: str, subdomain: Subdomain) -> Json:
    bound_to = encryption_context(seal_settings(), SealContext(GRANT, subdomain), field_name)
    sealed = DataKey(DATA_KEY, WRAPPED_KEY, bound_to).seal(Secret(token), "c" * 22)
    return {
        field_name: {"B": base64.b64encode(sealed.ciphertext).decode()},
        f"{field_name}_key": {"B": base64.b64encode(sealed.wrapped_key).decode()},
    }
