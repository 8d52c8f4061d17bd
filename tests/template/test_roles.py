"""Least privilege: what each role may do, as a table, and what nobody may do."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.doubles.samples import ACME
from tests.template.access import (
    MARKED,
    READ_BY_CONNECTIONS,
    READ_BY_IMPORT,
    READ_BY_RESTORE,
    READ_BY_WORKERS,
    WRITTEN_BY_IMPORT,
)
from zendesk_oauth.models.connection import connection_key
from zendesk_oauth.models.grant import GRANT_NAME

INSTALLS = {"Fn::GetAtt": ["InstallsTable", "Arn"]}
CONNECTIONS = {"Fn::GetAtt": ["ConnectionsTable", "Arn"]}
TOKEN_KEY = {"Fn::GetAtt": ["TokenKey", "Arn"]}
STREAMS = [{"Fn::GetAtt": [f"{table}Table", "StreamArn"]} for table in ("Installs", "Connections")]
ALL_STREAMS = [{"Fn::Sub": f"${{{table}Table.Arn}}/stream/*"} for table in ("Installs", "Connections")]
EVENT_BUS = {"Fn::GetAtt": ["EventBus", "Arn"]}
UNPUBLISHED_QUEUE = {"Fn::GetAtt": ["UnpublishedQueue", "Arn"]}
UNREAD_BATCHES_QUEUE = {"Fn::GetAtt": ["UnreadBatchesQueue", "Arn"]}
RESCUE_QUEUE = {"Fn::GetAtt": ["RescueQueue", "Arn"]}
CLIENT_SECRET = {"Ref": "ClientSecretArn"}
REFRESH_BY_NAME = {
    "Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Application}-${Stage}-refresh"
}
REFRESH = {"Fn::GetAtt": ["RefreshFunction", "Arn"]}
REVOCATIONS = {"Fn::Sub": "${InstallsTable.Arn}/index/revocations"}
DUE = [{"Fn::Sub": f"${{ConnectionsTable.Arn}}/index/{index}"} for index in ("keep-alive", "unfinished")]
LISTING = {"Fn::Sub": "${ConnectionsTable.Arn}/index/listing"}
OUR_CONTEXT = {
    "kms:EncryptionContext:application": {"Ref": "Application"},
    "kms:EncryptionContext:stage": {"Ref": "Stage"},
}
IN_A_TRANSACTION = {
    "ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]},
    "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
}


def only_these(attributes: list[str]) -> dict[str, Any]:
    """Return the condition of a read that names attributes, all of these."""
    return {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": attributes},
        "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
        "Null": {"dynamodb:Attributes": False},
    }


MARKS = {
    "ForAllValues:StringEquals": {"dynamodb:Attributes": MARKED},
    "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
    "Null": {"dynamodb:Attributes": False},
}
OPENS_ACCESS_TOKENS = {"StringEquals": OUR_CONTEXT | {"kms:EncryptionContext:field": "access_token"}}

# Function → what it may do → on what, under which condition; its own logs and the optional statements aside.
MAY: dict[str, dict[tuple[str, ...], tuple[Any, Any]]] = {
    "start": {
        ("dynamodb:PutItem", "dynamodb:UpdateItem"): (INSTALLS, None),
    },
    "callback": {
        ("dynamodb:UpdateItem",): (INSTALLS, None),
        ("dynamodb:UpdateItem", "in a transaction"): (CONNECTIONS, IN_A_TRANSACTION),
        ("kms:GenerateDataKey",): (TOKEN_KEY, {"StringEquals": OUR_CONTEXT}),
        ("secretsmanager:GetSecretValue",): (CLIENT_SECRET, None),
    },
    "installs": {
        ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"): (INSTALLS, None),
        ("dynamodb:UpdateItem", "in a transaction"): (CONNECTIONS, IN_A_TRANSACTION),
    },
    "revoke": {
        ("dynamodb:Query",): (REVOCATIONS, None),
        ("dynamodb:UpdateItem",): (INSTALLS, None),
        ("kms:Decrypt",): (TOKEN_KEY, OPENS_ACCESS_TOKENS),
    },
    "refresh": {
        ("dynamodb:GetItem", "dynamodb:UpdateItem"): (CONNECTIONS, None),
        ("dynamodb:Query",): (DUE, None),
        ("kms:Decrypt", "kms:GenerateDataKey"): (TOKEN_KEY, {"StringEquals": OUR_CONTEXT}),
        ("secretsmanager:GetSecretValue",): (CLIENT_SECRET, None),
        (
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
        ): (RESCUE_QUEUE, None),
        ("lambda:InvokeFunction",): (REFRESH_BY_NAME, None),
    },
    "connections": {
        ("dynamodb:BatchGetItem", "dynamodb:GetItem"): (CONNECTIONS, only_these(READ_BY_CONNECTIONS)),
        ("dynamodb:UpdateItem",): (CONNECTIONS, MARKS),
        ("dynamodb:Query",): (LISTING, None),
        ("kms:Decrypt",): (TOKEN_KEY, OPENS_ACCESS_TOKENS),
        ("lambda:InvokeFunction",): (REFRESH, None),
    },
    "publish": {
        ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"): (STREAMS, None),
        ("dynamodb:ListStreams",): (ALL_STREAMS, None),
        ("events:PutEvents",): (EVENT_BUS, None),
        (
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
        ): (UNPUBLISHED_QUEUE, None),
        ("sqs:SendMessage",): (UNREAD_BATCHES_QUEUE, None),
    },
}
READS_THE_SECRET = {"callback", "refresh"}
ON_OPTION = {"HasTablesKey", "IsTraced"}
_NONE: dict[str, Any] = {"Statement": []}


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
            for _, statement in statements([{"PolicyDocument": document}]):
                yield statement


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
    assert set(optional) == ON_OPTION | ({"HasSecretKey"} if verb in READS_THE_SECRET else set())
    tables = optional["HasTablesKey"]
    assert (tables["Action"], tables["Resource"]) == ("kms:Decrypt", {"Ref": "TablesKeyArn"})
    assert tables["Condition"] == {
        "StringEquals": {"kms:ViaService": {"Fn::Sub": "dynamodb.${AWS::Region}.amazonaws.com"}}
    }
    assert optional["IsTraced"]["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    if verb in READS_THE_SECRET:
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
    """Resource "*" stands only where it means something else: a key's policy means its key.

    X-Ray has no resources, nor has a list of event source mappings; and a list of alarms leaves out the others.
    """
    broad = [s["Sid"] for s in every_statement(resources) if s.get("Resource") == "*"]
    key = [s["Sid"] for s in resources["TokenKey"]["Properties"]["KeyPolicy"]["Statement"]]
    assert sorted(broad) == sorted(
        ["Trace"] * len(MAY) + key + ["LookAtAlarms", "LookAtWhatReadsStreamsAndQueues"]
    )


def test_nobody_scans_deletes_rows_or_encrypts_with_the_token_key(resources: dict[str, Any]) -> None:
    """Nobody has Scan, DeleteItem or Encrypt: rows are consumed by conditional updates, tokens sealed by data keys.

    A table that a restore has made is read whole, and is not the stack's own.
    """
    allowed = {
        action
        for statement in every_statement(resources)
        if statement["Effect"] == "Allow" and statement.get("Sid") != "ReadRestoredTables"
        for action in listed(statement["Action"])
    }
    assert "dynamodb:UpdateItem" in allowed
    assert not allowed & {
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:Scan",
        "kms:Encrypt",
        "secretsmanager:PutSecretValue",
        "sqs:PurgeQueue",
    }


def test_only_refresh_opens_refresh_tokens(functions: dict[str, Any], resources: dict[str, Any]) -> None:
    """Of all who may decrypt with the token key, only refresh's role is not held to the field access_token."""
    unheld = []
    for name, resource in resources.items():
        properties = resource["Properties"]
        documents = [
            *properties.get("Policies", []),
            {"PolicyDocument": properties.get("PolicyDocument", _NONE)},
        ]
        for _, statement in statements(documents):
            if statement["Resource"] == TOKEN_KEY and "kms:Decrypt" in listed(statement["Action"]):
                field = statement["Condition"]["StringEquals"].get("kms:EncryptionContext:field")
                unheld += [name] if field != "access_token" else []
    assert unheld == [functions["refresh"]["Role"]["Fn::GetAtt"][0]]


