"""The template as a whole: it can be deployed, it is linted, and others can find what it made."""

import inspect
import json
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.template.reading import SAM, TEMPLATE, run
from zendesk_oauth import observability, publish_journal, refresh_journal
from zendesk_oauth.errors import ClientRejectedError, KeyUnavailableError, StoreUnavailableError
from zendesk_oauth.observability import LEFT_ALIVE, LEFT_ALIVE_METRIC, METRICS
from zendesk_oauth.services.revoke_leftovers import GIVEN_UP, POSTPONED, UNREADABLE
from zendesk_oauth.services.revoke_token import Revocation
from zendesk_oauth.settings import VARIABLES

PUBLISHED = {
    "backend-policy-arn",
    "connections-table",
    "dependencies-layer-arn",
    "event-bus-name",
    "installs-table",
    "operator-policy-arn",
    "package-layer-arn",
    "public-base-url",
    "refresh-function-name",
    "rescue-queue-url",
    "token-key-arn",
    "token-route-policy-arn",
    "worker-policy-arn",
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


def test_a_function_has_its_own_log_group_and_the_common_format(translated: dict[str, Any]) -> None:
    """SAM lays what a function says of its log over what all of them have."""
    logged = {
        name: resource["Properties"]["LoggingConfig"]
        for name, resource in translated["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    assert len(logged) == len(VARIABLES)
    for name, config in logged.items():
        assert config == {"LogFormat": "Text", "LogGroup": {"Ref": name.replace("Function", "Logs")}}


def test_sam_finds_nothing_to_say() -> None:
    """`sam validate --lint` is clean."""
    code, said = run(SAM / "sam", "validate", "--lint", "--template", TEMPLATE)
    assert code == 0, said


def test_the_serverless_rules_find_nothing_to_say() -> None:
    """cfn-lint with the serverless rules is clean."""
    linter = Path(sys.executable).with_name("cfn-lint")
    code, said = run(linter, "-a", "cfn_lint_serverless.rules", "-t", TEMPLATE)
    assert (code, said) == (0, "")


def test_few_lint_rules_are_set_aside(template: dict[str, Any]) -> None:
    """Each with its reason.

    Tracing is a parameter. A function names its log group, and not the group its function. Where dead letters end has
    no such place of its own. SQS has no destination in Lambda.
    """
    assert template["Metadata"]["cfn-lint"]["config"]["ignore_checks"] == ["WS1000", "WS1004"]
    single = {
        name: resource["Metadata"]["cfn-lint"]["config"]["ignore_checks"]
        for name, resource in template["Resources"].items()
        if "cfn-lint" in resource.get("Metadata", {})
    }
    assert single == {
        "RescueDeadLetterQueue": ["ES6000"],
        "RescueReplay": ["ES1001"],
        "UnpublishedDeadLetterQueue": ["ES6000"],
        "UnpublishedReplay": ["ES1001"],
        "UnreadBatchesQueue": ["ES6000"],
    }
    assert template["Globals"]["Function"]["Tracing"] == {"Ref": "Tracing"}


def test_other_stacks_find_what_they_need_by_name(template: dict[str, Any]) -> None:
    """Each has an SSM parameter under /application/stage/, and what the parameter says is an output too."""
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
    """Each alarm tells AlarmTopicArn of both turns; without data all are quiet but those that listen for silence."""
    topic = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    watched, loud = set(), set()
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            alarm = resource["Properties"]
            assert alarm["AlarmActions"] == alarm["OKActions"] == topic
            if alarm["TreatMissingData"] != "notBreaching":
                loud.add(name)
            watched |= _watched(alarm)
    assert loud == {"KeepAliveSilentAlarm", "UnfinishedSilentAlarm", "RevokeSilentAlarm"}
    assert watched == {
        ("CallbackFunction", "Errors"),
        ("CallbackFunction", "Throttles"),
        ("RevokeFunction", "Errors"),
        ("RevokeFunction", "Invocations"),
        ("ConnectionsFunction", "Throttles"),
        ("connections key_unavailable", "RequestFailed"),
        ("connections store_unavailable", "RequestFailed"),
        ("", "ServerErrorAnswered"),
        ("", "ZendeskErrorAnswered"),
        ("callback client_rejected", "InstallFailed"),
        ("revoke", LEFT_ALIVE_METRIC),
        ("RefreshFunction", "Errors"),
        ("RefreshFunction", "Throttles"),
        ("RescueQueue", "NumberOfMessagesReceived"),
        ("RescueQueue", "ApproximateNumberOfMessagesVisible"),
        ("RescueDeadLetterQueue", "ApproximateNumberOfMessagesVisible"),
        ("PublishFunction", "Errors"),
        ("PublishFunction", "IteratorAge"),
        ("UnpublishedDeadLetterQueue", "ApproximateNumberOfMessagesVisible"),
        ("UnreadBatchesQueue", "ApproximateNumberOfMessagesVisible"),
        ("publish", "EventSetAside"),
        ("refresh", "ClientRejected"),
        ("refresh", "ConnectionLost"),
        ("refresh", "HandOverFailed"),
        ("refresh", "KeepAliveOverdue"),
        ("refresh", "KeepAliveTicked"),
        ("refresh", "KeysUnavailable"),
        ("refresh", "UnfinishedTicked"),
        ("refresh", LEFT_ALIVE_METRIC),
    }


def test_alarms_name_metrics_and_outcomes_that_are_really_counted(template: dict[str, Any]) -> None:
    """A metric of our own in an alarm is one that observability writes, with a value that its dimension can have."""
    watched = {
        pair
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
        for pair in _watched(resource["Properties"])
    }
    ours = {(of.partition(" ")[0], name): of for of, name in watched if of.partition(" ")[0] in VARIABLES}
    counted = {*METRICS.values(), LEFT_ALIVE_METRIC, *counted_in(observability)}
    assert {name for verb, name in ours if verb not in {"refresh", "publish"}} <= counted
    assert {name for verb, name in ours if verb == "refresh"} <= counted_in(refresh_journal)
    assert {name for verb, name in ours if verb == "publish"} <= counted_in(publish_journal)
    assert ours["callback", "InstallFailed"] == f"callback {ClientRejectedError.code}"
    of_connections = {of for of, name in watched if name == "RequestFailed"}
    assert of_connections == {f"connections {e.code}" for e in (KeyUnavailableError, StoreUnavailableError)}
    assert {*Revocation, GIVEN_UP, UNREADABLE, POSTPONED} > LEFT_ALIVE


def test_a_schedule_that_ticks_no_more_is_heard_within_a_quarter_of_an_hour(template: dict[str, Any]) -> None:
    """For each schedule: three periods without a tick ring, and no period is shorter than its pause."""
    resources = template["Resources"]
    for name, pause, counted in (
        ("KeepAlive", "5 minutes", "KeepAliveTicked"),
        ("Unfinished", "1 minute", "UnfinishedTicked"),
        ("Revoke", "1 minute", "Invocations"),
    ):
        assert resources[f"{name}Schedule"]["Properties"]["ScheduleExpression"] == f"rate({pause})"
        alarm = resources[f"{name}SilentAlarm"]["Properties"]
        assert alarm["MetricName"] == counted
        assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
            "Sum",
            "LessThanThreshold",
            1,
        )
        assert alarm["Period"] >= 60 * int(pause.partition(" ")[0])
        assert alarm["Period"] * alarm["EvaluationPeriods"] == 900


def test_an_error_that_somebody_saw_is_counted_in_the_gateways_log(template: dict[str, Any]) -> None:
    """Every 5xx: ours, but the token route's 503, which says "not now" and is everyday business; and Zendesk's 502."""
    resources = template["Resources"]
    patterns = {
        "ServerErrors": (
            '{ ($.status = "5*") && ($.status != "502") && (($.status != "503") || ($.routeKey != "*/token")) }'
        ),
        "ZendeskErrors": '{ $.status = "502" }',
    }
    for name, pattern in patterns.items():
        counts = resources[name]["Properties"]
        assert counts["LogGroupName"] == {"Ref": "ApiLogs"}
        assert counts["FilterPattern"] == pattern
        (counted,) = counts["MetricTransformations"]
        alarm = resources[f"{name}Alarm"]["Properties"]
        assert (counted["MetricName"], counted["MetricValue"]) == (alarm["MetricName"], "1")
        assert counted["MetricNamespace"] == alarm["Namespace"]
    stage = resources["ApiStage"]["Properties"]
    assert {"status", "routeKey"} <= json.loads(stage["AccessLogSettings"]["Format"]).keys()
    left_out = [route for route in stage["RouteSettings"] if route.endswith("/token")]
    assert left_out == ["ANY /connections/{grant}/{subdomain}/token"]


def counted_in(journal: ModuleType) -> set[str]:
    """Return the metrics of a journal: whatever its source has in the form of a metric's name."""
    return {
        LEFT_ALIVE_METRIC,
        *re.findall(r'"([A-Z][a-z]+[A-Z][A-Za-z]+)"', inspect.getsource(journal)),
    }


def _watched(alarm: dict[str, Any]) -> set[tuple[str, str]]:
    """Return what an alarm looks at: of whom, and which metric."""
    dimensions = alarm.get("Dimensions", [])
    return {(" ".join(_value(one["Value"]) for one in dimensions), alarm["MetricName"])}


def _value(value: str | dict[str, Any]) -> str:
    if isinstance(value, str):
        return value
    named: str = value["Fn::GetAtt"][0] if "Fn::GetAtt" in value else value["Ref"]
    return named
