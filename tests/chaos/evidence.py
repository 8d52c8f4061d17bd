"""What the tables, their streams and the log say at the end of a run, each with its time where it has one.

The rule: rows are read by the package's own modules, and a pair is known by its tokens; no attribute of a replaced
pair is read, so it does not matter how such pairs are kept.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from local.zendesk.tokens import TokenPair
from tests.chaos.zendesk import ChaosZendesk
from tests.processes.aws import KEY_ARN
from zendesk_oauth.adapters.dynamodb_connection_attributes import connection_of
from zendesk_oauth.adapters.kms_data_keys import ACCESS_TOKEN, REFRESH_TOKEN, DataKey, KmsDataKeys
from zendesk_oauth.adapters.rescue_message import renewal_of
from zendesk_oauth.models.refresh import Connection
from zendesk_oauth.models.tokens import SealContext, SealedPair
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

SEAL = SealSettings("zendesk-oauth", "local", KEY_ARN)
LEFT_ALIVE = frozenset({"given_up", "refused", "unreadable"})
"""What a row, an event or a log line says where a token may live on that nobody can revoke."""

type Row = Mapping[str, Any]


class Opener:
    """Opens what the functions have sealed, and says which pair of Zendesk's it is."""

    def __init__(self, kms: "KMSClient", zendesk: ChaosZendesk) -> None:
        self._keys = KmsDataKeys(kms, SEAL)
        self._warm: dict[tuple[bytes, str], DataKey] = {}
        self._pairs: dict[str, TokenPair | None] = {}
        self._zendesk = zendesk

    def pair_of(self, context: SealContext, sealed: SealedPair) -> TokenPair | None:
        """Return the pair, or None where both tokens are not of one that was issued."""
        if sealed.commit_id not in self._pairs:
            access = self._open(context, ACCESS_TOKEN, sealed)
            refresh = self._open(context, REFRESH_TOKEN, sealed)
            self._pairs[sealed.commit_id] = self._zendesk.pair_of(access, refresh)
        return self._pairs[sealed.commit_id]

    def _open(self, context: SealContext, name: str, sealed: SealedPair) -> str:
        token = sealed.access_token if name == ACCESS_TOKEN else sealed.refresh_token
        place = (token.wrapped_key, name)
        if place not in self._warm:
            self._warm[place] = self._keys.unwrap(context, name, token.wrapped_key)
        return self._warm[place].open(token, sealed.commit_id).reveal()


class Version(NamedTuple):
    """A connection's row as it once was: its pair, its status, and why it was lost, if it was."""

    connection: Connection
    pair: TokenPair | None


class Report(NamedTuple):
    """A token may live on that nobody can revoke: said by a row, or by a line of the log."""

    account: str
    what: str
    where: str


class Line(NamedTuple):
    """One line of a process, at a second of the run; `account` is empty where it names none."""

    at: float
    job: int
    account: str
    text: str


@dataclass(slots=True)
class Evidence:
    """All that can be seen from outside."""

    rows: dict[str, Connection] = field(default_factory=dict)
    """By account, at the end."""
    pairs: dict[str, TokenPair | None] = field(default_factory=dict)
    """The pair that each of these rows opens to."""
    versions: dict[str, list[Version]] = field(default_factory=dict)
    """By account, every state of the row in which its pair, status or generation was new."""
    durable: set[int] = field(default_factory=set)
    """Ids of the pairs that were once a row's own, or lay in the rescue queue."""
    row_reports: set[Report] = field(default_factory=set)
    log_reports: list[Report] = field(default_factory=list)
    installs: dict[str, Row] = field(default_factory=dict)
    """The installs' rows at the end, by their ids."""
    given_up_installs: set[str] = field(default_factory=set)
    """Installs whose pair could not be revoked in time, as the log says."""
    install_of_job: dict[int, str] = field(default_factory=dict)
    lines: list["Line"] = field(default_factory=list)
    """What the functions have logged, and what befell their calls."""
    late_jobs: set[int] = field(default_factory=set)
    """Jobs whose process gave up waiting for Zendesk at its own time limit."""


