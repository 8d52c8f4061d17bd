"""What DynamoDB refuses, in words of our own.

Three ends: a condition failed (somebody else was first), the store is unavailable (the write may or may not have
been made), or the request can never be right (a missing permission, a malformed expression). The last is a plain
StoreError, not retryable: nothing was written, and trying again would only hide a fault of ours or of the set-up.
Whatever is not known to be of the last kind counts as unavailable, because that is the careful answer.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)

from zendesk_oauth.adapters.aws_errors import code_of
from zendesk_oauth.errors import StoreError, StoreUnavailableError, VersionConflictError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

CONDITION_FAILED = "ConditionalCheckFailedException"
BUSY = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_NEVER_SENT = (NoCredentialsError, NoRegionError, ParamValidationError, PartialCredentialsError)


@contextmanager
def store_errors() -> Iterator[None]:
    """Translate every error of the SDK. Messages name its kind only: its own text may echo values."""
    try:
        yield
    except ClientError as error:
        raise translated(error) from error
    except _NEVER_SENT as error:
        raise StoreError(type(error).__name__) from error
    except BotoCoreError as error:
        raise StoreUnavailableError(type(error).__name__) from error


def translated(error: ClientError) -> StoreError:
    """Return our own error for this answer."""
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == CONDITION_FAILED:
        return VersionConflictError(code)
    if code in BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return StoreUnavailableError(code)
    return StoreError(code)


def row_in_the_way(error: ClientError) -> "Mapping[str, AttributeValueTypeDef] | None":
    """Return the row that failed a condition (ALL_OLD), or None where there is none."""
    return cast("Mapping[str, Any]", error.response).get("Item")


def cancellation_reasons(error: ClientError) -> "Sequence[Mapping[str, Any]]":
    """Return why a transaction was cancelled, one reason for each of its writes, in their order."""
    reasons: Sequence[Mapping[str, Any]] = cast("Mapping[str, Any]", error.response).get(
        "CancellationReasons", ()
    )
    return reasons
