"""What is answered below /connections, path by path, with the use cases scripted."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.connections.doubles import TOKEN, ScriptedUseCases, access_token, summary
from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON, ScriptedClock
from tests.handlers.flow import KeptJournal
from tests.handlers.payloads import api_event
from zendesk_oauth.errors import (
    ConfigurationError,
    KeyUnavailableError,
    MissingScopeError,
    ReconnectRequiredError,
    RefreshPendingError,
    SealBrokenError,
    StoreUnavailableError,
)
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.connection_summary import (
    ClaimSummary,
    ConnectionPage,
    Cursor,
    DisconnectSummary,
    ListQuestion,
)
from zendesk_oauth.models.token import TokenQuestion
from zendesk_oauth.services.disconnect_connection import DisconnectOutcome
from zendesk_oauth.services.end_connection import Ended
from zendesk_oauth.web.answer_connections import ANSWER_SECONDS, METHODS, AnswerConnections
from zendesk_oauth.web.connections_query import CONNECTION_ROUTE, LIST_ROUTE, TOKEN_ROUTE
from zendesk_oauth.web.edge import Answer, Edge
from zendesk_oauth.web.json_text import json_problem
from zendesk_oauth.web.response import _ALWAYS as ALWAYS

ONE = "/connections/default/acme"
TOKEN_PATH = f"{ONE}/token"
PATHS = {"/connections": LIST_ROUTE, ONE: CONNECTION_ROUTE, TOKEN_PATH: TOKEN_ROUTE}
REFERENCE = "UhYtestqIAMEexample="
VERSION = {"epoch": 3, "generation": 40}
NAMES = {"grant": "default", "subdomain": "acme"}


class Desk:
    """The edge over scripted use cases, and what came of a request."""

    def __init__(self, use_cases: ScriptedUseCases | None = None) -> None:
        self.use_cases = use_cases or ScriptedUseCases()
        self.journal = KeptJournal()
        clock = ScriptedClock()
        answer = AnswerConnections(self.use_cases, {"default", "reporting"}, clock)
        self.edge = Edge(METHODS, answer, json_problem, self.journal, clock)

    def ask(
        self, path: str, query: str = "", method: str = "GET", *, route: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON of an answer; each has every header, errors too."""
        event = api_event(method, path, query)
        self.payload = self._payload(event if route is None else event | {"routeKey": route})
        assert self.payload["headers"].items() >= ALWAYS.items()
        assert self.payload["headers"]["Content-Type"] == "application/json"
        return self.payload["statusCode"], json.loads(self.payload["body"])

    def _payload(self, event: object) -> Any:
        return self.edge(event, None)

    @property
    def answer(self) -> Answer:
        """What the journal was told last."""
        return self.journal.entries[-1][0]


def refused(**script: Any) -> Desk:
    """Return a desk whose token is an error."""
    return Desk(ScriptedUseCases(**script))


# ---- a token


def test_a_token_is_given_with_all_that_its_user_needs() -> None:
    """The names of RFC 6749, its version to compare after a 401, and until when it lives, in both ways."""
    desk = Desk()
    status, fields = desk.ask(TOKEN_PATH)
    assert (status, fields) == (
        200,
        {
            "access_token": TOKEN,
            "token_type": "Bearer",
            "expires_in": 1800,
            "expires_at": "2027-01-04T12:30:00Z",
            "scopes": ["users:read", "tickets:read"],
            "epoch": 3,
            "generation": 40,
        },
    )
    assert desk.payload["headers"]["Cache-Control"] == "no-store"
    assert desk.answer.outcome == "token_given"
    assert desk.answer.subject == NAMES | VERSION


def test_a_token_that_ends_meanwhile_has_no_negative_life() -> None:
    """Whoever counts with `expires_in` is not led astray."""
    desk = Desk(ScriptedUseCases(token=access_token(NOON - timedelta(seconds=5))))
    assert desk.ask(TOKEN_PATH)[1]["expires_in"] == 0


def test_a_token_is_asked_for_as_the_query_says() -> None:
    """Scopes by spaces, seconds and a generation; and the time that the gateway leaves."""
    desk = Desk()
    desk.ask(TOKEN_PATH, "newer_than=40&scopes=tickets:read%20users:read&min_ttl=90")
    question = TokenQuestion(
        "default", ACME, ("tickets:read", "users:read"), timedelta(seconds=90), newer_than=40
    )
    assert desk.use_cases.asked == [(question, 1000.0 + ANSWER_SECONDS)]
    desk.ask("/connections/reporting/acme/token", "scopes=a:read+b:read&newer_than=0")
    assert desk.use_cases.asked[1][0] == TokenQuestion("reporting", ACME, ("a:read", "b:read"), newer_than=0)


