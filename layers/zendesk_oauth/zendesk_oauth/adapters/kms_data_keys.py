"""Data keys: each seals and opens one field of one connection, and nothing anywhere else.

KMS binds a data key to application, stage, grant, subdomain and field (its encryption context); the cipher's
additional data say the same again and name the commit id, so a ciphertext opens only in its own field of its own
row, beside the token it was issued with. Only this module knows the cryptography.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zendesk_oauth.adapters.aws_errors import code_of
from zendesk_oauth.adapters.clock import epoch_seconds
from zendesk_oauth.errors import KeyUnavailableError, SealBrokenError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import SealContext, SealedToken
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a field
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a field
VERSION = b"\x01"
"""The first byte of every ciphertext: AES-256-GCM, then 12 bytes of nonce."""
NONCE_BYTES = 12
"""Random for each message. A data key seals about a hundred, and 2^32 would still be safe (NIST SP 800-38D, 8.3)."""
WARM_KEYS = 1024
"""How many data keys a process keeps: two for each of the connections that it looked after last."""
MAX_KEY_AGE = 3600.0
"""Seconds after which a kept key is asked for again: how soon a disabled KMS key stops a warm process."""
_TAG_BYTES = 16
_SHORTEST = len(VERSION) + NONCE_BYTES + _TAG_BYTES
_NOT_OURS = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})

type _Place = tuple[bytes, SealContext, str]
"""A wrapped key, and what KMS was told when it was unwrapped."""


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


def refuse_foreign(sealed: SealedToken) -> None:
    """Raise SealBrokenError for what is no ciphertext of ours, before a key is asked for."""
    if not sealed.ciphertext.startswith(VERSION) or len(sealed.ciphertext) < _SHORTEST:
        raise SealBrokenError("not a ciphertext of ours")


class DataKey:
    """A data key for one field: the cipher holds its plaintext, nobody else does, and neither prints."""

    __slots__ = ("_bound_to", "_cipher", "wrapped")

    def __init__(self, plaintext: bytes, wrapped: bytes, bound_to: dict[str, str]) -> None:
        self._cipher = AESGCM(plaintext)
        self._bound_to = bound_to
        self.wrapped = wrapped

    def seal(self, token: Secret, commit_id: str) -> SealedToken:
        """Seal with a nonce of its own; no call is made."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(
            nonce, token.reveal().encode(), additional_data(self._bound_to, commit_id)
        )
        return SealedToken(VERSION + nonce + sealed, self.wrapped)

    def open(self, sealed: SealedToken, commit_id: str) -> Secret:
        """Return the token. Raises SealBrokenError where it was not sealed here."""
        nonce, ciphertext = sealed.ciphertext[1 : 1 + NONCE_BYTES], sealed.ciphertext[1 + NONCE_BYTES :]
        try:
            opened = self._cipher.decrypt(nonce, ciphertext, additional_data(self._bound_to, commit_id))
        except InvalidTag as error:
            raise SealBrokenError("the seal does not fit its place") from error
        return Secret(opened.decode())


class KmsDataKeys:
    """Data keys from KMS: one call for each, and nothing is kept."""

    def __init__(self, client: "KMSClient", settings: SealSettings) -> None:
        self._client = client
        self._settings = settings

    def generate(self, context: SealContext, field_name: str) -> DataKey:
        """Return a new one. Raises KeyUnavailableError."""
        bound_to = encryption_context(self._settings, context, field_name)
        with _key_errors():
            answer = self._client.generate_data_key(
                KeyId=self._settings.token_key_arn, KeySpec="AES_256", EncryptionContext=bound_to
            )
        return DataKey(answer["Plaintext"], answer["CiphertextBlob"], bound_to)

    def unwrap(self, context: SealContext, field_name: str, wrapped: bytes) -> DataKey:
        """Return the one that was wrapped there. Raises KeyUnavailableError, SealBrokenError where it is not ours."""
        bound_to = encryption_context(self._settings, context, field_name)
        with _key_errors():
            answer = self._client.decrypt(
                CiphertextBlob=wrapped, KeyId=self._settings.token_key_arn, EncryptionContext=bound_to
            )
        return DataKey(answer["Plaintext"], wrapped, bound_to)

    def try_key(self, context: SealContext) -> None:
        """Make a data key and open it again, for nothing: two calls. Raises KeyUnavailableError, SealBrokenError."""
        self.unwrap(context, ACCESS_TOKEN, self.generate(context, ACCESS_TOKEN).wrapped)


class _WarmKey(NamedTuple):
    """A data key, and when KMS was asked for it, in seconds since 1970."""

    key: DataKey
    given_at: float


class WarmDataKeys(KmsDataKeys):
    """The same, the last used ones kept in this process: a key that is warm costs no call. Safe under threads.

    A key is kept for the place that KMS gave it for, so that a look-up grants nothing that KMS would not, and for
    MAX_KEY_AGE seconds from when KMS gave it, however often it is used. `seconds` is the wall clock: a frozen
    container's monotonic clock may stand still.
    """

    def __init__(
        self, client: "KMSClient", settings: SealSettings, seconds: Callable[[], float] = epoch_seconds
    ) -> None:
        super().__init__(client, settings)
        self._seconds = seconds
        self._warm: dict[_Place, _WarmKey] = {}
        self._turn = Lock()

    def generate(self, context: SealContext, field_name: str) -> DataKey:
        """Return a new one, warm from now on. Raises KeyUnavailableError."""
        given_at = self._seconds()
        key = super().generate(context, field_name)
        return self._keep((key.wrapped, context, field_name), _WarmKey(key, given_at))

    def unwrap(self, context: SealContext, field_name: str, wrapped: bytes) -> DataKey:
        """Return the one that was wrapped there, and raise as above."""
        place, seconds = (wrapped, context, field_name), self._seconds()
        with self._turn:
            warm = self._warm.get(place)
            if warm and not 0 <= seconds - warm.given_at < MAX_KEY_AGE:  # a clock set back proves no age
                del self._warm[place]
                warm = None
        return self._keep(place, warm or _WarmKey(super().unwrap(context, field_name, wrapped), seconds))

    def _keep(self, place: _Place, warm: _WarmKey) -> DataKey:
        """Put it last, and let the first go where there are too many: a dictionary keeps their order."""
        with self._turn:
            self._warm.pop(place, None)
            self._warm[place] = warm
            if len(self._warm) > WARM_KEYS:
                del self._warm[next(iter(self._warm))]
        return warm.key


@contextmanager
def _key_errors() -> Iterator[None]:
    """Translate: a wrapped key that KMS does not know as ours is broken, anything else may pass."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code in _NOT_OURS:
            raise SealBrokenError(code) from error
        raise KeyUnavailableError(code) from error
    except BotoCoreError as error:
        raise KeyUnavailableError(type(error).__name__) from error
