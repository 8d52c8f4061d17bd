"""The credentials of the usual AWS settings, from a source that every error names.

The SDK raises anything here, from a KeyError to an OSError, and its text can quote a token. So each source is read, and
read again when its credentials expire, inside one translation: the source is named, the text is dropped.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from botocore.credentials import Credentials, EnvProvider, ReadOnlyCredentials, create_credential_resolver
from botocore.exceptions import (
    ClientError,
    ConfigParseError,
    CredentialRetrievalError,
    HTTPClientError,
    InvalidConfigError,
    InvalidProxiesConfigError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    UnknownCredentialError,
)
from botocore.exceptions import ConnectionError as SdkConnectionError
from botocore.session import Session

from deployed.aws_settings import FILES, file_name, profile_name, settings_errors, strerror

_KEY = re.compile(r"[!-~]+")
"""Printable ASCII without a space: whatever else is in a header either breaks it or is quoted by who refuses it."""
ERROR_CODE = re.compile(r"[A-Z][A-Za-z]{2,60}(?:\.[A-Z][A-Za-z]{2,60})?")
"""The shape of an error code of AWS. It is letters alone, so a token does not fit."""
_PASSED = (SdkConnectionError, HTTPClientError, InvalidProxiesConfigError)
"""The network's own errors, which say nothing against the source."""


class CredentialsError(NoCredentialsError):
    """A source of credentials is there and gives none that can be used; `problem` names it."""

    fmt = "{problem}"


class Keys(Protocol):
    """What signs requests: renewed when it is asked for and has expired."""

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the keys as they are now. Raises CredentialsError, and the SDK's errors of the network."""


class Source(NamedTuple):
    """Where credentials come from, as a message names it, and the setting of each of their parts."""

    name: str
    parts: Mapping[str, str]


class CheckedCredentials:
    """Credentials that botocore's signers take: renewed inside the translation, and checked before they are sent."""

    def __init__(self, source: Source, own: Credentials) -> None:
        self._source = source
        self._own = own
        self.method = own.method

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the keys as they are now. Raises CredentialsError, and the SDK's errors of the network."""
        with _credentials_errors(self._source.name):
            frozen = self._own.get_frozen_credentials()
        for part, setting in self._source.parts.items():
            value = getattr(frozen, part)
            if value and not _KEY.fullmatch(value):
                raise CredentialsError(
                    problem=f"{setting} has a line end, a space or another character that no credential has"
                )
        return frozen

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """Return what reads a part when botocore needs it: the account's number, for an endpoint's name."""
        return lambda: getattr(self.get_frozen_credentials(), name)


class CredentialSources:
    """botocore's component `credential_provider`: the first source that has credentials gives them."""

    def __init__(self, session: Session, region: str) -> None:
        self._session = session
        with settings_errors():
            resolver = create_credential_resolver(session, region_name=region)
        self._providers: Sequence[Any] = resolver.providers

    def load_credentials(self) -> CheckedCredentials | None:
        """Return credentials, or None where no source has any. Raises CredentialsError."""
        for provider in self._providers:
            source = _source(provider.METHOD, self._session)
            with _credentials_errors(source.name):
                found = provider.load()
            if found is not None:
                return CheckedCredentials(source, found)
        return None


def _source(method: str, session: Session) -> Source:
    """Return the source by botocore's name for it."""
    profile = profile_name(session)
    names = {
        "env": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "assume-role": f"`role_arn` of {profile}",
        "assume-role-with-web-identity": _web_identity(profile),
        "sso": f"the SSO login of {profile}",
        "login": f"the login of {profile}",
        "custom-process": f"`credential_process` of {profile}",
        "shared-credentials-file": f"{profile} in {file_name(*FILES[1])}",
        "config-file": f"{profile} in {file_name(*FILES[0])}",
        "ec2-credentials-file": "the file of AWS_CREDENTIAL_FILE",
        "boto-config": "Boto's own configuration file (BOTO_CONFIG, /etc/boto.cfg, ~/.boto)",
        "container-role": _container(),
        "iam-role": "the role of this EC2 instance",
    }
    name = names.get(method, "a source of AWS credentials")
    if method == "env":
        token = next((each for each in EnvProvider.TOKENS if os.environ.get(each)), "AWS_SESSION_TOKEN")
        parts = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", token)
    else:
        parts = (
            f"the access key id from {name}",
            f"the secret key from {name}",
            f"the session token from {name}",
        )
    return Source(name, dict(zip(("access_key", "secret_key", "token"), parts, strict=True)))


def _web_identity(profile: str) -> str:
    variable = "AWS_WEB_IDENTITY_TOKEN_FILE"
    return variable if os.environ.get(variable) else f"`web_identity_token_file` of {profile}"


def _container() -> str:
    variables = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    address = next((name for name in variables if name in os.environ), variables[1])
    tokens = ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
    return " with ".join([address, *[name for name in tokens if name in os.environ][:1]])


@contextmanager
def _credentials_errors(source: str) -> Iterator[None]:
    """Raise CredentialsError, which names the source, for whatever is raised that is not the network's."""
    try:
        yield
    except (CredentialsError, *_PASSED):
        raise
    except Exception as error:  # noqa: BLE001 - the SDK raises anything here, and its text can quote a token
        raise CredentialsError(problem=f"{source} gives no credentials: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Return a sentence of our own for an error's class."""
    if isinstance(error, OSError):
        return f"a file or program that it names cannot be used: {strerror(error)}"
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code"))
        shown = code if ERROR_CODE.fullmatch(code) else "an unknown error"
        return f"AWS answers {error.operation_name} with {shown}"
    return next(
        (sentence for kind, sentence in _REASONS.items() if isinstance(error, kind)),
        f"what it gives is not what the SDK can read ({type(error).__name__})",
    )


_REASONS: Mapping[type[Exception], str] = {
    PartialCredentialsError: "a key is missing",
    SSOError: "the login is missing, damaged or has expired; run `aws sso login`",
    LoginError: "the login is missing, damaged or has expired; run `aws login`",
    CredentialRetrievalError: "it failed, or what it gives is not what the SDK can read",
    InvalidConfigError: "its settings do not fit together",
    UnknownCredentialError: "its `credential_source` is unknown",
    ProfileNotFound: "it names a profile that does not exist",
    ConfigParseError: "its file of settings cannot be read",
    EOFError: "it asks for a code of a second factor, and there is no terminal",
    RuntimeError: "what it gives has expired",
}
