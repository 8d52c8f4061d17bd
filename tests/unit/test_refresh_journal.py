"""One line a connection and bounded counts; a loss is counted once, and what only a person can mend is said louder."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.doubles.journals import Kept, name_service
from tests.doubles.samples import GLOBEX
from tests.unit.services.test_refreshing import ACME, BEGAN, World
from zendesk_oauth.errors import ConfigurationError, MalformedRequestError, StoreUnavailableError
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.refresh import (
    Asked,
    LossReason,
    RefreshAnswer,
    RefreshOutcome,
    RefreshQuestion,
    Renewal,
    Version,
)
from zendesk_oauth.models.rekey import RekeyAnswer, RekeyOutcome
from zendesk_oauth.refresh_journal import Occasion, RefreshJournal, Tick
from zendesk_oauth.services.disconnect_connection import DisconnectAnswer, DisconnectOutcome
from zendesk_oauth.services.finish_connection import FinishAnswer
from zendesk_oauth.services.replay_rescued import ReplayAnswer, ReplayOutcome
from zendesk_oauth.services.revoke_token import Revocation

QUESTION = RefreshQuestion("default", ACME, Asked.FAILED)
OCCASION = Occasion("request-1", BEGAN, 0.0123)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kept[RefreshJournal]:
    """Give a journal of the test's own."""
    name_service(monkeypatch, "refresh")
    return Kept(RefreshJournal, capsys)


@pytest.fixture
def world() -> World:
    """Return a world of the test's own."""
    return World()


def test_a_line_says_what_became_of_which_connection(kept: Kept[RefreshJournal], world: World) -> None:
    """Outcome, why it was asked, place, version, install, Lambda's id and the duration; no time that is not there."""
    row = replace(world.row, install_id="A" * 22)
    kept.journal.refreshed(QUESTION, RefreshAnswer(RefreshOutcome.REFRESHED, row), OCCASION)
    (line,), counts = kept.told()
    expected = {
        "level": "INFO",
        "outcome": "refreshed",
        "asked": "failed",
        "grant": "default",
        "subdomain": "acme",
        "epoch": 1,
        "generation": 1,
        "request_id": "request-1",
        "correlation_id": "A" * 22,
        "duration_ms": 12.3,
    }
    assert {name: line[name] for name in expected} == expected
    assert "reason" not in line
    assert counts == {"RefreshEnded refreshed": 1, "TokenRefreshed": 1}


@pytest.mark.parametrize(
    ("outcome", "level", "counts"),
    [
        (RefreshOutcome.CURRENT, "INFO", set()),
        (RefreshOutcome.IN_PROGRESS, "INFO", set()),
        (RefreshOutcome.POSTPONED, "INFO", set()),
        (RefreshOutcome.NOT_CONNECTED, "INFO", set()),
        (RefreshOutcome.UNRESOLVED, "WARNING", set()),
        (RefreshOutcome.RESCUED, "WARNING", {"RenewalRescued"}),
        (RefreshOutcome.CLIENT_REJECTED, "ERROR", {"ClientRejected"}),
    ],
)
def test_how_an_outcome_is_told(
    kept: Kept[RefreshJournal], world: World, outcome: RefreshOutcome, level: str, counts: set[str]
) -> None:
    """R17: only what needs somebody is louder, and has a count of its own for an alarm."""
    kept.journal.refreshed(QUESTION, RefreshAnswer(outcome, world.row), OCCASION)
    (line,), counted = kept.told()
    assert line["level"] == level
    assert counted.keys() == {f"RefreshEnded {outcome.value}"} | counts


