"""What an error of an SDK, or of the package, means to whoever typed the command, and what they can do about it.

The rule: no text of an SDK reaches the terminal, because it can quote a token: a refused header, an address with its
query, the answer of a server. A class or a code that is known here has a sentence of its own; of any other the class is
told.
"""

import re
from collections.abc import Mapping
from traceback import walk_tb

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    InvalidProxiesConfigError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from botocore.exceptions import ConnectionError as SdkConnectionError
from botocore.parsers import ResponseParserError

from cli.errors import BrokenError, CommandError, NoAccessError, NotNowError, RefusedError
from deployed.aws_settings import CertificatesError, RegionMissingError, SettingsError
from deployed.credentials import ERROR_CODE, CredentialsError
from zendesk_oauth.adapters.aws_errors import code_of
from zendesk_oauth.errors import RequestError, ZendeskOAuthError

_REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
_UNKNOWN = frozenset(
    {
        *(
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
        ),
        *("ExpiredToken", "ExpiredTokenException", "InvalidSignatureException", "MissingAuthenticationToken"),
        "MissingAuthenticationTokenException",
    }
)
_BUSY = frozenset({"RequestLimitExceeded", "TooManyRequestsException", "SlowDown", "ServiceUnavailable"})
_UNREACHABLE = (
    *(SdkConnectionError, HTTPClientError, IncompleteReadError, InvalidProxiesConfigError),
    *(ResponseParserError, ConnectionError, TimeoutError),
)
"""What is raised on the way to AWS: by the SDK, and by sockets under it."""
_PROXY = "look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
_NETWORK = "look at the network, then try again"
_LATE = f"there is no answer in time; {_NETWORK}"
_ANOTHER = f"something else answers in its place; {_PROXY}, and at AWS_ENDPOINT_URL"
_WAYS: Mapping[type[Exception], str] = {
    ProxyConnectionError: f"the proxy does not answer; {_PROXY}",
    InvalidProxiesConfigError: f"the settings of the proxy cannot be used; {_PROXY}",
    SSLError: "the TLS connection is not trusted or broken; look at AWS_CA_BUNDLE, the proxy and this machine's clock",
    ConnectTimeoutError: _LATE,
    ReadTimeoutError: _LATE,
    EndpointConnectionError: f"there is no connection; {_NETWORK}",
    ConnectionClosedError: f"the connection ended before the answer; {_NETWORK}",
    ResponseStreamingError: f"the connection ended before the answer; {_NETWORK}",
    IncompleteReadError: f"the connection ended before the answer; {_NETWORK}",
    ResponseParserError: _ANOTHER,
}
"""What is told of a way that ends before AWS, by the error's class."""
_HERE = re.compile(r"https?://(127\.0\.0\.1|localhost)\b")
_SERVER_ERROR = 500
_LOG_IN = "log in again, or look at AWS_PROFILE and the other settings"
_NOT_AUTHORIZED = re.compile(
    r"is not authorized to perform: ([a-z0-9-]{2,40}:[A-Za-z]{3,60})"
    r"(?: on resource: (arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:\d*:[\w/.:$*-]{1,200}))?"
)
"""What AWS says is not allowed: an action, and the ARN of what it is about."""


def trouble_of(error: BaseException | None) -> CommandError | None:
    """Return what an error means; None where nobody has foreseen it."""
    if isinstance(error, ClientError):
        return _of_aws(error)
    if isinstance(error, CertificatesError):
        return NotNowError(f"AWS cannot be reached: {error}")
    if isinstance(error, _UNREACHABLE):
        return NotNowError(f"AWS cannot be reached: {_way(error)}")
    if isinstance(error, BotoCoreError) and not isinstance(error, ParamValidationError):
        return _of_sdk(error)
    if isinstance(error, ZendeskOAuthError):
        return _of_ours(error)
    return None


def unforeseen(error: Exception) -> str:
    """Return what is told of an error of our own: its kind and its place; its text may quote anything."""
    *_, (frame, line) = walk_tb(error.__traceback__)
    place = f"{frame.f_code.co_filename}:{line}"
    return f"this command has an error of its own, {type(error).__name__} at {place}; please report it"


def _way(error: BaseException) -> str:
    """Return where the way to AWS ends, and what can be done."""
    if isinstance(error, EndpointConnectionError) and _HERE.match(str(error.kwargs.get("endpoint_url"))):
        return "there is no connection; does `make local` still run?"
    known = next((way for kind, way in _WAYS.items() if isinstance(error, kind)), None)
    return known or f"a request cannot be sent ({_kind(error)}); {_PROXY}, and at the network"


def _kind(error: BaseException) -> str:
    """Return the class of what an SDK's error wraps, or its own: the names of classes quote nothing."""
    inner = error.kwargs.get("error") if isinstance(error, BotoCoreError) else None
    return type(inner or error).__name__


def _of_aws(error: ClientError) -> CommandError:
    code, operation = code_of(error), error.operation_name
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    shown = code if ERROR_CODE.fullmatch(code) else f"status {status}"
    if code in _REFUSED:
        return NoAccessError(f"AWS does not allow {_not_allowed(error)}; docs/cli.md says which policy does")
    if code in _UNKNOWN:
        return NoAccessError(f"AWS does not take these credentials ({code}); {_LOG_IN}")
    if code in _BUSY or "Throttl" in code or status >= _SERVER_ERROR:
        return NotNowError(f"AWS has too much to do for {operation} ({shown}); try again in a minute")
    if not ERROR_CODE.fullmatch(code):
        return NotNowError(f"AWS cannot be reached: {_ANOTHER}")
    return BrokenError(f"AWS refuses {operation} with {code}")


def _not_allowed(error: ClientError) -> str:
    """Return what it is that AWS does not allow: the action and the resource, and nothing else of its text."""
    found = _NOT_AUTHORIZED.search(error.response.get("Error", {}).get("Message", ""))
    if found is None:
        return error.operation_name
    action, resource = found.groups()
    return f"{action} on {resource}" if resource else str(action)


def _of_sdk(error: BotoCoreError) -> CommandError:
    if isinstance(error, (CredentialsError, SettingsError, RegionMissingError)):
        return NoAccessError(str(error))  # a sentence of our own
    if isinstance(error, NoCredentialsError):
        return NoAccessError(f"there are no AWS credentials; {_LOG_IN}")
    return NoAccessError(f"the AWS SDK cannot go on ({type(error).__name__}); {_LOG_IN}")


def _of_ours(error: ZendeskOAuthError) -> CommandError:
    if isinstance(error, RequestError):
        return RefusedError(f"{error.public_message} ({error.code})")
    if isinstance(error.__cause__, (ClientError, BotoCoreError)) and (told := trouble_of(error.__cause__)):
        return told
    return NotNowError(f"{error}; try again") if error.retryable else BrokenError(f"{error} ({error.code})")
