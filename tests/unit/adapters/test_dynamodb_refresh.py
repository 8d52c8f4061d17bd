from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import ANY, Stubber

from tests.doubles.samples import ACME, GLOBEX
from tests.doubles.scripted import NOON
from tests.stores.refreshing import OURS, SHARD, due, item_of, renewal
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.errors import StoreError, StoreUnavailableError
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import LossReason

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

type Step = Callable[[DynamoDBRefreshStore], object]

WRITES: list[Step] = [
    lambda store: store.claim(due(), OURS, NOON),
    lambda store: store.release(due(), OURS, NOON),
    lambda store: store.leave_unresolved(due(), OURS, NOON),
    lambda store: store.commit(renewal()),
    lambda store: store.commit(renewal(), disconnecting=True),
    lambda store: store.require_reconnect(due(), OURS, LossReason.ANSWER_LOST, NOON),
    lambda store: store.mark_disconnecting(due(), NOON),
    lambda store: store.erase(due(), "revoked", NOON),
    lambda store: store.keep_replaced(renewal()),
    lambda store: store.postpone(due(), NOON),
]
READS: list[Step] = [
    lambda store: store.find("default", ACME),
    lambda store: store.find("default", ACME, "c40"),
]
QUERIES: list[Step] = [
    lambda store: list(store.idle(SHARD, NOON)),
    lambda store: list(store.unfinished(SHARD, NOON)),
]
STEPS = [
    *((step, "update_item") for step in WRITES),
    *((step, "get_item") for step in READS),
    *((step, "query") for step in QUERIES),
]
EACH = pytest.mark.parametrize(("step", "method"), STEPS)


@pytest.fixture
def store(dynamodb_client: "DynamoDBClient") -> DynamoDBRefreshStore:
    """Return a store whose answers are scripted."""
    return DynamoDBRefreshStore(dynamodb_client, "connections")


@EACH
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("InternalServerError", 500),
        ("whatever", 503),
    ],
)
def test_r6_a_store_that_cannot_now_is_unavailable(
    store: DynamoDBRefreshStore, dynamodb_stub: Stubber, step: Step, method: str, code: str, status: int
) -> None:
    """Every step says so, and none takes it for an answer."""
    dynamodb_stub.add_client_error(method, code, http_status_code=status)
    with pytest.raises(StoreUnavailableError):
        step(store)


@pytest.mark.parametrize("step", WRITES)
def test_a_write_without_an_answer_is_unavailable(
    dynamodb_client: "DynamoDBClient",
    store: DynamoDBRefreshStore,
    monkeypatch: pytest.MonkeyPatch,
    step: Step,
) -> None:
    """Whether it was made is not known here; the caller finds out."""

    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://dynamodb.example")

    monkeypatch.setattr(dynamodb_client, "update_item", lose)
    with pytest.raises(StoreUnavailableError):
        step(store)


@EACH
def test_a_request_that_can_never_be_right_is_no_outage(
    store: DynamoDBRefreshStore, dynamodb_stub: Stubber, step: Step, method: str
) -> None:
    """A missing permission is a fault of the set-up, and trying again would hide it."""
    dynamodb_stub.add_client_error(method, "AccessDeniedException", http_status_code=400)
    with pytest.raises(StoreError) as raised:
        step(store)
    assert type(raised.value) is StoreError


def test_a_failed_erasure_is_none(store: DynamoDBRefreshStore, dynamodb_stub: Stubber) -> None:
    """The row that is in the way is another version's."""
    newer = item_of(due(status=ConnectionStatus.ACTIVE))
    dynamodb_stub.add_client_error(
        "update_item", "ConditionalCheckFailedException", http_status_code=400, modeled_fields={"Item": newer}
    )
    assert store.erase(due(), "revoked", NOON) is False


@pytest.mark.parametrize("wanted", ["idle", "unfinished"])
def test_what_is_due_is_asked_for_page_after_page(
    store: DynamoDBRefreshStore, dynamodb_stub: Stubber, wanted: str
) -> None:
    """Each page only when the one before is used up, so that whoever runs out of time has not read them all."""
    index, name = {"idle": ("keep-alive", "keep_alive"), "unfinished": ("unfinished", "unfinished")}[wanted]
    asked = {
        "TableName": "connections",
        "IndexName": index,
        "KeyConditionExpression": f"{name}_shard = :shard AND {name}_at <= :now",
        "ExpressionAttributeValues": {":shard": {"S": SHARD}, ":now": {"N": str(int(NOON.timestamp()))}},
    }
    due_at = {f"{name}_at": {"N": str(int(NOON.timestamp()) - 60)}}
    first = {"connection_key": {"S": f"default#{ACME}"}} | due_at
    second = {"connection_key": {"S": f"~b#{GLOBEX}#c40"}} | due_at
    dynamodb_stub.add_response("query", {"Items": [first], "LastEvaluatedKey": first}, asked)
    dynamodb_stub.add_response("query", {"Items": [second]}, {**asked, "ExclusiveStartKey": ANY})
    due_then = NOON + timedelta(milliseconds=999)
    since = NOON - timedelta(minutes=1)
    found = list(getattr(store, wanted)(SHARD, due_then))
    assert found == [("default", ACME, since, None), ("b", GLOBEX, since, "c40")]
