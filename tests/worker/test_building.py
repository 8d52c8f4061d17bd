"""The library as a worker has it: on DynamoDB Local, a canned KMS and a canned `refresh`."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import zendesk_oauth
from tests.docs.reading import ROOT
from tests.dynamodb_local import Tables
from tests.loopback import Loopback, listening
from tests.worker.doubles import ACME, Tokens, answer, connections_of
from zendesk_oauth.adapters.kms_data_keys import DataKey
from zendesk_oauth.errors import ConfigurationError, SealBrokenError, ZendeskOAuthError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.settings import WORKER_PREFIX, WORKER_VARIABLES
from zendesk_oauth.worker.answers import retry_after
from zendesk_oauth.worker.connections import Connections

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

PLAINTEXT = b"k" * 32
PLACE = {
    "application": "zendesk-oauth",
    "stage": "prod",
    "grant": "default",
    "subdomain": "acme",
    "field": "access_token",
}
GOOD = {
    "ZENDESK_OAUTH_APPLICATION": "zendesk-oauth",
    "ZENDESK_OAUTH_STAGE": "prod",
    "ZENDESK_OAUTH_CONNECTIONS_TABLE": "connections",
    "ZENDESK_OAUTH_TOKEN_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/1",
    "ZENDESK_OAUTH_REFRESH_FUNCTION": "refresh",
    "ZENDESK_OAUTH_START_URL": "https://connect.example.com/oauth/start",
}


@pytest.fixture
def kms() -> Iterator[Loopback]:
    """Give a KMS that unwraps one key."""
    with listening() as server:
        content = {"Plaintext": base64.b64encode(PLAINTEXT).decode(), "KeyId": "key"}
        server.say(answer(body=json.dumps(content)))
        yield server


@pytest.fixture
def refresh() -> Iterator[Loopback]:
    """Give a Lambda that answers for `refresh`."""
    with listening() as server:
        server.say(answer(body='{"outcome": "current", "retry_at": null}'))
        yield server


@pytest.fixture
def connections(
    dynamodb_endpoint: str,
    tables: Tables,
    kms: Loopback,
    refresh: Loopback,
    monkeypatch: pytest.MonkeyPatch,
) -> Connections:
    """Return what a worker builds once for its container."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", kms.address)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", refresh.address)
    return Connections.from_environ(GOOD | {"ZENDESK_OAUTH_CONNECTIONS_TABLE": tables.connections})


def put(dynamodb: "DynamoDBClient", tables: Tables, generation: int, lives: float = 3600.0) -> None:
    """Write a connection's row, its token sealed as the refreshing function does."""
    key = DataKey(PLAINTEXT, b"wrapped", PLACE)
    sealed = key.seal(Secret(f"token-{generation}"), f"commit-{generation}")
    expires_at = int((datetime.now(UTC) + timedelta(seconds=lives)).timestamp())
    dynamodb.put_item(
        TableName=tables.connections,
        Item={
            "connection_key": {"S": "default#acme"},
            "status": {"S": "active"},
            "epoch": {"N": "1"},
            "generation": {"N": str(generation)},
            "commit_id": {"S": f"commit-{generation}"},
            "access_token": {"B": sealed.ciphertext},
            "access_token_key": {"B": sealed.wrapped_key},
            "scopes": {"L": [{"S": "read"}]},
            "expires_at": {"N": str(expires_at)},
            "refresh_at": {"N": str(expires_at - 600)},
        },
    )


def test_after_a_refresh_a_warm_worker_needs_no_key(
    connections: Connections, dynamodb: "DynamoDBClient", tables: Tables, kms: Loopback, refresh: Loopback
) -> None:
    """One call of KMS in all: the next token lies under the same wrapped key, and nobody is asked to refresh."""
    put(dynamodb, tables, 7)
    assert connections.token("acme").value == Secret("token-7")
    put(dynamodb, tables, 8)
    assert connections.token("acme", newer_than=7).value == Secret("token-8")
    assert (len(kms.requests), len(refresh.requests)) == (1, 0)
    asked = json.loads(kms.requests[0].partition(b"\r\n\r\n")[2])
    assert asked["EncryptionContext"] == PLACE
    assert base64.b64decode(asked["CiphertextBlob"]) == b"wrapped"


def test_a_due_token_is_put_to_refresh(
    connections: Connections, dynamodb: "DynamoDBClient", tables: Tables, refresh: Loopback
) -> None:
    """By the function's name, synchronously; the client is built then and kept."""
    put(dynamodb, tables, 7, lives=300.0)
    assert connections.token("acme").generation == 7
    assert connections.token("acme", newer_than=7).generation == 7
    lines = {refresh.head(number)[0] for number in range(2)}
    assert lines == {"POST /2015-03-31/functions/refresh/invocations HTTP/1.1"}
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in refresh.requests]
    assert [body["asked"] for body in bodies] == ["due", "failed"]


def test_a_row_that_was_tampered_with_gives_no_token(
    connections: Connections, dynamodb: "DynamoDBClient", tables: Tables, kms: Loopback
) -> None:
    """An active row without a token asks for no key; one whose commit is not its token's does not open."""
    put(dynamodb, tables, 7)
    for change, calls in (("REMOVE access_token", 0), ("SET commit_id = epoch", 1)):
        put(dynamodb, tables, 7)
        dynamodb.update_item(
            TableName=tables.connections,
            Key={"connection_key": {"S": "default#acme"}},
            UpdateExpression=change if calls == 0 else "SET commit_id = :c",
            **({"ExpressionAttributeValues": {":c": {"S": "commit-6"}}} if calls else {}),  # type: ignore[arg-type]
        )
        with pytest.raises(SealBrokenError):
            connections.token("acme")
        assert len(kms.requests) == calls


