import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from benchmarks import cost, report
from benchmarks.answers import Call
from benchmarks.calls import MINIMUM, Situation
from benchmarks.cold_start import ColdStart
from benchmarks.report import Results, Target

NUMBER = {"type": "number"}
SCHEMA = {
    "type": "object",
    "required": ["schema", "cold_start", "calls", "layers_mb", "usd_per_million", "targets"],
    "properties": {
        "schema": {"const": 1},
        "cold_start": {
            "type": "object",
            "required": ["start", "callback"],
            "additionalProperties": {
                "type": "object",
                "required": ["ratio_instructions", "ratio_wall", "ratio_wall_no_bytecode", "runs"],
                "additionalProperties": NUMBER,
            },
        },
        "calls": {
            "type": "object",
            "required": ["allow", "deny", "failed_exchange", "start"],
            "additionalProperties": {
                "type": "object",
                "required": ["first", "later"],
                "additionalProperties": {"type": "object", "additionalProperties": {"type": "integer"}},
            },
        },
        "layers_mb": {"type": "object", "additionalProperties": {"required": ["unzipped", "zipped"]}},
        "usd_per_million": {"type": "object", "additionalProperties": {"required": ["total"]}},
        "targets": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "value", "limit", "met"],
                "properties": {"name": {"type": "string"}, "met": {"type": "boolean"}},
            },
        },
    },
}


UPDATE = {
    "TableName": "installs",
    "Key": {"install_id": {"S": "A"}},
    "UpdateExpression": "SET #status = :new_status",
    "ExpressionAttributeNames": {"#status": "status"},
    "ExpressionAttributeValues": {":new_status": {"S": "connected"}},
}
BODIES: dict[str, dict[str, Any]] = {
    "DynamoDB.PutItem": {"TableName": "installs", "Item": {"install_id": {"S": "A"}}},
    "DynamoDB.UpdateItem": UPDATE,
    "DynamoDB.TransactWriteItems": {"TransactItems": [{"Update": UPDATE}]},
}


def situation(name: str, *more: str) -> Situation:
    """Return a situation that makes the least calls in each event, and these more."""
    named = [call for call, times in MINIMUM[name].items() for _ in range(times)]
    calls = [Call(call, json.dumps(BODIES.get(call, {}))) for call in [*named, *more]]
    return Situation(name, "callback", calls, calls, 500, 1000, 2.5)


def results(start: float = 1.0, *more: str) -> Results:
    """Return results with this cold start of `start`, and these calls more when denying."""
    cold = ColdStart(1.0, 1.0, 1.0, 41, 15, 1_000_000, 1e-7, 400.0)
    measured = {"start": ColdStart(start, 1.0, 1.0, 41, 15, 1_000_000, 1e-7, 400.0), "callback": cold}
    return Results(
        architecture="arm64",
        cold_start={"bare": cold, **measured},
        imports={"start": {"zendesk_oauth.errors": 1.1}, "callback": {}},
        situations=[
            situation("start"),
            situation("deny", *more),
            situation("allow"),
            situation("failed_exchange"),
        ],
        layers_mb={"dependencies": {"unzipped": 65.0, "zipped": 20.0}},
        rows={"start": [{"table": "installs", "bytes": 500, "units": 1}]},
        usd_per_million={"start": {"lambda": 1.0, "total": 2.0}},
        assumed={},
    )


def written(tmp_path: Path, given: Results) -> Any:
    """Return what results.json says of them."""
    report.write(given, tmp_path / "results.json")
    return json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))


def test_results_keep_their_schema(tmp_path: Path) -> None:
    """Whoever reads results.json finds in it what schema 1 promises."""
    jsonschema.validate(written(tmp_path, results()), SCHEMA)


@pytest.mark.parametrize("value", [1.05, 1.0501])
def test_a_cold_start_meets_its_limit_or_does_not(tmp_path: Path, value: float) -> None:
    """At the limit a target is met, beyond it not, and both are written."""
    (target,) = [t for t in written(tmp_path, results(value))["targets"] if "of start, instr" in t["name"]]
    assert target["met"] is (value <= 1.05)
    assert (target["value"], target["limit"]) == (value, 1.05)


def test_one_call_more_misses_the_target() -> None:
    """Calls must be exactly the minimum: one read more is a target missed, and no other target's fault."""
    missed = [target.name for target in results(1.0, "DynamoDB.GetItem").targets if not target.met]
    assert "calls of deny" in missed
    assert "calls of start" not in missed


def test_one_call_less_misses_the_target() -> None:
    """A call that is not made is as wrong as one too many: texts are compared, not sizes."""
    assert not Target("calls", "1 DynamoDB.PutItem", "2 DynamoDB.PutItem").met


def test_the_secret_is_due_once_a_container() -> None:
    """An exchange that never reads the client secret did not make the calls of a first event."""
    missed = [target.name for target in results().targets if not target.met]
    assert missed == [
        "calls of allow, first of a container",
        "calls of failed_exchange, first of a container",
    ]


def test_the_tables_show_every_missed_target() -> None:
    """Whoever reads only the tables sees what was missed."""
    console = Console(width=200, force_terminal=False)
    with console.capture() as shown:
        report.show(results(1.2), console)
    line = next(line for line in shown.get().splitlines() if "cold start of start" in line)
    assert "1.2" in line
    assert "no" in line


def test_a_million_is_the_sum_of_its_services() -> None:
    """The total is the services' sum, and each service's part follows from counts and prices."""
    usd = cost.usd_per_million(situation("allow"), {}, 400.0, 1024, cost.read_prices())
    assert usd["kms"] == pytest.approx(2 * 3.0)
    assert usd["http_api"] == 1.0
    assert usd["dynamodb"] == pytest.approx((1 + 2) * 0.625, abs=0.01)
    assert usd["total"] == pytest.approx(sum(each for name, each in usd.items() if name != "total"), abs=0.05)


def test_less_memory_is_a_slower_processor() -> None:
    """Lambda gives a share of a processor by memory: half of it takes twice as long, but waits no longer."""
    prices = cost.read_prices()["assumed"]
    whole = cost.assumed_seconds(situation("start"), 400.0, 1769, prices)
    half = cost.assumed_seconds(situation("start"), 400.0, 885, prices)
    assert half - whole == pytest.approx(0.4, abs=0.01)


def test_every_price_names_its_source() -> None:
    """A price without a page to check it against is a rumour."""
    prices = cost.read_prices()
    stated = [*prices["usd"].values(), *prices["usd_per_month"].values()]
    assert all(each["price"] > 0 and "pricing" in each["source"] for each in stated)
    assert prices["as_of"]


def test_every_call_has_an_assumed_wait() -> None:
    """No call of a situation is taken to answer at once for want of an entry."""
    waits = cost.read_prices()["assumed"]["wait_ms"]
    assert {call for minimum in MINIMUM.values() for call in minimum} <= set(waits)
