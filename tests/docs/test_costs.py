"""What the pages say of costs is what the price file and the last measurements give; what is reckoned with is so."""

import json
from datetime import timedelta
from typing import Any

import pytest
import yaml

from benchmarks import monthly
from benchmarks.cost import read_prices
from tests.docs.reading import ROOT
from tests.template.reading import TEMPLATE, TemplateLoader
from zendesk_oauth.models.connection import KEEP_ALIVE_SHARDS
from zendesk_oauth.refresh_journal import OVERDUE, TICKED


def template() -> dict[str, Any]:
    """Return the template."""
    read: dict[str, Any] = yaml.load(TEMPLATE.read_text(), TemplateLoader)  # noqa: S506 - a SafeLoader
    return read


def resources(kind: str) -> list[dict[str, Any]]:
    """Return the properties of each resource of a type."""
    return [each["Properties"] for each in template()["Resources"].values() if each["Type"] == kind]


@pytest.mark.parametrize("page", monthly.PAGES)
def test_a_page_has_its_tables_as_they_are_computed(page: str) -> None:
    """Whoever changes a price, or measures anew, says `make costs`."""
    text = (ROOT / page).read_text()
    assert monthly.written(page, text) == text


def test_every_table_stands_on_a_page() -> None:
    """None is computed for nobody."""
    assert sorted(name for names in monthly.PAGES.values() for name in names) == sorted(monthly.tables())


@pytest.mark.parametrize("text", ["", "| a month, for a stack that nobody uses |\n"])
def test_a_page_without_its_tables_is_refused(text: str) -> None:
    """A heading that was changed would leave old numbers standing."""
    with pytest.raises(ValueError, match="0 tables"):
        monthly.written("docs/deploy.md", text)


def test_a_price_moves_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are computed from the file, and not written by hand."""
    prices = read_prices()
    prices["usd"]["kms_million_requests"]["price"] *= 10
    before = monthly.tables()
    monkeypatch.setattr(monthly, "read_prices", lambda: prices)
    assert {name for name, table in monthly.tables().items() if table != before[name]} == {
        "in_use",
        "kept_alive",
    }


def test_what_is_reckoned_with_is_the_templates() -> None:
    """Alarms, schedules, memory, and the queues that Lambda polls."""
    rates = {"rate(1 minute)": monthly.MINUTES, "rate(5 minutes)": monthly.MINUTES // 5}
    ticks = [rates[each["ScheduleExpression"]] for each in resources("AWS::Scheduler::Schedule")]
    assert sorted(ticks) == sorted(monthly.SCHEDULES.values())
    assert len(resources("AWS::CloudWatch::Alarm")) == monthly.ALARMS
    mappings = [each for each in resources("AWS::Lambda::EventSourceMapping") if "ScalingConfig" in each]
    assert len(mappings) * 5 * 3 * monthly.MINUTES == monthly.POLLS
    memory = {
        each["FunctionName"]["Fn::Sub"].rpartition("-")[2]: each["MemorySize"]
        for each in resources("AWS::Serverless::Function")
    }
    assert (memory["refresh"], memory["revoke"]) == (1024, 512)
    assert memory["publish"] == monthly.PUBLISH_GIGABYTES * 1024


def test_what_is_reckoned_with_is_the_codes() -> None:
    """Shards, lives, and the counts that ticks alone write."""
    assert monthly.SHARDS == KEEP_ALIVE_SHARDS
    assert len({*TICKED, *TICKED.values(), OVERDUE}) == monthly.TICKS_METRICS
    lives = {
        name: template()["Parameters"][f"{name}TokenSeconds"]["Default"] for name in ("Access", "Refresh")
    }
    assert timedelta(seconds=lives["Access"]).days == monthly.IN_USE_DAYS
    assert timedelta(seconds=lives["Refresh"]).days * (0.5 + 2 / 3) / 2 == monthly.PERIOD_DAYS


def test_what_the_page_says_in_words_is_so() -> None:
    """The four sums that stand outside of the tables."""
    text = (ROOT / "docs/deploy.md").read_text()
    usd = {name: each["price"] for name, each in read_prices()["usd"].items()}
    measured = json.loads(monthly.RESULTS.read_text())["usd_per_million"]
    share = measured["start"]["total"] / (measured["start"]["total"] + measured["allow"]["total"])
    assert "is about a fifth of it" in text
    assert share == pytest.approx(0.2, abs=0.05)
    assert "about three dollars for a million" in text
    assert usd["kms_million_requests"] + usd["dynamodb_million_read_units"] == pytest.approx(3, abs=0.2)
    assert "about two cents a month" in text
    assert monthly.total(monthly.kept_alive()) / 1000 == pytest.approx(0.02, abs=0.005)
    assert f"{read_prices()['usd_per_month']['metric']['price']:.2f} a month" in text
    assert monthly.TICKS_METRICS + monthly.FURTHER_METRICS == 30


def test_the_page_names_the_files_date() -> None:
    """Prices are of a day."""
    assert f"list prices of {read_prices()['as_of']}" in (ROOT / "docs/deploy.md").read_text()
