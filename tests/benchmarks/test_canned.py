import base64
import json
import zlib
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from benchmarks.answers import Answer, Call, Scenario, Script, name_call
from benchmarks.canned import CONTROL, CannedEndpoint, Endpoint, as_bytes


@pytest.fixture(scope="module")
def endpoint() -> Iterator[CannedEndpoint]:
    """Return a running endpoint."""
    with CannedEndpoint() as running:
        yield running


def ask(endpoint: CannedEndpoint, method: str, path: str, target: str | None = None) -> tuple[int, Any]:
    """Return status and body of one call."""
    connection = HTTPConnection("127.0.0.1", endpoint.port, timeout=5)
    connection.request(method, path, "{}", {"X-Amz-Target": target} if target else {})
    response = connection.getresponse()
    answered = response.status, json.loads(response.read())
    connection.close()
    return answered


def test_a_call_is_counted_once_by_its_name_and_body(endpoint: CannedEndpoint) -> None:
    """The endpoint tells each call that came over the wire, in order, and then counts anew."""
    endpoint.seen()
    ask(endpoint, "POST", "/", "DynamoDB_20120810.PutItem")
    ask(endpoint, "GET", "/acme/api/v2/users/me.json?x=1")
    assert endpoint.seen() == [Call("DynamoDB.PutItem", "{}"), Call("GET /api/v2/users/me.json", "{}")]
    assert endpoint.seen() == []


def test_an_unknown_call_is_no_success_and_is_counted(endpoint: CannedEndpoint) -> None:
    """A call that nobody thought of neither passes for success nor goes uncounted."""
    endpoint.seen()
    status, _ = ask(endpoint, "POST", "/", "DynamoDB_20120810.Scan")
    assert status == 501
    assert [call.name for call in endpoint.seen()] == ["DynamoDB.Scan"]


def test_a_scenario_changes_the_row_and_the_token_answer(endpoint: CannedEndpoint) -> None:
    """Rows are given in turn and then from the first again; the token endpoint says what the scenario says."""
    rows = [{"status": {"S": "exchanging"}}, {"status": {"S": "failed"}}]
    endpoint.script(Scenario(rows, {"error": "invalid_grant"}, 400))
    given = [ask(endpoint, "POST", "/", "DynamoDB_20120810.UpdateItem")[1]["Attributes"] for _ in range(3)]
    assert given == [rows[0], rows[1], rows[0]]
    assert ask(endpoint, "POST", "/acme/oauth/tokens") == (400, {"error": "invalid_grant"})


def test_a_data_key_is_a_real_key() -> None:
    """GenerateDataKey gives 32 bytes and a wrapped key, or the sealing that is measured would not be the real one."""
    body = Script(Scenario()).answer(Call("KMS.GenerateDataKey", "{}")).body
    assert body is not None
    assert len(base64.b64decode(body["Plaintext"])) == 32
    assert len(base64.b64decode(body["CiphertextBlob"])) > 100


def test_an_update_that_asks_for_the_new_row_gets_it() -> None:
    """A commit looks for its own id in the row: given back unchanged, every refresh would seem to be another's."""
    update = {
        "Key": {"key": {"S": "k"}},
        "UpdateExpression": "SET #commit_id = :mine",
        "ExpressionAttributeNames": {"#commit_id": "commit_id"},
        "ExpressionAttributeValues": {":mine": {"S": "mine"}},
        "ReturnValues": "ALL_NEW",
    }
    script = Script(Scenario([{"commit_id": {"S": "before"}, "epoch": {"N": "1"}}]))
    answer = script.answer(Call("DynamoDB.UpdateItem", json.dumps(update)))
    row = {"commit_id": {"S": "mine"}, "epoch": {"N": "1"}, "key": {"S": "k"}}
    assert answer == Answer({"Attributes": row})


def test_a_row_is_left_out_where_there_is_none() -> None:
    """DynamoDB gives no `Item` for a row that is not there, and neither does the endpoint."""
    assert Script(Scenario()).answer(Call("DynamoDB.GetItem", "{}")) == Answer({})


@pytest.mark.parametrize(
    ("method", "path", "headers", "name"),
    [
        ("POST", "/", {"x-amz-target": "TrentService.Decrypt"}, "KMS.Decrypt"),
        ("POST", "/", {"x-amz-target": "secretsmanager.GetSecretValue"}, "SecretsManager.GetSecretValue"),
        ("POST", "/", {"x-amz-target": "Other_1.Call"}, "Other_1.Call"),
        ("DELETE", "/acme/api/v2/oauth/tokens/7.json", {}, "DELETE /api/v2/oauth/tokens/7.json"),
    ],
)
def test_a_call_is_named_as_it_is_spoken_of(
    method: str, path: str, headers: dict[str, str], name: str
) -> None:
    """AWS calls are named by service and operation, Zendesk's by what stands behind the account."""
    assert name_call(method, path, headers) == name


def test_orders_of_the_benchmark_are_not_counted() -> None:
    """Asking what was seen is not itself seen."""
    endpoint = Endpoint()
    endpoint.respond("POST", CONTROL, {}, "")
    assert endpoint.calls == []


def test_an_answer_is_http_with_its_length_and_checksum() -> None:
    """A client that checks length and checksum, as botocore does for DynamoDB, is content."""
    head, _, body = as_bytes(Answer({"a": 1}, 201)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201 ")
    assert b"Content-Length: 8" in head
    assert f"x-amz-crc32: {zlib.crc32(body)}".encode() in head
    assert json.loads(body) == {"a": 1}
