"""Least privilege: what each role may do, as a table, and what nobody may do."""

from collections.abc import Iterator
from typing import Any

import pytest

INSTALLS = {"Fn::GetAtt": ["InstallsTable", "Arn"]}
CONNECTIONS = {"Fn::GetAtt": ["ConnectionsTable", "Arn"]}
TOKEN_KEY = {"Fn::GetAtt": ["TokenKey", "Arn"]}
REVOCATIONS = {"Fn::Sub": "${InstallsTable.Arn}/index/revocations"}
OUR_CONTEXT = {
    "kms:EncryptionContext:application": {"Ref": "Application"},
    "kms:EncryptionContext:stage": {"Ref": "Stage"},
}
IN_A_TRANSACTION = {
    "ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]},
    "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
}

# Function → what it may do → on what, under which condition; its own logs and the optional statements aside.
MAY: dict[str, dict[tuple[str, ...], tuple[Any, Any]]] = {
    "start": {
        ("dynamodb:PutItem", "dynamodb:UpdateItem"): (INSTALLS, None),
    },
    "callback": {
        ("dynamodb:UpdateItem",): (INSTALLS, None),
        ("dynamodb:UpdateItem", "in a transaction"): (CONNECTIONS, IN_A_TRANSACTION),
        ("kms:GenerateDataKey",): (TOKEN_KEY, {"StringEquals": OUR_CONTEXT}),
        ("secretsmanager:GetSecretValue",): ({"Ref": "ClientSecretArn"}, None),
    },
    "installs": {
        ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"): (INSTALLS, None),
        ("dynamodb:UpdateItem", "in a transaction"): (CONNECTIONS, IN_A_TRANSACTION),
    },
    "revoke": {
        ("dynamodb:Query",): (REVOCATIONS, None),
        ("dynamodb:UpdateItem",): (INSTALLS, None),
        ("kms:Decrypt",): (
            TOKEN_KEY,
            {"StringEquals": OUR_CONTEXT | {"kms:EncryptionContext:field": "access_token"}},
        ),
    },
}
ON_OPTION = {"HasTablesKey", "IsTraced"}


def listed(value: Any) -> list[Any]:
    """Return IAM's "one or a list" as a list."""
    return value if isinstance(value, list) else [value]


def role_of(functions: dict[str, Any], resources: dict[str, Any], verb: str) -> dict[str, Any]:
    """Return the properties of a function's role."""
    role: dict[str, Any] = resources[functions[verb]["Role"]["Fn::GetAtt"][0]]["Properties"]
    return role


