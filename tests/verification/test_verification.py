"""`make verify-aws`: what it tries, what it believes, what it leaves. Of AWS itself it proves nothing here."""

import json
import runpy
import sys
from typing import Any, cast

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, EndpointConnectionError

from deployed.account import Account, Identity
from deployed.api import Api
from tests.verification.doubles import (
    POLICY_OF_CONNECTIONS,
    SECRET_OF_A_ROLE,
    Asked,
    ScriptedAccount,
    ScriptedApi,
    credentials,
    function,
    gateway,
    refusal,
)
from verification.run import Verification
from verification.stack import Deployed
from verification.verdict import Finding, Verdict, of_call, of_request

OUTPUTS = {
    "ApiId": "abc123",
    "ConnectionsTableName": "connections",
    "ConnectionsTableStreamArn": "stream-of-connections",
    "EventBusName": "bus",
    "ImportPolicyArn": "import-policy",
    "InstallsTableName": "installs",
    "InstallsTableStreamArn": "stream-of-installs",
    "OperatorPolicyArn": "operator-policy",
    "RekeyPolicyArn": "rekey-policy",
    "RescueQueueUrl": "https://sqs.example.com/rescue",
    "RestorePolicyArn": "restore-policy",
    "TokenKeyArn": "token-key",
    "TokenRoutePolicyArn": "token-route-policy",
    "UnpublishedDeadLetterQueueUrl": "https://sqs.example.com/unpublished-dead-letters",
    "UnpublishedQueueUrl": "https://sqs.example.com/unpublished",
    "UnreadBatchesQueueUrl": "https://sqs.example.com/unread-batches",
    "WorkerPolicyArn": "worker-policy",
}
PARAMETERS = {
    "Application": "zendesk-oauth",
    "Stage": "prod",
    "WorkerGrant": "default",
    "ClientSecretArn": "the-secret",
    "DomainName": "",
}


JOB_POLICIES = ["rekey-policy", "import-policy", "restore-policy"]
OF_THE_COMMAND = ["operator-policy", *JOB_POLICIES]


class Run:
    """A verification of a scripted account, and what it said."""

    def __init__(self) -> None:
        self.account, self.api = ScriptedAccount(), ScriptedApi()
        self.lines: list[str] = []
        self.pauses: list[float] = []

    def __call__(self) -> int:
        """Run it; return its exit status."""
        return Verification(
            account=cast("Account", self.account),
            api=cast("Api", self.api),
            deployed=Deployed(OUTPUTS, PARAMETERS),
            say=self.lines.append,
            pause=self.pauses.append,
        )()

    def by_worker(self, service: str) -> list[Asked]:
        """Return what the worker asked of a service."""
        return [a for a in self.account.calls if a.who == "worker-policy" and a.service == service]


@pytest.fixture
def run() -> Run:
    """Return a verification that is about to begin."""
    return Run()


def test_an_account_where_the_policies_hold_is_verified(run: Run) -> None:
    """All checks end as they must, the status is 0, and the last line counts them."""
    assert run() == 0
    assert run.lines[-1] == f"verify-aws: {len(run.lines) - 1} checks, 0 not as they must be"
    assert {line[:5] for line in run.lines[:-1]} == {"ok   ", "note "}
    assert run.pauses == []


def test_a_worker_tries_to_read_too_much_in_every_way(run: Run) -> None:
    """One read that it may make, then whole rows, refresh tokens, other grants, batches, queries, scans, installs."""
    run()
    tried = [(a.operation, a.arguments.get("TableName")) for a in run.by_worker("dynamodb")]
    assert tried == [
        *[("get_item", "connections")] * 7,
        ("get_item", "installs"),
        ("batch_get_item", None),
        ("transact_get_items", None),
        ("execute_statement", None),
        ("query", "connections"),
        ("query", "connections"),
        ("scan", "connections"),
        ("put_item", "connections"),
        ("update_item", "connections"),
        ("delete_item", "connections"),
    ]
    keys = [a.arguments["Key"]["connection_key"]["S"] for a in run.by_worker("dynamodb")[:7]]
    assert set(keys) == {"default#verify-aws", "verify-other#verify-aws", "defaultx#verify-aws"}


