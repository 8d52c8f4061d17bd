"""Import, rekey and restore of the deployed stack, as an operator types them, each with its own policy alone.

The emulator judges policies as AWS documents their conditions: each job needs what its policy allows, and no more.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.jobs import rekey_table
from local.caller import user_with
from local.demo.scene import Scene
from local.ministack import REGION
from local.stack import OPEN, LocalStack
from local.zendesk.lifetimes import Lifetimes
from local.zendesk.tokens import TokenPair
from zendesk_oauth.models.connection import connection_key
from zendesk_oauth.models.subdomain import Subdomain

type Operator = Callable[..., Any]

TABLE = "ConnectionsTableName"


@pytest.fixture(scope="module")
def keys(stack: LocalStack) -> Mapping[str, Any]:
    """Make a user for each job, once."""
    deployment = stack.deployments[OPEN]
    return {
        policy: user_with(stack.emulator, deployment, policy)
        for policy in ("ImportPolicyArn", "RekeyPolicyArn", "RestorePolicyArn")
    }


@pytest.fixture
def operator(stack: LocalStack, keys: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> Operator:
    """Return what types a command as the one who has this policy, and returns what it says as JSON."""
    monkeypatch.setattr(rekey_table, "SETTLED_SECONDS", 0.0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.emulator.address)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("ZENDESK_OAUTH_STACK", stack.deployments[OPEN].order.stack_name)

    def typed(policy: str, *words: str) -> Any:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys[policy].access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys[policy].secret_key)
        result = CliRunner().invoke(app, [*words, "--json"])
        assert (result.exit_code, result.stderr.strip()) == (0, "")
        return json.loads(result.stdout)

    return typed


def issued(stack: LocalStack, subdomain: str) -> TokenPair:
    """Return a pair that the company has of an account."""
    account = stack.zendesk.accounts.get(subdomain)
    lifetimes = Lifetimes(172_800, 7_776_000)
    return stack.zendesk.tokens.issue(account, account.people["admin"], "users:read tickets:read", lifetimes)


def line(pair: TokenPair, **changed: str) -> str:
    """Return a pair's line."""
    tokens = {"access_token": pair.access_token, "refresh_token": pair.refresh_token}
    return json.dumps({"subdomain": pair.account.subdomain} | tokens | changed)


def test_tokens_are_imported_sealed_anew_and_restored(
    stack: LocalStack, open_mode: Scene, operator: Operator, tmp_path: Path
) -> None:
    """Two accounts: one pair lives, of the other only the refresh token; both have tokens that work in the end."""
    living, dead = issued(stack, "imported"), issued(stack, "imported-dead")
    file = tmp_path / "tokens.jsonl"
    file.write_text(f"{line(living)}\n{line(dead, access_token='d' * 40)}\n", encoding="utf-8")
    assert operator("ImportPolicyArn", "import", str(file))["outcomes"] == {"imported": 1, "refreshed": 1}
    assert operator("ImportPolicyArn", "import", str(file))["outcomes"] == {"done": 2}
    before = open_mode.rows.connection("imported")
    told = operator("RekeyPolicyArn", "rekey", "--campaign", "stack")
    assert (told["left"], told["broken"]) == ([], [])
    assert told["rows"]["resealed"] >= 2
    after = open_mode.rows.connection("imported")
    assert (after["epoch"], after["generation"]) == (before["epoch"], before["generation"])
    assert after["access_token_key"] != before["access_token_key"]
    restored(stack, operator)
    assert open_mode.rows.connection("imported")["epoch"] == 1001
    assert given(stack, "imported") == living.access_token
    (renewed,) = stack.zendesk.alive("imported-dead")
    assert given(stack, "imported-dead") == renewed.access_token


def restored(stack: LocalStack, operator: Operator) -> None:
    """Lose a row and bring it back out of another table, as a point-in-time restore makes one."""
    deployment, dynamodb = stack.deployments[OPEN], stack.emulator.client("dynamodb")
    backup, table = f"{deployment.order.application}-local-restored-monday", deployment.outputs[TABLE]
    key: Any = {"connection_key": {"S": connection_key("default", Subdomain("imported"))}}
    row: Any = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    dynamodb.create_table(
        TableName=backup,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "connection_key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "connection_key", "AttributeType": "S"}],
    )
    dynamodb.put_item(TableName=backup, Item=row)
    dynamodb.delete_item(TableName=table, Key=key)
    assert operator("RestorePolicyArn", "restore", "--from", backup)["outcomes"] == {"restored": 1}
    assert operator("RestorePolicyArn", "restore", "--from", backup)["outcomes"] == {"done": 1}
    dynamodb.delete_table(TableName=backup)


def given(stack: LocalStack, subdomain: str) -> str:
    """Return the token that a caller gets over HTTP."""
    answer = stack.token_caller.send("GET", f"/connections/default/{subdomain}/token")
    token: str = answer.json()["access_token"]
    return token
