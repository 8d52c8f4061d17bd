"""What `refresh` is asked: read strictly, and answered without a token."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.handlers.payloads import load_event
from tests.unit.services.test_refreshing import ACME, World
from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.models.refresh import (
    Asked,
    RefreshAnswer,
    RefreshOutcome,
    RefreshQuestion,
    Version,
)
from zendesk_oauth.models.rekey import RekeyAnswer, RekeyOutcome
from zendesk_oauth.services.finish_connection import FinishAnswer
from zendesk_oauth.web.refresh_events import (
    Finish,
    Inquiry,
    RefreshEvent,
    Rescued,
    RescueMessage,
    Schedule,
    finish_payload,
    parse_refresh_event,
    refresh_payload,
)
from zendesk_oauth.web.rekey_events import Rekey, rekey_payload

DUE = {"grant": "default", "subdomain": "acme", "asked": "due"}
SEEN = {"epoch": 1, "generation": 7}
FAILED = DUE | {"asked": "failed", "seen": SEEN}
ROW = {"grant": "default", "subdomain": "acme"}
REKEY = {"campaign": "2027-01", "rows": [ROW]}
RECORD = {"eventSource": "aws:sqs", "messageId": "m-1", "body": "{}"}


@pytest.mark.parametrize(
    ("event", "question"),
    [
        ("due", RefreshQuestion("default", ACME)),
        ("failed", RefreshQuestion("default", ACME, Asked.FAILED, Version(1, 1))),
        ("idle", RefreshQuestion("default", ACME, Asked.IDLE)),
        ("finish", Finish("default", ACME)),
        ("keep-alive", Schedule.KEEP_ALIVE),
        ("unfinished", Schedule.UNFINISHED),
        ("rekey", Rekey("2027-01", (("default", ACME, None),))),
        ("probe", Inquiry("default", ACME)),
        ("examine", Inquiry(None, ACME)),
    ],
)
def test_an_event_becomes_a_question(event: str, question: RefreshEvent) -> None:
    """Each form of an event is read as what it asks."""
    read = parse_refresh_event(load_event(f"refresh/{event}"))
    assert (type(read), read) == (type(question), question)


def test_an_absent_version_and_null_say_the_same() -> None:
    """A caller that has seen nothing says so either way."""
    assert parse_refresh_event(DUE | {"seen": None}) == parse_refresh_event(DUE)


def test_a_batch_of_the_queue_is_read_by_message() -> None:
    """The bodies are left unread: a damaged one is to fail alone."""
    event = load_event("refresh/rescued")
    rescued = parse_refresh_event(event)
    assert isinstance(rescued, Rescued)
    assert [message.message_id[-1] for message in rescued.messages] == ["1", "2"]
    assert [message.unverified_body for message in rescued.messages] == [
        record["body"] for record in event["Records"]
    ]


@pytest.mark.parametrize(
    ("attributes", "receives"),
    [
        ({"ApproximateReceiveCount": "3"}, 3),
        ({"ApproximateReceiveCount": "٣"}, 2**63),
        ({"ApproximateReceiveCount": "9" * 5000}, 2**63),
        ({"ApproximateReceiveCount": 3}, 2**63),
        ({}, 2**63),
        (None, 2**63),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_read_of_a_message_beside_its_body(attributes: object, receives: int) -> None:
    """A count that cannot be read is a high one, and a receipt that is no text is none: nothing is hurried then."""
    record = RECORD | {"attributes": attributes, "receiptHandle": "r" if receives == 3 else 7}
    rescued = parse_refresh_event({"Records": [record]})
    assert isinstance(rescued, Rescued)
    (message,) = rescued.messages
    assert (message.receives, message.receipt) == (receives, "r" if receives == 3 else "")


def test_a_message_does_not_show_its_body() -> None:
    """Neither printed nor logged: what a damaged one holds, nobody knows."""
    assert repr(Rescued((RescueMessage("m-1", "whatever"),))) == "Rescued(messages=(RescueMessage('m-1'),))"


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what takes a member away."""
    return lambda event: {key: value for key, value in event.items() if key != name}


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (None, "event"),
        ([], "event"),
        ("due", "event"),
        ({}, "event"),
        (DUE | {"force": True}, "event"),
        (without("grant")(DUE), "event"),
        (without("asked")(DUE), "event"),
        (DUE | {"grant": "Default"}, "grant"),
        (DUE | {"grant": "default#acme"}, "grant"),
        (DUE | {"grant": ""}, "grant"),
        (DUE | {"grant": None}, "grant"),
        (DUE | {"subdomain": "acme.zendesk.com"}, "subdomain"),
        (DUE | {"subdomain": "ACME"}, "subdomain"),
        (DUE | {"subdomain": "acme\n"}, "subdomain"),
        (DUE | {"subdomain": "①②③"}, "subdomain"),
        (DUE | {"subdomain": 7}, "subdomain"),
        (DUE | {"asked": "now"}, "asked"),
        (DUE | {"asked": ["due"]}, "asked"),
        (DUE | {"asked": "failed"}, "seen"),
        (DUE | {"seen": 7}, "seen"),
        (DUE | {"seen": {"epoch": 1}}, "seen"),
        (DUE | {"seen": SEEN | {"commit_id": "x"}}, "seen"),
        (DUE | {"seen": SEEN | {"epoch": True}}, "epoch"),
        (DUE | {"seen": SEEN | {"epoch": -1}}, "epoch"),
        (DUE | {"seen": SEEN | {"generation": 7.0}}, "generation"),
        (DUE | {"seen": SEEN | {"generation": 2**63}}, "generation"),
        ({"schedule": "hourly"}, "schedule"),
        ({"schedule": None}, "schedule"),
        ({"schedule": "keep-alive", "grant": "default"}, "event"),
        ({"disconnect": {"grant": "default", "subdomain": "acme"}}, "event"),
        ({"finish": "acme"}, "finish"),
        ({"finish": DUE}, "finish"),
        ({"finish": {"grant": "default"}}, "finish"),
        ({"finish": {"grant": "default", "subdomain": "-"}}, "subdomain"),
        ({"finish": {"grant": "default", "subdomain": "acme", "replaced": "a#b"}}, "replaced"),
        ({"finish": {"grant": "default", "subdomain": "acme", "replaced": 7}}, "replaced"),
        ({"finish": {"grant": "default", "subdomain": "acme", "replaced": "x" * 65}}, "replaced"),
        ({"finish": {"grant": "default", "subdomain": "acme", "replaced": "x", "force": True}}, "finish"),
        ({"schedule": "unfinished", "finish": {}}, "event"),
        ({"rekey": REKEY, "grant": "default"}, "event"),
        ({"rekey": [ROW]}, "rekey"),
        ({"rekey": {"rows": [ROW]}}, "rekey"),
        ({"rekey": REKEY | {"force": True}}, "rekey"),
        ({"rekey": REKEY | {"campaign": 2027}}, "campaign"),
        ({"rekey": REKEY | {"campaign": ""}}, "campaign"),
        ({"rekey": REKEY | {"campaign": "2027/01"}}, "campaign"),
        ({"rekey": REKEY | {"campaign": "x" * 65}}, "campaign"),
        ({"rekey": REKEY | {"rows": {}}}, "rows"),
        ({"rekey": REKEY | {"rows": []}}, "rows"),
        ({"rekey": REKEY | {"rows": [ROW] * 26}}, "rows"),
        ({"rekey": REKEY | {"rows": [ROW | {"subdomain": "ACME"}]}}, "subdomain"),
        ({"rekey": REKEY | {"rows": ["default#acme"]}}, "row"),
        ({"probe": "acme"}, "probe"),
        ({"probe": {"subdomain": "acme"}}, "probe"),
        ({"probe": {"grant": "default", "subdomain": "Acme"}}, "subdomain"),
        ({"probe": {"grant": None, "subdomain": "acme"}}, "grant"),
        ({"probe": {"grant": "default", "subdomain": "acme"}, "asked": "due"}, "event"),
        ({"examine": "acme"}, "examine"),
        ({"examine": {}}, "examine"),
        ({"examine": {"subdomain": "acme.example.com"}}, "subdomain"),
        ({"examine": {"subdomain": "acme", "grant": "default"}}, "examine"),
        ({"examine": {"subdomain": "acme"}, "probe": {}}, "event"),
        ({"Records": {}}, "Records"),
        ({"Records": [7]}, "record"),
        ({"Records": [RECORD | {"eventSource": "aws:sns"}]}, "record"),
        ({"Records": [RECORD | {"messageId": None}]}, "messageId"),
        ({"Records": [RECORD | {"body": b""}]}, "body"),
    ],
    ids=str,
)
def test_anything_else_is_refused_by_name(event: object, named: str) -> None:
    """The error says which part is wrong."""
    with pytest.raises(MalformedRequestError, match=named):
        parse_refresh_event(event)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["grant", "subdomain", "asked", "seen", "finish", "schedule", "Records", "rekey", "probe", "examine"]
)
_WORDS = st.sampled_from(
    ["default", "acme", "due", "failed", "idle", "keep-alive", SEEN, DUE, [RECORD], REKEY]
)


