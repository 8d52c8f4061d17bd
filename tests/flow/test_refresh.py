"""`refresh` as it is built, on DynamoDB Local, KMS and the stand-in for Zendesk: each of its events, and its faults."""

import importlib
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.flow.refreshing import (
    IDLE,
    INVOKE,
    NEARLY_OVER,
    connect,
    due,
    event,
    handing_over,
    marked,
    rescued_messages,
    version,
    without_store,
)
from tests.flow.sinks import Sinks
from tests.flow.wire import at_the_same_time, refused, unanswered
from tests.flow.world import Browser, Context, World
from tests.handlers.payloads import event_names
from zendesk_oauth.bootstrap.refresh import build
from zendesk_oauth.errors import (
    ConfigurationError,
    MalformedRequestError,
    RefreshPendingError,
    StoreUnavailableError,
    ZendeskOAuthError,
)
from zendesk_oauth.models.refresh import CLAIM_LIFE, REPLAY_ROUND
from zendesk_oauth.settings import VARIABLES

FIRST, SECOND = (1, 1), (1, 2)
SENT = {
    *("due", "failed", "idle", "unknown-connection", "malformed", "rescued"),
    *("finish", "finish-replaced", "keep-alive", "unfinished", "rekey", "probe", "examine"),
}
"""The events of `events/refresh/`, each of which a test below sends."""


def answer(outcome: str, seen: tuple[int, int] | None = FIRST) -> dict[str, Any]:
    """Return an answer that asks nobody to wait."""
    epoch, generation = seen or (None, None)
    return {"outcome": outcome, "retry_at": None, "epoch": epoch, "generation": generation}


def test_every_event_is_sent() -> None:
    """No event lies in `events/refresh/` unused, and none is missing."""
    assert {name for name in event_names() if name.startswith("refresh/")} == {
        f"refresh/{name}" for name in SENT
    }
    source = Path(__file__).read_text()
    assert [name for name in SENT if f'event("{name}")' not in source] == []


# -- asked --


def test_a_due_token_is_refreshed(world: World) -> None:
    """One POST, the next generation, one living token; and what was sealed then is good for the refresh after it."""
    due(world)
    world.zendesk.seen.clear()
    assert world.refresh(event("due")) == answer("refreshed", SECOND)
    assert (world.posts, world.alive, version(world)) == (1, 1, SECOND)
    world.clock.advance(NEARLY_OVER)
    assert world.refresh(event("due")) == answer("refreshed", (1, 3))


def test_what_is_not_due_is_left_alone(world: World) -> None:
    """A fresh connection, and an idle one before its time."""
    connect(world)
    world.zendesk.seen.clear()
    world.clock.advance(timedelta(hours=1))
    assert world.refresh(event("due")) == answer("current")
    assert world.refresh(event("idle")) == answer("current")
    assert world.posts == 0


def test_an_idle_connection_is_kept_alive(world: World) -> None:
    """Two thirds of its refresh token's life are nearly over."""
    connect(world)
    world.clock.advance(IDLE)
    assert world.refresh(event("idle")) == answer("refreshed", SECOND)


def test_an_unknown_connection_is_none(world: World) -> None:
    """Nothing is written for a name."""
    assert world.refresh(event("unknown-connection")) == answer("not_connected", None)
    assert world.rows("connections") == []


@pytest.mark.parametrize(("revoked", "outcome"), [(False, "current"), (True, "reconnect_required")])
def test_a_worker_s_401_is_put_to_zendesk(world: World, *, revoked: bool, outcome: str) -> None:
    """R22: the token that failed is asked about: it lives, or the account's admin has ended it."""
    connect(world)
    world.clock.advance(timedelta(hours=1))
    if revoked:
        world.zendesk.revoke_all("acme")
    assert world.refresh(event("failed")) == answer(outcome)


def test_a_401_of_an_older_token_changes_nothing(world: World) -> None:
    """R22: somebody has refreshed since: the caller is to read again."""
    due(world)
    world.refresh(event("due"))
    world.clock.advance(timedelta(hours=1))
    assert world.refresh(event("failed")) == answer("current", SECOND)


