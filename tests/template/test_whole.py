"""The template as a whole: it can be deployed, it is linted, and others can find what it made."""

import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from tests.template.reading import SAM, TEMPLATE, run
from zendesk_oauth.errors import ClientRejectedError
from zendesk_oauth.observability import LEFT_ALIVE, LEFT_ALIVE_METRIC, METRICS
from zendesk_oauth.services.revoke_leftovers import GIVEN_UP, POSTPONED, UNREADABLE
from zendesk_oauth.services.revoke_token import Revocation
from zendesk_oauth.settings import VARIABLES

PUBLISHED = {
    "backend-policy-arn",
    "connections-table",
    "dependencies-layer-arn",
    "installs-table",
    "package-layer-arn",
    "public-base-url",
    "token-key-arn",
}


def referred(value: Any) -> Iterator[str]:
    """Yield the names that a piece of the template refers to, by Ref, GetAtt or Sub."""
    if isinstance(value, list):
        for item in value:
            yield from referred(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner.split(".")[0] if isinstance(inner, str) else inner[0]
            elif key == "Fn::Sub":
                text = inner if isinstance(inner, str) else inner[0]
                yield from re.findall(r"\$\{([A-Za-z0-9]+)[.}]", text)
                yield from referred(inner)
            else:
                yield from referred(inner)


def needs(resource: dict[str, Any]) -> set[str]:
    """Return the names that a resource waits for."""
    waits = resource.get("DependsOn", [])
    return {*([waits] if isinstance(waits, str) else waits), *referred(resource.get("Properties", {}))}


def test_no_resource_waits_for_itself(translated: dict[str, Any]) -> None:
    """The graph of the translated template has no circle, which `sam validate` does not look for."""
    resources = translated["Resources"]
    graph = {name: needs(resource) & set(resources) for name, resource in resources.items()}
    order = list(TopologicalSorter(graph).static_order())
    assert set(order) == set(resources)
    assert (
        order.index("Api")
        < order.index("StartFunction")
        < order.index("StartIntegration")
        < order.index("ApiStage")
    )


def test_every_name_that_is_referred_to_exists(translated: dict[str, Any]) -> None:
    """No resource and no output refers to a name that is neither a resource nor a parameter."""
    known = {*translated["Resources"], *translated["Parameters"]}
    for section in ("Resources", "Outputs"):
        for name, entry in translated[section].items():
            unknown = {r for r in referred(entry) if not r.startswith("AWS::")} - known
            assert not unknown, name


def test_sam_finds_nothing_to_say() -> None:
    """`sam validate --lint` is clean."""
    code, said = run(SAM / "sam", "validate", "--lint", "--template", TEMPLATE)
    assert code == 0, said


def test_the_serverless_rules_find_nothing_to_say() -> None:
    """cfn-lint with the serverless rules is clean."""
    linter = Path(sys.executable).with_name("cfn-lint")
    code, said = run(linter, "-a", "cfn_lint_serverless.rules", "-t", TEMPLATE)
    assert (code, said) == (0, "")


def test_one_lint_rule_is_set_aside(template: dict[str, Any]) -> None:
    """Only the rule that wants literal tracing is off, because tracing is a parameter."""
    assert template["Metadata"]["cfn-lint"]["config"]["ignore_checks"] == ["WS1000"]
    assert template["Globals"]["Function"]["Tracing"] == {"Ref": "Tracing"}


def test_other_stacks_find_what_they_need_by_name(template: dict[str, Any]) -> None:
    """Tables, layers, key, policy and address each have an SSM parameter under /application/stage/, and an output."""
    names = [
        resource["Properties"]["Name"]["Fn::Sub"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::SSM::Parameter"
    ]
    assert sorted(names) == [f"/${{Application}}/${{Stage}}/{name}" for name in sorted(PUBLISHED)]
    assert all(output["Description"] for output in template["Outputs"].values())
    assert template["Outputs"]["RedirectUri"]["Value"] == {
        "Fn::Sub": "${PublicBaseUrlParameter.Value}/oauth/callback"
    }


def test_alarms_tell_the_topic_where_there_is_one(template: dict[str, Any]) -> None:
    """Every alarm tells AlarmTopicArn of going wrong and of being right again, and is quiet without data."""
    topic = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    watched = set()
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            alarm = resource["Properties"]
            assert alarm["AlarmActions"] == alarm["OKActions"] == topic
            assert alarm["TreatMissingData"] == "notBreaching"
            watched |= _watched(alarm)
    assert watched == {
        ("CallbackFunction", "Errors"),
        ("CallbackFunction", "Throttles"),
        ("RevokeFunction", "Errors"),
        ("Api", "5xx"),
        ("callback client_rejected", "InstallFailed"),
        ("revoke", LEFT_ALIVE_METRIC),
    }


def test_alarms_name_metrics_and_outcomes_that_are_really_counted(template: dict[str, Any]) -> None:
    """A metric of our own in an alarm is one that observability writes, with a value that its dimension can have."""
    watched = {
        pair
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
        for pair in _watched(resource["Properties"])
    }
    ours = {name: of for of, name in watched if of.split()[0] in VARIABLES}
    assert set(ours) <= {*METRICS.values(), LEFT_ALIVE_METRIC}
    assert ours["InstallFailed"] == f"callback {ClientRejectedError.code}"
    assert {*Revocation, GIVEN_UP, UNREADABLE, POSTPONED} > LEFT_ALIVE


def _watched(alarm: dict[str, Any]) -> set[tuple[str, str]]:
    """Return what an alarm looks at: of whom, and which metric."""
    return {(" ".join(_value(one["Value"]) for one in alarm["Dimensions"]), alarm["MetricName"])}


def _value(value: str | dict[str, str]) -> str:
    return value if isinstance(value, str) else value["Ref"]
