"""The rows are found by the index, and `refresh` is asked for them by name alone."""

import io
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from cli.jobs.asking_refresh import AskRekey
from cli.jobs.listing import ConnectionListing, Named
from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON
from tests.dynamodb_local import Tables
from tests.stores.refreshing import due, item_of, renewal
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.adapters.lambda_refresher import LambdaRefresher
from zendesk_oauth.errors import ConfigurationError, RefreshPendingError, StoreError
from zendesk_oauth.models.rekey import RekeyAnswer, RekeyOutcome
from zendesk_oauth.models.subdomain import Subdomain

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_lambda import LambdaClient

ROW = {"grant": "default", "subdomain": "acme"}


def test_every_connection_is_named_once(dynamodb: "DynamoDBClient", tables: Tables) -> None:
    """Over all partitions and pages, tombstones too, and every pair that waits to be revoked."""
    names = {Named("default", Subdomain(f"account-{number}")) for number in range(40)}
    names |= {Named("reporting", ACME)}
    store = DynamoDBRefreshStore(dynamodb, tables.connections)
    for grant, subdomain, _ in names:
        connection = due(grant=grant, subdomain=subdomain)
        dynamodb.put_item(TableName=tables.connections, Item=item_of(connection))
    assert store.mark_disconnecting(due(grant="reporting"), NOON)
    replaced = [store.keep_replaced(renewal(f"c{number}")) for number in range(20)]
    assert store.erase(replaced[0], "revoked", NOON)
    names |= {Named("default", ACME, f"c{number}") for number in range(1, 20)}
    listing = ConnectionListing(dynamodb, tables.connections)
    found = list(listing)
    assert (set(found), len(found), listing.count()) == (names, 60, 60)


def test_a_table_that_is_not_there_is_an_error_of_ours(dynamodb: "DynamoDBClient") -> None:
    """Without a word of the SDK's."""
    with pytest.raises(StoreError, match="ResourceNotFoundException"):
        list(ConnectionListing(dynamodb, "no-such-table"))


@pytest.fixture
def lambda_client() -> "LambdaClient":
    """Return a client that speaks to nobody."""
    return boto3.client("lambda", region_name="us-east-1")


def rekey(client: "LambdaClient", answer: object, error: str | None = None) -> Any:
    """Ask for one row, and get that answer."""
    data = json.dumps(answer).encode()
    response: dict[str, Any] = {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(data), len(data))}
    asked = {
        "FunctionName": "refresh",
        "InvocationType": "RequestResponse",
        "Payload": json.dumps({"rekey": {"campaign": "2027-01", "rows": [ROW]}}).encode(),
    }
    with Stubber(client) as stub:
        stub.add_response("invoke", response | ({"FunctionError": error} if error else {}), asked)
        return AskRekey(LambdaRefresher(client, "refresh"), "2027-01")([Named("default", ACME)])


def test_rows_are_named_and_answered_in_their_order(lambda_client: "LambdaClient") -> None:
    """By grant and subdomain, for a campaign, and nothing else."""
    later: dict[str, str | None] = {**ROW, "outcome": "later", "cause": "key_unavailable"}
    assert rekey(lambda_client, {"rows": [later]}) == [
        RekeyAnswer("default", ACME, RekeyOutcome.LATER, "key_unavailable")
    ]
    done = later | {"outcome": "done", "cause": None}
    assert rekey(lambda_client, {"rows": [done]}) == [RekeyAnswer("default", ACME, RekeyOutcome.DONE)]


@pytest.mark.parametrize("answer", [{}, {"rows": []}, {"rows": None}, []])
def test_an_answer_that_is_not_for_every_row_is_asked_for_again(
    lambda_client: "LambdaClient", answer: object
) -> None:
    """Nobody knows how the rows have ended."""
    with pytest.raises(RefreshPendingError):
        rekey(lambda_client, answer)


def test_a_function_that_fails_is_asked_again(lambda_client: "LambdaClient") -> None:
    """It may have been the table, or its time."""
    with pytest.raises(RefreshPendingError, match="StoreUnavailableError"):
        rekey(lambda_client, {"errorType": "StoreUnavailableError"}, "Unhandled")


def test_a_function_of_another_version_is_told(lambda_client: "LambdaClient") -> None:
    """It does not know what it is asked, and asking again does not help."""
    with pytest.raises(ConfigurationError, match="another version"):
        rekey(lambda_client, {"errorType": "MalformedRequestError"}, "Unhandled")