def test_a_worker_may_read_and_ask_and_nothing_else(resources: dict[str, Any]) -> None:
    """Access-token attributes of one grant's rows, the keys of those alone, and asking refresh: not one thing more.

    ForAllValues is true of a request that names nothing, so keys and attributes have to be there.
    """
    found = list(statements([resources["WorkerPolicy"]["Properties"]]))
    assert [option for option, _ in found] == ["", "", "", "HasTablesKey"]
    reads, opens, asks = (statement for option, statement in found if not option)
    assert (reads["Action"], reads["Resource"]) == ("dynamodb:GetItem", CONNECTIONS)
    assert reads["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [{"Fn::Sub": "${WorkerGrant}#*"}]},
        "ForAllValues:StringEquals": {"dynamodb:Attributes": READ_BY_WORKERS},
        "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
        "Null": {"dynamodb:LeadingKeys": False, "dynamodb:Attributes": False},
    }
    assert (opens["Action"], opens["Resource"]) == ("kms:Decrypt", TOKEN_KEY)
    one_grant = {
        "kms:EncryptionContext:field": "access_token",
        "kms:EncryptionContext:grant": {"Ref": "WorkerGrant"},
    }
    assert opens["Condition"] == {"StringEquals": OUR_CONTEXT | one_grant}
    assert (asks["Action"], asks["Resource"], "Condition" in asks) == (
        "lambda:InvokeFunction",
        REFRESH,
        False,
    )