def test_r15_scopes_that_went_lost_are_missing_from_then_on(world: World, sinks: Sinks) -> None:
    """The row and a line say which; the next refresh is of what is left, and loses nothing."""
    due(world)
    world.zendesk.misbehave("fewer_scopes", scopes="users:read")
    assert world.refresh(event("due")) == answer("refreshed", SECOND)
    assert '"lost_scopes":["tickets:read"]' in sinks.stdout
    world.clock.advance(NEARLY_OVER)
    assert world.refresh(event("due")) == answer("refreshed", (1, 3))
    row = world.connection()
    assert row is not None
    assert (row["scopes"], row["missing_scopes"]) == (
        {"L": [{"S": "users:read"}]},
        {"L": [{"S": "tickets:read"}]},
    )


def test_r34_a_scope_that_is_granted_again_is_missing_no_more(world: World) -> None:
    """What is missing is a set: lost, then had again, it contradicts the granted ones at no time."""
    due(world)
    for scopes, missing in (
        ("users:read", ["tickets:read"]),
        ("users:read tickets:read", []),
        ("tickets:read", ["users:read"]),
        ("read", []),
    ):
        world.zendesk.misbehave("fewer_scopes", scopes=scopes)
        assert world.refresh(event("due"))["outcome"] == "refreshed"
        row = world.connection()
        assert row is not None
        assert row["missing_scopes"] == {"L": [{"S": scope} for scope in missing]}
        world.clock.advance(NEARLY_OVER)


def test_r34_no_number_of_scopes_fills_a_row(world: World, sinks: Sinks) -> None:
    """60 kB of other scopes at each of 15 refreshes: every commit is made, and the row stays small."""
    due(world)
    for number in range(15):
        scopes = " ".join(f"scope_{number}_{name}:read" for name in range(2_500))
        world.zendesk.misbehave("fewer_scopes", scopes=scopes)
        assert world.refresh(event("due"))["outcome"] == "refreshed"
        world.clock.advance(NEARLY_OVER)
    row = world.connection()
    assert row is not None
    assert len(json.dumps(row, default=str)) < 40_000
    assert (len(row["scopes"]["L"]), len(row["missing_scopes"]["L"])) == (200, 200)
    assert '"cut_scopes":true' in sinks.stdout


def test_a_wrong_client_marks_no_connection(world: World, sinks: Sinks) -> None:
    """R17: the answer says when to ask again, an alarm's metric is counted, and the connection stays active."""
    due(world)
    world.zendesk.misbehave("oauth_error", error="invalid_client", status=401, times=None)
    payload = world.refresh(event("due"))
    assert payload["outcome"] == "client_rejected"
    assert payload["retry_at"] > world.clock.now().timestamp()
    row = world.connection()
    assert row is not None
    assert (row["status"]["S"], version(world)) == ("active", FIRST)
    assert '"ClientRejected"' in sinks.stdout


def test_a_lost_answer_is_told_by_its_own_metric(world: World, sinks: Sinks) -> None:
    """R3: Zendesk rotated and its answer was lost: unresolved, then found lost, and counted for the alarm, once."""
    connect(world)
    world.clock.advance(timedelta(hours=1))
    world.zendesk.revoke_all("acme")
    world.zendesk.misbehave("lost")
    assert world.refresh(event("failed"))["outcome"] == "unresolved"
    world.clock.advance(timedelta(seconds=80))
    assert world.refresh(event("due"))["outcome"] == "reconnect_required"
    assert world.refresh(event("due"))["outcome"] == "reconnect_required"
    told = [json.loads(line) for line in sinks.stdout.splitlines()]
    assert [line["ConnectionLost"] for line in told if "ConnectionLost" in line] == [[1.0]]


# -- ends of connections --


def test_a_disconnect_is_carried_through(world: World) -> None:
    """Asked once: no token lives, and the row is a tombstone."""
    marked(world)
    assert world.refresh(event("finish")) == {"outcome": "finished", "retry_at": None}
    row = world.connection()
    assert row is not None
    assert (world.alive, row["status"]["S"], "access_token" in row) == (0, "disconnected", False)
    assert world.refresh(event("finish")) == {"outcome": "finished", "retry_at": None}
    assert world.refresh(event("due")) == answer("not_connected")


