"""One line a request and bounded counts; nothing that came with a request, and no text of an unexpected exception."""

import json
from functools import cached_property
from itertools import count
from typing import Any

import pytest

from local.sam import example_installs as examples
from zendesk_oauth.errors import (
    ConfigurationError,
    ProviderUnavailableError,
    StateRejectedError,
    StoreUnavailableError,
    UnknownGrantError,
)
from zendesk_oauth.models.install import InstallStatus
from zendesk_oauth.observability import Journal
from zendesk_oauth.services.revoke_leftovers import RevocationEnded
from zendesk_oauth.services.revoke_token import Revocation
from zendesk_oauth.web.edge import Answer
from zendesk_oauth.web.response import Response

_NUMBERS = count()


class Kept:
    """A journal and what it has written; made when first used, since a logger keeps the stream it finds then."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    @cached_property
    def journal(self) -> Journal:
        """The journal."""
        return Journal()

    def record(self, answer: Answer) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Record an answer; return its line, and its metric if there is one."""
        self.journal.record(answer, "reference-1", 0.0123)
        return self.written()

    def written(self) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return the one line, and the metric if there is one."""
        first, *rest = self.everything()
        return first, rest[0] if rest else None

    def everything(self) -> list[dict[str, Any]]:
        """Return the line and all metrics."""
        return [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kept:
    """Give a journal of its own: Powertools keeps a logger by its service's name."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"observed-{next(_NUMBERS)}")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "zendesk-oauth/tests")
    return Kept(capsys)


def test_a_line_says_what_became_of_which_install(kept: Kept) -> None:
    """Outcome, status, install, grant, subdomain, reference and duration are in the line."""
    install = examples.pending("A", status=InstallStatus.CONNECTED, missing_scopes=("tickets:read",))
    line, metric = kept.record(Answer(Response(200), "connected", install))
    expected = {
        "level": "INFO",
        "outcome": "connected",
        "status": 200,
        "install": examples.install_id("A"),
        "grant": "default",
        "subdomain": "acme",
        "missing_scopes": ["tickets:read"],
        "request_id": "reference-1",
        "correlation_id": examples.install_id("A"),
        "duration_ms": 12.3,
    }
    assert {name: line[name] for name in expected} == expected
    assert metric is not None
    assert metric["InstallConnected"] == [1.0]


def test_a_line_says_when_in_utc(kept: Kept) -> None:
    """With the offset written out, whatever zone the machine is in."""
    line, _ = kept.record(Answer(Response(200), "form_shown"))
    assert line["timestamp"].endswith("+0000")


