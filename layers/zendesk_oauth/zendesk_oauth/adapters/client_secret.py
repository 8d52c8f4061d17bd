"""The client secret, from Secrets Manager: read when first needed, kept for a quarter of an hour.

The secret is made outside of this project, as plain text or as a JSON object with the member `client_secret`.
A deleted, forbidden or empty one is a fault of the set-up; a busy Secrets Manager is not.
While a secret is replaced, the version before it (AWSPREVIOUS) may be the one that Zendesk still takes; that there
is none is no fault.
"""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from zendesk_oauth.adapters.aws_errors import code_of
from zendesk_oauth.errors import ConfigurationError, SecretUnavailableError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.ports import Clock

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

KEPT_SECONDS = 15 * 60.0
MEMBER = "client_secret"
_SETUP_FAULTS = frozenset(
    {
        "AccessDeniedException",
        "DecryptionFailure",
        "InvalidParameterException",
        "InvalidRequestException",
        "ResourceNotFoundException",
        "ValidationException",
    }
)


class SecretsManagerClientSecret:
    """The port `ClientSecret`."""

    def __init__(self, client: "SecretsManagerClient", arn: str, clock: Clock) -> None:
        self._client = client
        self._arn = arn
        self._clock = clock
        self._kept: Secret | None = None
        self._kept_until = 0.0

    def __call__(self) -> Secret:
        """Return the secret. Raises ConfigurationError or SecretUnavailableError."""
        now = self._clock.monotonic()
        if self._kept is None or now >= self._kept_until:
            self._kept = self._read("AWSCURRENT")
            self._kept_until = now + KEPT_SECONDS
        return self._kept

    def forget(self) -> None:
        """Drop what is kept: the next call reads it anew."""
        self._kept = None

    def previous(self) -> Secret | None:
        """Return the version before, read anew each time; None where none can be had. Raises SecretUnavailableError."""
        try:
            return self._read("AWSPREVIOUS")
        except ConfigurationError:
            return None

    def _read(self, version_stage: str) -> Secret:
        try:
            answer = self._client.get_secret_value(SecretId=self._arn, VersionStage=version_stage)
        except ClientError as error:
            code = code_of(error)
            if code in _SETUP_FAULTS:
                raise ConfigurationError((f"CLIENT_SECRET_ARN cannot be read: {code}",)) from error
            raise SecretUnavailableError(code) from error
        except BotoCoreError as error:
            raise SecretUnavailableError(type(error).__name__) from error
        secret = _secret_in(answer.get("SecretString", ""))
        if not secret:
            raise ConfigurationError(
                (f"CLIENT_SECRET_ARN holds neither a text nor a JSON object with {MEMBER!r}",)
            )
        return secret


def _secret_in(text: str) -> Secret:
    """Return the secret that the text is or holds, without the spaces around it; empty where there is none."""
    stripped = text.strip()
    if not stripped.startswith("{"):
        return Secret(stripped)
    member = _member_of(stripped)
    return Secret(member.strip() if isinstance(member, str) else "")


def _member_of(text: str) -> object:
    """Return the member, or None; the parser's own error would carry the text along, and so is dropped here."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content.get(MEMBER)
