"""The follower's handler on DynamoDB Local: whatever order events come in, and however often, it knows the latest."""

import io
import itertools
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.events.schemas import validator
from tests.examples.conftest import Load
from tests.examples.messages import CONTEXT, INSTALL, failures, lines, record, told

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ALL = {
    "schema": 1,
    "application": "zendesk-oauth",
    "stage": "prod",
    "grant": "default",
    "subdomain": "acme",
    "user_reference": "user-7",
    "install": INSTALL,
}
ESTABLISHED = {"first": True, "scopes": ["read"], "missing_scopes": []}
REFRESHED = {"scopes": ["read"], "expires_at": "2026-11-28T15:00:00Z"}
LOST = {"reason": "answer_lost", "since": "2026-11-26T15:02:30Z", "reconnect_url": None}


def event(name: str, place: tuple[int, int, int], **more: Any) -> dict[str, Any]:
    """Return an event at a place of the connection's life: epoch, generation, step."""
    epoch, generation, step = place
    detail: dict[str, Any] = {
        **ALL,
        "id": f"{epoch:08x}{generation:08x}{step:08x}{len(name):08x}",
        "occurred_at": f"2026-11-26T15:{generation:02d}:{step:02d}Z",
        "epoch": epoch,
        "generation": generation,
        "order": f"{epoch:010d}.{generation:010d}.{step}",
        **more,
    }
    validator(name).validate(detail)
    return told("zendesk-oauth", name, detail)


LIFE = (
    event("ConnectionEstablished", (1, 1, 0), **ESTABLISHED),
    event("TokenRefreshed", (1, 2, 0), **REFRESHED),
    event("ReconnectRequired", (1, 2, 1), **LOST),
    event("ConnectionEstablished", (2, 3, 0), **ESTABLISHED | {"first": False}),
    event("Disconnected", (2, 3, 2), revocation="revoked"),
)
"""A short life: connected, refreshed, lost, connected again, and ended."""
LONG_LIFE = (
    *LIFE,
    event("TokenRefreshed", (1, 3, 0), **REFRESHED),
    event("ConnectionRestored", (1, 3, 0)),
    event("ScopesReduced", (2, 3, 0), scopes=[], lost_scopes=["read"]),
    event("ReconnectRequired", (2, 3, 1), **LOST),
    event("ConnectionEstablished", (10, 12, 0), **ESTABLISHED | {"first": False}),
    event("ReconnectRequired", (10, 12, 1), **LOST),
)
"""A longer one, with a late answer, events that share their place, and an epoch of two digits."""
ENDS = {"connection": "default#acme", "order": "0000000002.0000000003.2", "status": "disconnected"}


@pytest.fixture
def app(loaded: Load, customers_table: str) -> ModuleType:
    """Return the follower as a fresh container has it."""
    assert customers_table
    return loaded("follower")


def handed(app: ModuleType, events: Sequence[object]) -> list[str]:
    """Hand events over in batches of ten, as the queue does; return the messages that go back."""
    batches = itertools.batched(enumerate(events), 10, strict=False)
    answers = (
        app.handler({"Records": [record(body, number) for number, body in batch]}, CONTEXT)
        for batch in batches
    )
    return [failure for answer in answers for failure in failures(answer)]


def known(dynamodb: "DynamoDBClient", table: str) -> list[dict[str, Any]]:
    """Return what the table says of every customer."""
    plain = TypeDeserializer()
    items = dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]
    return [{name: plain.deserialize(value) for name, value in item.items()} for item in items]


def forget(dynamodb: "DynamoDBClient", table: str) -> None:
    """Empty the table."""
    for row in known(dynamodb, table):
        dynamodb.delete_item(TableName=table, Key={"connection": {"S": row["connection"]}})


def test_r9_every_order_of_a_life_ends_in_the_same_row(
    app: ModuleType, dynamodb: "DynamoDBClient", customers_table: str
) -> None:
    """Each of 120 orders, every event twice, at once or after all the others: the row is what the last event says."""
    rows = []
    for order in itertools.permutations(LIFE):
        assert handed(app, [*order[:2], *order, *order[2:]]) == []
        rows += known(dynamodb, customers_table)
        forget(dynamodb, customers_table)
    assert len(rows) == 120
    first = rows[0]
    assert first.items() >= ENDS.items()
    assert rows == [first] * 120


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(LONG_LIFE),
    again=st.lists(st.sampled_from(LONG_LIFE), max_size=12),
)
def test_r9_so_does_every_order_of_a_longer_life(
    app: ModuleType,
    dynamodb: "DynamoDBClient",
    customers_table: str,
    order: list[dict[str, Any]],
    again: list[dict[str, Any]],
) -> None:
    """With a late answer, events that share a place, and an epoch of two digits, which compares by its zeros."""
    forget(dynamodb, customers_table)
    assert handed(app, [*again[:6], *order, *again[6:]]) == []
    [row] = known(dynamodb, customers_table)
    assert (row["status"], row["order"]) == ("reconnect_required", "0000000010.0000000012.1")
    assert (row["reason"], row["since"]) == ("answer_lost", LOST["since"])