def test_all_that_is_wrong_is_named_at_once() -> None:
    """By the whole name of each variable."""
    with pytest.raises(ConfigurationError) as caught:
        Connections.from_environ({"ZENDESK_OAUTH_START_URL": "http://x/oauth/start"})
    named = {problem.split()[0] for problem in caught.value.problems}
    assert named == {f"{WORKER_PREFIX}{name}" for name in WORKER_VARIABLES - {"BASE_URL"}}


@pytest.mark.parametrize(
    ("changes", "is_good"),
    [
        ({}, True),
        ({"START_URL": ""}, True),
        ({"START_URL": "https://connect.example.com"}, False),
        ({"START_URL": "https://connect.example.com/oauth/start?x=1"}, False),
        ({"START_URL": "http://127.0.0.1:1/oauth/start"}, False),
        ({"START_URL": "http://127.0.0.1:1/oauth/start", "STAGE": "local"}, True),
        ({"BASE_URL": "http://127.0.0.1:1/{subdomain}"}, False),
        ({"BASE_URL": "http://127.0.0.1:1/{subdomain}", "STAGE": "local"}, True),
        ({"BASE_URL": "https://{subdomain}.zendesk.com"}, True),
        ({"BASE_URL": "https://evil.example/{subdomain}"}, False),
    ],
)
def test_addresses_are_zendesks_and_ours(changes: dict[str, str], *, is_good: bool) -> None:
    """Only the local stage may speak to loopback: no variable leads a token elsewhere."""
    environ = GOOD | {f"ZENDESK_OAUTH_{name}": value for name, value in changes.items()}
    if is_good:
        base = changes.get("BASE_URL", "https://{subdomain}.zendesk.com")
        assert Connections.from_environ(environ).account_url(ACME) == base.format(subdomain="acme")
        return
    with pytest.raises(ConfigurationError) as caught:
        Connections.from_environ(environ)
    assert len(caught.value.problems) == 1


def test_the_environment_is_the_processs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless another is given."""
    with pytest.raises(ConfigurationError):
        Connections.from_environ()
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    built = Connections.from_environ(wait=timedelta(seconds=20))
    assert built.account_url(ACME) == "https://acme.zendesk.com"


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("0", 0), ("999999", 3600), ("", 60), ("soon", 60)]
)
def test_what_zendesk_asks_to_wait_is_read(header: str, seconds: int) -> None:
    """Seconds, at most an hour; a minute where it says nothing."""

    class Response:
        headers = {"Retry-After": header} if header else {}

    assert retry_after(Response()) == timedelta(seconds=seconds)


PROBE = """
import sys
import zendesk_oauth
from zendesk_oauth import Connections, retry_after
assert "zendesk_oauth.worker.building" not in sys.modules
rooms = [name for name in sys.modules if name.startswith(("botocore", "cryptography", "boto3"))]
assert not rooms, rooms
connections = Connections.from_environ({environ!r})
connections.auth("acme")
strangers = {{"authlib", "requests", "httpx", "anyio", "asyncio", "aws_lambda_powertools", "boto3", "pydantic"}}
print(sorted(strangers & set(sys.modules)))
print(sorted(name for name in sys.modules if name in {heavy!r}))
"""
HEAVY = {
    "zendesk_oauth.models.refresh",
    "zendesk_oauth.ports.refresh",
    "zendesk_oauth.ports",
    "zendesk_oauth.web",
}


def test_a_worker_imports_only_what_it_uses() -> None:
    """In an interpreter of its own: neither Authlib nor an HTTP client nor Powertools, nor the refresh protocol."""
    done = subprocess.run(  # noqa: S603 - the script stands above
        [sys.executable, "-c", PROBE.format(environ=GOOD, heavy=HEAVY)],
        env={"PYTHONPATH": str(ROOT / "layers/zendesk_oauth"), "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.stdout.splitlines() == ["[]", "[]"], done.stderr


def test_a_workers_names_are_found_at_the_front() -> None:
    """Each of them, and no other."""
    assert {name for name in zendesk_oauth.__all__ if getattr(zendesk_oauth, name) is None} == set()
    errors = [getattr(zendesk_oauth, name) for name in zendesk_oauth.__all__ if name.endswith("Error")]
    assert all(issubclass(error, ZendeskOAuthError) for error in errors)
    assert zendesk_oauth.Connections is Connections
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = zendesk_oauth.Nonsense


def test_giving_a_kept_token_is_little_more_than_a_look() -> None:
    """No lock, no date and no call but that of the clock."""
    calls: list[str] = []
    connections = connections_of("https://{subdomain}.zendesk.com", Tokens())
    connections.token("acme")

    def note(frame: object, event: str, argument: object) -> None:
        code = getattr(frame, "f_code", None)
        calls.append(f"{event} {getattr(argument, '__name__', getattr(code, 'co_name', ''))}")

    sys.setprofile(note)
    try:
        connections.token("acme")
    finally:
        sys.setprofile(None)
    assert calls == [
        "call token",
        "c_call time",
        "c_return time",
        "return token",
        "c_call setprofile",
    ]
