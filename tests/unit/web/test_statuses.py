"""Errors and their statuses."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from zendesk_oauth import errors
from zendesk_oauth.errors import ZendeskOAuthError
from zendesk_oauth.web.callback_query import ERROR_CODES, UNRECOGNISED_ERROR
from zendesk_oauth.web.statuses import Problem, problem_of, problem_of_reason, status_of


def kinds(root: type[ZendeskOAuthError] = ZendeskOAuthError) -> Iterator[type[ZendeskOAuthError]]:
    """Yield the whole tree."""
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_and_a_reason_the_same_one(kind: type[ZendeskOAuthError]) -> None:
    """An error and a row that failed for its code look the same from outside, and no two errors share a code."""
    assert 400 <= status_of(kind) < 600
    problem = problem_of_reason(kind.code)
    assert (problem.status, problem.message) == (status_of(kind), kind.public_message)


def test_a_new_error_has_its_ancestors_status() -> None:
    """Whoever adds an error need not touch the table."""

    class NewError(errors.InvitationRejectedError):
        """One that the table does not know."""

    assert status_of(NewError) == 410


def test_an_unexpected_exception_shows_nothing() -> None:
    """What was not raised on purpose is a plain 500 without a word of its text."""
    assert problem_of(ValueError("secret")) == Problem(500, "internal", "Something went wrong on our side.")


def test_waiting_is_advised_only_where_it_helps() -> None:
    """A retryable error asks to wait; one that is over does not, nor does a failed install."""
    assert problem_of(errors.StoreUnavailableError("x")).retry_seconds == 5
    assert problem_of(errors.StateRejectedError("x")).retry_seconds is None
    assert problem_of_reason("store_unavailable").retry_seconds is None


@pytest.mark.parametrize(("wait", "seconds"), [(7.2, 8), (0.0, 1), (-3.0, 1), (None, 5)])
def test_a_refresh_that_is_pending_says_itself_how_long(wait: float | None, seconds: int) -> None:
    """Rounded up, at least one second; where nobody knows, what every retryable error says."""
    retry_after = None if wait is None else timedelta(seconds=wait)
    assert problem_of(errors.RefreshPendingError("x", retry_after=retry_after)).retry_seconds == seconds


def test_what_machines_need_stands_in_the_details() -> None:
    """Only two errors have any, and they are no secrets."""
    lost = errors.ReconnectRequiredError("x", reason="answer_lost", reconnect_url="https://x/")
    assert problem_of(lost).details == {"reason": "answer_lost", "since": None, "reconnect_url": "https://x/"}
    assert problem_of(errors.MissingScopeError("x", scopes=("read",))).details == {"scopes": ("read",)}
    assert problem_of(errors.StoreUnavailableError("x")).details == {}


@pytest.mark.parametrize("code", sorted(ERROR_CODES | {UNRECOGNISED_ERROR}))
def test_what_a_query_claims_is_never_our_fault(code: str) -> None:
    """Zendesk's own error codes come in a query that anybody can type: they ring no alarm."""
    problem = problem_of_reason(code)
    assert (problem.status, problem.message) == (400, errors.ProviderError.public_message)


@pytest.mark.parametrize(("reason", "status"), [("over", 410), ("unconfirmed", 410), ("interrupted", 500)])
def test_reasons_that_no_error_has(reason: str, status: int) -> None:
    """What age alone makes of an install has a page too."""
    assert problem_of_reason(reason).status == status