@pytest.mark.parametrize(
    ("events", "status", "since", "reason"),
    [
        (LIFE[:1], "active", "2026-11-26T15:01:00Z", None),
        (LIFE[:2], "active", "2026-11-26T15:02:00Z", None),
        (LIFE[:3], "reconnect_required", "2026-11-26T15:02:30Z", "answer_lost"),
        (LIFE[:4], "active", "2026-11-26T15:03:00Z", None),
        (LIFE, "disconnected", "2026-11-26T15:03:02Z", None),
    ],
)
def test_a_row_says_what_the_latest_event_says(  # what it is given and what is wanted
    app: ModuleType,
    dynamodb: "DynamoDBClient",
    customers_table: str,
    events: Sequence[object],
    status: str,
    since: str,
    reason: str | None,
) -> None:
    """How the connection is, since when, why, and who of the company's own users it is."""
    assert handed(app, events) == []
    [row] = known(dynamodb, customers_table)
    assert (row["status"], row["since"], row["reason"]) == (status, since, reason)
    assert row["user_reference"] == "user-7"
    assert row.keys() == {"connection", "order", "status", "since", "reason", "user_reference"}


def test_connections_are_told_apart(
    app: ModuleType, dynamodb: "DynamoDBClient", customers_table: str
) -> None:
    """By grant and account: each has a life of its own."""
    events = [
        event("ConnectionEstablished", (1, 1, 0), **ESTABLISHED, grant=grant, subdomain=subdomain)
        for grant, subdomain in (("default", "acme"), ("reporting", "acme"), ("default", "globex"))
    ]
    assert handed(app, events) == []
    names = {row["connection"] for row in known(dynamodb, customers_table)}
    assert names == {"default#acme", "reporting#acme", "default#globex"}


def test_an_install_that_became_nothing_is_a_line_and_no_row(
    app: ModuleType, dynamodb: "DynamoDBClient", customers_table: str, log: io.StringIO
) -> None:
    """A denial, a failure, an abandoned invitation without an account: told, and not kept."""
    common = {**ALL, "id": "0" * 32, "occurred_at": "2026-11-26T15:00:00Z"}
    events = [
        told("zendesk-oauth", "InstallDenied", {**common, "reason": "access_denied"}),
        told("zendesk-oauth", "InstallFailed", {**common, "reason": "wrong_role"}),
        told("zendesk-oauth", "InstallAbandoned", {**common, "reason": "not_started", "subdomain": None}),
    ]
    for one in events:
        validator(str(one["detail-type"])).validate(one["detail"])  # type: ignore[arg-type] # as it is JSON
    assert handed(app, events) == []
    assert known(dynamodb, customers_table) == []
    said = lines(log.getvalue())
    assert [line["message"] for line in said] == [str(one["detail-type"]) for one in events]
    assert {line["correlation_id"] for line in said} == {INSTALL}


def test_what_is_known_already_is_no_error(app: ModuleType, log: io.StringIO) -> None:
    """A second delivery and an older event leave a line that says so, and nothing goes back."""
    assert handed(app, (LIFE[1], LIFE[1], LIFE[0])) == []
    assert [line["kept"] for line in lines(log.getvalue())] == [True, False, False]


def test_what_cannot_be_kept_comes_again_alone(
    app: ModuleType, dynamodb: "DynamoDBClient", customers_table: str
) -> None:
    """A message that is no event goes back, and later to the dead letters; the others are kept."""
    assert handed(app, ("no json", LIFE[0])) == ["message-0"]
    assert len(known(dynamodb, customers_table)) == 1
    dynamodb.delete_table(TableName=customers_table)
    assert handed(app, LIFE[:2]) == ["message-0", "message-1"]
    dynamodb.create_table(
        TableName=customers_table,
        AttributeDefinitions=[{"AttributeName": "connection", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "connection", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
