"""A report has a line for each line of the file, by its number, with what is to be done."""

import csv
import json
from pathlib import Path

import pytest

from cli.jobs.import_file import FileFormat, ImportFileError
from cli.jobs.import_outcome import GOOD, ImportOutcome, LineReport
from cli.jobs.report_file import report_file
from zendesk_oauth.models.subdomain import Subdomain

START = "https://connect.example.com/oauth/start"
REPORTS = [
    LineReport(1, "default", Subdomain("acme"), ImportOutcome.IMPORTED),
    LineReport(2, None, None, ImportOutcome.BAD, "access_token is missing"),
    LineReport(3, "default", Subdomain("globex"), ImportOutcome.LOST, "reconnect_required"),
]
EXPECTED = [
    ("1", "default", "acme", "imported", "", ""),
    ("2", "", "", "bad", "access_token is missing", "correct the line, and run the import again"),
    (
        "3",
        "default",
        "globex",
        "lost",
        "reconnect_required",
        f"have an admin connect the account: {START}?subdomain=globex&grant=default",
    ),
]


def write(path: Path, file_format: FileFormat) -> None:
    """Write the reports."""
    with report_file(path, file_format, START) as report:
        for each in REPORTS:
            report(each)


def test_a_report_as_csv(tmp_path: Path) -> None:
    """With a header, for a spreadsheet."""
    write(tmp_path / "report.csv", FileFormat.CSV)
    with (tmp_path / "report.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["line", "grant", "subdomain", "outcome", "reason", "to_do"]
    assert [tuple(row) for row in rows] == EXPECTED


def test_a_report_as_json_lines(tmp_path: Path) -> None:
    """The same, with null where nothing could be read."""
    write(tmp_path / "report.jsonl", FileFormat.JSONL)
    rows = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [tuple("" if cell is None else str(cell) for cell in row.values()) for row in rows] == EXPECTED


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants no report gets none."""
    monkeypatch.chdir(tmp_path)
    with report_file(None, FileFormat.CSV, START) as report:
        report(REPORTS[0])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("outcome", ImportOutcome)
def test_every_outcome_says_what_is_to_be_done(outcome: ImportOutcome) -> None:
    """Nothing where all is well; by invitation only, there is no address."""
    report = LineReport(1, "default", Subdomain("acme"), outcome)
    assert bool(report.to_do(START)) is (outcome not in GOOD)
    assert START not in report.to_do(None)


def test_a_report_that_cannot_be_written_is_said_before_anything_is_done(tmp_path: Path) -> None:
    """In a sentence, which names the file."""
    with (
        pytest.raises(ImportFileError, match=r"report\.csv cannot be written"),
        report_file(tmp_path / "nowhere" / "report.csv", FileFormat.CSV, START),
    ):
        pytest.fail("there is no such folder")