def test_a_token_is_shown_by_nothing_but_the_answer() -> None:
    """Neither the question, the token, the answer nor what the journal is told prints it."""
    desk = Desk()
    desk.ask(TOKEN_PATH)
    assert TOKEN in desk.payload["body"]
    for shown in (desk.answer, desk.answer.response, access_token(), desk.use_cases, desk.journal.entries):
        assert TOKEN not in repr(shown)
        assert TOKEN not in str(shown)


def test_a_lost_connection_says_why_since_when_and_where_to_begin_again() -> None:
    """A program can act on it, and a person can read it."""
    url = "https://connect.example.com/oauth/start?subdomain=acme&grant=default"
    error = ReconnectRequiredError("x", reason="answer_lost", since=NOON, reconnect_url=url)
    desk = refused(token=error)
    assert desk.ask(TOKEN_PATH) == (
        409,
        {
            "error": "reconnect_required",
            "message": ReconnectRequiredError.public_message,
            "reason": "answer_lost",
            "since": "2027-01-04T12:00:00Z",
            "reconnect_url": url,
            "reference": REFERENCE,
        },
    )
    assert (desk.answer.error, desk.answer.subject) == (error, NAMES)
    assert "Retry-After" not in desk.payload["headers"]


def test_what_nobody_knows_of_a_lost_connection_is_null() -> None:
    """In confirmed mode there is no address to begin again at."""
    _, fields = refused(token=ReconnectRequiredError("x", reason="not_connected")).ask(TOKEN_PATH)
    assert (fields["since"], fields["reconnect_url"]) == (None, None)


def test_a_missing_scope_is_named() -> None:
    """No refresh helps, so nobody is asked to wait."""
    desk = refused(token=MissingScopeError("x", scopes=("tickets:write",)))
    status, fields = desk.ask(TOKEN_PATH)
    assert (status, fields["error"], fields["scopes"]) == (403, "missing_scope", ["tickets:write"])
    assert "Retry-After" not in desk.payload["headers"]


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [(timedelta(seconds=7.2), "8"), (timedelta(), "1"), (timedelta(seconds=-3), "1"), (None, "5")],
)
def test_a_refresh_that_takes_longer_says_when_to_come_back(wait: timedelta | None, seconds: str) -> None:
    """Whole seconds, rounded up, never none."""
    desk = refused(token=RefreshPendingError("x", retry_after=wait))
    assert desk.ask(TOKEN_PATH)[0] == 503
    assert desk.payload["headers"]["Retry-After"] == seconds


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StoreUnavailableError("x"), 503),
        (KeyUnavailableError("x"), 503),
        (SealBrokenError("x"), 500),
        (ConfigurationError(("x",)), 500),
    ],
)
def test_other_errors_have_their_statuses_and_name_the_connection_in_the_log(
    error: Exception, status: int
) -> None:
    """Support sees in the line which connection it was."""
    desk = refused(token=error)
    assert desk.ask(TOKEN_PATH)[0] == status
    assert (desk.answer.error, desk.answer.subject) == (error, NAMES)


def test_a_bug_is_answered_too() -> None:
    """An exception that nobody raised on purpose is a 500 of ours that quotes nothing."""
    desk = refused(token=KeyError(TOKEN))
    status, fields = desk.ask(TOKEN_PATH)
    assert (status, fields["error"]) == (500, "internal")
    assert TOKEN not in desk.payload["body"]


def test_a_grant_that_is_not_configured_gives_no_token() -> None:
    """A worker's misspelt grant is told apart from a lost connection."""
    desk = Desk()
    status, fields = desk.ask("/connections/exports/acme/token")
    assert (status, fields["error"]) == (400, "unknown_grant")
    assert desk.use_cases.asked == []


# ---- one, and all of them


def test_one_is_shown_whole() -> None:
    """Every field is always there, null where it has no value; parts are objects, instants are texts."""
    claim = ClaimSummary("living", NOON)
    shown = summary(claim=claim, disconnect=DisconnectSummary(NOON, None, None))
    desk = Desk(ScriptedUseCases(shown=shown))
    status, fields = desk.ask(ONE)
    assert status == 200
    assert fields.keys() == set(shown._fields)
    assert fields["claim"] == {"state": "living", "until": "2027-01-04T12:00:00Z"}
    assert fields["disconnect"] == {"since": "2027-01-04T12:00:00Z", "ended_at": None, "revocation": None}
    assert (fields["status"], fields["retry_at"]) == ("active", None)
    assert (desk.answer.outcome, desk.answer.subject) == ("connection_shown", NAMES)


