"""The example's template: linted, least in its rights, and of the same names as the deployment it leans on."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.examples.building import CODE, EXAMPLE, REGION, TEMPLATE, template
from tests.template.reading import SAM, run
from tests.template.test_whole import PUBLISHED
from zendesk_oauth.settings import WORKER_PREFIX, WORKER_VARIABLES

LONGEST = 120
FORTNIGHT = 14 * 86_400
_PIN = re.compile(r"^([a-z0-9-]+)==(\S+) \\$", re.MULTILINE)


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    """Return the template's resources."""
    found: dict[str, Any] = template()["Resources"]
    return found


def test_the_linters_find_nothing_to_say() -> None:
    """`sam validate --lint` and cfn-lint with the serverless rules are clean."""
    linter = Path(sys.executable).with_name("cfn-lint")
    assert run(linter, "-a", "cfn_lint_serverless.rules", "-t", TEMPLATE) == (0, "")
    code, said = run(SAM / "sam", "validate", "--lint", "--template", TEMPLATE, "--region", REGION)
    assert code == 0, said


def test_every_name_is_one_that_the_deployment_publishes() -> None:
    """Each parameter of SSM has the name that template.yaml gives it for the defaults of Application and Stage."""
    parameters = template()["Parameters"]
    prefix = f"/{parameters['Application']['Default']}/{parameters['Stage']['Default']}/"
    names = [one["Default"] for one in parameters.values() if one["Type"].startswith("AWS::SSM::")]
    assert {name.removeprefix(prefix) for name in names} <= PUBLISHED
    assert len(names) == 8


def test_the_worker_has_all_variables_of_the_library(resources: dict[str, Any]) -> None:
    """Those that the library reads, and no other of its prefix."""
    variables = resources["Worker"]["Properties"]["Environment"]["Variables"]
    ours = {name.removeprefix(WORKER_PREFIX) for name in variables if name.startswith(WORKER_PREFIX)}
    assert ours == WORKER_VARIABLES


def arn(name: str) -> dict[str, list[str]]:
    """Return how the template names a resource of its own."""
    return {"Fn::GetAtt": [name, "Arn"]}


def own_rights(resources: dict[str, Any], function: str) -> dict[str, object]:
    """Return which actions a function's role has on what, beside what Lambda needs to write logs and to poll."""
    [own] = [policy for policy in resources[function]["Properties"]["Policies"] if "Statement" in policy]
    assert {statement["Effect"] for statement in own["Statement"]} == {"Allow"}
    return {str(statement["Action"]): statement["Resource"] for statement in own["Statement"]}


