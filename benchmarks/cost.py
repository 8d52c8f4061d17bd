"""What a million of each situation costs, from counted calls, bytes as they were sent, and a file of list prices.

Every one is taken for the first of its container: installs are rare, so that is the rule and not the exception, and
a sum that is too high misleads nobody. Durations are assumed, as the price file says, because none measured here is
Lambda's.
"""

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.answers import Json
from benchmarks.artefact import ROOT
from benchmarks.calls import SECRET_READ, Situation, count
from benchmarks.capacity import Write, read_units, writes

PRICES = ROOT / "benchmarks" / "prices.json"
EVENTS_PUT = "EventBridge.PutEvents"
INVOKED = frozenset({"publish", "refresh"})
"""What no HTTP request comes to: it has neither a gateway nor its access log."""
_GIGABYTE = 1_000_000_000
_MILLION = 1_000_000
_DECIMALS = 2


def read_prices() -> dict[str, Any]:
    """Return the price file."""
    prices: dict[str, Any] = json.loads(PRICES.read_text(encoding="utf-8"))
    return prices


def usd_per_million(
    situation: Situation, row: Json, cold_ms: float, memory_mb: int, prices: Mapping[str, Any]
) -> dict[str, float]:
    """Return US dollars for a million, by service and in all.

    `row` is the install's or connection's row before, `cold_ms` the wall time of a cold start here.
    """
    usd = {name: each["price"] for name, each in prices["usd"].items()}
    seconds = assumed_seconds(situation, cold_ms, memory_mb, prices["assumed"])
    calls = count(situation.first)
    is_invoked = situation.function in INVOKED
    logged = situation.logged_bytes + (0 if is_invoked else prices["assumed"]["access_log_bytes"])
    kms = sum(times for name, times in calls.items() if name.startswith("KMS."))
    million = {
        "lambda": seconds * memory_mb / 1024 * usd["lambda_gb_second_arm64"] * _MILLION
        + usd["lambda_million_requests"],
        "http_api": 0.0 if is_invoked else usd["http_api_million_requests"],
        "dynamodb": sum(write.units for write in rows_written(situation, row))
        * usd["dynamodb_million_write_units"]
        + sum(read_units(call, row) for call in situation.first) * usd["dynamodb_million_read_units"],
        "kms": kms * usd["kms_million_requests"],
        "secrets_manager": calls.get(SECRET_READ, 0) * usd["secrets_manager_million_requests"],
        "events": calls.get(EVENTS_PUT, 0) * usd["events_million"],
        "logs": logged * _MILLION / _GIGABYTE * usd["logs_gigabyte"],
        "transfer": situation.sent_bytes * _MILLION / _GIGABYTE * usd["transfer_gigabyte"],
    }
    return {name: round(each, _DECIMALS) for name, each in million.items()} | {
        "total": round(sum(million.values()), _DECIMALS)
    }


def rows_written(situation: Situation, row: Json) -> list[Write]:
    """Return every row that the situation writes, as it is afterwards."""
    return [write for call in situation.first for write in writes(call, row)]


def assumed_seconds(
    situation: Situation, cold_ms: float, memory_mb: int, assumed: Mapping[str, Any]
) -> float:
    """Return how long Lambda would bill: the processor's time by the memory's share of it, and the waits."""
    slower = max(1.0, assumed["memory_mb_of_a_whole_processor"] / memory_mb)
    waits = sum(assumed["wait_ms"][call.name] for call in situation.first)
    return float(cold_ms * slower + waits) / 1000
