"""The three commands as an operator types them: what they do, what they say, and how they end."""

import csv
import io
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.app import app, main
from cli.commands import import_tokens, rekey
from cli.commands.rekey import SHOWN, summary
from cli.exits import Exit
from cli.jobs import rekey_table
from cli.jobs.import_line import BadLine, Line
from cli.jobs.import_survey import Survey, survey
from cli.jobs.rekey_table import RekeyReport
from cli.output import Output
from cli.stack import Stack
from deployed.stack import DeployedStack
from tests.dynamodb_local import create_tables
from tests.jobs.accounts import Accounts, cells, write_lines
from tests.jobs.operator_aws import FUNCTION, OperatorAws, running_operator_aws
from tests.jobs.test_report_file import largest_file
from tests.processes.aws import KEY_ARN
from zendesk_oauth.errors import ConfigurationError
from zendesk_oauth.models.refresh import CLAIM_LIFE, Claim
from zendesk_oauth.models.rekey import RekeyAnswer, RekeyOutcome
from zendesk_oauth.models.subdomain import Subdomain

START_URL = "https://connect.example.com/oauth/start"

type Type = Callable[..., Result]


def stack_of(accounts: Accounts, **parameters: str) -> Stack:
    """Return what the stack of these tests says."""
    addresses = accounts.desk.addresses
    outputs = {
        "ConnectionsTableName": addresses.table,
        "PublicBaseUrl": "https://connect.example.com",
        "RefreshFunctionName": FUNCTION,
        "TokenKeyArn": KEY_ARN,
    }
    usual = {
        "Application": "zendesk-oauth",
        "Grants": "default=users:read;reporting=read",
        "RequiredRoles": "admin",
        "Stage": "local",
        "StartMode": "open",
        "ZendeskBaseUrl": addresses.zendesk,
    }
    return Stack(DeployedStack(outputs, usual | parameters))