@pytest.mark.parametrize(
    ("reason", "counts"),
    [
        (LossReason.GRANT_REJECTED, {"ReconnectRequired grant_rejected"}),
        (LossReason.ANSWER_LOST, {"ReconnectRequired answer_lost", "ConnectionLost"}),
    ],
)
def test_a_loss_is_told_with_its_reason(
    kept: Kept[RefreshJournal], world: World, reason: LossReason, counts: set[str]
) -> None:
    """R3: the one loss that physics allows has a count that an alarm watches."""
    world.change(status=ConnectionStatus.RECONNECT_REQUIRED, reconnect_reason=reason, reconnect_since=BEGAN)
    kept.journal.refreshed(QUESTION, RefreshAnswer(RefreshOutcome.RECONNECT_REQUIRED, world.row), OCCASION)
    (line,), counted = kept.told()
    assert (line["level"], line["reason"]) == ("WARNING", reason.value)
    assert counted.keys() == {"RefreshEnded reconnect_required"} | counts


@pytest.mark.parametrize(
    "changes",
    [
        {"reconnect_reason": "answer_lost", "reconnect_since": BEGAN - timedelta(seconds=1)},
        {"reconnect_reason": "answer_lost", "reconnect_since": None},
        {"reconnect_reason": None, "reconnect_since": BEGAN},
    ],
    ids=["judged before", "nobody knows when", "nobody knows why"],
)
def test_a_loss_is_counted_once(kept: Kept[RefreshJournal], world: World, changes: dict[str, object]) -> None:
    """Whoever finds the verdict in the row does not judge, and raises no alarm again."""
    world.change(status=ConnectionStatus.RECONNECT_REQUIRED, **changes)
    kept.journal.refreshed(QUESTION, RefreshAnswer(RefreshOutcome.RECONNECT_REQUIRED, world.row), OCCASION)
    (line,), counted = kept.told()
    assert line["level"] == "INFO"
    assert counted.keys() == {"RefreshEnded reconnect_required"}


def test_a_kept_refresh_token_is_counted(kept: Kept[RefreshJournal], world: World) -> None:
    """R15: an answer without a refresh token goes on with the old one, and is seen."""
    answer = RefreshAnswer(RefreshOutcome.REFRESHED, world.row, kept_refresh_token=True)
    kept.journal.refreshed(QUESTION, answer, OCCASION)
    _, counted = kept.told()
    assert counted["RefreshTokenKept"] == 1


@pytest.mark.parametrize("cause", ["unintelligible_answer", "unusable_tokens"])
def test_an_answer_without_a_usable_pair_is_counted(
    kept: Kept[RefreshJournal], world: World, cause: str
) -> None:
    """R15: a pair may live that is stored nowhere, or that is stored and cannot be used yet."""
    answer = RefreshAnswer(RefreshOutcome.UNRESOLVED, world.row, cause=cause, server_error="odd")
    kept.journal.refreshed(QUESTION, answer, OCCASION)
    (line,), counted = kept.told()
    assert (line["level"], line["cause"], line["server_error"]) == ("WARNING", cause, "odd")
    assert counted[f"AnswerUnread {cause}"] == 1


@pytest.mark.parametrize(
    ("outcome", "level", "counts"),
    [
        (ReplayOutcome.REFUSED, "WARNING", {"ReconnectRequired grant_rejected"}),
        (ReplayOutcome.RESTORED, "INFO", set()),
    ],
)
def test_a_loss_that_a_replay_finds_is_counted(
    kept: Kept[RefreshJournal], world: World, outcome: ReplayOutcome, level: str, counts: set[str]
) -> None:
    """R45: the replay that was refused has judged, and is the only one to say so."""
    if counts:
        world.change(
            status=ConnectionStatus.RECONNECT_REQUIRED,
            reconnect_reason=LossReason.GRANT_REJECTED,
            reconnect_since=BEGAN,
        )
    renewal = Renewal(
        "default", ACME, Version(1, 1), (), BEGAN, world.row.times, sealed=world.row.living_pair
    )
    kept.journal.replayed(renewal, ReplayAnswer(outcome, world.row), OCCASION)
    (line,), counted = kept.told()
    assert line["level"] == level
    assert counted.keys() == {f"RenewalReplayed {outcome}"} | counts


def test_lost_scopes_are_told(kept: Kept[RefreshJournal], world: World) -> None:
    """R15: only a person can bring them back, by a new install."""
    answer = RefreshAnswer(RefreshOutcome.REFRESHED, world.row, lost_scopes=("tickets:write",))
    kept.journal.refreshed(QUESTION, answer, OCCASION)
    (line,), _ = kept.told()
    assert (line["level"], line["lost_scopes"]) == ("WARNING", ["tickets:write"])