def test_nobody_can_end_a_connection_by_asking(world: World) -> None:
    """An event that was not preceded by a mark ends nothing: every worker may invoke the function."""
    connect(world)
    assert world.refresh(event("finish")) == {"outcome": "finished", "retry_at": None}
    assert (world.alive, version(world)) == (1, FIRST)
    assert world.refresh(event("due")) == answer("current")


def test_a_disconnect_goes_on_by_schedule(world: World) -> None:
    """Zendesk was down: the mark stays, the index names the row, and the next visit ends it."""
    marked(world)
    world.zendesk.misbehave("server_error", endpoint="current_token")
    assert world.refresh(event("finish"))["outcome"] == "postponed"
    world.clock.advance(timedelta(minutes=1))
    with handing_over(world) as handed:
        assert world.refresh(event("unfinished")) == {"asked": 1}
    assert handed == [event("finish")]
    assert world.refresh(handed[0]) == {"outcome": "finished", "retry_at": None}
    assert world.alive == 0
    assert world.refresh(event("unfinished")) == {"asked": 0}


def test_a_403_is_told_to_the_operator(world: World, sinks: Sinks) -> None:
    """The grant may not delete: our copy is erased, the token may live on, and the log says who can end it."""
    marked(world)
    world.zendesk.misbehave("forbidden", endpoint="delete_token")
    assert world.refresh(event("finish"))["outcome"] == "finished"
    row = world.connection()
    assert row is not None
    assert (row["revocation"]["S"], "access_token" in row, world.alive) == ("refused", False, 1)
    assert '"TokenLeftAlive"' in sinks.stdout
    assert "Admin Center" in sinks.stdout


def test_a_replaced_pair_that_there_is_not_is_finished(world: World) -> None:
    """An index may be behind the table: nothing is done, and no row is made."""
    connect(world)
    assert world.refresh(event("finish-replaced")) == {"outcome": "finished", "retry_at": None}
    assert (world.replaced(), world.alive) == ([], 1)


def test_what_an_install_replaced_is_retired(world: World, browser: Browser) -> None:
    """The pair before is revoked by the schedule, and the new one lives."""
    browser.connect()
    browser.connect()
    assert world.alive == 2
    with handing_over(world) as handed:
        world.refresh(event("unfinished"))
    assert world.refresh(handed[0])["outcome"] == "finished"
    row = world.connection()
    assert row is not None
    assert world.alive == 1
    assert [name for name in row if "unfinished" in name] == []
    (replaced,) = world.replaced()
    assert (replaced["status"], replaced["revocation"]) == ({"S": "disconnected"}, {"S": "revoked"})


def test_a_pair_that_was_lost_before_an_install_is_told(world: World, browser: Browser, sinks: Sinks) -> None:
    """R3: Zendesk rotated, its answer was lost, and somebody connected anew before anybody asked: it may live on."""
    due(world)
    world.zendesk.misbehave("lost")
    assert world.refresh(event("due"), world.account.cold("refresh"))["outcome"] == "unresolved"
    assert browser.connect().status == 303
    with handing_over(world) as handed:
        world.refresh(event("unfinished"))
    world.clock.advance(CLAIM_LIFE + REPLAY_ROUND)
    assert world.refresh(handed[0], world.account.cold("refresh"))["outcome"] == "finished"
    assert ('"given_up"' in sinks.stdout, '"TokenLeftAlive"' in sinks.stdout) == (True, True)
    row = world.connection()
    assert row is not None
    assert [name for name in row if "unfinished" in name] == []
    assert world.alive == 2


# -- schedules --


def test_keep_alive_hands_over_what_is_due(world: World, browser: Browser) -> None:
    """Each due connection is named to the function itself, which then keeps it alive."""
    for subdomain in ("acme", "globex", "initech"):
        assert browser.connect(f"subdomain={subdomain}").status == 303
    assert world.refresh(event("keep-alive")) == {"asked": 0}
    world.clock.advance(IDLE)
    with handing_over(world, times=3) as handed:
        assert world.refresh(event("keep-alive")) == {"asked": 3}
    assert {asked["subdomain"] for asked in handed} == {"acme", "globex", "initech"}
    assert event("idle") in handed
    assert [world.refresh(asked)["outcome"] for asked in handed] == ["refreshed"] * 3
    assert world.refresh(event("keep-alive")) == {"asked": 0}


