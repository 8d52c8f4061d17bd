"""Opens a pair and has in hand what seals its successor, before the refresh token is spent.

The successor lies under the same wrapped keys, so that a reader who has them warm needs no call after a refresh.
Keys that came once stay in the process for an hour, so a connection that is refreshed here again costs none either.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from zendesk_oauth.adapters.clock import epoch_seconds
from zendesk_oauth.adapters.kms_data_keys import ACCESS_TOKEN, REFRESH_TOKEN, WarmDataKeys, refuse_foreign
from zendesk_oauth.adapters.kms_sealer import DataKeysInHand, new_keys
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import SealContext, SealedPair
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient


class OpenedPair(NamedTuple):
    """The port `UnlockedPair`."""

    access_token: Secret
    refresh_token: Secret
    keys: DataKeysInHand

    def seal(self, access_token: Secret, refresh_token: Secret, commit_id: str) -> SealedPair:
        """Seal the pair that replaces this one; no call is made."""
        return self.keys.seal(access_token, refresh_token, commit_id)


class KmsKeyring:
    """The port `Keyring`: Decrypt for each key that is not warm, and GenerateDataKey for each that is to be fresh."""

    def __init__(
        self, client: "KMSClient", settings: SealSettings, seconds: Callable[[], float] = epoch_seconds
    ) -> None:
        self._data_keys = WarmDataKeys(client, settings, seconds)

    def unlock(self, context: SealContext, sealed: SealedPair, *, fresh_keys: bool = False) -> OpenedPair:
        """Return the pair. Raises KeyUnavailableError, and SealBrokenError where it does not open."""
        keys = self._keys_of(context, sealed)
        return OpenedPair(
            keys.access.open(sealed.access_token, sealed.commit_id),
            keys.refresh.open(sealed.refresh_token, sealed.commit_id),
            new_keys(self._data_keys, context) if fresh_keys else keys,
        )

    def _keys_of(self, context: SealContext, sealed: SealedPair) -> DataKeysInHand:
        refuse_foreign(sealed.access_token)
        refuse_foreign(sealed.refresh_token)
        return DataKeysInHand(
            self._data_keys.unwrap(context, ACCESS_TOKEN, sealed.access_token.wrapped_key),
            self._data_keys.unwrap(context, REFRESH_TOKEN, sealed.refresh_token.wrapped_key),
        )
