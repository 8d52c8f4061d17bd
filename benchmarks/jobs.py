"""An import and a rekey of ten thousand rows: rows a second, peak memory, and what is left when they are killed.

Rows a second are those of one process on this machine, beside the stand-in for Zendesk and DynamoDB Local, which take
most of it; so a ratio to the bare calls stands beside them. Memory is told for a tenth of the rows too: it must not
grow with them. Killed means SIGKILL, several times, wherever the job happens to be.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.answers import DATA_KEY, WRAPPED_KEY, Json
from benchmarks.programs import UnexpectedAnswerError
from benchmarks.rows import connection_row, seal_settings
from benchmarks.scene import Scene
from local.zendesk.lifetimes import Lifetimes
from local.zendesk.tokens import TokenPair
from tests.dynamodb_local import create_tables
from zendesk_oauth.adapters.kms_data_keys import ACCESS_TOKEN, REFRESH_TOKEN, DataKey, encryption_context
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealContext, SealedToken

ROWS = 10_000
FEWER = 1_000
THREADS = 4
KILLS = 4
_LIFETIMES = Lifetimes(172_800, 7_776_000)


@dataclass(frozen=True, slots=True)
class Job:
    """What a job came to over all rows; the bare calls and the smaller memory are of a tenth of them."""

    rows: int
    seconds: float
    bare_rows_per_second: float
    peak_mb: float
    peak_mb_of_a_tenth: float
    kills: int
    lost: int
    doubled: int

    @property
    def rows_per_second(self) -> float:
        """How many rows one process does in a second."""
        return round(self.rows / self.seconds, 1)

    @property
    def ratio(self) -> float:
        """The time of a row, where that of its bare calls is 1."""
        return round(self.bare_rows_per_second / self.rows_per_second, 3)

    @property
    def memory_ratio(self) -> float:
        """The peak, where that of a tenth of the rows is 1."""
        return round(self.peak_mb / self.peak_mb_of_a_tenth, 3)

    def as_json(self) -> dict[str, float]:
        """Return what results.json holds."""
        ratios = {"ratio": self.ratio, "memory_ratio": self.memory_ratio}
        return asdict(self) | {"rows_per_second": self.rows_per_second} | ratios


def measure(scene: Scene) -> dict[str, Job]:
    """Import and seal anew: a tenth, all, and all with a process that is killed. Raises UnexpectedAnswerError."""
    pairs = [issue(scene, f"job-{number}") for number in range(ROWS)]
    with TemporaryDirectory() as folder:
        every = write_lines(Path(folder) / "every.jsonl", pairs)
        few = write_lines(Path(folder) / "few.jsonl", pairs[:FEWER])
        bare = _bare(scene, pairs[:FEWER])
        tables = [create_tables(scene.dynamodb).connections for _ in range(3)]
        imports = [
            _play(scene, "import", tables[0], path=str(few)),
            _play(scene, "import", tables[1], path=str(every)),
        ]
        killed(scene, "import", tables[2], path=str(every))
        imported = compare(scene, tables[2], pairs)
        rekeys = [_play(scene, "rekey", table, campaign="first") for table in tables[:2]]
        killed(scene, "rekey", tables[2], campaign="first")
        resealed = compare(scene, tables[2], pairs, marked=True)
    return {
        "import": job_of(imports, bare["import"], imported),
        "rekey": job_of(rekeys, bare["rekey"], resealed),
    }


def issue(scene: Scene, subdomain: str) -> TokenPair:
    """Return a pair that a company has of an account."""
    account = scene.zendesk.accounts.get(subdomain)
    return scene.zendesk.tokens.issue(account, account.people["admin"], "users:read tickets:read", _LIFETIMES)


def line_of(pair: TokenPair) -> dict[str, str]:
    """Return a pair's line in a file of tokens."""
    tokens = {"access_token": pair.access_token, "refresh_token": pair.refresh_token}
    return {"subdomain": pair.account.subdomain} | tokens


def write_lines(path: Path, pairs: Sequence[TokenPair]) -> Path:
    """Write a file of tokens."""
    path.write_text("".join(f"{json.dumps(line_of(pair))}\n" for pair in pairs), encoding="utf-8")
    return path


