"""Seals each token with AES-256-GCM under a data key of its own, and opens access tokens.

KMS binds the data key to application, stage, grant, subdomain and field (its encryption context); the cipher's
additional data say the same again and name the commit id, so a ciphertext opens only in its own field of its own
row, beside the token it was issued with. Only this module knows the cryptography.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zendesk_oauth.errors import KeyUnavailableError, SealBrokenError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import SealContext, SealedPair, SealedToken
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a field
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a field
VERSION = b"\x01"
"""The first byte of every ciphertext: AES-256-GCM, then 12 bytes of nonce."""
NONCE_BYTES = 12
_TAG_BYTES = 16
_SHORTEST = len(VERSION) + NONCE_BYTES + _TAG_BYTES
_NOT_OURS = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})


def encryption_context(settings: SealSettings, context: SealContext, field_name: str) -> dict[str, str]:
    """Return what KMS binds a data key to, and the roles' policies ask for."""
    return {
        "application": settings.application,
        "stage": settings.stage,
        "grant": context.grant,
        "subdomain": context.subdomain,
        "field": field_name,
    }


def additional_data(bound_to: dict[str, str], commit_id: str) -> bytes:
    """Return the same and the commit id as JSON with sorted keys: no two sets of values give the same bytes."""
    return json.dumps(bound_to | {"commit_id": commit_id}, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class _DataKey:
    """A data key ready to seal one field: the cipher holds its plaintext, nobody else does."""

    cipher: AESGCM = field(repr=False)
    wrapped: bytes
    bound_to: dict[str, str]

    def seal(self, token: Secret, commit_id: str) -> SealedToken:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self.cipher.encrypt(
            nonce, token.reveal().encode(), additional_data(self.bound_to, commit_id)
        )
        return SealedToken(VERSION + nonce + sealed, self.wrapped)


@dataclass(frozen=True, slots=True)
class DataKeysInHand:
    """The port `KeysInHand`. It lives as long as one exchange, and so do its keys."""

    access: _DataKey
    refresh: _DataKey

    def seal(self, access_token: Secret, refresh_token: Secret, commit_id: str) -> SealedPair:
        """Seal both tokens, each under its own key with a nonce of its own; no call is made."""
        return SealedPair(
            commit_id, self.access.seal(access_token, commit_id), self.refresh.seal(refresh_token, commit_id)
        )


@dataclass(frozen=True, slots=True)
class KmsSealer:
    """The port `Sealer`: two calls of GenerateDataKey for a pair."""

    client: "KMSClient"
    settings: SealSettings

    def prepare(self, context: SealContext) -> DataKeysInHand:
        """Fetch both data keys. Raises KeyUnavailableError."""
        return DataKeysInHand(self._data_key(context, ACCESS_TOKEN), self._data_key(context, REFRESH_TOKEN))

    def _data_key(self, context: SealContext, field_name: str) -> _DataKey:
        bound_to = encryption_context(self.settings, context, field_name)
        with _key_errors():
            answer = self.client.generate_data_key(
                KeyId=self.settings.token_key_arn, KeySpec="AES_256", EncryptionContext=bound_to
            )
        return _DataKey(AESGCM(answer["Plaintext"]), answer["CiphertextBlob"], bound_to)


@dataclass(frozen=True, slots=True)
class KmsOpener:
    """The port `Opener`: one call of Decrypt for a token, which a role may make for access tokens alone."""

    client: "KMSClient"
    settings: SealSettings

    def open_access_token(self, sealed: SealedToken, context: SealContext, commit_id: str) -> Secret:
        """Return the token. Raises SealBrokenError, and KeyUnavailableError where KMS does not give the key."""
        if not sealed.ciphertext.startswith(VERSION) or len(sealed.ciphertext) < _SHORTEST:
            raise SealBrokenError("not a ciphertext of ours")
        bound_to = encryption_context(self.settings, context, ACCESS_TOKEN)
        with _key_errors():
            answer = self.client.decrypt(
                CiphertextBlob=sealed.wrapped_key,
                KeyId=self.settings.token_key_arn,
                EncryptionContext=bound_to,
            )
        nonce, ciphertext = sealed.ciphertext[1 : 1 + NONCE_BYTES], sealed.ciphertext[1 + NONCE_BYTES :]
        try:
            opened = AESGCM(answer["Plaintext"]).decrypt(
                nonce, ciphertext, additional_data(bound_to, commit_id)
            )
        except InvalidTag as error:
            raise SealBrokenError("the seal does not fit its place") from error
        return Secret(opened.decode())


@contextmanager
def _key_errors() -> Iterator[None]:
    """Translate: a wrapped key that KMS does not know as ours is broken, anything else may pass."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in _NOT_OURS:
            raise SealBrokenError(code) from error
        raise KeyUnavailableError(code) from error
    except BotoCoreError as error:
        raise KeyUnavailableError(type(error).__name__) from error