@pytest.mark.parametrize("what", ["renamed", "deleted"])
def test_r32_an_account_that_is_gone_does_not_keep_the_alarm_ringing(
    world: World, browser: Browser, sinks: Sinks, what: str
) -> None:
    """A tick every two hours for ten days: it is named less and less, and never a day late; the other is refreshed."""
    for subdomain in ("acme", "globex"):
        assert browser.connect(f"subdomain={subdomain}").status == 303
    world.clock.advance(IDLE)
    if what == "renamed":
        world.zendesk.rename_subdomain("acme", "acme-renamed")
    else:
        world.zendesk.delete_account("acme")
    ends = []
    for _ in range(10 * 12):
        with handing_over(world, times=2) as handed:
            world.refresh(event("keep-alive"))
        world.wire.fail(INVOKE)
        ends += [(asked["subdomain"], world.refresh(asked)["outcome"]) for asked in handed]
        world.clock.advance(timedelta(hours=2))
    assert ends.count(("globex", "refreshed")) == 1
    assert set(ends) == {("globex", "refreshed"), ("acme", "unresolved")}
    assert 10 < len(ends) < 30
    overdue = [json.loads(line).get("overdue_s") for line in sinks.stdout.splitlines() if "overdue_s" in line]
    assert len(overdue) == 10 * 12
    assert max(overdue[1:]) < 3 * 3600


def test_a_tick_that_cannot_hand_over_fails_loudly(world: World, sinks: Sinks) -> None:
    """Lambda throttles: the function fails for the alarm to see, and the next tick begins anew."""
    connect(world)
    world.clock.advance(IDLE)
    world.wire.fail(INVOKE, refused("TooManyRequestsException", 429))
    with pytest.raises(RefreshPendingError):
        world.refresh(event("keep-alive"))
    assert '"HandOverFailed"' in sinks.stdout


# -- the rescue queue --


def test_a_rescued_renewal_is_replayed(world: World) -> None:
    """R6: the store falls silent after the POST; the queue's message restores the pair, also when it comes twice."""
    due(world)
    assert world.refresh(event("due"), without_store(world))["outcome"] == "rescued"
    assert version(world) == FIRST
    messages = rescued_messages(world)
    for _ in range(2):
        assert world.refresh(messages) == {"batchItemFailures": []}
        assert version(world) == SECOND
    world.clock.advance(NEARLY_OVER)
    assert world.refresh(event("due")) == answer("refreshed", (1, 3))


def test_a_pair_of_before_cannot_be_laid_over_the_living_one(world: World, sinks: Sinks) -> None:
    """Whoever kept a message, or saw its pair in the row, sends it again on other terms: nothing is written."""
    due(world)
    world.refresh(event("due"), without_store(world))
    messages = rescued_messages(world)
    world.refresh(messages)
    world.clock.advance(NEARLY_OVER)
    world.refresh(event("due"))
    before = world.connection()
    (record,) = messages["Records"]
    forged = json.loads(record["body"]) | {"replaces": {"epoch": 1, "generation": 3}}
    answered = world.refresh({"Records": [record | {"body": json.dumps(forged)}]})
    assert answered == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert '"seal_broken"' in sinks.stdout
    assert (world.connection(), world.alive) == (before, 1)


@pytest.mark.parametrize("over", [False, True], ids=["the old token is dead", "the old token is over"])
def test_r45_no_request_before_the_replay_posts_again(world: World, *, over: bool) -> None:
    """Reuse ends the family: rotated, table down, rescued; who asks before the replay waits, and it restores all."""
    due(world)
    world.zendesk.switches.reuse_ends_family = True
    if over:
        world.clock.advance(timedelta(minutes=10))
    world.zendesk.seen.clear()
    assert world.refresh(event("due"), without_store(world))["outcome"] == "rescued"
    world.clock.advance(timedelta(seconds=80))
    waiting = world.refresh(event("due"))
    assert waiting["outcome"] == "unresolved"
    assert 0 < waiting["retry_at"] - world.clock.now().timestamp() < 30
    assert world.refresh(rescued_messages(world)) == {"batchItemFailures": []}
    assert (world.posts, version(world), world.alive) == (1, SECOND, 1)
    assert world.refresh(event("due")) == answer("current", SECOND)
    world.clock.advance(NEARLY_OVER)
    assert world.refresh(event("due")) == answer("refreshed", (1, 3))


