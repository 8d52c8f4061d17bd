"""One run: the services, the fleet, the traffic, the end of all faults, and the accounts.

The rule: whatever is started here ends here, also where something fails or somebody presses Ctrl-C.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from local.zendesk.server import serving
from local.zendesk.settings import Settings
from tests.chaos.accounting import Accountant, Accounts, Finding, story
from tests.chaos.cloud import Cloud, running_cloud, running_lambda
from tests.chaos.evidence import Opener, gather, read_messages
from tests.chaos.fleet import Fleet, waited
from tests.chaos.plan import Plan
from tests.chaos.run_time import RunTime
from tests.chaos.traffic import Traffic
from tests.chaos.zendesk import ChaosZendesk
from tests.dynamodb_local import Tables, create_tables, dynamodb_client, running_dynamodb
from tests.processes.aws import KEY_ARN, SECRET_ARN
from tests.processes.children import start_server

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

REUSE_SWITCH = "reuse_ends_family"
_AWS_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_DRAIN_ROUNDS = 80
_STORIES = 25
"""Told in full; the rest is named."""
_BASE_URL = "https://connect.example.com"


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is told."""

    seconds: float
    seed: int
    accounts: int = 240
    speed: float = 15.0
    skew: float = 4.0
    reuse: bool = False
    plant: str = ""
    keep: Path | None = None


@dataclass(slots=True)
class Result:
    """What came of a run."""

    accounts: Accounts
    kills: int
    freezes: int
    posts: int
    stories: list[str] = field(default_factory=list)


def run(options: Options) -> Result:
    """Play one run to its end, and account for every pair."""
    os.environ.update(_AWS_ACCOUNT)
    with _folder(options) as folder:
        time = RunTime(folder / "time", speed=options.speed)
        plan = Plan(options.seed, options.skew)
        fleet = Fleet(time, plan, folder, options.plant)
        settings = Settings(keep_raw=False, redirect_uris=(f"{_BASE_URL}/oauth/callback",))
        zendesk = ChaosZendesk(settings, time, plan)
        zendesk.striker = fleet
        if options.reuse:
            zendesk.switches.turn({REUSE_SWITCH: True})
        cloud = Cloud(settings.client_secret, time)
        with (
            running_dynamodb() as dynamodb,
            running_cloud(cloud),
            running_lambda(fleet.invoke) as functions,
            serving(zendesk),
        ):
            client = dynamodb_client(dynamodb)
            tables = create_tables(client, with_streams=True)
            os.environ.update(_environ(options, tables, zendesk.base_url))
            os.environ.update(cloud.environ() | {"AWS_ENDPOINT_URL_DYNAMODB": dynamodb})
            os.environ.update({"AWS_ENDPOINT_URL_LAMBDA": functions, "RESCUE_QUEUE_URL": cloud.queue_url})
            start_server("tests.chaos.preloaded")
            traffic = Traffic(fleet, cloud, zendesk, options.accounts)
            with fleet.running(), traffic.watching():
                is_done = _play(traffic, fleet, time, options, _Left(client, tables, cloud))
            return _account(zendesk, fleet, (dynamodb, tables, cloud, folder), is_done=is_done)


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left to be done, by the indexes and the queue."""

    client: "DynamoDBClient"
    tables: Tables
    cloud: Cloud

    def is_nothing(self) -> bool:
        """Tell whether no index and no queue names anything, and no refresh is unresolved."""
        if self.cloud.waiting or self._has("claim_id", self.tables.connections):
            return False
        return not self._has("unfinished_shard", self.tables.connections) and not self._has(
            "revoke_shard", self.tables.installs
        )

    def _has(self, attribute: str, table: str) -> bool:
        pages = self.client.get_paginator("scan").paginate(
            TableName=table,
            FilterExpression="attribute_exists(#shard)",
            ExpressionAttributeNames={"#shard": attribute},
            ConsistentRead=True,
        )
        return any(page["Items"] for page in pages)


def _play(traffic: Traffic, fleet: Fleet, time: RunTime, options: Options, left: _Left) -> bool:
    traffic.install_everybody()
    traffic.play(options.seconds)
    time.end_faults()
    fleet.thaw_due(everybody=True)
    waited(fleet.is_idle, 60.0)
    return traffic.drain(left.is_nothing, _DRAIN_ROUNDS)


def _account(
    zendesk: ChaosZendesk,
    fleet: Fleet,
    places: tuple[str, Tables, Cloud, Path],
    *,
    is_done: bool,
) -> Result:
    dynamodb, tables, cloud, folder = places
    opener = Opener(boto3.client("kms", region_name="us-east-1", endpoint_url=cloud.address), zendesk)
    evidence = gather(dynamodb, (tables.installs, tables.connections), opener, folder)
    read_messages(evidence, opener, cloud.bodies)
    accounts = Accountant(zendesk, evidence, fleet.done, zendesk.time, zendesk.plan.skew).judge()
    if not is_done:
        accounts.findings.append(Finding("", "something was still left to be done when all jobs had run"))
    accounts.findings += [Finding("", f"a process ended by itself: {died}") for died in fleet.died]
    stories = [
        line
        for finding in accounts.findings[:_STORIES]
        for line in story(finding, zendesk.ledger, evidence, fleet.done)
    ]
    return Result(accounts, fleet.kills, fleet.freezes, len(zendesk.ledger.posts), stories)


def _environ(options: Options, tables: Tables, zendesk: str) -> dict[str, str]:
    """Return the variables of all functions together."""
    return {
        "POWERTOOLS_SERVICE_NAME": "chaos",
        "POWERTOOLS_METRICS_NAMESPACE": "zendesk-oauth/chaos",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "APPLICATION": "zendesk-oauth",
        "STAGE": "local",
        "INSTALLS_TABLE": tables.installs,
        "CONNECTIONS_TABLE": tables.connections,
        "TOKEN_KEY_ARN": KEY_ARN,
        "CLIENT_SECRET_ARN": SECRET_ARN,
        "REFRESH_FUNCTION": "refresh",
        "ACCESS_TOKEN_SECONDS": "3000",
        "REFRESH_TOKEN_SECONDS": "7776000",
        "ZENDESK_CLIENT_ID": "zdg-example",
        "ZENDESK_BASE_URL": zendesk,
        "PUBLIC_BASE_URL": _BASE_URL,
        "GRANTS": "default=users:read tickets:read",
        "START_MODE": "open",
        "ALLOWED_RETURN_ORIGINS": "",
        "SITE_URL": "https://app.example.com/settings",
        "REQUIRED_ROLES": "admin",
        "COMPANY_NAME": "Example",
        "SUPPORT_ADDRESS": "help@example.com",
        "CHAOS_SPEED": str(options.speed),
    }


@contextmanager
def _folder(options: Options) -> Iterator[Path]:
    """Give a folder for the log; one that is named stays."""
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        yield options.keep
        return
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        yield Path(name)
