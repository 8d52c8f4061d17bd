"""The worker's handler against the stand-in for Zendesk: once for each event, whatever brings it, and however often."""

import io
import json
import time
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from local.zendesk.accounts import OPENED_AT
from local.zendesk.standin import StandIn
from tests.examples.messages import CONTEXT, INSTALL, connected, created, lines, record
from tests.examples.working import Pairs, handed, hidden, notes, ticket
from tests.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_dynamodb import DynamoDBClient

MARKETPLACE = (
    '{"X-Zendesk-Marketplace-Name": "Example", "X-Zendesk-Marketplace-Organization-Id": "7", '
    '"X-Zendesk-Marketplace-App-Id": "42"}'
)
FORTNIGHT = 14 * 86_400


class Died(BaseException):
    """The function was killed."""


def remembered(dynamodb: "DynamoDBClient", table: str) -> list[dict[str, Any]]:
    """Return what the worker's table holds."""
    plain = TypeDeserializer()
    items = dynamodb.scan(TableName=table)["Items"]
    return [{name: plain.deserialize(value) for name, value in item.items()} for item in items]


def test_a_new_ticket_becomes_an_internal_note(app: ModuleType, zendesk: StandIn, sqs: Loopback) -> None:
    """The note names the ticket's subject and the event, the public sees nothing, and nothing goes back."""
    assert handed(app, record(created())) == []
    assert notes(zendesk) == ["Our worker has seen “Where is my parcel?”. [acme/01H4D9V2]"]
    assert len(zendesk.accounts.get("acme").comments[1]) == 2
    assert hidden(sqs) == []


def test_two_fields_are_message_enough(app: ModuleType, zendesk: StandIn) -> None:
    """Whoever sends no event has the message's own id for it."""
    assert handed(app, record(ticket())) == []
    assert notes(zendesk) == ["Our worker has seen “Where is my parcel?”. [acme/message-1]"]


def test_who_has_connected_is_greeted_on_the_newest_ticket(app: ModuleType, zendesk: StandIn) -> None:
    """That is the newest there was when the account was connected, not a later one."""
    zendesk.add_ticket("acme", "Later", "It came after all.")
    zendesk.accounts.get("acme").tickets[3]["created_at"] = "2026-11-26T15:00:01Z"
    event = connected()
    assert handed(app, record(event)) == []
    assert notes(zendesk, 2) == [
        "Our worker is connected to this account. [acme/7b0c6f0d1f7c2f6f0c9b8f3f6f1b2a3c]"
    ]
    assert (notes(zendesk), notes(zendesk, 3)) == ([], [])


def test_a_greeting_that_comes_again_meets_the_same_ticket(app: ModuleType, zendesk: StandIn) -> None:
    """Its answer was lost, and a ticket is new since: the same ticket is looked at, and has its note."""
    zendesk.misbehave("late_answer", endpoint="tickets", times=2, seconds=0.0)
    zendesk.misbehave("lost", endpoint="tickets")
    assert handed(app, record(connected())) == ["message-1"]
    zendesk.add_ticket("acme", "Later", "It came after all.")
    zendesk.accounts.get("acme").tickets[3]["created_at"] = "2026-11-26T15:00:01Z"
    assert handed(app, record(connected(), receives=2)) == []
    assert [len(notes(zendesk, number)) for number in (1, 2, 3)] == [0, 1, 0]


def test_an_account_without_tickets_is_not_greeted(app: ModuleType, zendesk: StandIn, sqs: Loopback) -> None:
    """Where there is no ticket yet, or none of that time, there is nothing to do, and nothing goes back."""
    zendesk.accounts.get("acme").tickets.clear()
    assert handed(app, record(connected())) == []
    assert handed(app, record(connected("globex", occurred_at="2025-01-01T00:00:00Z"))) == []
    assert hidden(sqs) == []
    assert OPENED_AT > "2025-01-01T00:00:00Z"
    assert [call.status for call in zendesk.seen.api_calls] == [200, 200]