def test_a_worker_tries_what_events_come_from(run: Run) -> None:
    """Both streams, a word on the bus that no rule asks for, and the three queues of events that were not told."""
    run()
    streams = [a.arguments["StreamArn"] for a in run.by_worker("dynamodbstreams")]
    assert streams == ["stream-of-connections", "stream-of-installs"]
    [word] = run.by_worker("events")
    assert (
        word.arguments["Entries"][0] | {"EventBusName": "bus", "Source": "verify-aws"}
        == word.arguments["Entries"][0]
    )
    queues = {a.arguments["QueueUrl"].rpartition("/")[2] for a in run.by_worker("sqs")}
    assert queues == {"rescue", "unpublished", "unpublished-dead-letters", "unread-batches"}


def test_no_write_can_come_true(run: Run) -> None:
    """Each write has a condition that no row fulfils, so that one that is let through writes nothing."""
    run()
    writes = [
        a for a in run.by_worker("dynamodb") if a.operation in {"put_item", "update_item", "delete_item"}
    ]
    assert len(writes) == 3
    writes += [a for a in run.account.calls if a.operation == "update_item"]
    for write in writes:
        condition = write.arguments["ConditionExpression"]
        assert condition == "attribute_exists(#key) AND attribute_not_exists(#key)"


def test_a_worker_tries_keys_that_are_not_its_own(run: Run) -> None:
    """It opens an access token's key, then a refresh token's, another grant's, and with contexts that are not whole."""
    run()
    tried = [a.arguments.get("EncryptionContext") for a in run.by_worker("kms") if a.operation == "decrypt"]
    whole = Deployed(OUTPUTS, PARAMETERS).context
    assert tried == [
        whole("default", "access_token"),
        whole("default", "refresh_token"),
        whole("verify-other", "access_token"),
        whole("default", "access_token") | {"stage": "verify"},
        None,
        {"field": "access_token", "grant": "default"},
    ]


