from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from tests.doubles.samples import INSTALL_ID, establishment
from tests.doubles.scripted import NOON
from tests.stores.refreshing import due, item_of
from zendesk_oauth.adapters.dynamodb_connections import (
    ATTEMPTS,
    LONGEST_FIRST_PAUSE,
    DynamoDBConnectionStore,
    request_token,
)
from zendesk_oauth.errors import StoreError, StoreUnavailableError, VersionConflictError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

FINE = {"Code": "None"}
CONDITION_FAILED = {"Code": "ConditionalCheckFailed"}
CONFLICT = {"Code": "TransactionConflict"}


@pytest.fixture
def pauses() -> list[float]:
    """Return the list in which the store notes how long it would have waited."""
    return []


@pytest.fixture
def store(dynamodb_client: "DynamoDBClient", pauses: list[float]) -> DynamoDBConnectionStore:
    """Return a store whose answers are scripted and whose pauses take no time."""
    return DynamoDBConnectionStore(dynamodb_client, "installs", "connections", pauses.append)


def cancel(stub: Stubber, install: Mapping[str, Any], connection: Mapping[str, Any]) -> None:
    """Let a transaction be cancelled for these reasons."""
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        http_status_code=400,
        modeled_fields={"CancellationReasons": [install, connection]},
    )


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_meeting_with_another_transaction_passes(
    store: DynamoDBConnectionStore, dynamodb_stub: Stubber, pauses: list[float], code: str
) -> None:
    """It is tried again after a pause that chance makes shorter, never longer, than its limit."""
    cancel(dynamodb_stub, FINE, {"Code": code})
    cancel(dynamodb_stub, {"Code": code}, FINE)
    dynamodb_stub.add_response("transact_write_items", {})
    store.establish(establishment(), INSTALL_ID, NOON)
    assert len(pauses) == 2
    assert 0 <= pauses[0] <= LONGEST_FIRST_PAUSE
    assert 0 <= pauses[1] <= 2 * LONGEST_FIRST_PAUSE


def test_meetings_without_end_are_an_outage(
    store: DynamoDBConnectionStore, dynamodb_stub: Stubber, pauses: list[float]
) -> None:
    """The attempts are counted, so a person never waits without end."""
    for _ in range(ATTEMPTS):
        cancel(dynamodb_stub, FINE, CONFLICT)
    with pytest.raises(StoreUnavailableError):
        store.establish(establishment(), INSTALL_ID, NOON)
    assert len(pauses) == ATTEMPTS


def test_our_own_commit_is_known_again(store: DynamoDBConnectionStore, dynamodb_stub: Stubber) -> None:
    """The install's row says connected, by this commit: the first answer was lost on its way."""
    row = {"status": {"S": "connected"}, "commit_id": {"S": "commit-1"}}
    cancel(dynamodb_stub, CONDITION_FAILED | {"Item": row}, CONDITION_FAILED)
    store.establish(establishment(), INSTALL_ID, NOON)


@pytest.mark.parametrize(
    "row",
    [
        {"status": {"S": "connected"}, "commit_id": {"S": "commit-2"}},
        {"status": {"S": "candidate"}, "commit_id": {"S": "commit-1"}},
        {"status": {"S": "failed"}},
        {},
    ],
)
def test_another_outcome_is_a_conflict(
    store: DynamoDBConnectionStore, dynamodb_stub: Stubber, row: dict[str, Any], pauses: list[float]
) -> None:
    """Somebody else was first, and waiting would not change that."""
    cancel(dynamodb_stub, CONDITION_FAILED | ({"Item": row} if row else {}), CONFLICT)
    with pytest.raises(VersionConflictError):
        store.establish(establishment(), INSTALL_ID, NOON)
    assert pauses == []


def test_a_row_that_keeps_changing_is_an_outage(
    store: DynamoDBConnectionStore, dynamodb_stub: Stubber
) -> None:
    """A pair that comes and goes between the tries ends the matter after a few."""
    for _ in range(ATTEMPTS):
        cancel(dynamodb_stub, FINE, CONDITION_FAILED)
    with pytest.raises(StoreUnavailableError):
        store.establish(establishment(), INSTALL_ID, NOON)


def test_a_transaction_that_can_never_be_right_is_not_tried_again(
    store: DynamoDBConnectionStore, dynamodb_stub: Stubber, pauses: list[float]
) -> None:
    """A malformed row or a fault of ours is neither a conflict nor an outage."""
    cancel(dynamodb_stub, FINE, {"Code": "ValidationError"})
    with pytest.raises(StoreError) as raised:
        store.establish(establishment(), INSTALL_ID, NOON)
    assert type(raised.value) is StoreError
    assert pauses == []


def test_a_refusal_of_the_whole_call_is_translated(
    store: DynamoDBConnectionStore, dynamodb_stub: Stubber
) -> None:
    """The SDK has repeated it already, so it is not repeated here."""
    dynamodb_stub.add_client_error("transact_write_items", "ThrottlingException", http_status_code=400)
    with pytest.raises(StoreUnavailableError):
        store.establish(establishment(), INSTALL_ID, NOON)


def test_a_lost_answer_is_an_outage(
    dynamodb_client: "DynamoDBClient", store: DynamoDBConnectionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it was written is not known here; the caller finds out."""

    def lose(*_: Any, **__: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://dynamodb.example")

    monkeypatch.setattr(dynamodb_client, "transact_write_items", lose)
    with pytest.raises(StoreUnavailableError):
        store.establish(establishment(), INSTALL_ID, NOON)


def test_a_token_stands_for_one_content(store: DynamoDBConnectionStore, dynamodb_stub: Stubber) -> None:
    """The same commit has the same token, anything else another, and DynamoDB takes at most 36 characters."""
    seen: list[str] = []
    store.client.meta.events.register(
        "provide-client-params.dynamodb.TransactWriteItems",
        lambda params, **_: seen.append(params["ClientRequestToken"]),
    )
    cancel(dynamodb_stub, FINE, CONFLICT)
    cancel(dynamodb_stub, FINE, {**CONDITION_FAILED, "Item": item_of(due())})
    dynamodb_stub.add_response("transact_write_items", {})
    store.establish(establishment(), INSTALL_ID, NOON)
    assert seen[0] == seen[1] != seen[2]
    assert {len(token) for token in seen} == {36}
    assert request_token([]) != seen[0]
