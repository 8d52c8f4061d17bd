"""Seals each token under a data key of its own, and opens access tokens: what an install and its revocation need."""

from typing import TYPE_CHECKING, NamedTuple

from zendesk_oauth.adapters.kms_data_keys import (
    ACCESS_TOKEN,
    REFRESH_TOKEN,
    DataKey,
    KmsDataKeys,
    refuse_foreign,
)
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import SealContext, SealedPair, SealedToken
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient


class DataKeysInHand(NamedTuple):
    """The port `KeysInHand`."""

    access: DataKey
    refresh: DataKey

    def seal(self, access_token: Secret, refresh_token: Secret, commit_id: str) -> SealedPair:
        """Seal both tokens, each under its own key with a nonce of its own; no call is made."""
        return SealedPair(
            commit_id, self.access.seal(access_token, commit_id), self.refresh.seal(refresh_token, commit_id)
        )


def new_keys(data_keys: KmsDataKeys, context: SealContext) -> DataKeysInHand:
    """Fetch both data keys of a pair: two calls. Raises KeyUnavailableError."""
    return DataKeysInHand(
        data_keys.generate(context, ACCESS_TOKEN), data_keys.generate(context, REFRESH_TOKEN)
    )


class KmsSealer:
    """The port `Sealer`: two calls of GenerateDataKey for a pair, whose keys live as long as one exchange."""

    def __init__(self, client: "KMSClient", settings: SealSettings) -> None:
        self._data_keys = KmsDataKeys(client, settings)

    def prepare(self, context: SealContext) -> DataKeysInHand:
        """Fetch both data keys. Raises KeyUnavailableError."""
        return new_keys(self._data_keys, context)


class KmsOpener:
    """The port `Opener`: one call of Decrypt for a token, which a role may make for access tokens alone."""

    def __init__(self, client: "KMSClient", settings: SealSettings) -> None:
        self._data_keys = KmsDataKeys(client, settings)

    def open_access_token(self, sealed: SealedToken, context: SealContext, commit_id: str) -> Secret:
        """Return the token. Raises SealBrokenError, and KeyUnavailableError where KMS does not give the key."""
        refuse_foreign(sealed)
        return self._data_keys.unwrap(context, ACCESS_TOKEN, sealed.wrapped_key).open(sealed, commit_id)
