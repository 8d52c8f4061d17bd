"""What a deployment costs in a month: the tables of docs/deploy.md and docs/refresh.md, from prices and counts.

`make costs` writes them anew; the tests hold the pages to them. Installs are the rows of the last `make bench`. A
refresh is reckoned with the capacity that `tests/races/test_refresh_capacity.py` counts for a row of 6 kB, and with
durations that are assumed, because none measured here is Lambda's.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from benchmarks.artefact import ROOT
from benchmarks.cost import read_prices

RESULTS = ROOT / "benchmarks" / "results.json"
PAGES = {"docs/deploy.md": ("idle", "installs", "in_use"), "docs/refresh.md": ("kept_alive",)}
"""Which tables stand on which page."""
DAYS = 30
MINUTES = DAYS * 24 * 60
SCHEDULES = {"keep-alive": MINUTES // 5, "unfinished": MINUTES, "revoke": MINUTES}
"""How often each ticks in a month."""
OF_REFRESH = SCHEDULES["keep-alive"] + SCHEDULES["unfinished"]
SHARDS, QUERY_UNITS = 16, 0.5
"""What a tick of `refresh` asks its index, and what each question costs; `revoke` asks one."""
ALARMS, TICKS_METRICS, FURTHER_METRICS = 29, 5, 25
"""Alarms of the template; metrics that ticks alone write; further ones that a stack in use writes, assumed."""
POLLS = 2 * 5 * 3 * MINUTES
"""Of two queues: five pollers of Lambda's each, which ask every twenty seconds."""
REFRESH_SECONDS, TICK_SECONDS, HANDOVER_SECONDS, TOLD_SECONDS = 0.6, 0.1, 0.02, 0.1
READ_UNITS, WRITE_UNITS, WRITES, DECRYPTS = 2, 14, 2, 2
ROW_GIGABYTES = 6e-6
LOGGED_GIGABYTES, SENT_GIGABYTES, LOGGED_OF_A_TICK = 1.3e-6, 8e-6, 1e-6
"""Of one refresh: its lines and counts with Lambda's own; its requests with TLS."""
PUBLISH_GIGABYTES = 0.5
"""Of memory that `publish` has; `refresh` has one, `revoke` a half."""
PERIOD_DAYS = 90 * (0.5 + 2 / 3) / 2
"""Between two refreshes of an idle connection, on average."""
IN_USE_DAYS = 2
INSTALLS, MANY, A_THOUSAND = 1_000, 1_000_000, 1_000
_MILLION = 1_000_000


class Item(NamedTuple):
    """What is paid for, how much of it there is, and US dollars."""

    what: str
    amount: str
    usd: float


def tables() -> dict[str, str]:
    """Return each table by its name, as it stands in a page."""
    return {
        "idle": _table("a month, for a stack that nobody uses", idle()),
        "installs": _table(f"for {INSTALLS:,} installs that are allowed", installs(), decimals=3),
        "in_use": _two_columns("a month, for connections that are always in use"),
        "kept_alive": _table(f"a month, for {MANY:,} idle connections", kept_alive()),
    }


def idle() -> Iterator[Item]:
    """Yield what a stack costs of which nobody asks anything."""
    each, month = _prices("usd"), _prices("usd_per_month")
    ticks = sum(SCHEDULES.values())
    seconds = (OF_REFRESH + SCHEDULES["revoke"] * 0.5) * TICK_SECONDS
    reads = (OF_REFRESH * SHARDS + SCHEDULES["revoke"]) * QUERY_UNITS
    yield Item("KMS, the token key", "1", month["kms_key"])
    yield Item("Secrets Manager, the client secret", "1", month["secret"])
    yield Item("CloudWatch, alarms", f"{ALARMS}", ALARMS * month["alarm"])
    yield Item("CloudWatch, the dashboard", "1", month["dashboard"])
    yield Item("CloudWatch, metrics of the schedules", f"{TICKS_METRICS}", TICKS_METRICS * month["metric"])
    yield _million("EventBridge Scheduler, invocations", ticks, each["scheduler_million_invocations"])
    yield _million("Lambda, requests", ticks, each["lambda_million_requests"])
    yield Item("Lambda, GB-seconds (arm64)", f"{seconds:,.0f}", seconds * each["lambda_gb_second_arm64"])
    yield _million("DynamoDB, read units", reads, each["dynamodb_million_read_units"])
    yield _million("SQS, polls by Lambda", POLLS, each["sqs_million_requests"])
    yield _gigabytes("CloudWatch Logs", ticks * LOGGED_OF_A_TICK, each["logs_gigabyte"])


def installs() -> Iterator[Item]:
    """Yield what installs cost, by service: each a start and an Allow, as `make bench` has counted, and one event."""
    measured = json.loads(RESULTS.read_text(encoding="utf-8"))["usd_per_million"]
    rows = [measured[situation] for situation in ("start", "allow")]
    names = {
        "lambda": "Lambda",
        "http_api": "API Gateway",
        "dynamodb": "DynamoDB",
        "kms": "KMS",
        "secrets_manager": "Secrets Manager",
        "logs": "CloudWatch Logs",
        "transfer": "transfer out",
    }
    for service, name in names.items():
        yield Item(name, "", sum(row[service] for row in rows) / _MILLION * INSTALLS)
    yield Item("telling of it: `publish` and the event", "", _told(INSTALLS, INSTALLS))


