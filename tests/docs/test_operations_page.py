"""docs/operations.md says of each alarm what it means and what to do, and of each metric who counts it."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.docs.reading import ROOT, table_rows
from tests.template.reading import TEMPLATE, TemplateLoader

PAGE = ROOT / "docs/operations.md"
_SEARCH = re.compile(r'''\{"[^"]+",([\w,]+)\} MetricName="(\w+)" service="(\w+)"''')


def resources() -> dict[str, Any]:
    """Return the template's resources."""
    template: dict[str, Any] = yaml.load(TEMPLATE.read_text(), TemplateLoader)  # noqa: S506 - a SafeLoader
    found: dict[str, Any] = template["Resources"]
    return found


def alarms() -> dict[str, str]:
    """Return the description of each alarm, by the part of its name that is its own."""
    prefix = "${Application}-${Stage}-"
    return {
        resource["Properties"]["AlarmName"]["Fn::Sub"].removeprefix(prefix): resource["Properties"][
            "AlarmDescription"
        ]
        for resource in resources().values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def sections() -> dict[str, str]:
    """Return the text of each alarm's section."""
    _, *parts = re.split(r"^### (.+)$", PAGE.read_text().partition("## The alarms")[2], flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def on_the_dashboard() -> set[tuple[str, str, str]]:
    """Return name, service and further dimension of each metric of our own that the dashboard shows."""
    body = json.loads(resources()["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    found = set()
    for widget in body["widgets"]:
        for first, *rest in widget["properties"].get("metrics", []):
            if isinstance(first, dict):
                searched = _SEARCH.search(first["expression"])
                assert searched
                (dimension,) = set(searched[1].split(",")) - {"service"}
                found.add((searched[2], searched[3], dimension))
            elif first == "${Application}/${Stage}":
                found.add((rest[0], rest[2], ""))
    return found


def test_every_alarm_has_its_section_and_no_other_has_one() -> None:
    """Whoever is woken by one finds it by its name."""
    assert sorted(sections()) == sorted(alarms())


@pytest.mark.parametrize("name", sections())
def test_a_section_says_what_it_means_and_what_to_do(name: str) -> None:
    """Both, and more than a word."""
    text = sections()[name]
    means, _, do = text.partition("**Do** this: ")
    assert "**It means** that " in means
    assert len(do.split()) > 3


def test_the_table_has_the_metrics_of_the_dashboard() -> None:
    """Name, function and dimension, no more and no fewer."""
    header, *rows = table_rows(PAGE)
    assert header[:3] == ["metric", "service", "by"]
    assert {tuple(row[:3]) for row in rows} == on_the_dashboard()


def test_every_alarm_is_on_the_dashboard() -> None:
    """The widget of the alarms' states leaves none out."""
    body = json.loads(resources()["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    (widget,) = (widget for widget in body["widgets"] if widget["type"] == "alarm")
    named = {alarm.removeprefix("${").removesuffix(".Arn}") for alarm in widget["properties"]["alarms"]}
    assert named == {
        name for name, resource in resources().items() if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
