"""An import as it is: real rows, real data keys, and Zendesk over HTTP; every end that a line can have."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.jobs.import_line import BadLine, Line
from cli.jobs.import_outcome import ImportOutcome, LineReport
from cli.jobs.import_survey import REPEATED, survey
from cli.jobs.import_tokens import ImportPorts, ImportTokens
from tests.jobs.accounts import LIFE, Accounts, cells, write_lines
from tests.jobs.desk import GRANTS, Desk
from zendesk_oauth.errors import (
    KeyUnavailableError,
    RefreshPendingError,
    StoreError,
    StoreUnavailableError,
)
from zendesk_oauth.models.connection import ConnectionStatus, named_by
from zendesk_oauth.models.refresh import LossReason, Version
from zendesk_oauth.models.token import RefreshReport, RefreshRequest
from zendesk_oauth.models.tokens import SealContext
from zendesk_oauth.ports import KeysInHand

IMPORTED, DONE, CONNECTED = ImportOutcome.IMPORTED, ImportOutcome.DONE, ImportOutcome.CONNECTED


@pytest.fixture
def run(desk: Desk, tmp_path: Path) -> Callable[..., list[LineReport]]:
    """Return what imports lines, with options."""

    def run_lines(
        *lines: dict[str, str], ports: ImportPorts | None = None, **options: Any
    ) -> list[LineReport]:
        file = desk.token_file(write_lines(tmp_path / "tokens.jsonl", lines))
        now = desk.clock.now()
        seen = survey(file.read(now))
        job = ImportTokens(ports or desk.import_ports, GRANTS, **options)
        return list(job(map(seen.judge, file.read(now))))

    return run_lines


def one(reports: list[LineReport]) -> tuple[ImportOutcome, str]:
    """Return outcome and reason of the only line."""
    (report,) = reports
    return report.outcome, report.reason


type Run = Callable[..., list[LineReport]]


def test_a_living_pair_becomes_a_connection(accounts: Accounts, run: Run) -> None:
    """Epoch and generation 1, both tokens as they were, who pressed Allow, what it may, and Zendesk's own end of it."""
    pair = accounts.issue(scope="read")
    before = datetime.now(UTC)
    assert one(run(cells(pair, user_reference="user-7"))) == (IMPORTED, "")
    connection, row = accounts.connection(), accounts.rows()["default#acme"]
    assert (connection.version, connection.status) == (Version(1, 1), ConnectionStatus.ACTIVE)
    assert accounts.holds(pair)
    assert (connection.scopes, row["missing_scopes"]["L"]) == (("read",), [])
    assert abs(connection.times.expires_at - before - LIFE) < timedelta(minutes=1)
    assert connection.times.refresh_at == connection.times.expires_at - timedelta(minutes=10)
    assert row["authorized_user_id"] == {"N": str(pair.person.id)}
    assert (row["authorized_user_role"], row["user_reference"]) == ({"S": "admin"}, {"S": "user-7"})
    assert {"list_shard", "keep_alive_shard", "connected_at", "established_at"} <= row.keys()