@pytest.mark.parametrize("judged", [True, False])
def test_r45_a_replay_that_comes_too_late_gives_no_worker_a_dead_pair(
    world: World, sinks: Sinks, *, judged: bool
) -> None:
    """The round passed without a replay, the old token was posted again, and the family is dead: so it is said."""
    due(world)
    world.zendesk.switches.reuse_ends_family = True
    world.refresh(event("due"), without_store(world))
    world.clock.advance(timedelta(minutes=30))
    if judged:
        assert world.refresh(event("due"))["outcome"] == "reconnect_required"
    else:
        world.zendesk.revoke_all("acme")
    assert world.refresh(rescued_messages(world)) == {"batchItemFailures": []}
    row = world.connection()
    assert row is not None
    assert (row["status"]["S"], version(world), world.alive) == ("reconnect_required", FIRST, 0)
    assert '"outcome":"refused"' in sinks.stdout
    assert sinks.stdout.count('"ReconnectRequired":[1.0]') == 1


def test_one_poisoned_message_fails_alone(world: World, sinks: Sinks) -> None:
    """R10: the damaged one goes back, and of what it holds the log says nothing."""
    due(world)
    world.refresh(event("due"), without_store(world))
    damaged = event("rescued")["Records"][1]
    damaged["body"] = '{"format": 1, "grant": "what-it-holds"}'
    batch = {"Records": [damaged, *rescued_messages(world)["Records"]]}
    assert world.refresh(batch) == {"batchItemFailures": [{"itemIdentifier": damaged["messageId"]}]}
    assert version(world) == SECOND
    assert "what-it-holds" not in sinks.said


def test_a_forged_message_changes_nothing(world: World) -> None:
    """Whoever may invoke the function can send what looks like a rescued pair; its seals do not open."""
    connect(world)
    before = world.connection()
    failed = world.refresh(event("rescued"))["batchItemFailures"]
    assert len(failed) == len(event("rescued")["Records"])
    assert world.connection() == before


def test_a_replay_without_a_store_fails_and_comes_again(world: World) -> None:
    """The queue keeps what the store cannot take, and is asked to bring it again in 20 seconds, for an hour."""
    due(world)
    world.refresh(event("due"), without_store(world))
    batch = rescued_messages(world)
    for received, shown in (("1", [20]), ("180", [20, 20]), ("181", [20, 20]), ("none", [20, 20])):
        batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = received
        world.wire.fail("dynamodb.UpdateItem", *[unanswered] * 2)
        failed = world.refresh(batch)["batchItemFailures"]
        assert [item["itemIdentifier"] for item in failed] == [
            record["messageId"] for record in batch["Records"]
        ]
        asked = [call for call in world.wire.calls if call.operation == "sqs.ChangeMessageVisibility"]
        assert [call.parameters["VisibilityTimeout"] for call in asked] == shown
    assert version(world) == FIRST


# -- what an operator asks --


def test_a_probe_asks_zendesk_and_changes_nothing(world: World, sinks: Sinks) -> None:
    """It lives, with these scopes, and is the admin's; the row stays as it is, and no refresh token is spent."""
    due(world)
    before, posts = world.connection(), world.posts
    payload = world.refresh(event("probe"))
    assert payload.pop("expires_at").endswith("Z")
    assert payload.pop("user_id") > 0
    assert payload == {
        "outcome": "alive",
        "status": "active",
        "epoch": 1,
        "generation": 1,
        "scopes": ["users:read", "tickets:read"],
        "role": "admin",
        "cause": None,
    }
    assert (world.connection(), world.posts, world.alive) == (before, posts, 1)
    assert '"outcome":"alive"' in sinks.stdout


