"""Asking `refresh` over Lambda: what is sent, how long it is awaited, and what its failures become."""

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.response import StreamingBody
from botocore.stub import Stubber

from tests.loopback import listening, raw, silent
from tests.worker.doubles import ACME
from zendesk_oauth.adapters.lambda_refresher import Awaiting, LambdaRefresher
from zendesk_oauth.errors import ConfigurationError, RefreshPendingError
from zendesk_oauth.models.refresh import RefreshOutcome
from zendesk_oauth.models.token import HANDED_OVER, IN_PROGRESS, RefreshReport, RefreshRequest

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

DUE = RefreshRequest("default", ACME)
NAMES = {"grant": "default", "subdomain": "acme"}


def payload(content: object) -> StreamingBody:
    """Return an answer's body."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return StreamingBody(io.BytesIO(data), len(data))


def asked(event: dict[str, Any], invocation_type: str = "RequestResponse") -> dict[str, object]:
    """Return what the SDK must be told, and nothing else."""
    return {
        "FunctionName": "refresh",
        "InvocationType": invocation_type,
        "Payload": json.dumps(event).encode(),
    }


def ask(client: "LambdaClient", request: RefreshRequest = DUE, seconds: float = 60.0) -> RefreshReport:
    """Ask, with up to 58 seconds for the answer."""
    return LambdaRefresher(client, "refresh", Awaiting(client, 58.0)).ask(request, seconds)


@pytest.mark.parametrize(
    ("request_", "event"),
    [
        (DUE, NAMES | {"asked": "due"}),
        (
            RefreshRequest("default", ACME, (2, 7)),
            NAMES | {"asked": "failed", "seen": {"epoch": 2, "generation": 7}},
        ),
    ],
)
def test_a_request_names_a_row_and_what_was_seen(
    lambda_client: "LambdaClient", lambda_stub: Stubber, request_: RefreshRequest, event: dict[str, Any]
) -> None:
    """One synchronous call; the answer's outcome and instant come back."""
    content = {"outcome": "postponed", "retry_at": 1_800_000_000, "epoch": 2, "generation": 7}
    lambda_stub.add_response("invoke", {"StatusCode": 200, "Payload": payload(content)}, asked(event))
    report = ask(lambda_client, request_)
    assert report == ("postponed", datetime.fromtimestamp(1_800_000_000, UTC))


@pytest.mark.parametrize("retry_at", [None, "soon"])
def test_an_answer_may_name_no_instant(
    lambda_client: "LambdaClient", lambda_stub: Stubber, retry_at: object
) -> None:
    """Then nobody knows when to ask again."""
    content = {"outcome": "refreshed", "retry_at": retry_at}
    lambda_stub.add_response("invoke", {"StatusCode": 200, "Payload": payload(content)})
    assert ask(lambda_client) == RefreshReport("refreshed")


def test_with_too_little_time_the_request_is_handed_over(
    lambda_client: "LambdaClient", lambda_stub: Stubber
) -> None:
    """Asynchronously, so that the caller can look at the row while it has time, and answers in it."""
    lambda_stub.add_response("invoke", {"StatusCode": 202}, asked(NAMES | {"asked": "due"}, "Event"))
    assert ask(lambda_client, seconds=57.9) == RefreshReport(HANDED_OVER)


def test_work_is_handed_over(lambda_client: "LambdaClient", lambda_stub: Stubber) -> None:
    """Each event as `refresh` reads it, asynchronously."""
    for event in (NAMES | {"asked": "idle"}, {"finish": NAMES}):
        lambda_stub.add_response("invoke", {"StatusCode": 202}, asked(event, "Event"))
    refresher = LambdaRefresher(lambda_client, "refresh")
    refresher.ask_later("default", ACME, "idle")
    refresher.hand_over_finish("default", ACME)


@pytest.mark.parametrize(
    "answer",
    [
        {"FunctionError": "Unhandled", "Payload": payload({"errorType": "Sandbox.Timedout"})},
        {"FunctionError": "Unhandled", "Payload": payload(b"")},
        {"Payload": payload({})},
        {"Payload": payload([])},
        {"Payload": payload({"outcome": 7})},
        {"Payload": payload(b"\xff")},
    ],
)
def test_a_refresh_that_failed_is_worth_another_try(
    lambda_client: "LambdaClient", lambda_stub: Stubber, answer: dict[str, object]
) -> None:
    """Its own log says why; the worker's error does not repeat its text."""
    lambda_stub.add_response("invoke", {"StatusCode": 200} | answer)
    with pytest.raises(RefreshPendingError):
        ask(lambda_client)


@pytest.mark.parametrize(
    ("code", "status"),
    [("TooManyRequestsException", 429), ("ServiceException", 500), ("ResourceConflictException", 409)],
)
@pytest.mark.parametrize("seconds", [60.0, 1.0])
def test_what_passes_by_itself_is_worth_another_try(
    lambda_client: "LambdaClient", lambda_stub: Stubber, code: str, status: int, seconds: float
) -> None:
    """Throttled, failing, or just being deployed."""
    lambda_stub.add_client_error("invoke", code, http_status_code=status)
    with pytest.raises(RefreshPendingError, match=code):
        ask(lambda_client, seconds=seconds)


