"""The way of every request."""

from datetime import UTC, datetime

import pytest

from tests.handlers.flow import KeptJournal
from tests.handlers.payloads import api_event
from zendesk_oauth.errors import PrefetchRefusedError, StoreUnavailableError
from zendesk_oauth.web.edge import Answer, Edge, Refusal
from zendesk_oauth.web.json_text import json_problem
from zendesk_oauth.web.request import Request
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import NOT_FOUND, Problem


class ScriptedClock:
    """Half a second goes by at each look."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        """Return some instant."""
        return datetime(2026, 11, 23, tzinfo=UTC)

    def monotonic(self) -> float:
        """Return half a second more."""
        self.seconds += 0.5
        return self.seconds


class ScriptedAnswer:
    """Gives what it was made with, or raises it."""

    def __init__(self, answer: Answer | Refusal | Problem | Exception) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Answer | Refusal | Problem:
        """Answer."""
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


GOOD = Answer(Response(200, "good"), "shown")


def edge(
    answer: Answer | Refusal | Problem | Exception = GOOD, methods: str | frozenset[str] = "GET"
) -> tuple[Edge, ScriptedAnswer, KeptJournal]:
    """Return an edge around a scripted answer."""
    scripted, journal = ScriptedAnswer(answer), KeptJournal()
    return Edge(methods, scripted, json_problem, journal, ScriptedClock()), scripted, journal


def test_an_answer_goes_out_and_is_recorded() -> None:
    """One request is one answer and one entry, with its reference and how long it took."""
    handler, _, journal = edge()
    payload = handler(api_event("GET", "/x"), None)
    assert (payload["statusCode"], payload["body"]) == (200, "good")
    assert journal.entries == [(GOOD, "UhYtestqIAMEexample=", 0.5)]


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PUT", "get", ""])
def test_another_method_is_refused_before_anything_is_read(method: str) -> None:
    """Only the one method reaches the use case, and the answer says which it is."""
    handler, scripted, journal = edge()
    payload = handler(api_event(method, "/x", "broken=%"), None)
    assert payload["statusCode"] == 405
    assert payload["headers"]["Allow"] == "GET"  # type: ignore[index]  # the headers are a mapping
    assert scripted.requests == []
    assert journal.entries[0][0].outcome == "method_not_allowed"


def test_a_prefetch_reaches_no_use_case() -> None:
    """A browser that looks ahead uses nothing up."""
    handler, scripted, journal = edge()
    assert handler(api_event("GET", "/x", headers={"sec-purpose": "prefetch"}), None)["statusCode"] == 403
    assert scripted.requests == []
    assert isinstance(journal.entries[0][0].error, PrefetchRefusedError)


def test_an_error_of_ours_is_answered_and_recorded() -> None:
    """A typed error has its status and advice; the entry keeps it."""
    error = StoreUnavailableError("throttled")
    handler, _, journal = edge(error)
    payload = handler(api_event("GET", "/x"), None)
    assert payload["statusCode"] == 503
    assert payload["headers"]["Retry-After"] == "5"  # type: ignore[index]  # the headers are a mapping
    assert journal.entries[0][0].error is error


def test_an_unexpected_exception_is_answered_without_its_text() -> None:
    """Even a bug ends in an answer of ours, which quotes nothing."""
    handler, _, journal = edge(KeyError("secret"))
    payload = handler(api_event("GET", "/x"), None)
    assert payload["statusCode"] == 500
    assert "secret" not in str(payload)
    assert isinstance(journal.entries[0][0].error, KeyError)


def test_a_problem_is_answered_with_the_reference() -> None:
    """What a use case's edge finds wrong without an error has a reference too."""
    handler, _, journal = edge(NOT_FOUND)
    payload = handler(api_event("GET", "/x"), None)
    assert payload["statusCode"] == 404
    assert "UhYtestqIAMEexample=" in str(payload["body"])
    assert journal.entries[0][0].outcome == "not_found"


def test_an_edge_can_take_several_methods() -> None:
    """Each of them reaches the use case; to any other the answer names them all, in one order."""
    handler, scripted, _ = edge(methods=frozenset({"GET", "DELETE"}))
    assert [handler(api_event(method, "/x"), None)["statusCode"] for method in ("GET", "DELETE")] == [
        200,
        200,
    ]
    payload = handler(api_event("HEAD", "/x"), None)
    assert (payload["statusCode"], payload["headers"]["Allow"]) == (405, "DELETE, GET")  # type: ignore[index]
    assert [request.method for request in scripted.requests] == ["GET", "DELETE"]


def test_a_refusal_keeps_what_it_was_about() -> None:
    """An error or a problem is answered as ever, and the entry names the subject beside it."""
    error, subject = StoreUnavailableError("throttled"), {"subdomain": "acme"}
    for why, outcome, kept in ((error, "refused", error), (NOT_FOUND, "not_found", None)):
        handler, _, journal = edge(Refusal(why, subject))
        handler(api_event("GET", "/x"), None)
        entry = journal.entries[0][0]
        assert (entry.outcome, entry.error, entry.subject) == (outcome, kept, subject)