@pytest.mark.parametrize("body", [created(), connected(), ticket()])
def test_r8_a_message_that_comes_twice_makes_one_note(
    app: ModuleType, zendesk: StandIn, body: dict[str, object]
) -> None:
    """The second time costs one look into the worker's table, and Zendesk is not asked."""
    assert handed(app, record(body)) == []
    calls = len(zendesk.seen.api_calls)
    assert handed(app, record(body), record(body)) == []
    assert len(notes(zendesk) + notes(zendesk, 2)) == 1
    assert len(zendesk.seen.api_calls) == calls


def test_an_event_in_two_messages_makes_one_note(app: ModuleType, zendesk: StandIn) -> None:
    """A rule that delivers twice makes two messages of one event; another event of the ticket is another note."""
    assert handed(app, record(created(), 1), record(created(), 2)) == []
    assert len(notes(zendesk)) == 1
    assert handed(app, record(created(event_id="01H4D9V3"), 3)) == []
    assert len(notes(zendesk)) == 2


def test_no_accounts_ids_stand_in_anothers_way(app: ModuleType, zendesk: StandIn) -> None:
    """An id that an account has made up is done for that account, and for no other."""
    assert handed(app, record(created(subdomain="globex"), 1), record(created(), 2)) == []
    assert (len(notes(zendesk, 1, "globex")), len(notes(zendesk))) == (1, 1)


def test_what_is_remembered_is_a_hash_and_how_long(
    app: ModuleType, zendesk: StandIn, pairs: Pairs, dynamodb: "DynamoDBClient", done_table: str
) -> None:
    """No token, no ticket's text, no person, not even the account: a key that tells nothing, a state, two times."""
    assert handed(app, record(created(), 1), record(connected(), 2)) == []
    rows = remembered(dynamodb, done_table)
    assert [(row["status"], row["data"]) for row in rows] == [("COMPLETED", "null")] * 2
    names = {"id", "status", "data", "expiration", "in_progress_expiration"}
    assert all(row.keys() == names for row in rows)
    account = zendesk.accounts.get("acme")
    people = [text for person in account.people.values() for text in (person.name, person.email)]
    texts = [str(one[name]) for one in account.tickets.values() for name in ("subject", "description")]
    private = [*pairs.texts(), *people, *texts, "acme", "01H4D9V2", INSTALL]
    assert [text for text in private if text in repr(rows)] == []
    assert all(abs(int(row["expiration"]) - time.time() - FORTNIGHT) < 60 for row in rows)


def test_what_failed_is_not_remembered(
    app: ModuleType, zendesk: StandIn, dynamodb: "DynamoDBClient", done_table: str
) -> None:
    """A message that goes back is no done one, nor is one that a person has to see to: both can be sent again."""
    zendesk.misbehave("server_error", endpoint="tickets", status=500)
    assert handed(app, record(created())) == ["message-1"]
    zendesk.misbehave("forbidden", endpoint="tickets")
    assert handed(app, record(created())) == []
    assert remembered(dynamodb, done_table) == []
    assert handed(app, record(created())) == []
    assert len(notes(zendesk)) == 1


def test_a_note_whose_answer_was_lost_is_not_made_again(
    app: ModuleType, zendesk: StandIn, sqs: Loopback
) -> None:
    """Zendesk worked and its answer never came: the message comes back, finds its note, and is done."""
    zendesk.misbehave("late_answer", endpoint="tickets", times=2, seconds=0.0)
    zendesk.misbehave("lost", endpoint="tickets")
    assert handed(app, record(created())) == ["message-1"]
    assert hidden(sqs) == [("handle-1", 30)]
    assert handed(app, record(created(), receives=2)) == []
    assert len(notes(zendesk)) == 1


