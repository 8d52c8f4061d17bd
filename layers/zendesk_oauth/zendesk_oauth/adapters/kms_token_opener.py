"""Opens access tokens under data keys that are asked for once an hour.

A refresh seals the next token under the same wrapped key, so a process that read the connection within the hour before
needs no call of KMS after it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from zendesk_oauth.adapters.clock import epoch_seconds
from zendesk_oauth.adapters.kms_data_keys import ACCESS_TOKEN, WarmDataKeys, refuse_foreign
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.token import StoredToken
from zendesk_oauth.models.tokens import SealContext, SealedToken

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

    from zendesk_oauth.settings import SealSettings


class KmsTokenOpener:
    """The port `TokenOpener`: one call of Decrypt for a key that is not warm, which a role may make for this field."""

    def __init__(
        self, client: "KMSClient", settings: "SealSettings", seconds: Callable[[], float] = epoch_seconds
    ) -> None:
        self._data_keys = WarmDataKeys(client, settings, seconds)

    def open(self, stored: StoredToken) -> Secret:
        """Return the token. Raises SealBrokenError, and KeyUnavailableError where KMS does not give the key."""
        sealed = SealedToken(stored.ciphertext, stored.wrapped_key)
        refuse_foreign(sealed)
        context = SealContext(stored.grant, stored.subdomain)
        key = self._data_keys.unwrap(context, ACCESS_TOKEN, stored.wrapped_key)
        return key.open(sealed, stored.commit_id)