def kept_alive() -> Iterator[Item]:
    """Yield what it costs to keep connections alive that nobody uses, schedules and all."""
    each, refreshes = _prices("usd"), MANY * DAYS / PERIOD_DAYS
    seconds = refreshes * (REFRESH_SECONDS + HANDOVER_SECONDS) + OF_REFRESH * TICK_SECONDS
    yield Item(
        "Lambda, GB-seconds (arm64, 1 GB)", f"{seconds:,.0f}", seconds * each["lambda_gb_second_arm64"]
    )
    yield _million("Lambda, requests", refreshes + OF_REFRESH, each["lambda_million_requests"])
    yield _million("DynamoDB, write units", refreshes * WRITE_UNITS, each["dynamodb_million_write_units"])
    reads = refreshes * READ_UNITS + OF_REFRESH * SHARDS * QUERY_UNITS
    yield _million("DynamoDB, read units", reads, each["dynamodb_million_read_units"])
    yield _million("KMS, Decrypt", refreshes * DECRYPTS, each["kms_million_requests"])
    yield _million("EventBridge Scheduler, invocations", OF_REFRESH, each["scheduler_million_invocations"])
    yield _gigabytes("CloudWatch Logs", refreshes * LOGGED_GIGABYTES, each["logs_gigabyte"])
    yield _gigabytes("transfer out", refreshes * SENT_GIGABYTES, each["transfer_gigabyte"])
    yield Item("telling of it: `publish` and the events", "", _told(refreshes, refreshes * WRITES))


def in_use(connections: int) -> Iterator[Item]:
    """Yield what connections cost whose tokens workers have refreshed whenever they are over."""
    each, month, refreshes = _prices("usd"), _prices("usd_per_month"), connections * DAYS / IN_USE_DAYS
    stored = month["table_gigabyte"] + month["backup_gigabyte"]
    yield Item("refreshes", f"{refreshes:,.0f}", 0.0)
    seconds = refreshes * REFRESH_SECONDS
    on_lambda = seconds * each["lambda_gb_second_arm64"]
    yield Item("Lambda", "", on_lambda + refreshes / _MILLION * each["lambda_million_requests"])
    writes, reads = each["dynamodb_million_write_units"], each["dynamodb_million_read_units"]
    yield Item("DynamoDB", "", refreshes / _MILLION * (WRITE_UNITS * writes + READ_UNITS * reads))
    yield Item("DynamoDB, stored and backed up", "", connections * ROW_GIGABYTES * stored)
    yield Item("KMS", "", refreshes * DECRYPTS / _MILLION * each["kms_million_requests"])
    yield Item("CloudWatch Logs", "", refreshes * LOGGED_GIGABYTES * each["logs_gigabyte"])
    yield Item("transfer out", "", refreshes * SENT_GIGABYTES * each["transfer_gigabyte"])
    yield Item("telling of it: `publish` and the events", "", _told(refreshes, refreshes * WRITES))
    yield Item("CloudWatch, further metrics", "", FURTHER_METRICS * month["metric"])
    yield Item("the stack itself", "", total(idle()))


def total(items: Iterable[Item]) -> float:
    """Return US dollars in all."""
    return sum(item.usd for item in items)


def written(page: str, text: str) -> str:
    """Return the text of a page with its tables as they are computed now. Raises ValueError where one is missing."""
    made = tables()
    for table in (made[name] for name in PAGES[page]):
        head = re.escape(table.partition("|")[2].partition("|")[0].strip())
        found = re.findall(rf"^\| {head} \|.*\n(?:\|.*\n)+", text, flags=re.MULTILINE)
        if len(found) != 1:
            raise ValueError(f"{page} has {len(found)} tables that begin with {head!r}")
        text = text.replace(found[0], f"{table}\n")
    return text


def _told(events: float, invocations: float) -> float:
    each = _prices("usd")
    seconds = invocations * TOLD_SECONDS * PUBLISH_GIGABYTES
    requests = invocations / _MILLION * each["lambda_million_requests"]
    return events / _MILLION * each["events_million"] + seconds * each["lambda_gb_second_arm64"] + requests


def _million(what: str, count: float, price: float) -> Item:
    return Item(what, f"{count / _MILLION:.2f} million", count / _MILLION * price)


def _gigabytes(what: str, gigabytes: float, price: float) -> Item:
    return Item(what, f"{gigabytes:.2f} GB", gigabytes * price)


def _prices(kind: str) -> dict[str, float]:
    prices: dict[str, Any] = read_prices()[kind]
    return {name: float(each["price"]) for name, each in prices.items()}


def _table(head: str, items: Iterable[Item], decimals: int = 2) -> str:
    rows = list(items)
    has_amounts = any(item.amount for item in rows)
    lines = [f"| {head} | amount | US dollars |" if has_amounts else f"| {head} | US dollars |"]
    lines.append("|---|---|---|" if has_amounts else "|---|---|")
    for what, amount, usd in [*rows, Item("together", "", total(rows))]:
        middle = f"{amount} | " if has_amounts else ""
        lines.append(f"| {what} | {middle}{usd:.{decimals}f} |".replace("|  |", "| |"))
    return "\n".join(lines)


def _two_columns(head: str) -> str:
    few, many = list(in_use(A_THOUSAND)), list(in_use(MANY))
    lines = [f"| {head} | {A_THOUSAND:,} | {MANY:,} |", "|---|---|---|"]
    for one, other in zip(few, many, strict=True):
        lines.append(
            f"| {one.what} | {one.amount or f'{one.usd:.2f}'} | {other.amount or f'{other.usd:.2f}'} |"
        )
    return "\n".join([*lines, f"| together, in US dollars | {total(few):.2f} | {total(many):.2f} |"])


def main() -> None:
    """Write the tables into their pages."""
    for name in PAGES:
        page = ROOT / name
        page.write_text(written(name, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
