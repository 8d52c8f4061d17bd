"""What an error of an SDK, or of the package, means to whoever typed the command, and what they can do about it."""

import re
from traceback import walk_tb

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    ParamValidationError,
)
from botocore.exceptions import ConnectionError as SdkConnectionError

from cli.errors import BrokenError, CommandError, NoAccessError, NotNowError, RefusedError
from deployed.account import RegionMissingError
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
_UNREACHABLE = (SdkConnectionError, HTTPClientError)
_SERVER_ERROR = 500
_HERE = re.compile(r"https?://(127\.0\.0\.1|localhost)\b")
_LOG_IN = "log in again, or look at AWS_PROFILE and the other settings"


def trouble_of(error: Exception) -> CommandError | None:
    """Return what an error means; None where nobody has foreseen it."""
    if isinstance(error, ClientError):
        return _of_aws(error)
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


def _of_aws(error: ClientError) -> CommandError:
    code, operation = code_of(error), error.operation_name
    said = error.response.get("Error", {}).get("Message", "")
    if operation == "DescribeStacks" and code == "ValidationError":
        return NoAccessError(f"{said or 'no such stack'}; --stack names yours, and AWS_REGION its Region")
    if code in _REFUSED:
        return NoAccessError(
            f"AWS does not allow {operation}: {said or code}; docs/cli.md says which policy does"
        )
    if code in _UNKNOWN:
        return NoAccessError(f"AWS does not take these credentials ({code}); {_LOG_IN}")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _BUSY or "Throttl" in code or status >= _SERVER_ERROR:
        return NotNowError(f"AWS has too much to do for {operation} ({code}); try again in a minute")
    return BrokenError(f"AWS refuses {operation}: {code}: {said}")


def _of_sdk(error: BotoCoreError) -> CommandError:
    if isinstance(error, _UNREACHABLE):
        look = (
            "does `make local` still run?"
            if _HERE.search(str(error))
            else "look at the network, then try again"
        )
        return NotNowError(f"AWS cannot be reached: {error}; {look}")
    return NoAccessError(str(error) if isinstance(error, RegionMissingError) else f"{error}; {_LOG_IN}")


def _of_ours(error: ZendeskOAuthError) -> CommandError:
    if isinstance(error, RequestError):
        return RefusedError(f"{error.public_message} ({error.code})")
    if isinstance(error.__cause__, (ClientError, BotoCoreError)) and (told := trouble_of(error.__cause__)):
        return told
    return NotNowError(f"{error}; try again") if error.retryable else BrokenError(f"{error} ({error.code})")