@pytest.mark.parametrize(
    ("code", "status"), [("AccessDeniedException", 403), ("ResourceNotFoundException", 404), ("", 400)]
)
def test_what_never_passes_is_a_fault_of_the_set_up(
    lambda_client: "LambdaClient", lambda_stub: Stubber, code: str, status: int
) -> None:
    """The role may not, or there is no such function."""
    lambda_stub.add_client_error("invoke", code, http_status_code=status)
    with pytest.raises(ConfigurationError):
        ask(lambda_client)


def over(address: str, **access: str) -> "LambdaClient":
    """Return a client of a server on loopback."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=0.2)
    return boto3.client("lambda", region_name="us-east-1", endpoint_url=address, config=config, **access)  # type: ignore[call-overload, no-any-return]


def test_a_refresh_that_takes_too_long_goes_on_and_is_looked_for() -> None:
    """The read time-out ends the waiting for the answer only."""
    with listening() as server:
        server.say(silent(2))
        assert ask(over(server.address)) == RefreshReport(HANDED_OVER)
        assert server.connections == 1


def test_a_connection_that_died_may_be_asked_again() -> None:
    """Nobody knows whether the request arrived; the row will say, and a second request does no harm."""
    with listening() as server:
        server.say(raw(b""))
        assert ask(over(server.address)) == RefreshReport(IN_PROGRESS)
        assert server.connections == 1


def test_where_nobody_answers_is_worth_another_try() -> None:
    """No connection at all."""
    with listening() as server:
        address = server.address
    with pytest.raises(RefreshPendingError, match="EndpointConnectionError"):
        ask(over(address))


def test_without_credentials_nothing_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The set-up is wrong, and trying again would not help."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    session = boto3.session.Session()
    with listening() as server, pytest.raises(ConfigurationError, match="NoCredentialsError"):
        ask(session.client("lambda", region_name="us-east-1", endpoint_url=server.address))


def test_the_outcome_is_one_of_refreshs() -> None:
    """It stands here as a text, and must not drift."""
    assert IN_PROGRESS == RefreshOutcome.IN_PROGRESS


def test_what_is_handed_over_is_not_awaited_as_long_as_a_refresh() -> None:
    """It has a client of its own: one that does not answer is given up after that client's time."""
    with listening() as server, listening() as patient:
        server.say(silent(2))
        refresher = LambdaRefresher(over(server.address), "refresh", Awaiting(over(patient.address), 58.0))
        for hand_over in (
            lambda: refresher.ask(DUE, 1.0),
            lambda: refresher.ask_later("default", ACME, "due"),
        ):
            with pytest.raises(RefreshPendingError, match="ReadTimeoutError"):
                hand_over()
        assert (server.connections, patient.connections) == (2, 0)


def test_without_a_client_that_waits_everything_is_handed_over(
    lambda_client: "LambdaClient", lambda_stub: Stubber
) -> None:
    """However much time the caller has."""
    lambda_stub.add_response("invoke", {"StatusCode": 202}, asked(NAMES | {"asked": "due"}, "Event"))
    assert LambdaRefresher(lambda_client, "refresh").ask(DUE, 600.0) == RefreshReport(HANDED_OVER)


def test_any_event_is_answered(lambda_client: "LambdaClient", lambda_stub: Stubber) -> None:
    """What the function says comes back as it is, whatever it was asked."""
    event = {"finish": NAMES}
    response = {"StatusCode": 200, "Payload": payload({"outcome": "finished"})}
    lambda_stub.add_response("invoke", response, asked(event))
    assert LambdaRefresher(lambda_client, "refresh").answer_to(event) == {"outcome": "finished"}


def test_an_event_that_is_not_known_there_is_a_fault_of_the_set_up(
    lambda_client: "LambdaClient", lambda_stub: Stubber
) -> None:
    """The function is of another version than whoever asks it: asking again does not help."""
    failed = {"errorType": "MalformedRequestError", "errorMessage": "the event has other members"}
    lambda_stub.add_response(
        "invoke", {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload(failed)}
    )
    with pytest.raises(ConfigurationError, match="another version"):
        LambdaRefresher(lambda_client, "refresh").answer_to({"rekey": {}})


def test_an_event_is_not_answered_where_the_role_may_not_ask(
    lambda_client: "LambdaClient", lambda_stub: Stubber
) -> None:
    """As with any other question."""
    lambda_stub.add_client_error("invoke", "AccessDeniedException", http_status_code=403)
    with pytest.raises(ConfigurationError, match="AccessDeniedException"):
        LambdaRefresher(lambda_client, "refresh").answer_to({"rekey": {}})