def test_the_role_of_connections_is_tried_by_a_copy_of_its_policy(run: Run) -> None:
    """What it may read and mark, what it may not, and the one way round that no policy can close."""
    run()
    read = [a.arguments for a in run.account.calls if a.operation.startswith("get_") and a.service != "sts"]
    assert read[:2] == [
        {"FunctionName": "zendesk-oauth-prod-connections"},
        {"RoleName": "role-of-connections", "PolicyName": "connections"},
    ]
    copy = json.dumps(POLICY_OF_CONNECTIONS)
    tried = [(a.operation, a.arguments) for a in run.account.calls if a.who == copy]
    assert [operation for operation, _ in tried] == [
        *("get_item", "update_item", "get_item", "get_item"),
        *("update_item", "update_item", "update_item"),
    ]
    assert all("ConditionExpression" in said for operation, said in tried if operation == "update_item")
    assert tried[-2][1]["ReturnValues"] == "ALL_OLD"
    assert tried[-1][1]["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


def test_what_cannot_be_prevented_is_a_note(run: Run) -> None:
    """A sealed row that a failed condition shows, and how a gateway judges an encoded path: told, and not counted."""
    run()
    assert [line for line in run.lines if line.startswith("note ")] == [
        "note  allowed  connections: be shown a row by a condition that fails (ConditionalCheckFailedException)",
        "note  refused  operator: GET /connections/default/verify-%61ws (the gateway answered 403)",
    ]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_note_is_right_however_it_ends(code: str, run: Run) -> None:
    """Where AWS refuses it one day, or says nothing, the run does not fail."""

    def refuses(asked: Asked) -> object:
        if "ReturnValuesOnConditionCheckFailure" in asked.arguments:
            raise refusal(code)
        return None

    run.account.rules.append(refuses)
    assert run() == 0
    assert sum(line.startswith("note ") and code in line for line in run.lines) == 1


def test_functions_are_asked_for_and_never_run(run: Run) -> None:
    """Every invocation is a dry run."""
    run()
    invoked = [a.arguments for a in run.by_worker("lambda")]
    assert {a["InvocationType"] for a in invoked} == {"DryRun"}
    verbs = [a["FunctionName"].removeprefix("zendesk-oauth-prod-") for a in invoked]
    assert verbs == ["refresh", "callback", "connections", "installs", "publish", "revoke", "start"]


def test_the_routes_are_tried_by_everybody(run: Run) -> None:
    """Each kind of caller tries what is another's, the operator encoded token routes too, and nobody unsigned."""
    run()
    shown = "/connections/default/verify-aws"
    assert run.api.asked == [
        ("token caller", f"{shown}/token"),
        ("token caller", "/connections/verify-other/verify-aws/token"),
        ("token caller", shown),
        ("token caller", "/connections"),
        ("operator", "/connections?limit=1"),
        ("operator", shown),
        ("operator", f"{shown}/token"),
        ("operator", f"{shown}/toke%6E"),
        ("operator", f"{shown}%2Ftoken"),
        ("operator", "/connections/default/verify-%61ws/token"),
        ("operator", "/connections/default/verify-%61ws"),
        ("worker", f"{shown}/token"),
        ("worker", "/connections"),
        ("nobody", f"{shown}/token"),
        ("nobody", shown),
        ("nobody", "/connections"),
    ]


@pytest.mark.parametrize("policy", OF_THE_COMMAND)
def test_the_operators_command_opens_nothing_and_reads_no_whole_row(policy: str, run: Run) -> None:
    """Each tries what it is for, then both kinds of tokens, whole rows, scans, and writes that show or change more."""
    run()
    tried = [asked for asked in run.account.calls if asked.who == policy]
    opened = [
        asked.arguments["EncryptionContext"]["field"] for asked in tried if asked.operation == "decrypt"
    ]
    assert opened == ["access_token", "refresh_token"]
    assert {"scan", "update_item", "batch_get_item"} <= {asked.operation for asked in tried}


@pytest.mark.parametrize("policy", OF_THE_COMMAND)
def test_a_command_that_may_open_a_token_is_told(policy: str, run: Run) -> None:
    """Where a policy came to allow it, two lines are WRONG."""
    run.account.rules.append(
        lambda asked: {} if (asked.who, asked.operation) == (policy, "decrypt") else None
    )
    assert run() == 1
    assert sum(line.startswith("WRONG allowed") for line in run.lines) == 2


def test_an_operator_tries_to_change_what_nobody_has(run: Run) -> None:
    """What would do harm names no role and no message that there is, or is a dry run."""
    run()
    tried = {a.operation: a.arguments for a in run.account.calls if a.who == "operator-policy"}
    assert tried["update_function_code"]["DryRun"] is True
    assert tried["delete_role_policy"] == {"RoleName": "verify-aws", "PolicyName": "verify-aws"}
    assert tried["delete_message"]["ReceiptHandle"] == "verify-aws"
    assert tried["invoke"]["InvocationType"] == "DryRun"


@pytest.mark.parametrize(
    "let_through",
    [
        lambda asked: asked.operation == "delete_message",
        lambda asked: asked.operation == "update_function_code",
        lambda asked: asked.operation == "scan",
        lambda asked: asked.operation == "get_item" and "ProjectionExpression" not in asked.arguments,
        lambda asked: asked.operation == "get_secret_value",
        lambda asked: asked.operation == "decrypt" and "EncryptionContext" not in asked.arguments,
    ],
)
def test_one_thing_that_is_allowed_is_told(let_through: Any, run: Run) -> None:
    """Whatever is answered that must not be is WRONG in its line, counted, and status 1."""
    run.account.rules.append(lambda asked: {"Item": {}} if asked.who and let_through(asked) else None)
    assert run() == 1
    assert sum(line.startswith("WRONG allowed") for line in run.lines) >= 1
    assert not run.lines[-1].endswith(" 0 not as they must be")


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ResourceNotFoundException", "InvalidCiphertextException"]
)
def test_any_other_error_proves_nothing(code: str, run: Run) -> None:
    """A call that failed for another reason might have been let through, so it is not taken for a refusal."""

    def fails(asked: Asked) -> object:
        if asked.who and asked.operation in {"scan", "encrypt"}:
            raise refusal(code)
        return None

    run.account.rules.append(fails)
    assert run() == 1
    assert sum(line.startswith("WRONG unproven") and code in line for line in run.lines) == 6


