from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import jobs
from benchmarks.answers import DATA_KEY, WRAPPED_KEY
from benchmarks.jobs import FEWER, ROWS
from benchmarks.programs import UnexpectedAnswerError
from benchmarks.rows import seal_settings
from local.zendesk.tokens import TokenPair
from zendesk_oauth.adapters.kms_data_keys import DataKey, encryption_context
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealContext

ACCESS, REFRESH = "a" * 64, "r" * 64


def pair(subdomain: str = "acme") -> TokenPair:
    """Return a pair as far as it is looked at."""
    told: Any = SimpleNamespace(
        account=SimpleNamespace(subdomain=subdomain), access_token=ACCESS, refresh_token=REFRESH
    )
    return told  # type: ignore[no-any-return]


def row(subdomain: str = "acme", access: str = ACCESS, **changed: Any) -> dict[str, Any]:
    """Return a row that an import has written, in DynamoDB's JSON with bytes."""
    sealed: dict[str, Any] = {}
    for field, token in (("access_token", access), ("refresh_token", REFRESH)):
        context = encryption_context(seal_settings(), SealContext("default", Subdomain(subdomain)), field)
        token_sealed = DataKey(DATA_KEY, WRAPPED_KEY, context).seal(Secret(token), "commit")
        sealed |= {field: {"B": token_sealed.ciphertext}, f"{field}_key": {"B": token_sealed.wrapped_key}}
    usual = {"grant": {"S": "default"}, "subdomain": {"S": subdomain}, "commit_id": {"S": "commit"}}
    return sealed | usual | {"epoch": {"N": "1"}, "generation": {"N": "1"}} | changed


class Table:
    """A client that has these rows, on one page."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows

    def get_paginator(self, _: str) -> "Table":
        """Return itself."""
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        """Return the one page."""
        return [{"Items": list(self.rows)}]


def compared(*rows: dict[str, Any], marked: bool = False) -> tuple[int, int]:
    """Return how many of two accounts' rows are lost or doubled, where these are there."""
    scene: Any = SimpleNamespace(dynamodb=Table(*rows))
    return jobs.compare(scene, "connections", [pair(), pair("globex")], marked=marked)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((row(), row("globex")), (0, 0)),
        ((row(),), (1, 0)),
        ((row(), row("globex", "b" * 64)), (1, 0)),
        ((row(), row("globex", rekeyed={"S": "mark"})), (1, 0)),
        ((row(), row("globex", epoch={"N": "2"})), (0, 1)),
        ((row(), row("globex", generation={"N": "2"})), (0, 1)),
        ((row(), row("globex"), row("initech")), (0, 1)),
    ],
    ids=["whole", "gone", "another token", "sealed anew", "epoch", "generation", "nobody's"],
)
def test_what_is_lost_or_doubled_is_counted(
    rows: tuple[dict[str, Any], ...], expected: tuple[int, int]
) -> None:
    """A row that is not there or opens to another token is lost; one written twice, or by nobody's line, is doubled."""
    assert compared(*rows) == expected


def test_after_a_rekey_a_row_without_its_mark_is_lost() -> None:
    """A rekey that leaves a row out is seen by it."""
    assert compared(row(rekeyed={"S": "mark"}), row("globex"), marked=True) == (1, 0)


def told(rows: int, **ended: int) -> dict[str, Any]:
    """Return what a process says at its end."""
    return {"seconds": rows / 100, "peak_kb": 50_000, "ended": ended or {"imported": rows}}


def test_a_job_is_told_by_rates_and_ratios() -> None:
    """The rate is that of all rows, beside the bare calls'; memory is beside that of a tenth."""
    job = jobs.job_of([told(FEWER), told(ROWS) | {"peak_kb": 55_000}], 80.0, (0, 1))
    assert (job.rows_per_second, job.ratio, job.memory_ratio) == (100.0, 0.8, 1.1)
    assert (job.lost, job.doubled) == (0, 1)


def test_rows_that_have_not_ended_give_no_number() -> None:
    """A job that left rows out was fast for that reason."""
    with pytest.raises(UnexpectedAnswerError):
        jobs.job_of([told(FEWER), told(ROWS, imported=ROWS - 1)], 80.0, (0, 0))


def test_a_line_has_a_pair_and_nothing_else(tmp_path: Path) -> None:
    """What is imported is a file as a company writes it."""
    path = jobs.write_lines(tmp_path / "tokens.jsonl", [pair()])
    expected = f'{{"subdomain": "acme", "access_token": "{ACCESS}", "refresh_token": "{REFRESH}"}}\n'
    assert path.read_text(encoding="utf-8") == expected