@pytest.mark.parametrize("attributes", [READ_BY_WORKERS, READ_BY_CONNECTIONS, MARKED])
def test_nobody_but_refresh_touches_a_refresh_token(attributes: list[str]) -> None:
    """No list of attributes has a refresh token or its key."""
    assert len(set(attributes)) == len(attributes)
    assert not {"refresh_token", "refresh_token_key"} & set(attributes)
    assert not [name for name in attributes if "*" in name]


def test_no_worker_may_read_a_replaced_pair(resources: dict[str, Any]) -> None:
    """Its row's key matches the leading keys of no worker's policy, whatever a grant is called."""
    key = connection_key("default", ACME, "c1")
    worker = resources["WorkerPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    patterns = [
        pattern["Fn::Sub"].replace("${WorkerGrant}", "default")
        for statement in worker
        for pattern in statement.get("Condition", {})
        .get("ForAllValues:StringLike", {})
        .get("dynamodb:LeadingKeys", [])
    ]
    assert [fnmatchcase(connection_key("default", ACME), pattern) for pattern in patterns] == [True]
    assert not any(fnmatchcase(key, pattern) for pattern in patterns)
    assert not GRANT_NAME.fullmatch(key.partition("#")[0])


def test_only_workers_of_one_grant_get_its_tokens_over_http(resources: dict[str, Any]) -> None:
    """One policy lets GET the token route, of one grant."""
    [statement] = resources["TokenRoutePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    assert statement["Resource"]["Fn::Sub"].endswith("${Api}/$default/GET/connections/${WorkerGrant}/*/token")


def test_an_operator_looks_after_connections_and_gets_no_token(resources: dict[str, Any]) -> None:
    """GET and DELETE of connections are allowed; a star covers slashes, so every token route is denied beside it.

    So is every path that is percent-encoded, by which `acme%2Ftoken` could pass the first denial.
    """
    allowed, denied, *_ = (
        statement
        for statement in resources["OperatorPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "execute-api:Invoke"
    )
    assert [(s["Effect"], s["Action"]) for s in (allowed, denied)] == [
        ("Allow", "execute-api:Invoke"),
        ("Deny", "execute-api:Invoke"),
    ]
    paths = [resource["Fn::Sub"].split("${Api}/")[1] for resource in allowed["Resource"]]
    assert paths == [
        "$default/GET/connections",
        "$default/GET/connections/*/*",
        "$default/DELETE/connections/*/*",
    ]
    refused = [resource["Fn::Sub"].split("${Api}/")[1] for resource in denied["Resource"]]
    assert refused == ["$default/*/connections/*/*/*", "$default/*/connections/*%*"]