def test_who_is_refused_everything_proves_nothing(run: Run) -> None:
    """Where the worker may not even do what it is for, its refusals do not count as a success."""

    def refuses(asked: Asked) -> object:
        if asked.who:
            raise refusal()
        return None

    run.account.rules.append(refuses)
    assert run() == 1
    assert sum(line.startswith("WRONG refused") for line in run.lines) == 17
    assert sum(run.pauses) == 17 * 60


def test_a_new_permission_is_waited_for(run: Run) -> None:
    """What must be allowed is tried again while IAM has not heard of it everywhere; what must not be is tried once."""
    late = [refusal(), refusal()]

    def comes_late(asked: Asked) -> object:
        if asked.who and asked.service == "dynamodb" and late:
            raise late.pop()
        return None

    run.account.rules.append(comes_late)
    assert run() == 0
    assert run.pauses == [2.0, 2.0]


def test_a_new_role_is_waited_for(run: Run) -> None:
    """A role that cannot be taken yet is tried again, and no longer than a minute."""
    late = [refusal("AccessDenied")] * 3

    def comes_late(asked: Asked) -> object:
        if asked.operation == "assume_role" and late:
            raise late.pop()
        return None

    run.account.rules.append(comes_late)
    assert run() == 0
    assert run.pauses == [2.0] * 3


@pytest.mark.parametrize("code", ["AccessDenied", "ValidationError"])
def test_no_role_is_left_where_none_can_be_taken(code: str, run: Run) -> None:
    """Whoever may not take the roles learns so by the error itself, and they are removed all the same."""

    def refuses(asked: Asked) -> object:
        if asked.operation == "assume_role":
            raise refusal(code)
        return None

    run.account.rules.append(refuses)
    with pytest.raises(ClientError):
        run()
    assert run.account.roles == {}
    assert sum(run.pauses) == (60 if code == "AccessDenied" else 0)


def test_no_role_is_left_after_a_failure_in_between(run: Run) -> None:
    """A check that raises what nobody foresaw ends the run, and the roles are removed."""

    def breaks(asked: Asked) -> object:
        if asked.operation == "scan":
            raise RuntimeError("unforeseen")
        return None

    run.account.rules.append(breaks)
    with pytest.raises(RuntimeError):
        run()
    assert run.account.roles == {}
    assert len(run.account.taken) == 7


def test_each_role_has_one_policy_and_one_way_in(run: Run) -> None:
    """Seven roles, each with the policy it is named for, taken with this run's external id for a quarter of an hour."""
    run()
    made = [a.arguments for a in run.account.calls if a.operation == "create_role"]
    attached = [a.arguments["PolicyArn"] for a in run.account.calls if a.operation == "attach_role_policy"]
    taken = [a.arguments for a in run.account.calls if a.operation == "assume_role"]
    written = [a.arguments["PolicyDocument"] for a in run.account.calls if a.operation == "put_role_policy"]
    assert attached == ["worker-policy", "token-route-policy", "operator-policy", *JOB_POLICIES]
    assert (len(made), written) == (7, [json.dumps(POLICY_OF_CONNECTIONS)])
    [external_id] = {a["ExternalId"] for a in taken}
    assert all(f'"sts:ExternalId": "{external_id}"' in a["AssumeRolePolicyDocument"] for a in made)
    assert all('"arn:aws:iam::123456789012:root"' in a["AssumeRolePolicyDocument"] for a in made)
    assert {a["DurationSeconds"] for a in taken} == {900}