@given(_ANY | st.dictionaries(_NAMES, _WORDS | _ANY, max_size=5))
def test_whatever_comes_is_a_question_or_refused(event: object) -> None:
    """No JSON ends in another error, and a refusal quotes nothing of what came."""
    refusal = ""
    try:
        parse_refresh_event(event)
    except MalformedRequestError as error:
        refusal = str(error)
    assert len(refusal) < 120
    assert refusal.isascii()


def test_an_answer_has_no_token_and_whole_seconds() -> None:
    """The next whole second: who comes back then does not come too early."""
    world = World()
    retry_at = datetime(2026, 1, 2, tzinfo=UTC) + timedelta(milliseconds=1)
    answer = RefreshAnswer(RefreshOutcome.POSTPONED, replace(world.row, version=Version(2, 7)), retry_at)
    payload = refresh_payload(answer)
    assert payload == {
        "outcome": "postponed",
        "retry_at": int(datetime(2026, 1, 2, tzinfo=UTC).timestamp()) + 1,
        "epoch": 2,
        "generation": 7,
    }
    assert json.loads(json.dumps(payload)) == payload


def test_without_a_row_there_is_no_version() -> None:
    """Nothing is made up."""
    payload = refresh_payload(RefreshAnswer(RefreshOutcome.NOT_CONNECTED))
    assert payload == {"outcome": "not_connected", "retry_at": None, "epoch": None, "generation": None}


