import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from benchmarks import cost, jobs_report, reading_report, report
from benchmarks.answers import Call
from benchmarks.calls import MINIMUM, Situation
from benchmarks.cold_start import ColdStart
from benchmarks.crowds import Crowd
from benchmarks.jobs import Job
from benchmarks.reading import Beside, Reading
from benchmarks.report import Results
from benchmarks.tables import Target

NUMBER = {"type": "number"}
SCHEMA = {
    "type": "object",
    "required": [
        "schema",
        "cold_start",
        "reading",
        "jobs",
        "calls",
        "layers_mb",
        "usd_per_million",
        "targets",
    ],
    "properties": {
        "schema": {"const": 1},
        "cold_start": {
            "type": "object",
            "required": ["start", "callback"],
            "additionalProperties": {
                "type": "object",
                "required": [
                    "ratio_instructions",
                    "ratio_peak",
                    "ratio_wall",
                    "ratio_wall_no_bytecode",
                    "runs",
                ],
                "additionalProperties": NUMBER,
            },
        },
        "reading": {
            "type": "object",
            "required": ["warm_read_in_look_ups", "beside_bare", "crowds"],
            "properties": {
                "crowds": {"type": "array", "items": {"required": ["workers", "posts", "wait_ms_p99"]}},
                "beside_bare": {"type": "object", "additionalProperties": {"required": ["ratio"]}},
            },
        },
        "jobs": {
            "type": "object",
            "required": ["import", "rekey"],
            "additionalProperties": {
                "type": "object",
                "required": [
                    "rows",
                    "rows_per_second",
                    "ratio",
                    "peak_mb",
                    "memory_ratio",
                    "kills",
                    "lost",
                    "doubled",
                ],
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


def reading(warm_ns: float = 100.0, posts: int = 1, wait_ms: float = 300.0) -> Reading:
    """Return what reading came to, with every target met unless said otherwise."""
    return Reading(
        look_up_ns=20.0,
        warm_read_ns=warm_ns,
        beside={"cold_read": Beside(5.0, 5.0, 100), "refresh": Beside(27.0, 20.0, 60)},
        cold_reads_per_second=100.0,
        crowds={
            workers: Crowd(workers, [1, posts], workers - 1, 100.0, wait_ms) for workers in (1, 10, 100, 1000)
        },
    )


def job(**told: float) -> Job:
    """Return what a job came to, with every target met unless said otherwise."""
    usual: dict[str, Any] = {
        "rows": 10_000,
        "seconds": 100.0,
        "bare_rows_per_second": 100.0,
        "peak_mb": 50.0,
        "peak_mb_of_a_tenth": 50.0,
        "kills": 4,
        "lost": 0,
        "doubled": 0,
    }
    return Job(**usual | told)


def results(start: float = 1.0, *more: str) -> Results:
    """Return results with this cold start of `start`, and these calls more when denying."""
    cold = ColdStart(1.0, 1.0, 1.0, 41, 9, 1_000_000, 1e-7, 400.0, 50.0, 1.0)
    measured = dict.fromkeys(report.LIMITS, cold) | {"start": replace(cold, ratio_instructions=start)}
    return Results(
        architecture="arm64",
        cold_start={"bare": cold, **measured},
        reading=reading(),
        jobs={"import": job(), "rekey": job()},
        imports={"start": {"zendesk_oauth.errors": 1.1}, "callback": {}},
        situations=[
            situation("start"),
            situation("deny", *more),
            situation("allow"),
            situation("failed_exchange"),
            situation("worker"),
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


def test_the_secret_and_the_keys_are_due_once_a_container() -> None:
    """An exchange that never reads the client secret, or a worker that reads nothing, made too few calls."""
    missed = [target.name for target in results().targets if not target.met]
    assert missed == [
        "calls of allow, first of a container",
        "calls of failed_exchange, first of a container",
        "calls of worker, first of a container",
    ]


@pytest.mark.parametrize(
    ("given", "missed"),
    [
        (reading(), []),
        (reading(warm_ns=201.0), ["warm read, in looks into a dictionary"]),
        (reading(wait_ms=501.0), ["p99 of waiting after the commit, 100 workers, ms"]),
        (reading(posts=2), [f"POSTs of an expiry, {n} workers" for n in (1, 10, 100, 1000)]),
        (reading(posts=0), [f"POSTs of an expiry, {n} workers" for n in (1, 10, 100, 1000)]),
    ],
    ids=["all met", "a slow warm read", "a long wait", "one POST more", "one POST less"],
)
def test_each_number_of_reading_has_its_own_target(given: Reading, missed: list[str]) -> None:
    """What is slow, late or too often misses its own target and no other; so does an expiry that nobody mended."""
    assert [target.name for target in reading_report.targets(given) if not target.met] == missed


@pytest.mark.parametrize(
    ("told", "missed"),
    [
        ({}, []),
        ({"seconds": 126.0}, ["rekey of 10,000 rows, against its bare calls"]),
        ({"peak_mb": 58.0}, ["rekey: memory, against a tenth of the rows"]),
        ({"lost": 1}, ["rekey killed 4 times, rows lost and doubled"]),
        ({"doubled": 1}, ["rekey killed 4 times, rows lost and doubled"]),
    ],
    ids=["all met", "slow", "memory grows", "one lost", "one doubled"],
)
def test_each_number_of_a_job_has_its_own_target(told: dict[str, float], missed: list[str]) -> None:
    """A job that is slow, grows with its rows or loses one misses its own target and no other."""
    targets = jobs_report.targets({"import": job(), "rekey": job(**told)})
    assert [target.name for target in targets if not target.met] == missed


def test_beside_its_bare_calls_a_refresh_may_take_so_much() -> None:
    """The ratio of the medians is judged, at the limit as met."""
    targets = {target.name: target for target in reading_report.targets(reading())}
    judged = targets["refresh, against its bare calls"]
    assert (judged.value, judged.limit, judged.met) == (1.35, 1.35, True)


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


def test_what_is_invoked_costs_no_gateway() -> None:
    """A refresh that a worker asks for comes through no HTTP API, and its reads are billed beside its writes."""
    row = {"connection_key": {"S": "default#acme"}}
    read = Call("DynamoDB.GetItem", json.dumps({"ConsistentRead": True}))
    asked = Situation("refresh_not_due", "refresh", [read], [], 0, 0, 1.0)
    usd = cost.usd_per_million(asked, row, 400.0, 1024, cost.read_prices())
    assert (usd["http_api"], usd["logs"], usd["kms"]) == (0.0, 0.0, 0.0)
    assert usd["dynamodb"] == pytest.approx(0.125, abs=0.01)


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