def test_one_that_never_was_is_not_found() -> None:
    """The code tells it from a wrong address."""
    desk = Desk()
    status, fields = desk.ask(ONE)
    assert (status, fields["error"]) == (404, "not_connected")
    assert (desk.answer.outcome, desk.answer.subject) == ("not_connected", NAMES)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_grant_that_is_no_longer_configured_can_be_looked_after(method: str) -> None:
    """Its connections still have to be ended by somebody."""
    ended = Ended(DisconnectOutcome.UNDER_WAY, summary(grant="exports"))
    desk = Desk(ScriptedUseCases(shown=summary(grant="exports"), ended=ended))
    assert desk.ask("/connections/exports/acme", method=method)[0] in {200, 202}
    assert desk.ask("/connections", "grant=exports")[0] == 200


def test_a_page_has_its_connections_and_a_cursor() -> None:
    """The cursor goes back as it came."""
    page = ConnectionPage((summary(), summary(subdomain="globex")), Cursor("default", ACME))
    desk = Desk(ScriptedUseCases(page=page))
    status, fields = desk.ask("/connections")
    assert status == 200
    assert [connection["subdomain"] for connection in fields["connections"]] == ["acme", "globex"]
    assert desk.ask("/connections", f"cursor={fields['cursor']}&limit=100&grant=default")[0] == 200
    assert desk.use_cases.asked == [
        ListQuestion(50),
        ListQuestion(100, "default", Cursor("default", ACME)),
    ]


def test_the_last_page_has_no_cursor() -> None:
    """Null says that there is no more."""
    assert Desk().ask("/connections") == (200, {"connections": [], "cursor": None})


# ---- the end of one


@pytest.mark.parametrize(
    ("ended", "status", "named"),
    [
        (Ended(DisconnectOutcome.UNDER_WAY, summary()), 202, "disconnecting"),
        (Ended(DisconnectOutcome.DISCONNECTED, summary(), repeated=True), 200, "disconnected"),
    ],
)
def test_an_end_says_how_far_it_has_come(ended: Ended, status: int, named: str) -> None:
    """202 while it is under way, 200 when it is over."""
    desk = Desk(ScriptedUseCases(ended=ended))
    assert desk.ask(ONE, method="DELETE") == (status, NAMES | {"status": named})
    assert (desk.answer.outcome, desk.answer.repeated) == (named, ended.repeated)
    assert desk.use_cases.asked == [("end", "default", "acme")]


def test_an_end_that_nobody_heard_of_is_accepted_and_logged() -> None:
    """The schedule carries it through, so the caller need not do anything."""
    error = RefreshPendingError("throttled")
    desk = Desk(ScriptedUseCases(ended=Ended(DisconnectOutcome.UNDER_WAY, summary(), error)))
    assert desk.ask(ONE, method="DELETE")[0] == 202
    assert desk.answer.error is error


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [(DisconnectOutcome.NOT_CONNECTED, 404, "not_connected"), (DisconnectOutcome.REPLACED, 409, "replaced")],
)
def test_what_cannot_be_ended_says_why(outcome: DisconnectOutcome, status: int, code: str) -> None:
    """One that never was, and one that a new install has replaced in between."""
    answered, fields = Desk(ScriptedUseCases(ended=Ended(outcome))).ask(ONE, method="DELETE")
    assert (answered, fields["error"]) == (status, code)


def test_every_end_has_an_answer() -> None:
    """No outcome of a disconnect is forgotten here."""
    for outcome in DisconnectOutcome:
        ended = Ended(outcome, summary(status=ConnectionStatus.ACTIVE))
        assert Desk(ScriptedUseCases(ended=ended)).ask(ONE, method="DELETE")[0] < 500


# ---- what is refused


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "OPTIONS", "get", "delete", ""])
@pytest.mark.parametrize("path", ["/connections", ONE, TOKEN_PATH])
def test_other_methods_are_refused(path: str, method: str) -> None:
    """Nothing is asked, and the answer names what may be."""
    desk = Desk()
    assert desk.ask(path, method=method)[0] == 405
    assert desk.payload["headers"]["Allow"] == "DELETE, GET"
    assert desk.use_cases.asked == []