def test_the_worker_has_its_policy_its_queue_and_its_table(resources: dict[str, Any]) -> None:
    """WorkerPolicy, one action on one queue, and three on the table of what is done."""
    assert resources["Worker"]["Properties"]["Policies"][0] == {"Ref": "WorkerPolicyArn"}
    assert own_rights(resources, "Worker") == {
        "sqs:ChangeMessageVisibility": arn("Queue"),
        str(["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]): arn("DoneTable"),
    }


def test_receiver_and_follower_reach_nothing_of_the_deployment(resources: dict[str, Any]) -> None:
    """The one reads its secret and tells its own bus, the other writes its table; neither gets a token."""
    assert own_rights(resources, "Receiver") == {
        "secretsmanager:GetSecretValue": {"Fn::GetAtt": ["WebhookSecrets", "Id"]},
        "events:PutEvents": arn("TicketBus"),
    }
    assert own_rights(resources, "Follower") == {"dynamodb:UpdateItem": arn("CustomersTable")}
    for name in ("Receiver", "Follower"):
        properties = resources[name]["Properties"]
        assert len(properties["Policies"]) == 1
        assert properties["Layers"] == [{"Ref": "DependenciesLayerArn"}]


def test_every_rule_has_a_place_for_what_it_cannot_deliver(resources: dict[str, Any]) -> None:
    """And each queue that a rule fills lets that rule in, and nobody else."""
    rules = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::Events::Rule"}
    assert rules.keys() == {"EstablishedRule", "TicketRule", "FollowerRule"}
    fills: dict[str, list[object]] = {"UndeliveredQueue": []}
    for name, rule in rules.items():
        [target] = rule["Targets"]
        assert target["DeadLetterConfig"] == {"Arn": arn("UndeliveredQueue")}
        fills.setdefault(target["Arn"]["Fn::GetAtt"][0], []).append(arn(name))
        fills["UndeliveredQueue"].append(arn(name))
    for queue, senders in fills.items():
        policy = resources[f"{queue}Policy"]["Properties"]
        [statement] = policy["PolicyDocument"]["Statement"]
        let_in = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
        assert policy["Queues"] == [{"Ref": queue}]
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert (let_in if isinstance(let_in, list) else [let_in]) == senders


def test_the_rules_listen_where_they_should(resources: dict[str, Any]) -> None:
    """Two on the deployment's bus, by its source; one on the bus that only the receiver may speak on."""
    rules = {
        name: resources[name]["Properties"] for name in ("EstablishedRule", "FollowerRule", "TicketRule")
    }
    buses = {name: rule["EventBusName"]["Ref"] for name, rule in rules.items()}
    assert buses == {"EstablishedRule": "EventBus", "FollowerRule": "EventBus", "TicketRule": "TicketBus"}
    patterns = {name: rule["EventPattern"] for name, rule in rules.items()}
    assert patterns["EstablishedRule"] == {
        "source": ["zendesk-oauth"],
        "detail-type": ["ConnectionEstablished"],
        "detail": {"grant": ["default"]},
    }
    assert patterns["FollowerRule"] == {"source": ["zendesk-oauth"]}


def test_every_queue_that_feeds_a_function_has_a_dead_letter_queue(resources: dict[str, Any]) -> None:
    """And hides a message for six times the function's limit, and gives back only what failed."""
    queues = {"Worker": "Queue", "Follower": "FollowerQueue"}
    for function, queue in queues.items():
        source = resources[function]["Properties"]["Events"]["Messages"]["Properties"]
        properties = resources[queue]["Properties"]
        assert source["Queue"] == arn(queue)
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert properties["VisibilityTimeout"] >= 6 * resources[function]["Properties"]["Timeout"]
        dead = properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        assert resources[dead]["Properties"]["MessageRetentionPeriod"] == FORTNIGHT


def test_what_needs_a_person_is_counted(resources: dict[str, Any]) -> None:
    """The metric counts the very words that the worker says."""
    pattern = resources["NeedsPerson"]["Properties"]["FilterPattern"]
    said = json.loads(pattern.removeprefix("{ $.message = ").removesuffix(" }"))
    source = (CODE / "app.py").read_text()
    assert source.count(f'"{said}"') == 2
    assert resources["NeedsPerson"]["Properties"]["LogGroupName"] == {"Ref": "WorkerLogs"}


def test_the_tables_are_as_their_functions_use_them(resources: dict[str, Any]) -> None:
    """What is done is forgotten by the attribute that Powertools writes; both are paid by what is asked of them."""
    done, customers = (resources[name]["Properties"] for name in ("DoneTable", "CustomersTable"))
    assert done["TimeToLiveSpecification"] == {"AttributeName": "expiration", "Enabled": True}
    assert done["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert customers["KeySchema"] == [{"AttributeName": "connection", "KeyType": "HASH"}]
    assert {one["BillingMode"] for one in (done, customers)} == {"PAY_PER_REQUEST"}


def test_marketplace_headers_are_json_and_all_or_none(resources: dict[str, Any]) -> None:
    """Three parameters become one JSON object, or an empty one; what would break it is no value of theirs."""
    variables = resources["Worker"]["Properties"]["Environment"]["Variables"]
    condition, made, none = variables["MARKETPLACE_HEADERS"]["Fn::If"]
    names = ("MarketplaceName", "MarketplaceOrganizationId", "MarketplaceAppId")
    text = made["Fn::Sub"]
    for name in names:
        pattern = template()["Parameters"][name]["AllowedPattern"]
        assert re.fullmatch(pattern, "Example & Co. [7]")
        assert not any(re.fullmatch(pattern, each) for each in ('"', "\\", "\n", "é"))
        text = text.replace(f"${{{name}}}", name)
    assert json.loads(text) == dict(
        zip(
            (f"X-Zendesk-Marketplace-{one}" for one in ("Name", "Organization-Id", "App-Id")),
            names,
            strict=True,
        )
    )
    assert (none, condition) == ("{}", "IsInMarketplace")
    wanted = [{"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in names]
    assert template()["Conditions"][condition] == {"Fn::And": wanted}


def test_a_log_group_is_there_before_its_function(resources: dict[str, Any]) -> None:
    """Lambda would make one that forgets nothing, and the stack's own would find its name taken."""
    for function in ("Worker", "Receiver", "Follower"):
        assert resources[function]["Properties"]["LoggingConfig"] == {"LogGroup": {"Ref": f"{function}Logs"}}
        name = resources[f"{function}Logs"]["Properties"]["LogGroupName"]
        assert name == {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{function.lower()}"}


def test_anybody_may_call_the_receiver_and_nobody_is_believed(resources: dict[str, Any]) -> None:
    """Its address asks for no signature of AWS, and the secret begins without a single account."""
    assert resources["Receiver"]["Properties"]["FunctionUrlConfig"] == {"AuthType": "NONE"}
    assert json.loads(resources["WebhookSecrets"]["Properties"]["SecretString"]) == {}


def test_a_batch_has_time_for_its_slowest_messages(resources: dict[str, Any]) -> None:
    """Waiting for the token, and after a 401 for a newer one, and every slow answer fit for each message."""
    source = (CODE / "app.py").read_text()
    waits = re.search(r"^TOKEN_WAIT = timedelta\(seconds=(\d+)\)", source, re.MULTILINE)
    limits = re.search(r"^TIMEOUT = \((\d+), (\d+)\)", source, re.MULTILINE)
    assert waits
    assert limits
    # of four places that ask a message comes by three, and one of them is asked again with the newer token
    slowest = 2 * int(waits[1]) + source.count("ask(session, ") * sum(map(int, limits.groups()))
    worker = resources["Worker"]["Properties"]
    messages = worker["Events"]["Messages"]["Properties"]
    assert messages["BatchSize"] * slowest < worker["Timeout"]


def test_the_worker_is_short_enough_to_be_copied() -> None:
    """One file, under 120 lines; and the two beside it no longer."""
    lengths = [len(path.read_text().splitlines()) for path in EXAMPLE.glob("*/app.py")]
    assert len(lengths) == 3
    assert max(lengths) < LONGEST


def test_what_worker_and_layer_both_bring_is_the_same() -> None:
    """The worker's packages come before the layer's, so botocore would meet another urllib3 than it was tested with."""
    layer = dict(_PIN.findall((EXAMPLE.parents[1] / "requirements/layer.txt").read_text()))
    worker = dict(_PIN.findall((CODE / "requirements.txt").read_text()))
    assert worker.keys() & layer.keys() == {"urllib3"}
    assert worker["urllib3"] == layer["urllib3"]
