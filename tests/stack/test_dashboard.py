"""The dashboard of the deployed stack: every metric in it is one that the demo has really had counted."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.stack import CONFIRMED, OPEN, LocalStack
from zendesk_oauth.settings import VARIABLES

_SEARCH = re.compile(r"""SEARCH\('\{"([^"]+)",([\w,]+)\} MetricName="(\w+)" service="(\w+)"'""")

type Metric = tuple[str, str, frozenset[str]]
"""Its name, the function that counts it, and the names of its other dimensions."""


def widgets(stack: LocalStack, mode: str) -> list[dict[str, Any]]:
    """Return the widgets of a deployment's dashboard."""
    name = f"{stack.deployments[mode].order.application}-local"
    answer = stack.emulator.client("cloudwatch").get_dashboard(DashboardName=name)
    found: list[dict[str, Any]] = json.loads(answer["DashboardBody"])["widgets"]
    return found


def shown(stack: LocalStack, mode: str) -> Iterator[Metric]:
    """Yield every metric of our own that a dashboard shows."""
    namespace = f"{stack.deployments[mode].order.application}/local"
    for widget in widgets(stack, mode):
        for first, *rest in widget["properties"].get("metrics", []):
            if isinstance(first, Mapping):
                searched = _SEARCH.match(first["expression"])
                assert searched, first["expression"]
                assert searched[1] == namespace
                yield searched[3], searched[4], frozenset(searched[2].split(",")) - {"service"}
            elif first == namespace:
                name, dimension, service, _ = rest
                assert dimension == "service"
                yield name, service, frozenset()


def counted(stack: LocalStack, mode: str) -> Iterator[Metric]:
    """Yield every metric that the functions of a deployment have written to their logs."""
    logs, application = stack.emulator.client("logs"), stack.deployments[mode].order.application
    for verb in VARIABLES:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{application}-local-{verb}"
        )
        for event in (event for page in pages for event in page["events"]):
            line = _line(event["message"])
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                assert directive["Namespace"] == f"{application}/local"
                (dimensions,) = directive["Dimensions"]
                for metric in directive["Metrics"]:
                    yield metric["Name"], line["service"], frozenset(dimensions) - {"service"}


def _line(message: str) -> dict[str, Any]:
    try:
        line = json.loads(message)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


@pytest.mark.usefixtures("demo")
def test_every_metric_of_the_dashboard_was_counted_in_the_demo(stack: LocalStack) -> None:
    """By that function, with those dimensions: no widget stays empty for want of somebody who counts."""
    seen = {metric for mode in (OPEN, CONFIRMED) for metric in counted(stack, mode)}
    wanted = set(shown(stack, OPEN))
    assert len(wanted) > 20
    assert wanted == set(shown(stack, CONFIRMED))
    assert sorted(map(str, wanted - seen)) == []


@pytest.mark.usefixtures("demo")
def test_every_function_of_the_dashboard_is_there_and_counted(stack: LocalStack) -> None:
    """Lambda's own metrics are asked for by the functions' real names, all of them.

    The emulator counts those alone that are invoked, and not what comes over the gateway: that one is, on each widget.
    """
    cloudwatch, functions = stack.emulator.client("cloudwatch"), stack.emulator.client("lambda")
    deployed = {
        function["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate()
        for function in page["Functions"]
    }
    known = {
        (metric["MetricName"], dimension["Value"])
        for page in cloudwatch.get_paginator("list_metrics").paginate(Namespace="AWS/Lambda")
        for metric in page["Metrics"]
        for dimension in metric["Dimensions"]
    }
    for mode in (OPEN, CONFIRMED):
        application = stack.deployments[mode].order.application
        for name in ("Errors", "Duration"):
            named = {metric[3] for metric in of_lambda(stack, mode) if metric[1] == name}
            assert named == {f"{application}-local-{verb}" for verb in VARIABLES} <= deployed
            assert {function for counted, function in known if counted == name} & named


def of_lambda(stack: LocalStack, mode: str) -> list[list[Any]]:
    """Return the metrics of Lambda's own that a dashboard shows."""
    metrics = [
        metric for widget in widgets(stack, mode) for metric in widget["properties"].get("metrics", [])
    ]
    return [metric for metric in metrics if metric[0] == "AWS/Lambda"]


def test_every_alarm_is_on_the_dashboard(stack: LocalStack) -> None:
    """The last widget shows the state of each."""
    prefix = f"{stack.deployments[OPEN].order.application}-local-"
    pages = (
        stack.emulator.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    )
    alarms = {alarm["AlarmArn"] for page in pages for alarm in page["MetricAlarms"]}
    (widget,) = (widget for widget in widgets(stack, OPEN) if widget["type"] == "alarm")
    assert set(widget["properties"]["alarms"]) == alarms
    assert len(alarms) > 20
