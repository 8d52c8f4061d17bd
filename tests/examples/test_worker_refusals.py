"""What the worker does where Zendesk or the deployment refuses: later, or never, and told to the right one."""

import io
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from local.zendesk.standin import StandIn
from tests.examples.messages import connected, created, lines, record
from tests.examples.working import Pairs, handed, hidden, notes, ticket
from tests.loopback import Loopback
from zendesk_oauth.errors import (
    KeyUnavailableError,
    MissingScopeError,
    ReconnectRequiredError,
    RefreshPendingError,
    StoreUnavailableError,
    ZendeskOAuthError,
)

LONGEST = 11 * 3600


def test_a_token_that_died_is_replaced_within_the_call(
    app: ModuleType, zendesk: StandIn, pairs: Pairs, sqs: Loopback
) -> None:
    """A 401 is the library's: it brings a newer token, the call is made again, and the message is done."""
    assert handed(app, record(ticket(), 1)) == []
    zendesk.revoke_all("acme")
    assert handed(app, record(ticket(), 2)) == []
    assert (pairs.failed, len(notes(zendesk)), hidden(sqs)) == ([1], 2, [])


@pytest.mark.parametrize(
    ("kind", "options", "seconds"),
    [
        ("too_many_requests", {"retry_after": 7}, 7),
        ("too_many_requests", {"retry_after": 0}, 5),
        ("too_many_requests", {"retry_after": 999_999}, 3600),
        ("too_many_requests", {}, 60),
        ("server_error", {"status": 503}, 60),
        ("server_error", {"status": 500}, 30),
        ("lost", {"worked": False}, 30),
        ("html", {"worked": False}, 30),
        ("empty_object", {"worked": False}, 30),
    ],
)
def test_what_zendesk_cannot_do_now_comes_back_when_it_may(
    app: ModuleType, zendesk: StandIn, sqs: Loopback, kind: str, options: dict[str, Any], seconds: int
) -> None:
    """Zendesk's own time after a 429, our own after the rest; the batch's other message is not touched by it."""
    zendesk.misbehave(kind, endpoint="tickets", **options)
    assert handed(app, record(ticket()), record(ticket(2), number=2)) == ["message-1"]
    assert hidden(sqs) == [("handle-1", seconds)]
    assert (len(notes(zendesk)), len(notes(zendesk, 2))) == (0, 1)


def test_an_api_that_refuses_living_tokens_is_tried_again(
    app: ModuleType, zendesk: StandIn, sqs: Loopback
) -> None:
    """A 401 to the newer token too goes back into the queue, and in the end to the dead letters."""
    zendesk.misbehave("invalid_token", endpoint="tickets", times=2)
    assert handed(app, record(ticket())) == ["message-1"]
    assert hidden(sqs) == [("handle-1", 30)]


@pytest.mark.parametrize(("receives", "seconds"), [(1, 60), (2, 120), (4, 480), (6, 1920), (40, 1920)])
def test_who_meets_a_limit_again_waits_longer(
    app: ModuleType, zendesk: StandIn, sqs: Loopback, receives: int, seconds: int
) -> None:
    """A backlog of one account would else be counted to its end, minute by minute, before its turn comes."""
    zendesk.misbehave("too_many_requests", endpoint="tickets", retry_after=60)
    assert handed(app, record(ticket(), receives=receives)) == ["message-1"]
    assert hidden(sqs) == [("handle-1", seconds)]


def test_a_wait_is_none_that_sqs_cannot_keep(app: ModuleType, zendesk: StandIn, sqs: Loopback) -> None:
    """SQS hides a message for twelve hours at most, the time of the first try included."""
    zendesk.misbehave("too_many_requests", endpoint="tickets", retry_after=999_999)
    assert handed(app, record(ticket(), receives=8)) == ["message-1"]
    assert hidden(sqs) == [("handle-1", LONGEST)]


def test_the_limit_of_an_account_is_met_by_itself(app: ModuleType, zendesk: StandIn, sqs: Loopback) -> None:
    """Six calls a minute are two notes: the third message waits for the next minute, as Zendesk says, and is done."""
    zendesk.switches.requests_per_minute = 6
    zendesk.clock.advance(60 - zendesk.clock() % 60)
    events = [record(created(event_id=f"event-{number}"), number) for number in (1, 2, 3)]
    assert handed(app, *events) == ["message-3"]
    [(handle, seconds)] = hidden(sqs)
    assert handle == "handle-3"
    zendesk.clock.advance(seconds)
    assert handed(app, events[-1]) == []
    assert len(notes(zendesk)) == 3