@pytest.mark.parametrize("path", ["/connections", TOKEN_PATH])
def test_only_a_connection_can_be_deleted(path: str) -> None:
    """Neither all of them nor a token; the answer names what this very path takes."""
    desk = Desk()
    assert desk.ask(path, method="DELETE")[0] == 405
    assert desk.payload["headers"]["Allow"] == "GET"
    assert desk.use_cases.asked == []


@pytest.mark.parametrize(
    "path",
    [
        *("/", "", "/connection", "/connections/", "/connections//", "/connections/default"),
        *("/connections/default/", f"{ONE}/", f"{TOKEN_PATH}/", f"{TOKEN_PATH}/token", f"{ONE}/tokens"),
        *(
            "/connections//acme",
            "/connections/default//token",
            "/connections/reporting/../default/acme/token",
        ),
        *(f"{TOKEN_PATH}\n", "//connections/default/acme", "/x/connections/default/acme"),
    ],
)
def test_there_is_nothing_elsewhere(path: str) -> None:
    """Paths that are nearly one are none."""
    desk = Desk()
    assert desk.ask(path)[0] in {400, 404}
    assert desk.use_cases.asked == []


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("verb", ["ANY ", "GET ", "DELETE ", "POST ", "any ", ""])
@pytest.mark.parametrize("route", [*PATHS.values(), "", "$default", "/installs"])
def test_what_was_not_authorised_is_not_done(route: str, verb: str, path: str, method: str) -> None:
    """A path of another route than the gateway's, as an encoded slash makes it, is no address of anything."""
    desk = Desk()
    status, _ = desk.ask(path, method=method, route=f"{verb}{route}")
    if route == PATHS[path] and verb in {"ANY ", f"{method} "}:
        assert status != 404 or desk.use_cases.asked
    else:
        assert (status, desk.use_cases.asked) == (404, [])


def test_an_account_that_is_called_token_is_none_but_itself() -> None:
    """The route says that its name is meant, not the token of another."""
    desk = Desk(ScriptedUseCases(shown=summary(subdomain="token")))
    assert desk.ask("/connections/default/token", route=f"ANY {CONNECTION_ROUTE}")[0] == 200
    assert desk.ask("/connections/default/token/token", route=f"ANY {TOKEN_ROUTE}")[0] == 200
    assert desk.ask("/connections/default/token/token", route=f"ANY {CONNECTION_ROUTE}")[0] == 404


@pytest.mark.parametrize("rest", ["", "/token"])
@pytest.mark.parametrize(
    "names",
    [
        *("default/ACME", "default/acme.zendesk.com", "default/%61cme", "default/acme%00", "default/acme\n"),
        *(
            "default/-a",
            "default/" + "a" * 64,
            "default/xn--acme",
            "default/\u0430cme",
            "default/①②③",
            "default/ ac",
        ),
        *("Default/acme", "def%61ult/acme", "default#/acme", "default.x/acme", "g" * 33 + "/acme", " /acme"),
        *(
            "default\n/acme",
            "\u2170/acme",
            "../acme",
            "default/..",
            "default/acme@evil.com#",
            "default/acme。evil",
        ),
    ],
)
def test_names_have_one_spelling(names: str, rest: str) -> None:
    """What could slip past a policy that names the exact path is refused, and echoed nowhere."""
    desk = Desk()
    status, fields = desk.ask(f"/connections/{names}{rest}")
    assert (status, fields["error"]) in {
        (400, "unknown_grant"),
        (400, "subdomain_refused"),
        (404, "not_found"),
    }
    assert names not in desk.payload["body"]
    assert desk.use_cases.asked == []
    assert desk.answer.subject == {}


@pytest.mark.parametrize(
    "query",
    [
        *("limit=", "limit=0", "limit=101", "limit=-1", "limit=1.0", "limit=1e1", "limit=%D9%A1", "limit=+5"),
        *(
            "limit=" + "9" * 400,
            "limit=0x10",
            "limit=5&limit=5",
            "Limit=5",
            "limit[]=5",
            "cursor=",
            "cursor=x",
        ),
        *(
            "cursor=%00",
            "page=2",
            "grant=default&x=",
            "token=1",
            "limit=%ff",
            "limit=%",
            "cursor=" + "A" * 4000,
        ),
    ],
)
def test_a_listing_that_is_asked_for_strangely_is_refused(query: str) -> None:
    """Unknown, repeated, empty and damaged parameters are 400: most likely something else was meant."""
    desk = Desk()
    status, fields = desk.ask("/connections", query)
    assert (status, fields["error"]) == (400, "malformed_request")
    assert desk.use_cases.asked == []