class Streams:
    """Every record of a table's stream, from the first on."""

    def __init__(self, endpoint: str) -> None:
        region = "us-east-1"
        self._tables = boto3.client("dynamodb", endpoint_url=endpoint, region_name=region)
        self._streams: Any = boto3.client("dynamodbstreams", endpoint_url=endpoint, region_name=region)

    def images(self, table: str) -> Iterator[Row]:
        """Yield the new image of each write."""
        arn = self._tables.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        for shard in self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            for record in self._records(arn, shard["ShardId"]):
                if "NewImage" in record["dynamodb"]:
                    yield record["dynamodb"]["NewImage"]

    def _records(self, arn: str, shard: str) -> Iterator[Any]:
        iterator = self._streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            answer = self._streams.get_records(ShardIterator=iterator, Limit=1000)
            yield from answer["Records"]
            iterator = answer.get("NextShardIterator") if answer["Records"] else None

    def rows(self, table: str) -> Iterator[Row]:
        """Yield what is in the table now."""
        for page in self._tables.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]


def gather(endpoint: str, tables: tuple[str, str], opener: Opener, folder: Path) -> Evidence:
    """Read both tables, given as (installs, connections), their streams and the log."""
    installs, connections = tables
    streams, evidence = Streams(endpoint), Evidence()
    for image in streams.images(connections):
        _read_version(evidence, opener, image)
    for row in streams.rows(connections):
        _read_row(evidence, opener, row)
    for row in streams.rows(installs):
        evidence.installs[row["install_id"]["S"]] = row
    for path in sorted(folder.glob("*.log")):
        _read_log(evidence, path)
    return evidence


def read_messages(evidence: Evidence, opener: Opener, bodies: list[str]) -> None:
    """Note which pairs lay in the rescue queue."""
    for body in bodies:
        renewal = renewal_of(body)
        pair = opener.pair_of(SealContext(renewal.grant, renewal.subdomain), renewal.sealed)
        if pair is not None:
            evidence.durable.add(pair.id)


def is_connection(row: Row) -> bool:
    """Tell whether a row is an account's connection, and not a replaced pair on its way to its end."""
    return not row["connection_key"]["S"].startswith("~")


def _read_row(evidence: Evidence, opener: Opener, row: Row) -> None:
    if not is_connection(row):
        return
    connection = connection_of(dict(row))
    evidence.rows[connection.subdomain] = connection
    sealed = connection.sealed
    evidence.pairs[connection.subdomain] = opener.pair_of(connection.context, sealed) if sealed else None


def _read_version(evidence: Evidence, opener: Opener, image: Row) -> None:
    connection = connection_of(dict(image))
    pair = opener.pair_of(connection.context, connection.sealed) if connection.sealed else None
    if pair is not None:
        evidence.durable.add(pair.id)
    account = str(connection.subdomain)
    known = evidence.versions.setdefault(account, [])
    place = f"{image['connection_key']['S']} {connection.version}"
    for what in LEFT_ALIVE & set(_texts(image)):
        evidence.row_reports.add(Report(account, what, place))
    if is_connection(image) and (not known or _state(known[-1].connection) != _state(connection)):
        known.append(Version(connection, pair))


def _state(connection: Connection) -> tuple[object, ...]:
    commit_id = connection.sealed.commit_id if connection.sealed else None
    return connection.version, connection.status, connection.reconnect_reason, commit_id


def _texts(image: Row) -> Iterator[str]:
    for value in image.values():
        yield from (inner for inner in value.values() if isinstance(inner, str))


def _read_log(evidence: Evidence, path: Path) -> None:
    """Read what one process has written: a line without a time has that of the line before."""
    at, job, process = 0.0, 0, path.stem
    for text in path.read_text(errors="replace").splitlines():
        line = _parsed(text)
        if "_aws" in line:
            continue
        at, job = line.get("at", at), line.get("job") or job
        account = str(line.get("account") or line.get("subdomain") or "")
        if line.get("is_late"):
            evidence.late_jobs.add(job)
        if line.get("outcome") == "started":
            evidence.install_of_job[job] = line["install"]
        if line.get("message") == "revocation ended" and line.get("outcome") in LEFT_ALIVE:
            if "install" in line:
                evidence.given_up_installs.add(line["install"])
            else:
                evidence.log_reports.append(Report(account, line["outcome"], f"log of {process}"))
        evidence.lines.append(Line(at, job, account, f"{process}: {_short(line)}"))


def _parsed(text: str) -> dict[str, Any]:
    try:
        line: dict[str, Any] = json.loads(text)
    except ValueError:
        return {"text": text}
    return line


_LEFT_OUT = frozenset(
    {
        "at",
        "timestamp",
        "service",
        "level",
        "location",
        "kinds",
        "request_id",
        "correlation_id",
        "duration_ms",
    }
)


def _short(line: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in line.items() if name not in _LEFT_OUT)