def test_a_worker_that_dies_between_note_and_record_leaves_one_note(
    app: ModuleType,
    zendesk: StandIn,
    dynamodb: "DynamoDBClient",
    done_table: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its record stays unfinished until its function's time is over; then the next finds the note and finishes it."""

    def die(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(app.done, "save_success", die)
        with pytest.raises(Died):
            handed(app, record(created()))
    assert (len(notes(zendesk)), remembered(dynamodb, done_table)[0]["status"]) == (1, "INPROGRESS")
    assert handed(app, record(created(), receives=2)) == ["message-1"]  # somebody may still be at it
    key = {"id": {"S": remembered(dynamodb, done_table)[0]["id"]}}
    dynamodb.update_item(
        TableName=done_table,
        Key=key,
        UpdateExpression="SET in_progress_expiration = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )
    assert handed(app, record(created(), receives=3)) == []
    assert (len(notes(zendesk)), remembered(dynamodb, done_table)[0]["status"]) == (1, "COMPLETED")


def test_of_two_at_once_one_waits(
    app: ModuleType, other: ModuleType, zendesk: StandIn, sqs: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one container is about to write, another gets the same event: it puts it back, and finds it done later."""
    ask: Callable[..., object] = app.ask

    def overtaken(session: object, method: str, url: str, **options: object) -> object:
        if method == "PUT":
            assert handed(other, record(created(), 2)) == ["message-2"]
        return ask(session, method, url, **options)

    monkeypatch.setattr(app, "ask", overtaken)
    assert handed(app, record(created(), 1)) == []
    assert hidden(sqs) == [("handle-2", 30)]
    assert handed(app, record(created(), 2, receives=2)) == []
    assert len(notes(zendesk)) == 1


def test_a_ticket_that_has_changed_meanwhile_is_looked_at_again(
    app: ModuleType, zendesk: StandIn, sqs: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the comments and the note somebody changes the ticket: a 409, and a note the next time."""
    ask: Callable[..., object] = app.ask

    def overtaken(session: object, method: str, url: str, **options: object) -> object:
        if method == "PUT":
            monkeypatch.setattr(app, "ask", ask)
            zendesk.accounts.get("acme").tickets[1]["updated_at"] = "2026-11-26T15:00:01Z"
        return ask(session, method, url, **options)

    monkeypatch.setattr(app, "ask", overtaken)
    assert handed(app, record(created())) == ["message-1"]
    assert (notes(zendesk), hidden(sqs)) == ([], [("handle-1", 30)])
    assert handed(app, record(created(), receives=2)) == []
    assert len(notes(zendesk)) == 1


@pytest.mark.parametrize(
    ("body", "leads_to"),
    [(connected(), INSTALL), (created(), "01H4D9V2"), (ticket(), "message-1"), ("no json", "message-1")],
)
def test_every_line_leads_back_to_where_it_came_from(
    app: ModuleType, zendesk: StandIn, log: io.StringIO, body: object, leads_to: str
) -> None:
    """To the install, which is the browser's first request; or to Zendesk's event; or to the message."""
    zendesk.misbehave("server_error", endpoint="tickets", status=500, times=2)
    assert handed(app, record(created(event_id="another"), 2), record(body)) == ["message-2", "message-1"]
    before, said = lines(log.getvalue())
    assert (before["correlation_id"], before["message_id"]) == ("another", "message-2")
    assert (said["correlation_id"], said["message_id"]) == (leads_to, "message-1")
    assert (said["message"], said.get("subdomain")) == (
        "will be tried again",
        None if body == "no json" else "acme",
    )


@pytest.mark.parametrize("headers", ["{}", MARKETPLACE])
def test_an_app_of_the_marketplace_says_who_it_is(
    app: ModuleType, zendesk: StandIn, monkeypatch: pytest.MonkeyPatch, headers: str
) -> None:
    """On every call, where the stack was told so; without that on none."""
    monkeypatch.setenv("MARKETPLACE_HEADERS", headers)
    assert handed(app, record(created())) == []
    assert [call.marketplace for call in zendesk.seen.api_calls] == [json.loads(headers)] * 3


def test_the_record_outlives_the_function_and_no_longer(app: ModuleType) -> None:
    """What is unfinished is anybody's again when the function that began it must be over."""
    for context in (CONTEXT, SimpleNamespace(**vars(CONTEXT))):
        app.handler({"Records": [record("poison")]}, context)
        assert app.memory.lambda_context is context