def test_a_failure_is_counted_by_its_reason(kept: Kept) -> None:
    """The reason is a dimension: it is one of our codes, and so there are few."""
    install = examples.pending("A", status=InstallStatus.FAILED, reason="wrong_role")
    _, metric = kept.record(Answer(Response(403), "failed", install))
    assert metric is not None
    assert (metric["InstallFailed"], metric["reason"]) == ([1.0], "wrong_role")
    assert sorted(metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == ["reason", "service"]


@pytest.mark.parametrize("repeated", [False, True])
def test_an_exchange_whose_answer_was_lost_is_counted_once(kept: Kept, *, repeated: bool) -> None:
    """A pair of the admin's may live that nobody can revoke: a count of its own says so."""
    install = examples.pending("A", status=InstallStatus.FAILED, reason="answer_lost")
    kept.journal.record(Answer(Response(502), "failed", install, repeated=repeated), "r", 0.1)
    counted = [metric for metric in kept.everything() if metric.get("ExchangeAnswerLost") == [1.0]]
    assert len(counted) == int(not repeated)


def test_a_dimension_does_not_stay_for_the_next(kept: Kept) -> None:
    """One request's reason is not another's."""
    failed = examples.pending("A", status=InstallStatus.FAILED)
    kept.record(Answer(Response(403), "failed", failed))
    _, metric = kept.record(Answer(Response(302), "started", examples.pending("B")))
    assert metric is not None
    assert "reason" not in metric


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (Answer(Response(400), "refused", error=StateRejectedError("x")), "CallbackRejected"),
        (Answer(Response(400), "refused", error=UnknownGrantError("x")), "RequestRefused"),
        (Answer(Response(503), "refused", error=StoreUnavailableError("x")), "RequestFailed"),
        (Answer(Response(500), "refused", error=KeyError("x")), "RequestFailed"),
        (Answer(Response(200), "form_shown"), "FormShown"),
    ],
    ids=["callback", "request", "store", "bug", "form"],
)
def test_what_is_counted(kept: Kept, answer: Answer, name: str) -> None:
    """Each kind of end has its own count, in the past tense."""
    _, metric = kept.record(answer)
    assert metric is not None
    assert metric[name] == [1.0]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(Response(200), "exchanging", examples.pending("A")),
        Answer(Response(405), "method_not_allowed"),
        Answer(Response(200), "connected", examples.pending("A"), repeated=True),
    ],
    ids=["at work", "method", "repeated"],
)
def test_what_is_not_counted(kept: Kept, answer: Answer) -> None:
    """Looking again, asking wrongly and opening the same address twice are logged and not counted."""
    line, metric = kept.record(answer)
    assert metric is None
    assert line.get("repeated", False) is answer.repeated


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (UnknownGrantError("x"), "INFO"),
        (StateRejectedError("x"), "INFO"),
        (ProviderUnavailableError("x"), "ERROR"),
        (ValueError("x"), "ERROR"),
        (ConfigurationError(("GRANTS is missing",)), "CRITICAL"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_how_loud_a_line_is(kept: Kept, error: Exception, level: str) -> None:
    """Refusals are everyday business, failures want a look, a wrong set-up wants one now."""
    line, _ = kept.record(Answer(Response(500), "refused", error=error))
    assert line["level"] == level


def test_an_error_of_ours_tells_its_detail_and_kinds(kept: Kept) -> None:
    """Our errors hold no secret by contract; of what caused them only the type is told."""
    error = StoreUnavailableError("throttled")
    error.__cause__ = RuntimeError("secret-in-a-cause")
    line, _ = kept.record(Answer(Response(503), "refused", error=error))
    assert (line["error"], line["detail"]) == ("store_unavailable", "throttled")
    assert line["kinds"] == ["StoreUnavailableError", "RuntimeError"]
    assert "secret-in-a-cause" not in json.dumps(line)


def test_an_unexpected_exception_tells_where_and_not_what(kept: Kept) -> None:
    """The text of a bug may quote anything: its type and its way are enough to find it."""
    with pytest.raises(ValueError, match="secret-in-a-text") as caught:
        raise_from_a_value()
    caught.value.__context__ = endless()
    line, _ = kept.record(Answer(Response(500), "refused", error=caught.value))
    assert (line["error"], line["kinds"][0], len(line["kinds"])) == ("internal", "ValueError", 5)
    assert "test_observability.py:" in line["came_through"][-1]
    assert "secret-in-a-text" not in json.dumps(line)


def raise_from_a_value() -> None:
    """Raise the way a bug would."""
    raise ValueError("secret-in-a-text")


def endless() -> Exception:
    """Return an exception with a longer line of causes than is told."""
    error = Exception("the first")
    for number in range(9):
        following = Exception(str(number))
        following.__cause__ = error
        error = following
    return error


def test_a_wrong_set_up_is_named_whole(kept: Kept) -> None:
    """All problems stand in one line."""
    kept.journal.misconfigured(ConfigurationError(("GRANTS is missing", "STAGE is missing")))
    line, metric = kept.written()
    assert (line["level"], line["problems"], metric) == (
        "CRITICAL",
        ["GRANTS is missing", "STAGE is missing"],
        None,
    )


def test_a_revocation_is_told_and_counted(kept: Kept) -> None:
    """Each ended revocation has its line, and a count by how it ended."""
    kept.journal.revoked(RevocationEnded(examples.install_id("A"), "acme", Revocation.REVOKED))
    line, metric = kept.written()
    assert (line["outcome"], line["install"], line["subdomain"]) == (
        "revoked",
        examples.install_id("A"),
        "acme",
    )
    assert metric is not None
    assert (metric["RevocationEnded"], metric["outcome"]) == ([1.0], "revoked")


def test_a_token_that_may_live_on_is_told_louder(kept: Kept) -> None:
    """A refused revocation is a warning, and counted a second time under the name that an alarm watches."""
    kept.journal.revoked(RevocationEnded(examples.install_id("A"), "acme", Revocation.REFUSED))
    line, ended, left_alive = kept.everything()
    assert (line["level"], ended["outcome"], left_alive["TokenLeftAlive"]) == ("WARNING", "refused", [1.0])
