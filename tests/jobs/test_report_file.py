"""A report has a line for each line of the file, by its number, with what is to be done."""

import csv
import json
import os
import resource
import stat
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.errors import RefusedError
from cli.jobs.import_file import FileFormat, ImportFileError
from cli.jobs.import_outcome import GOOD, ImportOutcome, LineReport
from cli.jobs.report_file import ReportError, report_file
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


def a_file(path: Path) -> None:
    """Write a file that is somebody's."""
    path.write_text("precious")


def a_link(path: Path) -> None:
    """Make a link to a file that is somebody's."""
    a_file(path.with_name("precious"))
    path.symlink_to("precious")


@pytest.mark.parametrize(
    "stand",
    [
        a_file,
        a_link,
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to("/dev/stdout"),
        lambda path: path.symlink_to(path),
        lambda path: path.mkdir(),
        os.mkfifo,
    ],
    ids=["file", "link", "link to nowhere", "link to a device", "link to itself", "folder", "pipe"],
)
def test_r36_a_report_is_never_written_over_anything(tmp_path: Path, stand: Callable[[Path], object]) -> None:
    """R36: whatever is at the path stays as it is, and no link is followed, wherever it leads."""
    path = tmp_path / "report.csv"
    stand(path)
    before = sorted((each.name, os.lstat(each)[:9]) for each in tmp_path.iterdir())
    with (
        pytest.raises(RefusedError, match=r"report\.csv is there already"),
        report_file(path, FileFormat.CSV, START),
    ):
        pytest.fail("there is something already")
    assert sorted((each.name, os.lstat(each)[:9]) for each in tmp_path.iterdir()) == before


def test_r36_a_report_is_its_owners_alone(tmp_path: Path) -> None:
    """R36: it names customers, so nobody else on the machine may read it, whatever the umask."""
    before = os.umask(0)
    try:
        write(tmp_path / "report.csv", FileFormat.CSV)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "report.csv").stat().st_mode) == 0o600


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size while the block runs, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_r39_a_report_that_cannot_be_written_on_is_named(tmp_path: Path) -> None:
    """R39: a disk that is full in the middle of an import is the report's trouble, and names it."""
    with (
        pytest.raises(ReportError, match=r"report\.csv cannot be written on: File too large"),
        largest_file(1_000),
        report_file(tmp_path / "report.csv", FileFormat.CSV, START) as report,
    ):
        deque(map(report, REPORTS * 1_000), 0)


def test_r35_a_line_that_is_no_utf8_is_reported(tmp_path: Path) -> None:
    """R35: a byte of the file that is no text reaches the report escaped, and does not end the import."""
    with report_file(tmp_path / "report.csv", FileFormat.CSV, START) as report:
        report(LineReport(1, "gr\udce4nt", None, ImportOutcome.BAD, "not a name"))
    assert "gr\\udce4nt" in (tmp_path / "report.csv").read_text(encoding="utf-8")