def test_nothing_that_is_answered_is_said(run: Run) -> None:
    """Neither a role's key nor what a call gave away stands in any line, nor in what an identity shows of itself."""
    canary = "canary-of-an-answer"
    run.account.rules.append(
        lambda asked: {"SecretString": canary} if asked.operation == "get_secret_value" else None
    )
    run()
    assert not [line for line in run.lines if canary in line or SECRET_OF_A_ROLE in line]
    assert SECRET_OF_A_ROLE not in repr(Identity("worker", credentials("key")))


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (function(200), Verdict.ALLOWED),
        (function(403), Verdict.ALLOWED),
        (gateway(403), Verdict.REFUSED),
        (gateway(404), Verdict.REFUSED),
        (gateway(200), Verdict.UNPROVEN),
        (gateway(429), Verdict.UNPROVEN),
        (gateway(502), Verdict.UNPROVEN),
    ],
)
def test_a_route_is_refused_only_by_the_gateway(answer: AWSResponse, verdict: Verdict) -> None:
    """A function that answers was reached, whatever it said; the gateway's 403 and 404 reach none; the rest is open."""
    assert of_request(lambda: answer).verdict is verdict


def test_what_cannot_be_asked_proves_nothing() -> None:
    """Where no answer comes, nothing is known of either kind of call."""

    def fails() -> Any:
        raise EndpointConnectionError(endpoint_url="https://example.com")

    unproven = Finding(Verdict.UNPROVEN, "EndpointConnectionError")
    assert of_call(fails) == of_request(fails) == unproven


def test_a_condition_that_failed_was_let_through() -> None:
    """DynamoDB looks at the condition after the permission, so its failure is a permission that was there."""

    def fails() -> Any:
        raise refusal("ConditionalCheckFailedException")

    assert of_call(fails).verdict is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("domain", "address"),
    [
        ("", "https://abc123.execute-api.eu-central-1.amazonaws.com"),
        ("connect.example.com", "https://connect.example.com"),
    ],
)
def test_the_api_is_asked_where_it_answers(domain: str, address: str) -> None:
    """A custom domain turns the API's own address off, so it is the one to ask."""
    deployed = Deployed(OUTPUTS, PARAMETERS | {"DomainName": domain})
    assert deployed.address("eu-central-1") == address


def test_requests_are_signed_by_who_asks() -> None:
    """An identity with credentials signs for the host it names; nobody signs nothing."""
    sent: list[Any] = []

    def send(request: Any) -> AWSResponse:
        sent.append(request)
        return gateway(403)

    api = Api("https://127.0.0.1:1", "eu-central-1", "abc.example.com", send)
    api.get("/connections", Identity("operator", credentials("AK")))
    api.get("/connections", Identity("nobody"))
    signed, unsigned = (request.headers for request in sent)
    assert "Credential=AK/" in str(signed["Authorization"])
    assert "SignedHeaders=host" in str(signed["Authorization"])
    assert "Authorization" not in unsigned


def test_clients_have_who_asks_as_their_credentials() -> None:
    """A client signs with the identity's key, and never with that of whoever runs this."""
    account = Account("eu-central-1", endpoint_url="http://127.0.0.1:1")
    client = account.client("dynamodb", Identity("worker", credentials("AK")))
    assert client._request_signer._credentials.access_key == "AK"
    assert client.meta.region_name == "eu-central-1"


def test_r39_a_token_with_a_line_end_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """R39: the variable is named, and nothing of the SDK's text reaches the terminal."""
    monkeypatch.setattr(sys, "argv", ["verification", "zendesk-oauth"])
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "PLANTED\n")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("verification", run_name="__main__")
    printed = capsys.readouterr().err
    assert (ended.value.code, "PLANTED" in printed) == (1, False)
    assert "AWS_SESSION_TOKEN has a line end" in printed


def test_without_a_region_nothing_is_begun(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with 1 and says what is missing, before it asks AWS for anything."""
    monkeypatch.setattr(sys, "argv", ["verification", "zendesk-oauth"])
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("verification", run_name="__main__")
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "verify-aws: not begun or not ended: no Region is set; AWS_REGION names one\n"
    )