def test_a_fresh_pair_that_lives_on_is_told(kept: Kept[RefreshJournal], world: World) -> None:
    """A refused revocation in the wake of a refresh has a line of its own, with what the account's admin can do."""
    answer = RefreshAnswer(RefreshOutcome.CURRENT, world.row, revocation=Revocation.REFUSED)
    kept.journal.refreshed(QUESTION, answer, OCCASION)
    (_, line), counted = kept.told()
    assert (line["level"], line["outcome"], line["subdomain"]) == ("WARNING", "refused", "acme")
    assert "Admin Center" in line["to_be_done"]
    assert counted["TokenLeftAlive"] == 1


def renewal(world: World) -> Renewal:
    """Return a renewal of the world's row."""
    row = world.row
    return Renewal(
        row.grant, row.subdomain, row.version, row.scopes, row.issued_at, row.times, sealed=row.living_pair
    )


def test_a_replay_is_told(kept: Kept[RefreshJournal], world: World) -> None:
    """By its outcome, with the version that the row has then."""
    kept.journal.replayed(renewal(world), ReplayAnswer(ReplayOutcome.RESTORED, world.row), OCCASION)
    (line,), counted = kept.told()
    assert (line["outcome"], line["generation"], line["request_id"]) == ("restored", 1, "request-1")
    assert counted == {"RenewalReplayed restored": 1}


def test_a_replay_without_a_row_has_no_version(kept: Kept[RefreshJournal], world: World) -> None:
    """And what lives on of its pair is told."""
    answer = ReplayAnswer(ReplayOutcome.SUPERSEDED, None, Revocation.REFUSED)
    kept.journal.replayed(renewal(world), answer, OCCASION)
    (line, _), counted = kept.told()
    assert "generation" not in line
    assert counted == {"RenewalReplayed superseded": 1, "TokenLeftAlive": 1}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (MalformedRequestError("damaged"), "malformed"),
        (StoreUnavailableError("throttled"), "failed"),
        (ValueError("secret-in-a-text"), "failed"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failed_replay_is_told_without_its_content(
    kept: Kept[RefreshJournal], error: Exception, outcome: str
) -> None:
    """The message's id finds it in the queue; the text of a bug may quote it, and is left out."""
    kept.journal.replay_failed("m-1", error, OCCASION)
    (line,), counted = kept.told()
    assert (line["level"], line["outcome"], line["message_id"]) == ("ERROR", outcome, "m-1")
    assert "secret-in-a-text" not in json.dumps(line)
    assert counted == {f"RenewalReplayed {outcome}": 1}


@pytest.mark.parametrize("kind", ["KeepAlive", "Unfinished"])
@pytest.mark.parametrize("number", [3, 0])
def test_a_tick_counts_itself_and_what_it_handed_over(
    kept: Kept[RefreshJournal], kind: str, number: int
) -> None:
    """An idle tick is counted as a tick: an alarm listens for its absence; the keep-alive says how late it is."""
    kept.journal.handed_over(Tick(f"{kind}HandedOver", number, timedelta(minutes=2)), OCCASION)
    (line,), counted = kept.told()
    handed_over = {f"{kind}HandedOver": number} if number else {}
    overdue = {"KeepAliveOverdue": 120} if kind == "KeepAlive" else {}
    assert (line["asked"], line.get("overdue_s")) == (number, 120 if overdue else None)
    assert counted == {f"{kind}Ticked": 1} | handed_over | overdue


def test_a_tick_that_could_not_hand_over_is_counted(kept: Kept[RefreshJournal]) -> None:
    """For an alarm: connections that nobody keeps alive die."""
    kept.journal.hand_over_failed()
    assert kept.told() == ([], {"HandOverFailed": 1})


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (DisconnectAnswer(DisconnectOutcome.UNDER_WAY), set()),
        (DisconnectAnswer(DisconnectOutcome.DISCONNECTED, revocation="revoked"), {"disconnected"}),
        (DisconnectAnswer(DisconnectOutcome.REPLACED), {"replaced"}),
    ],
    ids=lambda value: getattr(value, "outcome", ""),
)
def test_a_disconnect_is_counted_when_it_ends(
    kept: Kept[RefreshJournal], answer: DisconnectAnswer, counts: set[str]
) -> None:
    """Until then it is only told."""
    kept.journal.disconnected("default", ACME, answer, OCCASION)
    (line,), counted = kept.told()
    assert line["outcome"] == answer.outcome.value
    assert counted.keys() == {f"DisconnectEnded {outcome}" for outcome in counts}


