from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from tests.doubles.samples import INSTALL_ID
from zendesk_oauth.adapters.dynamodb_errors import store_errors
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.errors import StoreError, StoreUnavailableError, VersionConflictError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ENDPOINT = "https://dynamodb.example"


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ProvisionedThroughputExceededException", 400, StoreUnavailableError),
        ("ThrottlingException", 400, StoreUnavailableError),
        ("RequestLimitExceeded", 400, StoreUnavailableError),
        ("TransactionConflictException", 400, StoreUnavailableError),
        ("TransactionInProgressException", 400, StoreUnavailableError),
        ("InternalServerError", 500, StoreUnavailableError),
        ("SomethingNobodyKnows", 503, StoreUnavailableError),
        ("ConditionalCheckFailedException", 400, VersionConflictError),
        ("ValidationException", 400, StoreError),
        ("AccessDeniedException", 400, StoreError),
        ("ResourceNotFoundException", 400, StoreError),
        ("", 400, StoreError),
    ],
)
def test_every_refusal_becomes_one_of_ours(
    dynamodb_client: "DynamoDBClient",
    dynamodb_stub: Stubber,
    code: str,
    status: int,
    expected: type[StoreError],
) -> None:
    """Load can pass, a condition tells who was first, and a fault of the set-up is not worth trying again."""
    dynamodb_stub.add_client_error("get_item", code, "what was asked: 'secret-ish'", http_status_code=status)
    with pytest.raises(StoreError) as raised:
        DynamoDBInstallStore(dynamodb_client, "installs").find(INSTALL_ID)
    assert type(raised.value) is expected
    assert raised.value.__cause__ is not None
    assert "secret-ish" not in str(raised.value.args)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectTimeoutError(endpoint_url=ENDPOINT), StoreUnavailableError),
        (ReadTimeoutError(endpoint_url=ENDPOINT), StoreUnavailableError),
        (EndpointConnectionError(endpoint_url=ENDPOINT), StoreUnavailableError),
        (BotoCoreError(), StoreUnavailableError),
        (NoCredentialsError(), StoreError),
        (PartialCredentialsError(provider="env", cred_var="x"), StoreError),
        (NoRegionError(), StoreError),
        (ParamValidationError(report="a value: 'secret-ish'"), StoreError),
    ],
)
def test_what_never_became_a_request_is_no_outage(error: BotoCoreError, expected: type[StoreError]) -> None:
    """A write may have been made only where something was sent; messages name the kind alone."""
    with pytest.raises(StoreError) as raised, store_errors():
        raise error
    assert type(raised.value) is expected
    assert raised.value.args == (type(error).__name__,)