@pytest.mark.parametrize(
    ("error", "receives", "seconds"),
    [
        (RefreshPendingError("wait", retry_after=timedelta(seconds=12.3)), 1, 13),
        (RefreshPendingError("wait", retry_after=timedelta(seconds=12.3)), 3, 50),
        (RefreshPendingError("wait"), 1, 30),
        (StoreUnavailableError("no answer"), 3, 120),
        (KeyUnavailableError("throttled"), 40, 960),
    ],
)
def test_a_token_that_is_not_there_yet_is_waited_for_in_the_queue(
    app: ModuleType, pairs: Pairs, sqs: Loopback, error: ZendeskOAuthError, receives: int, seconds: int
) -> None:
    """As long as the refresh says, or longer with each try."""
    pairs.error = error
    assert handed(app, record(ticket(), receives=receives)) == ["message-1"]
    assert hidden(sqs) == [("handle-1", seconds)]


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        {"subdomain": "acme"},
        ticket(subdomain="evil.example/"),
        {**ticket(), "ticket_id": "x/../1"},
        {"detail-type": "ConnectionEstablished", "detail": {"id": "1", "install": "1"}},
        {"detail": None},
        [],
    ],
)
def test_a_message_that_nobody_understands_ends_in_the_dead_letters(
    app: ModuleType, zendesk: StandIn, sqs: Loopback, body: object
) -> None:
    """It comes back at once, eight times, so that somebody can look at it soon, and Zendesk is not called for it."""
    assert handed(app, record(body, receives=3)) == ["message-1"]
    assert hidden(sqs) == [("handle-1", 0)]
    assert zendesk.seen.api_calls == []


def test_r10_of_ten_messages_nine_are_done_and_one_comes_again(
    app: ModuleType, zendesk: StandIn, sqs: Loopback
) -> None:
    """One poisoned message in ten fails alone."""
    good = [record(created(event_id=f"event-{number}"), number) for number in range(9)]
    assert handed(app, *good[:4], record("poison", 9), *good[4:]) == ["message-9"]
    assert len(notes(zendesk)) == 9
    assert hidden(sqs) == [("handle-9", 0)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ReconnectRequiredError(
                "over", reason="grant_rejected", reconnect_url="https://example.com/oauth/start"
            ),
            {"reason": "grant_rejected", "reconnect_url": "https://example.com/oauth/start"},
        ),
        (ReconnectRequiredError("over", reason="disconnected"), {"reason": "disconnected"}),
        (MissingScopeError("lacks", scopes=("tickets:write",)), {"scopes": ["tickets:write"]}),
    ],
)
def test_a_lost_connection_is_told_and_its_message_let_go(
    app: ModuleType,
    pairs: Pairs,
    sqs: Loopback,
    log: io.StringIO,
    error: ZendeskOAuthError,
    said: dict[str, object],
) -> None:
    """One line says who, why and where to connect again, and nothing is retried for ever."""
    pairs.error = error
    assert handed(app, record(connected())) == []
    assert hidden(sqs) == []
    [line] = lines(log.getvalue())
    wanted = {"message": "needs a person", "subdomain": "acme", "error": error.code, **said}
    assert {name: line[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [("forbidden", {}, "missing_scope"), ("answer", {"status": 403, "body": "{}"}, 403)],
)
def test_a_403_is_told_and_never_repeated(
    app: ModuleType,
    zendesk: StandIn,
    sqs: Loopback,
    log: io.StringIO,
    kind: str,
    options: dict[str, Any],
    error: object,
) -> None:
    """Neither a refresh nor a repetition gives a right that is not there."""
    zendesk.misbehave(kind, endpoint="tickets", **options)
    assert handed(app, record(ticket())) == []
    [line] = lines(log.getvalue())
    assert (line["message"], line["error"], line["subdomain"]) == ("needs a person", error, "acme")
    assert hidden(sqs) == []


def test_a_ticket_that_is_gone_or_closed_needs_nothing(
    app: ModuleType, zendesk: StandIn, sqs: Loopback, log: io.StringIO
) -> None:
    """A 404 and a 422 end the message, in silence but for a line; and so does an account that is gone."""
    zendesk.accounts.get("acme").tickets[2]["status"] = "closed"
    assert handed(app, record(ticket(99)), record(ticket(2), number=2)) == []
    zendesk.delete_account("acme")
    assert handed(app, record(ticket(), number=3)) == []
    assert [(line["message"], line["error"]) for line in lines(log.getvalue())] == [
        ("nothing left to do", 404),
        ("nothing left to do", 422),
        ("nothing left to do", 404),
    ]
    assert hidden(sqs) == []


def test_no_line_has_a_token(
    app: ModuleType, zendesk: StandIn, pairs: Pairs, log: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither where all goes well nor with the whole traceback of what went wrong."""
    for kind in ("invalid_token", "lost", "server_error", "too_many_requests", "forbidden"):
        zendesk.misbehave(kind, endpoint="tickets", times=2)
        handed(app, *(record(ticket(), number) for number in range(3)))
    printed = capfd.readouterr()
    said = log.getvalue() + printed.out + printed.err
    assert "Traceback" in said
    assert [token for token in pairs.texts() if token in said] == []