@pytest.mark.parametrize("query", ["grant=", "grant=Default", "grant=a%23b", "grant=" + "g" * 33])
def test_a_listing_of_what_is_no_grant_is_refused(query: str) -> None:
    """No deployment can have a grant of that name."""
    status, fields = Desk().ask("/connections", query)
    assert (status, fields["error"]) == (400, "unknown_grant")


@pytest.mark.parametrize(
    "query",
    [
        *("newer_than=", "newer_than=-1", "newer_than=x", "newer_than=1.5", "newer_than=9007199254740992"),
        *(
            "newer_than=7&newer_than=8",
            "min_ttl=172801",
            "min_ttl=-5",
            "min_ttl=",
            "min_ttl=NaN",
            "min_ttl=1e3",
        ),
        *(
            "scopes=",
            "scopes=%20",
            "scopes=a:b:c",
            "scopes=Tickets:read",
            "scopes=a:read,b:read",
            "scope=read",
        ),
        *("scopes=read%20read", "scopes=%0d%0aread", "cursor=x", "limit=5", "newer_than=%D9%A7"),
    ],
)
def test_a_token_that_is_asked_for_strangely_is_refused(query: str) -> None:
    """A worker's mistake is seen at once, rather than answered with another token than it meant."""
    desk = Desk()
    status, fields = desk.ask(TOKEN_PATH, query)
    assert (status, fields["error"]) == (400, "malformed_request")
    assert desk.use_cases.asked == []


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_one_connection_takes_no_query(method: str) -> None:
    """A DELETE with `?dry_run=1` must not delete."""
    desk = Desk()
    assert desk.ask(ONE, "dry_run=1", method)[0] == 400
    assert desk.use_cases.asked == []


# ---- anything


_ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
_PARTS = st.sampled_from(
    [
        *(
            "/connections",
            "/",
            "default",
            "acme",
            "reporting",
            "token",
            "..",
            "%2e",
            "%00",
            "\ud800",
            "#",
            "?",
        ),
        *("ACME", "acme.zendesk.com", "①", "\u2028", "\n", "x" * 70),
    ]
)
_QUERY_PARTS = st.sampled_from(
    [
        *(
            "limit",
            "cursor",
            "grant",
            "newer_than",
            "scopes",
            "min_ttl",
            "=",
            "&",
            "%",
            "%00",
            "%ff",
            "+",
            ";",
        ),
        *(
            "1",
            "50",
            "-",
            "default",
            "read",
            "tickets:read",
            Cursor("default", ACME).text,
            "9" * 30,
            "\ud800",
        ),
    ]
)
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)


@st.composite
def events(draw: st.DrawFn) -> Any:
    """Draw an event: nearly right, with nasty values, or with any of its parts replaced by any JSON."""
    path = draw(
        st.sampled_from(["/connections", ONE, TOKEN_PATH])
        | st.lists(_PARTS | _ANY_TEXT, max_size=7).map("/".join)
        | st.lists(_PARTS, max_size=7).map("".join)
    )
    query = draw(st.lists(_QUERY_PARTS | _ANY_TEXT, max_size=10).map("".join))
    event = api_event(draw(st.sampled_from(["GET"] * 6 + ["DELETE", "HEAD", ""])), path, query)
    event["body"] = draw(st.none() | _ANY_TEXT)
    event["isBase64Encoded"] = draw(st.booleans())
    for name in draw(st.lists(st.sampled_from([*event]), max_size=2)):
        event[name] = draw(_JSON)
    return draw(st.sampled_from([event] * 15 + [draw(_JSON)]))


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(event=events())
def test_no_event_makes_it_fail(event: Any) -> None:
    """Whatever the JSON: an answer below 500, with its headers, in ASCII, and one line in the journal."""
    ended = Ended(DisconnectOutcome.UNDER_WAY, summary())
    desk = Desk(ScriptedUseCases(shown=summary(), ended=ended))
    answer: Any = desk.edge(event, None)
    assert 200 <= answer["statusCode"] < 500 or "sec-purpose" in str(event).lower()
    assert answer["headers"].items() >= ALWAYS.items()
    assert all(value.isascii() and value.isprintable() for value in answer["headers"].values())
    assert answer["body"].isascii()
    json.loads(answer["body"])
    assert len(desk.journal.entries) == 1