def test_a_probe_of_what_was_given_up_finds_it_dead(world: World) -> None:
    """The row that asks for a person keeps its pair, so that it can be told why."""
    connect(world)
    world.clock.advance(timedelta(hours=1))
    world.zendesk.revoke_all("acme")
    container = world.account.cold("refresh")
    assert world.refresh(event("failed"), container)["outcome"] == "reconnect_required"
    payload = world.refresh(event("probe"))
    assert (payload["outcome"], payload["status"]) == ("dead", "reconnect_required")
    world.clock.advance(timedelta(days=3))
    assert world.refresh(event("probe"))["outcome"] == "over"


def test_a_probe_of_nothing_says_so(world: World) -> None:
    """Never connected, and disconnected: Zendesk is not asked."""
    assert world.refresh(event("probe"))["outcome"] == "not_connected"
    marked(world)
    world.refresh(event("finish"))
    payload = world.refresh(event("probe"))
    assert (payload["outcome"], payload["status"]) == ("not_connected", "disconnected")


def test_an_examination_finds_all_as_it_should_be(world: World) -> None:
    """Without a connection at that account, too; nothing is written anywhere."""
    assert world.refresh(event("examine"), world.account.cold("refresh")) == {
        "secret": "ok",
        "client": "ok",
        "key": "ok",
        "secret_problem": None,
    }
    assert (world.rows("connections"), world.posts) == ([], 1)


def test_an_examination_finds_a_wrong_secret(world: World) -> None:
    """It tries the current one alone, so that the one before it cannot hide the fault."""
    connect(world)
    world.zendesk.misbehave("oauth_error", error="invalid_client", status=401, times=None)
    posts = world.posts
    assert world.refresh(event("examine"), world.account.cold("refresh")) == {
        "secret": "ok",
        "client": "client_rejected",
        "key": "ok",
        "secret_problem": None,
    }
    assert world.posts == posts + 1


def test_an_examination_finds_a_key_that_is_denied(world: World) -> None:
    """And a secret that cannot be read, with which nobody can be asked."""
    world.wire.fail("kms.GenerateDataKey", refused("AccessDeniedException"))
    world.wire.fail("secretsmanager.GetSecretValue", refused("AccessDeniedException"))
    assert world.refresh(event("examine"), world.account.cold("refresh")) == {
        "secret": "configuration",
        "client": None,
        "key": "key_unavailable",
        "secret_problem": "CLIENT_SECRET_ARN cannot be read: AccessDeniedException",
    }


# -- what goes wrong around it --


def test_a_malformed_event_is_refused_before_anything_is_asked(world: World) -> None:
    """The caller gets a clear error, and nothing is called."""
    handler = world.handler("refresh")
    world.wire.clear()
    with pytest.raises(MalformedRequestError, match="other members"):
        world.refresh(event("malformed"), handler)
    assert world.wire.calls == []


def test_a_silent_store_raises(world: World) -> None:
    """Nothing was read, so nothing is said of the connection."""
    connect(world)
    world.wire.fail("dynamodb.GetItem", *[unanswered] * 2)
    with pytest.raises(StoreUnavailableError):
        world.refresh(event("due"))