def test_the_end_of_a_connection_is_told_the_same_way() -> None:
    """Outcome and time."""
    at = datetime(2026, 1, 2, tzinfo=UTC)
    assert finish_payload(FinishAnswer(finished=True)) == {"outcome": "finished", "retry_at": None}
    assert finish_payload(FinishAnswer(finished=False, retry_at=at)) == {
        "outcome": "postponed",
        "retry_at": int(at.timestamp()),
    }


def test_25_rows_are_sealed_anew_at_once_and_answered_in_their_order() -> None:
    """Each with its outcome, and an error's code where one stood in the way."""
    asked = parse_refresh_event({"rekey": REKEY | {"rows": [ROW] * 25}})
    assert isinstance(asked, Rekey)
    assert len(asked.rows) == 25
    answers = [
        RekeyAnswer("default", ACME, RekeyOutcome.DONE),
        RekeyAnswer("reporting", ACME, RekeyOutcome.BROKEN, "seal_broken", "c1"),
    ]
    assert rekey_payload(answers) == {
        "rows": [
            {"grant": "default", "subdomain": "acme", "outcome": "done", "cause": None, "replaced": None},
            {
                "grant": "reporting",
                "subdomain": "acme",
                "outcome": "broken",
                "cause": "seal_broken",
                "replaced": "c1",
            },
        ]
    }