@pytest.fixture
def aws(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> Iterator[OperatorAws]:
    """Give a deployment that the command finds; nobody waits for refreshes of before."""
    monkeypatch.setattr(rekey_table, "SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(rekey_table, "PATIENCE_SECONDS", 0.0)
    with running_operator_aws(accounts.desk, stack_of(accounts)) as running:
        for name, value in running.environ().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def typed(aws: OperatorAws) -> Type:
    """Return what types a command, in a wide terminal."""
    assert aws.address
    runner = CliRunner(env={"COLUMNS": "200"})
    return lambda *words: runner.invoke(app, [str(word) for word in words])


def said(result: Result) -> Any:
    """Return the one line of JSON."""
    return json.loads(result.stdout)


def file_of(accounts: Accounts, path: Path, *names: str) -> Path:
    """Write a file of tokens, of accounts with these names."""
    return write_lines(path / "tokens.jsonl", [cells(accounts.issue(name)) for name in names])


def test_an_import_says_how_many_lines_ended_how(accounts: Accounts, typed: Type, tmp_path: Path) -> None:
    """All imported is 0, and so is all done; the second run finds the first one's rows."""
    file = file_of(accounts, tmp_path, "acme", "globex")
    first, second = typed("import", file, "--json"), typed("import", file, "--json")
    expected = {"lines": 2, "outcomes": {"imported": 2}, "left": 0, "report": None, "dry_run": False}
    assert (first.exit_code, said(first)) == (0, expected)
    assert (second.exit_code, said(second)["outcomes"]) == (0, {"done": 2})
    assert len(accounts.rows()) == 2


def test_a_dry_run_writes_nothing(accounts: Accounts, typed: Type, tmp_path: Path) -> None:
    """It says the same as the real one would, but as what would be, and no row is there."""
    file = file_of(accounts, tmp_path, "acme")
    result = typed("import", file, "--dry-run", "--json")
    assert (result.exit_code, said(result)["dry_run"]) == (0, True)
    shown = typed("import", file, "--dry-run").stdout
    assert ("would be written" in shown, "A dry run: nothing was written." in shown) == (True, True)
    assert accounts.rows() == {}


def test_where_every_token_is_lost_the_client_is_asked_after(
    accounts: Accounts, typed: Type, tmp_path: Path
) -> None:
    """One account's token may be; all of them at once are most likely another client's."""
    lines = [cells(accounts.issue(name)) for name in ("acme", "globex")]
    for name in ("acme", "globex"):
        accounts.zendesk.revoke_all(name)
    result = typed("import", write_lines(tmp_path / "tokens.jsonl", lines))
    assert (result.exit_code, "ZendeskClientId" in result.stdout) == (Exit.AMISS, True)


def test_a_file_without_a_line_is_refused(typed: Type, tmp_path: Path) -> None:
    """With a header and without."""
    for name, text in (("tokens.csv", "subdomain,access_token\n"), ("tokens.jsonl", "\n")):
        (tmp_path / name).write_text(text)
        result = typed("import", tmp_path / name)
        assert (result.exit_code, "no line with a token" in result.stderr) == (Exit.USAGE, True)


def test_r41_damage_in_the_last_line_keeps_every_line_from_being_written(
    accounts: Accounts, typed: Type, tmp_path: Path
) -> None:
    """R41: the first reading finds it, so no row is written, no account asked and no report begun."""
    file = file_of(accounts, tmp_path, *(f"account-{number}" for number in range(30)))
    with file.open("a") as text:
        text.write(json.dumps({"subdomain": "acme", "access_token": f"\u201c{'a1' * 32}\u201d"}) + "\n")
    asked = accounts.zendesk.seen.report()
    result = typed("import", file, "--report", tmp_path / "report.csv")
    assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
    assert "tokens.jsonl, line 31: access_token begins with U+201C" in result.stderr
    assert "a1a1" not in result.stderr
    assert (accounts.rows(), accounts.zendesk.seen.report()) == ({}, asked)
    assert not (tmp_path / "report.csv").exists()


def test_a_file_that_is_damaged_between_its_readings_says_how_to_go_on(
    accounts: Accounts, typed: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was imported before that is said, and that the same import can be begun again."""
    file = file_of(accounts, tmp_path, *(f"account-{number}" for number in range(150)))

    def survey_and_damage(lines: Iterator[Line | BadLine]) -> Survey:
        seen = survey(lines)
        with file.open("a") as text:
            text.write("damage\n")
        return seen

    monkeypatch.setattr(import_tokens, "survey", survey_and_damage)
    result = typed("import", file, "--parallel", 1)
    assert (result.exit_code, "line 151: not a JSON object" in result.stderr) == (Exit.USAGE, True)
    assert "begin it again with the same file" in result.stderr
    assert accounts.rows()


@pytest.mark.parametrize("report", [True, False])
def test_an_import_that_is_stopped_says_how_to_go_on(
    accounts: Accounts, typed: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, report: bool
) -> None:
    """How far it was told, that the same file is to be taken, and that a report is no whole one."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(import_tokens.Ended, "note", stop)
    words = ("--report", tmp_path / "report.csv") if report else ()
    result = typed("import", file_of(accounts, tmp_path, "acme"), *words)
    assert (result.exit_code, "begin it again with the same file" in result.stderr) == (Exit.STOPPED, True)
    assert ("The report lacks" in result.stderr) is report


def test_r36_an_import_whose_report_is_there_already_writes_nothing(
    accounts: Accounts, typed: Type, tmp_path: Path
) -> None:
    """R36: it is refused before anything is asked or written, and the file is as it was."""
    report = tmp_path / "report.csv"
    report.write_text("precious")
    result = typed("import", file_of(accounts, tmp_path, "acme"), "--report", report)
    assert (result.exit_code, "is there already" in result.stderr) == (Exit.USAGE, True)
    assert (report.read_text(), accounts.rows()) == ("precious", {})


def test_r39_an_import_whose_report_cannot_be_written_on_says_how_to_go_on(
    accounts: Accounts, typed: Type, tmp_path: Path
) -> None:
    """R39: the disk is full, so the report is named, and the lines that were written are found done next time."""
    file = file_of(accounts, tmp_path, "acme")
    with largest_file(0):
        result = typed("import", file, "--report", tmp_path / "report.csv")
    assert result.exit_code == Exit.NOT_NOW
    assert "report.csv cannot be written on: File too large" in result.stderr
    assert "begin it again with the same file" in result.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_r35_no_encoding_of_the_output_ends_a_job(
    accounts: Accounts, aws: OperatorAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """R35: each of the three prints what the encoding has, and ends as in UTF-8."""
    assert aws.address
    file, backup = file_of(accounts, tmp_path, "acme"), create_tables(accounts.desk.dynamodb).connections
    report = tmp_path / "r\xe9port\u20ac.csv"
    for words in (("import", file, "--report", report), ("rekey",), ("restore", "--from", backup)):
        out = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding=encoding, errors="strict"))
        monkeypatch.setattr(sys, "argv", ["zendesk-oauth", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert (ended.value.code, b"outcome" in out.getvalue()) == (0, True)
    assert report.exists()


def test_a_pair_that_is_due_is_refreshed_by_the_function(
    accounts: Accounts, typed: Type, tmp_path: Path
) -> None:
    """The command asks it by name, and takes its answer for the check."""
    line = cells(accounts.issue()) | {"access_token": "d" * 40}
    result = typed("import", write_lines(tmp_path / "tokens.jsonl", [line]), "--json")
    assert said(result)["outcomes"] == {"refreshed": 1}
    assert accounts.connection().version.generation == 2


def test_what_is_left_is_told_line_by_line(accounts: Accounts, typed: Type, tmp_path: Path) -> None:
    """The exit code is 1; people see the first lines with what to do, the report has all, and no token is in either."""
    pair = accounts.issue()
    lines = [cells(pair), *({"subdomain": f"old-{n}", "access_token": "t" * 40} for n in range(SHOWN + 1))]
    report = tmp_path / "report.csv"
    result = typed("import", write_lines(tmp_path / "tokens.jsonl", lines), "--report", report)
    assert result.exit_code == 1
    assert re.search(r"cannot_refresh\s+21\s+not written", result.stdout)
    address = f"{START_URL}?subdomain=old-0&grant=default"
    assert (
        f"line 2: default old-0: cannot_refresh no_refresh_token; have an admin connect the account: {address}"
        in (result.stdout)
    )
    assert "old-20" not in result.stdout
    assert "and 1 more lines" in result.stdout
    rows = list(csv.DictReader(report.read_text(encoding="utf-8").splitlines()))
    assert [row["outcome"] for row in rows] == ["imported", *["cannot_refresh"] * (SHOWN + 1)]
    everything = result.stdout + result.stderr + report.read_text(encoding="utf-8")
    assert not [token for token in (pair.access_token, pair.refresh_token, "t" * 40) if token in everything]


def test_a_file_that_is_no_file_is_refused(accounts: Accounts, typed: Type, tmp_path: Path) -> None:
    """A pipe could be read only once; a report in the file's place would destroy it; a name without a format asks."""
    file = file_of(accounts, tmp_path, "acme")
    pipe, nameless = tmp_path / "pipe.csv", tmp_path / "tokens"
    os.mkfifo(pipe)
    nameless.write_bytes(file.read_bytes())
    content = file.read_bytes()
    assert typed("import", pipe).exit_code == 2
    assert typed("import", file, "--report", file).exit_code == 2
    assert file.read_bytes() == content
    result = typed("import", nameless)
    assert (result.exit_code, "--format" in result.stderr) == (2, True)
    assert typed("import", nameless, "--format", "jsonl").exit_code == 0


def test_a_rekey_seals_everything(accounts: Accounts, typed: Type, tmp_path: Path) -> None:
    """Each row once, and in a second run of the campaign none; each opens to its own tokens."""
    pairs = {name: accounts.issue(name) for name in ("acme", "globex")}
    typed("import", write_lines(tmp_path / "tokens.jsonl", map(cells, pairs.values())))
    first = typed("rekey", "--campaign", "first", "--json")
    second = typed("rekey", "--campaign", "first", "--json")
    assert first.exit_code == second.exit_code == 0
    told = said(first)
    assert told.pop("seconds") >= 0
    assert told == {"campaign": "first", "rows": {"resealed": 2}, "again": 0, "left": [], "broken": []}
    assert said(second)["rows"] == {"done": 2}
    assert all(accounts.holds(pair, name) for name, pair in pairs.items())


def test_a_campaign_is_a_new_one_unless_it_is_said(accounts: Accounts, typed: Type, tmp_path: Path) -> None:
    """So that a second reason on the same day seals everything once more; the name to go on with is told first."""
    typed("import", file_of(accounts, tmp_path, "acme"))
    names = []
    for _ in range(2):
        result = typed("rekey")
        [name] = re.findall(r"go on with --campaign (\S+)", result.stderr)
        assert f"Campaign {name}: everything is sealed anew" in result.stdout
        names.append(name)
    assert len(set(names)) == 2
    again = typed("rekey", "--campaign", names[0])
    assert (again.exit_code, "sealed anew" in again.stdout) == (0, True)
    known = typed("rekey", "--campaign", names[0])
    assert f"Campaign {names[0]} had sealed everything before" in known.stdout


def test_a_rekey_that_reaches_nobody_ends_at_once(
    accounts: Accounts, typed: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No patience helps where nothing answers at the address: it says so, and how to go on."""
    typed("import", file_of(accounts, tmp_path, "acme"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
    result = typed("rekey", "--campaign", "mine")
    assert (result.exit_code, "AWS cannot be reached" in result.stderr) == (Exit.NOT_NOW, True)


def test_what_a_rekey_leaves_is_told(accounts: Accounts, typed: Type, tmp_path: Path) -> None:
    """A row under a claim is left, one that does not open is broken: the exit code is 1, and both are named."""
    typed("import", file_of(accounts, tmp_path, "acme", "globex"))
    claim(accounts, "acme")
    spoil(accounts, "globex")
    result = typed("rekey", "--campaign", "first", "--json")
    assert result.exit_code == 1
    assert said(result)["rows"] == {"later": 1, "broken": 1}
    assert said(result)["left"] == [{"grant": "default", "subdomain": "acme", "cause": None}]
    assert said(result)["broken"] == [{"grant": "default", "subdomain": "globex", "cause": "seal_broken"}]
    shown = typed("rekey", "--campaign", "first").stdout
    assert "left: default acme" in shown
    assert "broken: default globex seal_broken" in shown
    assert "Run it again with --campaign first" in shown


def test_many_rows_that_are_left_are_named_as_far_as_people_read(capsys: pytest.CaptureFixture[str]) -> None:
    """The first ones, and how many more there are; JSON names all."""
    left = tuple(
        RekeyAnswer("default", Subdomain(f"account-{n}"), RekeyOutcome.LATER) for n in range(SHOWN + 2)
    )
    report = RekeyReport(Counter(), 0, left, (), 1.0)
    Output(as_json=False).tell({}, lambda out: rekey._show(report, "first", out))
    shown = capsys.readouterr().out
    assert shown.count("left: default account-") == SHOWN
    assert "left: and 2 more, which --json names" in shown
    assert len(summary(report, "first")["left"]) == SHOWN + 2


def claim(accounts: Accounts, subdomain: str) -> None:
    """Let somebody be at work on a row."""
    connection = accounts.connection(subdomain)
    now = accounts.desk.clock.now()
    assert accounts.desk.store.claim(connection, Claim("somebody", now + CLAIM_LIFE), now)


def spoil(accounts: Accounts, subdomain: str) -> None:
    """Damage a row's access token."""
    accounts.desk.dynamodb.update_item(
        TableName=accounts.desk.addresses.table,
        Key={"connection_key": {"S": f"default#{subdomain}"}},
        UpdateExpression="SET access_token = :spoilt",
        ExpressionAttributeValues={":spoilt": {"B": b"x" * 64}},
    )


def test_a_campaign_has_a_plain_name(typed: Type) -> None:
    """What `refresh` would not take is said before anything is asked."""
    for name in ("my campaign", ""):
        assert typed("rekey", "--campaign", name).exit_code == 2


def test_a_restore_brings_rows_back(accounts: Accounts, typed: Type, tmp_path: Path) -> None:
    """Said first and written then; a second run finds it done, and people are told what happens next."""
    typed("import", file_of(accounts, tmp_path, "acme"))
    desk = accounts.desk
    backup = create_tables(desk.dynamodb).connections
    (row,) = accounts.rows().values()
    desk.dynamodb.put_item(TableName=backup, Item=row)
    desk.dynamodb.delete_item(TableName=desk.addresses.table, Key={"connection_key": row["connection_key"]})
    dry = typed("restore", "--from", backup, "--dry-run")
    assert (dry.exit_code, "Nothing was written" in dry.stdout, accounts.rows()) == (0, True, {})
    real = typed("restore", "--from", backup, "--raise-epoch-by", "7")
    assert (real.exit_code, "What happens now" in real.stdout) == (0, True)
    assert accounts.rows()["default#acme"]["epoch"] == {"N": "8"}
    assert said(typed("restore", "--from", backup, "--json")) == {
        "rows": 1,
        "outcomes": {"done": 1},
        "left": 0,
        "first_left": [],
        "dry_run": False,
    }


def test_what_a_restore_cannot_use_is_named(accounts: Accounts, typed: Type) -> None:
    """The exit code is 1."""
    backup = create_tables(accounts.desk.dynamodb).connections
    accounts.desk.dynamodb.put_item(TableName=backup, Item={"connection_key": {"S": "stranger"}})
    result = typed("restore", "--from", backup)
    assert (result.exit_code, "left: stranger" in result.stdout) == (1, True)


def test_the_stacks_own_table_is_no_backup(accounts: Accounts, typed: Type) -> None:
    """It would raise every epoch for nothing."""
    assert typed("restore", "--from", accounts.desk.addresses.table).exit_code == 2
    missing = typed("restore", "--from", "nowhere")
    assert (missing.exit_code, "there is no table nowhere" in missing.stderr) == (2, True)
    assert typed("restore", "--from", "no table").exit_code == Exit.BROKEN


@pytest.mark.parametrize(
    "words",
    [("rekey",), ("restore", "--from", "backup"), ("import", "{file}")],
    ids=lambda words: str(words[0]),
)
def test_a_stack_that_is_not_there_is_said_in_a_sentence(
    accounts: Accounts, typed: Type, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Not by a traceback, and nothing is on standard output."""
    file = file_of(accounts, tmp_path, "acme")
    result = typed(*(word.format(file=file) for word in words), "--stack", "another", "--json")
    assert (result.exit_code, result.stdout) == (Exit.NO_ACCESS, "")
    assert "zendesk-oauth: there is no stack another here" in result.stderr


def test_a_stack_of_another_version_is_said_in_a_sentence(accounts: Accounts) -> None:
    """What it does not say is named."""
    stack = stack_of(accounts)
    with pytest.raises(ConfigurationError, match="no output TokenKeyArn"):
        _ = Stack(DeployedStack({}, stack.deployed.parameters)).seal
    with pytest.raises(ConfigurationError, match="Grants needs"):
        _ = stack_of(accounts, Grants="Default=read").grants


def test_in_confirmed_mode_there_is_no_address_to_start_at(accounts: Accounts) -> None:
    """Somebody is invited there."""
    assert stack_of(accounts).start_url == START_URL
    assert stack_of(accounts, StartMode="confirmed").start_url is None
    assert stack_of(accounts).endpoints.account(Subdomain("acme")).endswith("/acme")