def test_an_operator_looks_and_touches_nothing(resources: dict[str, Any]) -> None:
    """Beside the API and `refresh` every action is one that only tells; no row, no secret, no key, no message."""
    found = resources["OperatorPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    actions = {action for each in found for action in listed(each["Action"])}
    assert actions - {"execute-api:Invoke", "lambda:InvokeFunction"} == {
        "cloudformation:DescribeStacks",
        "cloudformation:ListStackResources",
        "cloudwatch:DescribeAlarms",
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeTimeToLive",
        "iam:GetPolicy",
        "iam:GetRole",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "lambda:GetFunctionConfiguration",
        "lambda:ListEventSourceMappings",
        "scheduler:GetSchedule",
        "sqs:GetQueueAttributes",
    }
    [invoked] = [each for each in found if each["Action"] == "lambda:InvokeFunction"]
    assert invoked["Resource"] == {"Fn::GetAtt": ["RefreshFunction", "Arn"]}
    anywhere = [each["Action"] for each in found if each["Resource"] == "*"]
    assert anywhere == ["lambda:ListEventSourceMappings", "cloudwatch:DescribeAlarms"]


def test_an_operator_may_look_at_every_role_and_queue(resources: dict[str, Any]) -> None:
    """None is left out that the template makes."""
    found = resources["OperatorPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    for sid, kind in (("LookAtRoles", "AWS::IAM::Role"), ("LookAtQueues", "AWS::SQS::Queue")):
        [statement] = [each for each in found if each["Sid"] == sid]
        named = {resource["Fn::GetAtt"][0] for resource in statement["Resource"]}
        assert named == {name for name, resource in resources.items() if resource["Type"] == kind}


def test_an_operator_may_look_at_every_policy_for_others(resources: dict[str, Any]) -> None:
    """By its name where it has one; its own, which cannot refer to itself, by how CloudFormation begins such names."""
    found = resources["OperatorPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    [statement] = [each for each in found if each["Sid"] == "LookAtPolicies"]
    named = {resource["Ref"] for resource in statement["Resource"] if "Ref" in resource}
    [own] = [resource["Fn::Sub"] for resource in statement["Resource"] if "Fn::Sub" in resource]
    made = {name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::ManagedPolicy"}
    assert named == made - {"OperatorPolicy"}
    assert own.endswith(":policy/${AWS::StackName}-OperatorPolicy-*")


def written_out(value: Any) -> Any:
    """Return a piece of the template with long names in place of all that CloudFormation fills in."""
    if isinstance(value, list):
        return [written_out(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() & {"Ref", "Fn::GetAtt"}:
        return "x" * 110
    if "Fn::Sub" in value:
        return re.sub(r"\$\{.+?\}", "x" * 30, value["Fn::Sub"])
    return {key: written_out(inner) for key, inner in value.items()}


def test_every_policy_for_others_fits_into_iam(resources: dict[str, Any]) -> None:
    """A managed policy has 6,144 characters at most, white space aside: a longer one fails when it is deployed."""
    policies = [each for each in resources.values() if each["Type"] == "AWS::IAM::ManagedPolicy"]
    documents = [written_out(policy["Properties"]["PolicyDocument"]) for policy in policies]
    sizes = [len(json.dumps(document, separators=(",", ":"))) for document in documents]
    assert len(sizes) == 7
    assert max(sizes) < 6144


def test_a_backend_may_invite_and_confirm_and_nothing_else(resources: dict[str, Any]) -> None:
    """The backend's policy lets POST the two routes that ask for IAM, not the browser's routes, not other methods."""
    [statement] = resources["BackendPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    paths = [resource["Fn::Sub"].split("${Api}/")[1] for resource in statement["Resource"]]
    assert paths == ["$default/POST/invitations", "$default/POST/installs/*/confirm"]


@pytest.mark.parametrize("schedule", ["RevokeSchedule", "KeepAliveSchedule", "UnfinishedSchedule"])
def test_a_schedule_may_wake_its_function_and_nothing_else(schedule: str, resources: dict[str, Any]) -> None:
    """A schedule's role invokes one function, and only this account's schedules may take it."""
    target = resources[schedule]["Properties"]["Target"]
    role = resources[target["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
    [(_, statement)] = statements(role["Policies"])
    assert (statement["Action"], statement["Resource"]) == ("lambda:InvokeFunction", target["Arn"])
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def of_the_operators(resources: dict[str, Any], policy: str) -> dict[str, dict[str, Any]]:
    """Return the statements of one of the policies for the operator's command, by what they are called."""
    found = list(statements([resources[policy]["Properties"]]))
    assert [option for option, _ in found] == [*[""] * (len(found) - 1), "HasTablesKey"]
    assert {statement["Effect"] for _, statement in found} == {"Allow"}
    named = {statement["Sid"]: statement for option, statement in found if not option}
    find = named.pop("FindTheDeployment")
    stack = "cloudformation:${AWS::Region}:${AWS::AccountId}:stack/${AWS::StackName}/*"
    assert find["Action"] == "cloudformation:DescribeStacks"
    assert find["Resource"] == {"Fn::Sub": f"arn:${{AWS::Partition}}:{stack}"}
    return named


def test_a_rekey_names_rows_and_opens_none(resources: dict[str, Any]) -> None:
    """The indexes of connections and of replaced pairs, and `refresh`: neither a row nor a key."""
    named = of_the_operators(resources, "RekeyPolicy")
    assert {statement["Action"]: statement["Resource"] for statement in named.values()} == {
        "dynamodb:Query": [LISTING, DUE[1]],
        "lambda:InvokeFunction": REFRESH,
    }


def test_an_import_seals_and_opens_nothing(resources: dict[str, Any]) -> None:
    """It reads what it replaces, which it cannot open, and writes the attributes of a connection and of that pair."""
    named = of_the_operators(resources, "ImportPolicy")
    assert {sid: (s["Action"], s["Resource"]) for sid, s in named.items()} == {
        "LookForRows": ("dynamodb:BatchGetItem", CONNECTIONS),
        "WriteImportedRows": ("dynamodb:UpdateItem", CONNECTIONS),
        "SealTokens": ("kms:GenerateDataKey", TOKEN_KEY),
        "AskForARefresh": ("lambda:InvokeFunction", REFRESH),
    }
    assert named["LookForRows"]["Condition"] == only_these(READ_BY_IMPORT)
    assert named["WriteImportedRows"]["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": WRITTEN_BY_IMPORT},
        "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
        "Null": {"dynamodb:Attributes": False},
    }
    assert named["SealTokens"]["Condition"] == {"StringEquals": OUR_CONTEXT}


def test_a_restore_reads_other_tables_and_writes_our_own(resources: dict[str, Any]) -> None:
    """Restored tables are known by their name; no key comes near it."""
    named = of_the_operators(resources, "RestorePolicy")
    assert {sid: s["Action"] for sid, s in named.items()} == {
        "ReadRestoredTables": "dynamodb:Scan",
        "CompareRows": "dynamodb:BatchGetItem",
        "BringRowsBack": "dynamodb:UpdateItem",
    }
    restored = named["ReadRestoredTables"]["Resource"]["Fn::Sub"]
    assert restored.endswith(":table/${Application}-${Stage}-restored-*")
    assert (named["CompareRows"]["Resource"], named["BringRowsBack"]["Resource"]) == (
        CONNECTIONS,
        CONNECTIONS,
    )
    assert named["CompareRows"]["Condition"] == only_these(READ_BY_RESTORE)
    assert named["BringRowsBack"]["Condition"] == {"StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"}}
