from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import ANY, Stubber

from tests.doubles.samples import (
    HANDLE,
    INSTALL_ID,
    allowed,
    establishment,
    offered,
    pending,
    proof,
    start,
)
from tests.doubles.scripted import NOON
from zendesk_oauth.adapters.dynamodb_install_attributes import install_item, kept_attributes
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.errors import StoreError, StoreUnavailableError, VersionConflictError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

IN_THE_WAY = "ConditionalCheckFailedException"


@pytest.fixture
def store(dynamodb_client: "DynamoDBClient") -> DynamoDBInstallStore:
    """Return a store whose answers are scripted."""
    return DynamoDBInstallStore(dynamodb_client, "installs")


def refuse(stub: Stubber, method: str, row: Any) -> None:
    """Let a condition fail on this row."""
    stub.add_client_error(
        method, IN_THE_WAY, http_status_code=400, modeled_fields={"Item": row} if row else {}
    )


def test_a_put_repeated_by_the_sdk_is_known_again(
    store: DynamoDBInstallStore, dynamodb_stub: Stubber
) -> None:
    """The row in the way has our fingerprints: it is ours."""
    refuse(dynamodb_stub, "put_item", install_item(pending()))
    store.put_if_absent(pending())


def test_a_taken_id_is_a_conflict(store: DynamoDBInstallStore, dynamodb_stub: Stubber) -> None:
    """The row in the way is another's, or is already gone."""
    for row in (install_item(offered()), None):
        refuse(dynamodb_stub, "put_item", row)
        with pytest.raises(VersionConflictError):
            store.put_if_absent(pending())


def test_a_put_that_is_throttled_is_no_conflict(store: DynamoDBInstallStore, dynamodb_stub: Stubber) -> None:
    """Only a failed condition is looked into."""
    dynamodb_stub.add_client_error("put_item", "ThrottlingException")
    with pytest.raises(StoreUnavailableError):
        store.put_if_absent(pending())


def test_a_start_repeated_by_the_sdk_is_known_again(
    store: DynamoDBInstallStore, dynamodb_stub: Stubber
) -> None:
    """The row in the way is pending for this very browser."""
    row = install_item(offered()) | install_item(pending())
    refuse(dynamodb_stub, "update_item", row)
    assert store.start_offered(start(), NOON).made


def test_a_consumption_repeated_by_the_sdk_is_known_again(
    store: DynamoDBInstallStore, dynamodb_stub: Stubber
) -> None:
    """The row in the way carries our attempt."""
    row = install_item(pending()) | {"status": {"S": "exchanging"}, "attempt_id": {"S": "attempt-1"}}
    refuse(dynamodb_stub, "update_item", row)
    assert store.consume(proof(), allowed(), NOON).made


def test_a_candidate_repeated_by_the_sdk_is_known_again(
    store: DynamoDBInstallStore, dynamodb_stub: Stubber
) -> None:
    """The row in the way carries our commit."""
    row = install_item(pending()) | kept_attributes(establishment())
    refuse(dynamodb_stub, "update_item", row)
    store.keep_candidate(INSTALL_ID, establishment(), HANDLE.fingerprint, NOON)


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_a_fault_of_ours_is_no_failed_condition(
    store: DynamoDBInstallStore, dynamodb_stub: Stubber, code: str
) -> None:
    """An update that cannot be right raises, and nobody takes it for a lost race."""
    dynamodb_stub.add_client_error("update_item", code, http_status_code=400)
    with pytest.raises(StoreError) as raised:
        store.consume(proof(), allowed(), NOON)
    assert not raised.value.retryable


def test_what_is_due_is_asked_for_page_by_page(store: DynamoDBInstallStore, dynamodb_stub: Stubber) -> None:
    """The second page is asked for only when the first is used up."""
    keys = [{"install_id": {"S": letter * 22}} for letter in "ABC"]
    after = {"install_id": keys[1]["install_id"], "revoke_shard": {"S": "due"}, "revoke_at": {"N": "1"}}
    asked = {
        "TableName": "installs",
        "IndexName": "revocations",
        "KeyConditionExpression": ANY,
        "ExpressionAttributeValues": {":due": {"S": "due"}, ":now": {"N": str(int(NOON.timestamp()))}},
    }
    dynamodb_stub.add_response("query", {"Items": keys[:2], "LastEvaluatedKey": after}, asked)
    due = store.due_for_revocation(NOON)
    assert [next(due), next(due)] == ["A" * 22, "B" * 22]
    dynamodb_stub.assert_no_pending_responses()
    dynamodb_stub.add_response("query", {"Items": keys[2:]}, asked | {"ExclusiveStartKey": after})
    assert list(due) == ["C" * 22]


def test_a_list_that_breaks_off_says_so(store: DynamoDBInstallStore, dynamodb_stub: Stubber) -> None:
    """A page that cannot be had is an error of the store, not the end of the list."""
    dynamodb_stub.add_client_error("query", "InternalServerError", http_status_code=500)
    with pytest.raises(StoreUnavailableError):
        list(store.due_for_revocation(NOON))
