"""The client secret, from Secrets Manager: read when first needed, kept for a quarter of an hour.

The secret is made outside of this project, as plain text, as a JSON string, or as a JSON object with the member
`client_secret`. A byte-order mark before it and white space around it are no part of it. What remains is printable
ASCII (RFC 6749 appendix A.2, VSCHAR) without a quotation mark at either end, which a secret of Zendesk's never has.
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
_BYTE_ORDER_MARK = "\ufeff"
_QUOTES = frozenset("\"'`")
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
        if "SecretString" not in answer:
            raise _malformed("is binary; store it as a text")
        return _secret_in(answer["SecretString"])


def _secret_in(text: str) -> Secret:
    """Return the secret that the text is or holds. Raises ConfigurationError, which quotes nothing of it."""
    bare = text.removeprefix(_BYTE_ORDER_MARK).strip()
    if bare.startswith(("{", '"')):
        content = _parsed(bare)
        member = content.get(MEMBER) if isinstance(content, dict) else content
        if not isinstance(member, str):
            raise _malformed(f"is neither a text nor a JSON object with a text {MEMBER!r}")
        return _secret_in(member)
    if not bare:
        raise _malformed("is empty")
    if bare.isascii() and bare.isprintable() and bare[0] not in _QUOTES and bare[-1] not in _QUOTES:
        return Secret(bare)
    from zendesk_oauth.models.text_damage import damage_in  # noqa: PLC0415 - a good secret never needs it

    raise _malformed(f"{damage_in(bare)}")


def _parsed(text: str) -> object:
    """Return what JSON says, or None; the parser's own error would carry the text along, and so is dropped here."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _malformed(how: str) -> ConfigurationError:
    return ConfigurationError((f"the secret of CLIENT_SECRET_ARN {how}",))
