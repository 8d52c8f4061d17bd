"""The example's template: linted, least in its rights, and of the same names as the deployment it leans on."""

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
    assert len(names) == 7


def test_the_worker_has_all_variables_of_the_library(resources: dict[str, Any]) -> None:
    """Those that the library reads, and no other of its prefix."""
    variables = resources["Worker"]["Properties"]["Environment"]["Variables"]
    ours = {name.removeprefix(WORKER_PREFIX) for name in variables if name.startswith(WORKER_PREFIX)}
    assert ours == WORKER_VARIABLES


def test_the_role_has_the_workers_policy_and_its_own_queue(resources: dict[str, Any]) -> None:
    """Beside what Lambda needs to poll: WorkerPolicy, and one action on one queue."""
    policy, own = resources["Worker"]["Properties"]["Policies"]
    assert policy == {"Ref": "WorkerPolicyArn"}
    [statement] = own["Statement"]
    assert statement["Action"] == "sqs:ChangeMessageVisibility"
    assert statement["Resource"] == {"Fn::GetAtt": ["Queue", "Arn"]}


def test_a_batch_has_time_for_its_slowest_messages(resources: dict[str, Any]) -> None:
    """Waiting for the token and three slow answers fit for each message, and a message stays hidden meanwhile."""
    source = (CODE / "app.py").read_text()
    waits = re.search(r"^TOKEN_WAIT = timedelta\(seconds=(\d+)\)$", source, re.MULTILINE)
    limits = re.search(r"^TIMEOUT = \((\d+), (\d+)\)$", source, re.MULTILINE)
    assert waits
    assert limits
    slowest = int(waits[1]) + source.count("ask(session, ") * sum(map(int, limits.groups()))
    worker, queue = resources["Worker"]["Properties"], resources["Queue"]["Properties"]
    messages = worker["Events"]["Messages"]["Properties"]
    assert messages["BatchSize"] * slowest <= worker["Timeout"]
    assert queue["VisibilityTimeout"] >= 6 * worker["Timeout"]
    assert messages["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "deadLetterTargetArn" in queue["RedrivePolicy"]


def test_the_worker_is_short_enough_to_be_copied() -> None:
    """One file, under 120 lines."""
    assert len((CODE / "app.py").read_text().splitlines()) < LONGEST


def test_what_worker_and_layer_both_bring_is_the_same() -> None:
    """The worker's packages come before the layer's, so botocore would meet another urllib3 than it was tested with."""
    layer = dict(_PIN.findall((EXAMPLE.parents[1] / "requirements/layer.txt").read_text()))
    worker = dict(_PIN.findall((CODE / "requirements.txt").read_text()))
    assert worker.keys() & layer.keys() == {"urllib3"}
    assert worker["urllib3"] == layer["urllib3"]