def killed(scene: Scene, job: str, table: str, **order: str) -> None:
    """Kill a job at random points, each a little further on, and let its last run come to the end."""
    random = Random(KILLS)  # noqa: S311 - repeatable, not secret
    share = ROWS // (KILLS + 1)
    order_text = json.dumps({"job": job, "table": table, "threads": THREADS, **order})
    for number in range(KILLS):
        _kill(scene, order_text, random.randint(number * share, (number + 1) * share))
    scene.play("table_jobs", **json.loads(order_text))


def _kill(scene: Scene, order: str, steps: int) -> None:
    """Begin a job, and kill it when it has come so far."""
    with subprocess.Popen(
        scene.command("table_jobs"),
        env=scene.environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        assert process.stdout is not None  # noqa: S101 - as above
        process.stdin.write(order)
        process.stdin.close()
        try:
            if not any(int(line) >= steps for line in process.stdout):
                raise UnexpectedAnswerError("a job has ended before it was killed")
        finally:
            process.kill()


def compare(scene: Scene, table: str, pairs: Sequence[TokenPair], *, marked: bool = False) -> tuple[int, int]:
    """Return how many rows are lost, because they are not there or do not open to their own tokens, or doubled."""
    found: dict[str, Json] = {}
    for page in scene.dynamodb.get_paginator("scan").paginate(TableName=table):
        found |= {item["subdomain"]["S"]: dict(item) for item in page["Items"]}
    wanted = {pair.account.subdomain: pair for pair in pairs}
    lost = [name for name, pair in wanted.items() if not _is_whole(found.get(name), pair, marked=marked)]
    doubled = [name for name, row in found.items() if name not in wanted or _is_doubled(row)]
    return len(lost), len(doubled)


def _is_doubled(row: Json) -> bool:
    """Whether a row was written more than once."""
    return (row["epoch"], row["generation"]) != ({"N": "1"}, {"N": "1"})


def _is_whole(row: Json | None, pair: TokenPair, *, marked: bool) -> bool:
    if row is None or marked is not ("rekeyed" in row):
        return False
    opened = [_opened(row, field) for field in (ACCESS_TOKEN, REFRESH_TOKEN)]
    return opened == [pair.access_token, pair.refresh_token]


def _opened(row: Json, field: str) -> str:
    """Open a token under the one data key that the canned endpoint gives."""
    context = SealContext(row["grant"]["S"], Subdomain(row["subdomain"]["S"]))
    key = DataKey(DATA_KEY, WRAPPED_KEY, encryption_context(seal_settings(), context, field))
    return key.open(SealedToken(row[field]["B"], row[f"{field}_key"]["B"]), row["commit_id"]["S"]).reveal()


def _play(scene: Scene, job: str, table: str, **order: str) -> Mapping[str, Any]:
    told: Mapping[str, Any] = scene.play("table_jobs", job=job, table=table, threads=THREADS, **order)
    return told


def _bare(scene: Scene, pairs: Sequence[TokenPair]) -> Mapping[str, float]:
    """Return the rows a second of the bare calls."""
    row = connection_row(due=False)
    usual = {name: row[name] for name in row if "token" not in name and name != "connection_key"}
    lines = [line_of(pair) | {"row": usual} for pair in pairs]
    table = create_tables(scene.dynamodb).connections
    told = scene.play("bare_jobs", table=table, threads=THREADS, lines=lines)
    return {job: round(len(pairs) / seconds, 1) for job, seconds in told.items()}


def job_of(told: Sequence[Mapping[str, Any]], bare: float, amiss: tuple[int, int]) -> Job:
    """Return what a job came to, from its small run, its whole one and what was amiss. Raises UnexpectedAnswerError."""
    few, every = told
    if [sum(each["ended"].values()) for each in told] != [FEWER, ROWS]:
        raise UnexpectedAnswerError(f"not every row has ended: {few['ended']}, {every['ended']}")
    return Job(
        rows=ROWS,
        seconds=round(every["seconds"], 2),
        bare_rows_per_second=bare,
        peak_mb=round((every["peak_kb"] or 0) / 1000, 1),
        peak_mb_of_a_tenth=round((few["peak_kb"] or 1) / 1000, 1),
        kills=KILLS,
        lost=amiss[0],
        doubled=amiss[1],
    )