def test_the_text_of_a_bug_stays_inside(world: World, sinks: Sinks) -> None:
    """The runtime would print it, and the caller would get it: only its kind and its way are told."""

    def fail() -> None:
        raise RuntimeError("secret-in-a-text")

    world.wire.fail("dynamodb.GetItem", at_the_same_time(fail))
    with pytest.raises(ZendeskOAuthError) as caught:
        world.refresh(event("due"))
    assert "RuntimeError" in sinks.stdout
    assert "secret-in-a-text" not in sinks.stdout + str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_the_declared_variables_are_enough(world: World) -> None:
    """Built from exactly the variables that it declares, it answers."""
    environ = {name: text for name, text in world.account.environ().items() if name in VARIABLES["refresh"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", world.account.endpoint)
        handler = build(environ)
    assert handler(event("due"), Context()) == answer("not_connected", None)


def test_the_module_that_lambda_imports_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is built at its import from the process's environment, and has a handler."""
    for name, text in world.account.environ().items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", world.account.endpoint)
    monkeypatch.delitem(sys.modules, "refresh.app", raising=False)
    handler = importlib.import_module("refresh.app").handler
    assert handler(event("due"), Context()) == answer("not_connected", None)


def test_a_wrong_set_up_raises_each_time(world: World) -> None:
    """Every problem is named; the function fails, for the alarm to see."""
    handler = build(world.account.environ() | {"RESCUE_QUEUE_URL": "", "ZENDESK_CLIENT_ID": ""})
    for _ in range(2):
        with pytest.raises(ConfigurationError) as caught:
            handler(event("due"), Context())
        assert [problem.partition(" ")[0] for problem in caught.value.problems] == [
            "RESCUE_QUEUE_URL",
            "ZENDESK_CLIENT_ID",
        ]


# -- sealed anew --


def rekeyed(world: World, outcome: str, container: Any = None) -> None:
    """Have the row sealed anew, and see how that ended."""
    row = {"grant": "default", "subdomain": "acme", "outcome": outcome, "cause": None, "replaced": None}
    assert world.refresh(event("rekey"), container) == {"rows": [row]}


def test_a_row_is_sealed_anew_once_and_opens_to_everybody(world: World, sinks: Sinks) -> None:
    """Fresh wrapped keys under the same version; a warm container refreshes it, and one that was never there too."""
    due(world)
    warm = world.account.cold("refresh")
    world.refresh(event("due"), warm)
    before = world.connection()
    rekeyed(world, "resealed", warm)
    after = world.connection()
    assert before is not None
    assert after is not None
    changed = {name for name in after if after[name] != before.get(name)}
    sealed = {"access_token", "access_token_key", "refresh_token", "refresh_token_key"}
    assert changed == sealed | {"rekeyed"}
    rekeyed(world, "done")
    assert after == world.connection()
    for container in (warm, world.account.cold("refresh")):
        world.clock.advance(NEARLY_OVER)
        assert world.refresh(event("due"), container)["outcome"] == "refreshed"
    rekeyed(world, "done")
    assert '"rows":{"resealed":1}' in sinks.said
    assert "ConnectionsResealed" in sinks.said


def test_a_refresh_at_the_same_time_brings_the_old_keys_back_and_is_noticed(world: World) -> None:
    """It had read the row before, and commits after it: the next visit seals the row once more."""
    due(world)
    world.wire.fail("dynamodb.UpdateItem", at_the_same_time(lambda: rekeyed(world, "resealed")))
    assert world.refresh(event("due"))["outcome"] == "refreshed"
    rekeyed(world, "resealed")
    rekeyed(world, "done")


def test_a_row_that_is_being_refreshed_is_left_for_later(world: World) -> None:
    """Whoever holds the claim is about to commit another pair."""
    due(world)
    world.wire.fail("kms.Decrypt", at_the_same_time(lambda: rekeyed(world, "later")))
    assert world.refresh(event("due"))["outcome"] == "refreshed"
    rekeyed(world, "resealed")


def test_what_an_install_has_replaced_is_sealed_anew_too(world: World) -> None:
    """It waits for its revocation under fresh keys, and is revoked."""
    connect(world)
    connect(world)
    with handing_over(world) as handed:
        world.refresh(event("unfinished"))
    asked = event("rekey")
    asked["rekey"]["rows"] = [handed[0]["finish"]]
    for outcome in ("resealed", "done"):
        (row,) = world.refresh(asked)["rows"]
        assert (row["outcome"], row["replaced"]) == (outcome, handed[0]["finish"]["replaced"])
    assert world.refresh(handed[0])["outcome"] == "finished"
    assert world.alive == 1
    assert world.refresh(asked)["rows"][0]["outcome"] == "nothing"


def test_there_is_nothing_to_seal_of_what_has_ended(world: World) -> None:
    """Neither of a tombstone nor of an account that was never connected."""
    rekeyed(world, "nothing")
    marked(world)
    world.refresh(event("finish"))
    rekeyed(world, "nothing")


def test_a_row_whose_keys_cannot_be_had_is_left_and_told(world: World, sinks: Sinks) -> None:
    """The others of the batch go on; the log says which row, and why."""
    connect(world)
    world.wire.fail("kms.GenerateDataKey", *[refused("ThrottlingException")] * 2)
    answered = world.refresh(event("rekey"))
    assert answered["rows"][0]["outcome"] == "later"
    assert answered["rows"][0]["cause"] == "key_unavailable"
    assert "row not sealed anew" in sinks.said
    rekeyed(world, "resealed")