@pytest.mark.parametrize(
    ("cause", "level", "counts"),
    [
        ("key_unavailable", "WARNING", {"KeysUnavailable"}),
        ("seal_broken", "WARNING", {"KeysUnavailable"}),
        ("provider_unavailable", "INFO", set()),
    ],
)
def test_keys_that_are_denied_are_told_to_the_operator(
    kept: Kept[RefreshJournal], world: World, cause: str, level: str, counts: set[str]
) -> None:
    """R18: every line has its cause, and what is our own fault is louder and has a count for an alarm."""
    refreshed = RefreshAnswer(RefreshOutcome.POSTPONED, world.row, cause=cause)
    kept.journal.refreshed(QUESTION, refreshed, OCCASION)
    (line,), counted = kept.told()
    assert (line["level"], line["cause"]) == (level, cause)
    assert counted.keys() == {"RefreshEnded postponed"} | counts

    disconnect = DisconnectAnswer(DisconnectOutcome.UNDER_WAY, cause=cause)
    kept.journal.disconnected("default", ACME, disconnect, OCCASION)
    (line,), counted = kept.told()
    assert (line["level"], line["cause"], set(counted)) == (level, cause, counts)

    kept.journal.finished("default", ACME, "c1", FinishAnswer(False, None, disconnect), OCCASION)  # noqa: FBT003 - in its order
    (_, line), counted = kept.told()
    assert (line["level"], line["cause"], set(counted)) == (level, cause, {"FinishPostponed"} | counts)


def test_a_pair_that_nothing_takes_is_told_at_once(kept: Kept[RefreshJournal], world: World) -> None:
    """R6: before the process ends: which connection it is, and nothing of the pair."""
    world.rows.failing_commits = 1
    assert world.refresh() is RefreshOutcome.REFRESHED
    kept.journal.unkept(world.queue.sent[0])
    (line,), counted = kept.told()
    assert (line["level"], line["outcome"], counted) == ("CRITICAL", "unkept", {})
    assert (line["subdomain"], line["epoch"], line["generation"]) == ("acme", 1, 1)
    assert "r2" not in json.dumps(line)


@pytest.mark.parametrize("revocation", ["revoked", "refused", "given_up", "over"])
def test_the_end_of_a_replaced_pair_has_its_own_count(kept: Kept[RefreshJournal], revocation: str) -> None:
    """It is no disconnect of the connection; where a token may live on, the alarm's count is there too."""
    disconnect = DisconnectAnswer(DisconnectOutcome.DISCONNECTED, revocation=revocation)
    kept.journal.finished("default", ACME, "c1", FinishAnswer(True, None, disconnect), OCCASION)  # noqa: FBT003 - in its order
    lines, counted = kept.told()
    left_alive = {"TokenLeftAlive": 1} if revocation in {"refused", "given_up"} else {}
    assert [line["outcome"] for line in lines] == [
        "finished",
        revocation,
        *([revocation] if left_alive else []),
    ]
    assert [line["replaced"] for line in lines[:2]] == ["c1", "c1"]
    assert counted == {f"SupersededRetired {revocation}": 1} | left_alive


