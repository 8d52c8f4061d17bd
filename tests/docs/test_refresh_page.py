"""The page about refreshes: its costs are computed here from the price file, its lists are the code's own."""

import re
from collections.abc import Iterator

from benchmarks.cost import read_prices
from tests.docs.reading import ROOT
from zendesk_oauth.models.connection import KEEP_ALIVE_SHARDS
from zendesk_oauth.models.refresh import RefreshOutcome
from zendesk_oauth.refresh_journal import COUNTED

PAGE = (ROOT / "docs" / "refresh.md").read_text()
CONNECTIONS = 1_000_000
DAYS, PERIOD_DAYS = 30, 90 * (0.5 + 2 / 3) / 2
REFRESHES = CONNECTIONS * DAYS / PERIOD_DAYS
TICKS = DAYS * 24 * 12 + DAYS * 24 * 60
"""Of keep-alive every five minutes, of unfinished connections every minute."""
REFRESH_SECONDS, TICK_SECONDS, HANDOVER_SECONDS = 0.6, 0.1, 0.02
READ_UNITS, WRITE_UNITS = 2, 14
"""Of one refresh of a row of 6 kB, as `tests/races/test_refresh_capacity.py` counts them."""
QUERY_UNITS = 0.5
LOGGED_GIGABYTES, SENT_GIGABYTES = 1.3e-6, 8e-6
"""Of one refresh: its lines and counts with Lambda's own; its requests with TLS."""


def costs() -> Iterator[tuple[str, str, float]]:
    """Yield what is paid for, how much of it there is a month, and US dollars."""
    usd = {name: each["price"] for name, each in read_prices()["usd"].items()}
    seconds = REFRESHES * (REFRESH_SECONDS + HANDOVER_SECONDS) + TICKS * TICK_SECONDS
    invocations = (REFRESHES + TICKS) / 1e6
    reads = (REFRESHES * READ_UNITS + TICKS * KEEP_ALIVE_SHARDS * QUERY_UNITS) / 1e6
    writes, keys = REFRESHES * WRITE_UNITS / 1e6, REFRESHES * 2 / 1e6
    logged, sent = REFRESHES * LOGGED_GIGABYTES, REFRESHES * SENT_GIGABYTES
    yield "Lambda, GB-seconds (arm64, 1 GB)", f"{seconds:,.0f}", seconds * usd["lambda_gb_second_arm64"]
    yield "Lambda, requests", f"{invocations:.2f} million", invocations * usd["lambda_million_requests"]
    yield "DynamoDB, write units", f"{writes:.2f} million", writes * usd["dynamodb_million_write_units"]
    yield "DynamoDB, read units", f"{reads:.2f} million", reads * usd["dynamodb_million_read_units"]
    yield "KMS, Decrypt", f"{keys:.2f} million", keys * usd["kms_million_requests"]
    ticks = TICKS / 1e6 * usd["scheduler_million_invocations"]
    yield "EventBridge Scheduler, invocations", f"{TICKS / 1e6:.2f} million", ticks
    yield "CloudWatch Logs", f"{logged:.2f} GB", logged * usd["logs_gigabyte"]
    yield "transfer out", f"{sent:.2f} GB", sent * usd["transfer_gigabyte"]


def cost_table() -> str:
    """Return the table as the page has it."""
    rows = list(costs())
    total = sum(price for *_, price in rows)
    lines = [f"| {name} | {amount} | {price:.2f} |" for name, amount, price in rows]
    head = ["| a month, for 1,000,000 idle connections | amount | US dollars |", "|---|---|---|"]
    return "\n".join([*head, *lines, f"| together | | {total:.2f} |"])


def test_the_costs_are_those_of_the_price_file() -> None:
    """The table stands in the page as it is computed."""
    assert cost_table() in PAGE
    assert f"{REFRESHES:,.0f}" in PAGE


def test_every_outcome_is_explained() -> None:
    """Each has its row, and no other is named there."""
    section = PAGE.partition("| outcome | what it means |")[2].partition("## ")[0]
    assert re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE) == [each.value for each in RefreshOutcome]


def test_every_count_is_explained() -> None:
    """What the journal counts under a fixed name stands in the page, and the other way round."""
    section = PAGE.partition("| metric | counts | also by |")[2].partition("## ")[0]
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", section))
    package = ROOT / "layers/zendesk_oauth/zendesk_oauth"
    source = (package / "refresh_journal.py").read_text() + (
        package / "bootstrap/refresh_on_event.py"
    ).read_text()
    counted = set(re.findall(r'_count\("(\w+)"', source)) | set(COUNTED.values())
    counted |= set(re.findall(r'"((?:KeepAlive|Unfinished)(?:HandedOver|Ticked))"', source))
    counted |= {"RequestRefused", "RequestFailed", "TokenLeftAlive"}
    assert named == counted