def statements(policies: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each statement of inline policies with the condition of the template on which it depends, or ""."""
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            option, inner, _ = statement.get("Fn::If", ("", statement, None))
            yield option, inner


def every_statement(resources: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each statement of each policy in the template: roles, managed policies, the key."""
    for resource in resources.values():
        properties = resource["Properties"]
        documents = [properties.get("PolicyDocument"), properties.get("KeyPolicy")]
        documents.append(properties.get("AssumeRolePolicyDocument"))
        for _, statement in statements(properties.get("Policies", [])):
            yield statement
        for document in filter(None, documents):
            yield from document["Statement"]


def test_every_function_is_in_the_table(functions: dict[str, Any]) -> None:
    """No function is left out of this file's table."""
    assert set(functions) == set(MAY)


@pytest.mark.parametrize("verb", MAY)
def test_a_function_may_do_exactly_what_the_table_says(
    verb: str, functions: dict[str, Any], resources: dict[str, Any]
) -> None:
    """Actions, resources and conditions of a function's role are those of the table, not one more."""
    found = {}
    for option, statement in statements(role_of(functions, resources, verb)["Policies"]):
        assert statement["Effect"] == "Allow"
        if option in ON_OPTION | {"HasSecretKey"} or statement["Sid"] == "WriteItsOwnLogs":
            continue
        condition = statement.get("Condition")
        actions = (
            *listed(statement["Action"]),
            *(["in a transaction"] if condition == IN_A_TRANSACTION else []),
        )
        found[actions] = (statement["Resource"], condition)
    assert found == MAY[verb]


@pytest.mark.parametrize("verb", MAY)
def test_a_function_writes_only_its_own_log_group(
    verb: str, functions: dict[str, Any], resources: dict[str, Any]
) -> None:
    """A function may write to the log group of its own name, and may not create groups."""
    own = [
        s
        for _, s in statements(role_of(functions, resources, verb)["Policies"])
        if s["Sid"] == "WriteItsOwnLogs"
    ]
    assert len(own) == 1
    assert own[0]["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert functions[verb]["FunctionName"] == {"Fn::Sub": f"${{Application}}-${{Stage}}-{verb}"}
    assert own[0]["Resource"]["Fn::Sub"].endswith(
        f":log-group:/aws/lambda/${{Application}}-${{Stage}}-{verb}:*"
    )


@pytest.mark.parametrize("verb", MAY)
def test_optional_statements_come_with_their_parameter_and_no_wider(
    verb: str, functions: dict[str, Any], resources: dict[str, Any]
) -> None:
    """Keys of one's own are used only through the service they guard, and X-Ray only where tracing is on."""
    optional = {o: s for o, s in statements(role_of(functions, resources, verb)["Policies"]) if o}
    assert set(optional) == ON_OPTION | ({"HasSecretKey"} if verb == "callback" else set())
    tables = optional["HasTablesKey"]
    assert (tables["Action"], tables["Resource"]) == ("kms:Decrypt", {"Ref": "TablesKeyArn"})
    assert tables["Condition"] == {
        "StringEquals": {"kms:ViaService": {"Fn::Sub": "dynamodb.${AWS::Region}.amazonaws.com"}}
    }
    assert optional["IsTraced"]["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    if verb == "callback":
        secret = optional["HasSecretKey"]
        assert (secret["Action"], secret["Resource"]) == ("kms:Decrypt", {"Ref": "SecretKeyArn"})
        assert secret["Condition"]["StringEquals"] == {
            "kms:ViaService": {"Fn::Sub": "secretsmanager.${AWS::Region}.amazonaws.com"},
            "kms:EncryptionContext:SecretARN": {"Ref": "ClientSecretArn"},
        }


def test_each_function_has_a_role_of_its_own_that_only_lambda_may_take(
    functions: dict[str, Any], resources: dict[str, Any]
) -> None:
    """No two functions share a role, no role has a managed policy, and nobody but Lambda may assume one."""
    names = [properties["Role"]["Fn::GetAtt"][0] for properties in functions.values()]
    assert len(set(names)) == len(names)
    for name in names:
        role = resources[name]["Properties"]
        assert "ManagedPolicyArns" not in role
        trust = role["AssumeRolePolicyDocument"]["Statement"]
        assert [s["Principal"] for s in trust] == [{"Service": "lambda.amazonaws.com"}]


def test_nothing_is_allowed_with_a_star(resources: dict[str, Any]) -> None:
    """No policy allows a wildcard action, a wildcard principal, or everything but something."""
    seen = 0
    for statement in every_statement(resources):
        seen += 1
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        if statement["Effect"] == "Allow":
            assert statement.get("Principal") not in ("*", {"AWS": "*"})
    assert seen > 20


def test_only_xray_and_a_keys_own_policy_name_every_resource(resources: dict[str, Any]) -> None:
    """Resource "*" stands only where it means something else: X-Ray has no resources, a key's policy one key."""
    broad = [s["Sid"] for s in every_statement(resources) if s.get("Resource") == "*"]
    key = [s["Sid"] for s in resources["TokenKey"]["Properties"]["KeyPolicy"]["Statement"]]
    assert sorted(broad) == sorted(["Trace"] * len(MAY) + key)


def test_nobody_scans_deletes_rows_or_encrypts_with_the_token_key(resources: dict[str, Any]) -> None:
    """No role has Scan, DeleteItem or Encrypt: rows are consumed by conditional updates, tokens sealed by data keys."""
    allowed = {
        action
        for statement in every_statement(resources)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    }
    assert "dynamodb:UpdateItem" in allowed
    assert not allowed & {"dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:BatchGetItem", "kms:Encrypt"}


def test_a_backend_may_invite_and_confirm_and_nothing_else(resources: dict[str, Any]) -> None:
    """The backend's policy lets POST the two routes that ask for IAM, not the browser's routes, not other methods."""
    [statement] = resources["BackendPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    paths = [resource["Fn::Sub"].split("${Api}/")[1] for resource in statement["Resource"]]
    assert paths == ["$default/POST/invitations", "$default/POST/installs/*/confirm"]


def test_the_schedule_may_wake_revoke_and_nothing_else(resources: dict[str, Any]) -> None:
    """The schedule's role invokes one function, and only this account's schedules may take it."""
    target = resources["RevokeSchedule"]["Properties"]["Target"]
    role = resources[target["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
    [(_, statement)] = statements(role["Policies"])
    assert (statement["Action"], statement["Resource"]) == ("lambda:InvokeFunction", target["Arn"])
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