def test_an_imported_connection_is_refreshed_within_a_day(accounts: Accounts, run: Run) -> None:
    """Nobody knows how long its refresh token still lives: the keep-alive comes then, each at a time of its own."""
    names = [f"account-{number}" for number in range(20)]
    run(*(cells(accounts.issue(name)) for name in names))
    now = datetime.now(UTC)
    due = [accounts.connection(name).times.keep_alive_at - now for name in names]
    assert all(timedelta(minutes=-1) < wait < timedelta(days=1) for wait in due)
    assert len({wait // timedelta(minutes=1) for wait in due}) > 10


def test_a_second_run_finds_done_what_is_done(accounts: Accounts, run: Run) -> None:
    """It asks Zendesk nothing, and changes nothing."""
    lines = [cells(accounts.issue(name)) for name in ("acme", "globex")]
    assert {report.outcome for report in run(*lines)} == {IMPORTED}
    before = accounts.rows()
    accounts.zendesk.seen.clear()
    assert [report.outcome for report in run(*lines)] == [DONE, DONE]
    assert accounts.rows() == before
    assert accounts.zendesk.seen.api_calls == []


def test_a_line_is_known_after_its_pair_was_refreshed(accounts: Accounts, run: Run, desk: Desk) -> None:
    """The row is another generation by then, of the same install."""
    line = cells(accounts.issue())
    run(line)
    make_due(desk)
    assert desk.ask(RefreshRequest("default", accounts.connection().subdomain), 60).outcome == "refreshed"
    assert accounts.connection().version == Version(1, 2)
    assert one(run(line)) == (DONE, "")


def make_due(desk: Desk, **more: Any) -> None:
    """Let the token of acme be over by our clock."""
    at = str(int((desk.clock.now() - timedelta(hours=1)).timestamp()))
    changes = {"expires_at": {"N": at}, "refresh_at": {"N": at}} | more
    desk.dynamodb.update_item(
        TableName=desk.addresses.table,
        Key={"connection_key": {"S": "default#acme"}},
        AttributeUpdates={name: {"Value": value, "Action": "PUT"} for name, value in changes.items()},
    )


def test_a_token_that_is_over_is_refreshed_at_once(accounts: Accounts, run: Run) -> None:
    """Its refresh token lives: the row has a new pair, which is what Zendesk has too."""
    pair = accounts.issue()
    accounts.zendesk.clock.advance(LIFE.total_seconds() + 1)
    assert one(run(cells(pair))) == (ImportOutcome.REFRESHED, "")
    (alive,) = accounts.zendesk.alive("acme")
    assert accounts.holds(alive)
    assert (accounts.connection().version, accounts.connection().is_active) == (Version(1, 2), True)
    assert one(run(cells(pair))) == (DONE, "")


def test_a_pair_that_is_dead_is_told_with_the_way_back(accounts: Accounts, run: Run) -> None:
    """The row says that a person has to connect again; a second run says the same, and asks Zendesk nothing."""
    pair = accounts.issue()
    accounts.zendesk.revoke_all("acme")
    reports = run(cells(pair))
    assert one(reports) == (ImportOutcome.LOST, "reconnect_required")
    assert accounts.connection().reconnect_reason == LossReason.GRANT_REJECTED
    start = "https://connect.example.com/oauth/start"
    assert reports[0].to_do(start).endswith(f"{start}?subdomain=acme&grant=default")
    assert "invite" in reports[0].to_do(None)
    accounts.zendesk.seen.clear()
    assert one(run(cells(pair))) == (ImportOutcome.LOST, "reconnect_required")
    assert accounts.zendesk.seen.api_calls == []


def test_a_line_without_a_refresh_token_is_not_written(accounts: Accounts, run: Run) -> None:
    """Its token may live for ever, but nobody could ever refresh it: Zendesk is not even asked."""
    line = cells(accounts.issue()) | {"refresh_token": ""}
    reports = run(line)
    assert one(reports) == (ImportOutcome.CANNOT_REFRESH, "no_refresh_token")
    assert reports[0].to_do("https://c.example/oauth/start").startswith("have an admin connect the account: ")
    assert (accounts.rows(), accounts.zendesk.seen.api_calls) == ({}, [])


@pytest.mark.parametrize("role", ["agent", "end-user"])
def test_a_token_of_somebody_else_is_not_written(accounts: Accounts, run: Run, role: str) -> None:
    """Whoever may not connect an account by the flow may not by a file."""
    assert one(run(cells(accounts.issue(role=role)))) == (ImportOutcome.WRONG_ROLE, "wrong_role")
    accounts.zendesk.switches.turn({"anonymous": True})
    assert one(run(cells(accounts.issue()))) == (ImportOutcome.WRONG_ROLE, "wrong_role")
    assert accounts.rows() == {}


def test_a_token_that_may_not_say_whose_it_is_is_not_written(accounts: Accounts, run: Run) -> None:
    """It lacks users:read, without which nobody can be judged."""
    reports = run(cells(accounts.issue(scope="tickets:read")))
    assert one(reports) == (ImportOutcome.REFUSED, "token_refused")
    assert accounts.rows() == {}


def test_a_token_that_may_not_look_at_itself_lives_all_the_same(accounts: Accounts, run: Run) -> None:
    """A 403 is of a living token; scopes and end are the file's then, or the grant's and half an hour."""
    accounts.zendesk.misbehave("forbidden", endpoint="current_token", times=2)
    at = datetime.now(UTC) + timedelta(hours=1)
    first = cells(accounts.issue(), scopes="users:read tickets:read", expires_at=at.isoformat())
    reports = run(first, cells(accounts.issue("globex")), parallel=1)
    assert [report.outcome for report in reports] == [IMPORTED, IMPORTED]
    acme, globex = accounts.connection(), accounts.connection("globex")
    assert (acme.scopes, globex.scopes) == (("users:read", "tickets:read"), ("users:read",))
    assert abs(acme.times.expires_at - at) < timedelta(seconds=2)
    assert abs(globex.times.expires_at - datetime.now(UTC) - timedelta(minutes=30)) < timedelta(minutes=1)


def test_an_end_beyond_zendesks_longest_is_not_believed(accounts: Accounts, run: Run) -> None:
    """Never for ever: two days are the most."""
    accounts.zendesk.misbehave("forbidden", endpoint="current_token")
    run(cells(accounts.issue(), expires_at="9999999999"))
    left = accounts.connection().times.expires_at - datetime.now(UTC)
    assert timedelta(hours=47) < left <= timedelta(days=2)


def test_fewer_scopes_than_the_grant_has_are_told(accounts: Accounts, run: Run) -> None:
    """As after an install."""
    run(cells(accounts.issue(), grant="reporting"))
    row = accounts.rows()["reporting#acme"]
    assert row["missing_scopes"]["L"] == [{"S": "read"}]


def test_a_connection_of_another_origin_is_left_alone(accounts: Accounts, run: Run) -> None:
    """And Zendesk is asked nothing."""
    first, second = accounts.issue(), accounts.issue()
    run(cells(first))
    before = accounts.rows()
    accounts.zendesk.seen.clear()
    assert one(run(cells(second))) == (CONNECTED, "active")
    assert (accounts.rows(), accounts.zendesk.seen.api_calls) == (before, [])


def test_it_is_replaced_where_that_is_wished(accounts: Accounts, run: Run) -> None:
    """As by an install: the epoch rises, and the old pair waits, sealed, for its end. A second run does nothing."""
    first, second = accounts.issue(), accounts.issue()
    run(cells(first))
    before = accounts.rows()
    assert one(run(cells(second), replace=True)) == (IMPORTED, "")
    assert (accounts.connection().version, accounts.holds(second)) == (Version(2, 2), True)
    (key,) = accounts.rows().keys() - before.keys()
    replaced = accounts.desk.store.find(*named_by(key))
    assert replaced is not None
    old = accounts.desk.keyring.unlock(replaced.context, replaced.living_pair)
    assert old.refresh_token.reveal() == first.refresh_token
    before = accounts.rows()
    assert one(run(cells(second), replace=True)) == (DONE, "")
    assert accounts.rows() == before


def test_a_living_connection_is_never_replaced_by_a_token_that_zendesk_refuses(
    accounts: Accounts, run: Run
) -> None:
    """Whatever is wished."""
    first, second = accounts.issue(), accounts.issue()
    run(cells(first))
    accounts.zendesk.revoke_token(second.id)
    before = accounts.rows()
    outcome, reason = one(run(cells(second), replace=True))
    assert (outcome, "not replaced" in reason) == (CONNECTED, True)
    assert accounts.rows() == before


def test_a_lost_connection_is_replaced_by_a_pair_that_lives(accounts: Accounts, run: Run) -> None:
    """Nothing is lost by that, so nobody has to wish for it; the dead pair is retired as after an install."""
    dead, living = accounts.issue(), accounts.issue()
    accounts.zendesk.revoke_token(dead.id)
    assert one(run(cells(dead))) == (ImportOutcome.LOST, "reconnect_required")
    assert one(run(cells(living))) == (IMPORTED, "")
    assert (accounts.connection().version, accounts.connection().is_active) == (Version(2, 2), True)
    assert accounts.holds(living)
    assert accounts.connection().reconnect_reason is None


def test_an_ended_connection_comes_back_with_a_new_epoch(accounts: Accounts, run: Run, desk: Desk) -> None:
    """The tombstone of another install counts on; the line's own is not brought back by itself."""
    line = cells(accounts.issue())
    run(line)
    desk.store.erase(accounts.connection(), "revoked", desk.clock.now())
    assert one(run(line)) == (CONNECTED, "disconnected")
    assert one(run(cells(accounts.issue()))) == (IMPORTED, "")
    assert accounts.connection().version == Version(2, 2)


def test_a_connection_that_is_being_ended_is_left_alone(accounts: Accounts, run: Run, desk: Desk) -> None:
    """Somebody wishes it."""
    run(cells(accounts.issue()))
    desk.store.mark_disconnecting(accounts.connection(), desk.clock.now())
    assert one(run(cells(accounts.issue()))) == (CONNECTED, "disconnecting")


def test_a_row_that_waits_for_its_first_refresh_is_asked_for_again(accounts: Accounts, run: Run) -> None:
    """A run was killed between the write and the question: the next one asks, and finds out."""
    pair = accounts.issue()
    accounts.zendesk.clock.advance(LIFE.total_seconds() + 1)
    silent = accounts.desk.import_ports._replace(refresher=Silent())
    assert one(run(cells(pair), ports=silent)) == (ImportOutcome.PENDING, "refresh_pending")
    assert accounts.connection().version == Version(1, 1)
    assert one(run(cells(pair), dry_run=True)) == (ImportOutcome.PENDING, "due")
    assert one(run(cells(pair))) == (ImportOutcome.REFRESHED, "")


class Silent:
    """Nobody can be asked."""

    def ask(self, request: RefreshRequest, seconds: float) -> RefreshReport:
        """Raise."""
        raise RefreshPendingError(f"{request.subdomain} in {seconds}")


def test_a_refresh_that_does_not_end_leaves_the_line_pending(accounts: Accounts, run: Run) -> None:
    """Our own client is refused: no connection is marked, and the schedule goes on with it."""
    pair = accounts.issue()
    accounts.zendesk.clock.advance(LIFE.total_seconds() + 1)
    accounts.zendesk.client.accept_secrets("another one")
    assert one(run(cells(pair))) == (ImportOutcome.PENDING, "client_rejected")
    assert accounts.connection().is_active


def test_a_dry_run_writes_nothing(accounts: Accounts, run: Run) -> None:
    """It says what would be done: of a living token, of one that is over, and of one that cannot be used."""
    living, over = cells(accounts.issue()), accounts.issue("globex")
    accounts.zendesk.revoke_token(over.id)
    wrong = cells(accounts.issue("initech", role="agent"))
    reports = run(living, cells(over), wrong, dry_run=True)
    assert [report.outcome for report in reports] == [
        IMPORTED,
        ImportOutcome.PENDING,
        ImportOutcome.WRONG_ROLE,
    ]
    assert accounts.rows() == {}


@pytest.mark.parametrize(
    ("kind", "options", "outcome", "reason"),
    [
        ("too_many_requests", {"retry_after": "3600"}, ImportOutcome.LATER, "provider_unavailable"),
        ("html", {}, ImportOutcome.UNCLEAR, "unintelligible_answer"),
    ],
)
def test_an_account_that_does_not_answer_is_left_to_the_next_run(
    accounts: Accounts, run: Run, kind: str, options: dict[str, Any], outcome: ImportOutcome, reason: str
) -> None:
    """The others go on, and then it is imported."""
    accounts.zendesk.misbehave(kind, endpoint="current_token", subdomain="acme", times=None, **options)
    lines = [cells(accounts.issue(name)) for name in ("acme", "globex")]
    assert [(each.outcome, each.reason) for each in run(*lines)] == [
        (outcome, reason),
        (IMPORTED, ""),
    ]
    accounts.zendesk.faults.clear()
    desk = Desk(accounts.desk.addresses)
    assert [report.outcome for report in run(*lines, ports=desk.import_ports)] == [IMPORTED, DONE]


def test_an_account_that_there_is_not_is_told_as_that(accounts: Accounts, run: Run) -> None:
    """Its 404 is an answer: running it again changes nothing, so somebody is to look at the name."""
    line = cells(accounts.issue())
    accounts.zendesk.delete_account("acme")
    (report,) = run(line)
    assert (report.outcome, report.reason) == (ImportOutcome.UNCLEAR, "unintelligible_answer")
    assert "such an account" in report.to_do(None)
    assert accounts.rows() == {}


class WithoutKeys:
    """The port `Sealer` where the key service does not give."""

    def prepare(self, context: SealContext) -> KeysInHand:
        """Raise."""
        raise KeyUnavailableError(context.grant)


def test_without_keys_a_line_is_left_to_the_next_run(accounts: Accounts, run: Run) -> None:
    """Nothing was written."""
    ports = accounts.desk.import_ports._replace(sealer=WithoutKeys())
    assert one(run(cells(accounts.issue()), ports=ports)) == (ImportOutcome.LATER, "key_unavailable")
    assert accounts.rows() == {}


def test_a_write_whose_answer_was_lost_is_known_by_its_line(accounts: Accounts, run: Run) -> None:
    """By the SDK's repeat, which meets its own row, and by the next run, where even that got no answer."""
    events: Any = accounts.desk.dynamodb.meta.events
    events.register_first("needs-retry.dynamodb.UpdateItem", lose_first)
    assert one(run(cells(accounts.issue()))) == (IMPORTED, "")
    events.unregister("needs-retry.dynamodb.UpdateItem", lose_first)
    assert accounts.connection().version == Version(1, 1)

    line = cells(accounts.issue("globex"))
    ports = accounts.desk.import_ports
    assert one(run(line, ports=ports._replace(rows=Unanswered(ports.rows)))) == (  # type: ignore[arg-type]
        ImportOutcome.LATER,
        "store_unavailable",
    )
    assert one(run(line)) == (DONE, "")
    assert accounts.connection("globex").version == Version(1, 1)


def lose_first(attempts: int, **_: Any) -> float | None:
    """Let the SDK believe that the first answer never came."""
    return 0.0 if attempts == 1 else None


class Unanswered:
    """Rows whose writes are made, and never answered."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def find(self, keys: Any) -> Any:
        """Read."""
        return self._rows.find(keys)

    def write(self, row: Any, now: datetime) -> bool:
        """Write, and lose the answer."""
        self._rows.write(row, now)
        raise StoreUnavailableError("no answer")


class Overtaken(Unanswered):
    """Rows that somebody else writes between the look and the write."""

    def __init__(self, rows: Any, overtake: Callable[[], object]) -> None:
        super().__init__(rows)
        self._overtake = overtake

    def write(self, row: Any, now: datetime) -> bool:
        """Let somebody else be first."""
        self._overtake()
        written: bool = self._rows.write(row, now)
        return written


def test_an_install_in_between_is_not_written_over(accounts: Accounts, run: Run, desk: Desk) -> None:
    """Not even where replacing is wished: what was seen is not there any more, and the next run judges anew."""
    ports = desk.import_ports
    first, second, ours = accounts.issue(), accounts.issue(), accounts.issue()
    for pair in (first, second):
        overtake = Overtaken(ports.rows, lambda pair=pair: run(cells(pair), replace=True))  # type: ignore[misc]
        reports = run(cells(ours), ports=ports._replace(rows=overtake), replace=True)  # type: ignore[arg-type]
        assert one(reports) == (ImportOutcome.LATER, "the connection has changed meanwhile")
        assert accounts.holds(pair)


def test_a_table_that_refuses_ends_the_whole(accounts: Accounts, run: Run) -> None:
    """No later run would do better: it is told at once."""
    gone = Desk(accounts.desk.addresses._replace(table="no-such-table"))
    with pytest.raises(StoreError):
        run(cells(accounts.issue()), ports=gone.import_ports)


def test_two_lines_for_one_connection_are_both_refused(accounts: Accounts, run: Run) -> None:
    """Nobody knows which one lives; another grant of the same account is another connection."""
    pairs = [accounts.issue(scope="read") for _ in range(3)]
    lines = [cells(pair) for pair in pairs[:2]]
    reports = run(*lines, cells(pairs[2], grant="reporting"))
    assert [(each.outcome, each.reason) for each in reports] == [
        (ImportOutcome.BAD, REPEATED),
        (ImportOutcome.BAD, REPEATED),
        (IMPORTED, ""),
    ]
    assert set(accounts.rows()) == {"reporting#acme"}


def test_reports_come_in_the_order_of_the_lines(accounts: Accounts, run: Run) -> None:
    """However many are under way at once; a bad line is one of them, and says what is to be done."""
    lines = [cells(accounts.issue(f"account-{number}")) for number in range(30)]
    lines.insert(7, {"subdomain": "acme"})
    reports = run(*lines, parallel=4)
    assert [report.number for report in reports] == list(range(1, 32))
    assert Counter(report.outcome for report in reports) == {IMPORTED: 30, ImportOutcome.BAD: 1}
    bad = reports[7]
    assert (bad.reason, bad.to_do(None)) == (
        "access_token is missing",
        "correct the line, and run the import again",
    )
    assert {report.to_do(None) for report in reports if report.outcome is IMPORTED} == {""}


def test_the_id_of_a_row_tells_nothing_of_its_line() -> None:
    """Another connection or another token is another id; without a refresh token there is none."""
    from zendesk_oauth.models.secret import Secret  # noqa: PLC0415 - here alone
    from zendesk_oauth.models.subdomain import Subdomain  # noqa: PLC0415

    def line(subdomain: str = "acme", refresh: str | None = "r" * 64) -> Line:
        token = Secret(refresh) if refresh else None
        return Line(1, "default", Subdomain(subdomain), Secret("a" * 64), token)

    ids = {line().install_id, line("globex").install_id, line(refresh="s" * 64).install_id}
    assert len(ids) == 3
    assert {len(each) for each in ids} == {22}
    with pytest.raises(ValueError, match="refresh token"):
        _ = line(refresh=None).install_id


def test_a_survey_counts_bad_lines_too() -> None:
    """They are lines, for whoever watches how far it has come."""
    assert survey([BadLine(1, "bad"), BadLine(2, "bad")]).lines == 2