def test_the_end_of_a_disconnect_is_told_as_one(kept: Kept[RefreshJournal]) -> None:
    """The connection's own row: its line, its count, and the alarm's where a token may live on."""
    disconnect = DisconnectAnswer(DisconnectOutcome.DISCONNECTED, revocation="refused")
    kept.journal.finished("default", ACME, None, FinishAnswer(True, None, disconnect), OCCASION)  # noqa: FBT003 - in its order
    lines, counted = kept.told()
    assert [line["outcome"] for line in lines] == ["finished", "disconnected", "refused"]
    assert not any("replaced" in line for line in lines)
    assert counted == {"DisconnectEnded disconnected": 1, "TokenLeftAlive": 1}


def test_what_is_left_is_told_with_its_time(kept: Kept[RefreshJournal]) -> None:
    """A disconnect that stays unfinished is a warning; a visit that found nothing to do says no more than that."""
    kept.journal.finished("default", ACME, None, FinishAnswer(finished=False, retry_at=BEGAN), OCCASION)
    (line,), counted = kept.told()
    assert (line["level"], line["retry_at"]) == ("WARNING", BEGAN.isoformat())
    assert counted == {"FinishPostponed": 1}


@pytest.mark.parametrize(
    ("error", "level", "counted"),
    [
        (MalformedRequestError("grant is missing"), "WARNING", "RequestRefused malformed_request"),
        (StoreUnavailableError("throttled"), "ERROR", "RequestFailed store_unavailable"),
        (ConfigurationError(("STAGE is missing",)), "CRITICAL", "RequestFailed configuration"),
        (ValueError("secret-in-a-text"), "ERROR", "RequestFailed internal"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_how_loud_a_failure_is(
    kept: Kept[RefreshJournal], error: Exception, level: str, counted: str
) -> None:
    """Our own errors say what is wrong; of a bug only its kind and its way are told."""
    kept.journal.failed(error, OCCASION)
    (line,), counts = kept.told()
    assert line["level"] == level
    assert "secret-in-a-text" not in json.dumps(line)
    assert counts == {counted: 1}


def test_rows_sealed_anew_are_one_line_a_batch(kept: Kept[RefreshJournal]) -> None:
    """How many ended how; only what an error kept from it has a line of its own, and keys are counted for the alarm."""
    answers = [
        RekeyAnswer("default", ACME, RekeyOutcome.RESEALED),
        RekeyAnswer("reporting", ACME, RekeyOutcome.RESEALED),
        RekeyAnswer("default", GLOBEX, RekeyOutcome.LATER),
        RekeyAnswer("reporting", GLOBEX, RekeyOutcome.BROKEN, "seal_broken"),
    ]
    kept.journal.rekeyed("2027-01", answers, OCCASION)
    (batch, broken), counts = kept.told()
    assert (batch["level"], batch["campaign"]) == ("INFO", "2027-01")
    assert batch["rows"] == {"resealed": 2, "later": 1, "broken": 1}
    assert (broken["level"], broken["grant"], broken["subdomain"]) == ("WARNING", "reporting", "globex")
    assert (broken["outcome"], broken["cause"]) == ("broken", "seal_broken")
    assert counts == {"ConnectionsResealed": 2, "KeysUnavailable": 1}


def test_rows_that_were_sealed_before_are_counted_as_nothing(kept: Kept[RefreshJournal]) -> None:
    """A campaign that looks once more says so in one line."""
    kept.journal.rekeyed("2027-01", [RekeyAnswer("default", ACME, RekeyOutcome.DONE)], OCCASION)
    (line,), counts = kept.told()
    assert (line["rows"], counts) == ({"done": 1}, {})


@pytest.mark.parametrize("grant", ["default", None])
def test_what_an_operator_asks_is_told_and_not_counted(kept: Kept[RefreshJournal], grant: str | None) -> None:
    """One line with the place, and what came of it, as far as there is anything to say."""
    told = {"outcome": "alive", "cause": None, "correlation_id": "A" * 22}
    kept.journal.inquired(grant, ACME, told, OCCASION)
    (line,), counts = kept.told()
    assert (line["level"], line["outcome"], line["subdomain"]) == ("INFO", "alive", "acme")
    assert (line.get("grant"), line["correlation_id"], line["request_id"]) == (grant, "A" * 22, "request-1")
    assert ("cause" in line, counts) == (False, {})
