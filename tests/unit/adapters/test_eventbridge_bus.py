"""The bus in EventBridge: in order, ten in a call, and only what was refused is sent again."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from zendesk_oauth.adapters.eventbridge_bus import EventBridgeBus
from zendesk_oauth.models.event import Event, EventType

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

BUS = "zendesk-oauth-prod"


@pytest.fixture
def client() -> "EventBridgeClient":
    """Return a client that repeats nothing by itself."""
    config = Config(retries={"total_max_attempts": 1})
    return boto3.client("events", region_name="us-east-1", config=config)


@pytest.fixture
def stub(client: "EventBridgeClient") -> Iterator[Stubber]:
    """Give what answers for EventBridge; every answer has to be used up."""
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


class Pauses(list[float]):
    """Keeps how long was waited, and waits not."""

    def __call__(self, seconds: float) -> None:
        """Take note."""
        self.append(seconds)


def events(*names: int) -> list[Event]:
    """Return events of these ids."""
    return [Event(EventType.TOKEN_REFRESHED, {"id": str(name), "subdomain": "acme"}) for name in names]


def entries(*names: int) -> dict[str, Any]:
    """Return what is sent of them."""
    return {
        "Entries": [
            {
                "EventBusName": BUS,
                "Source": "zendesk-oauth",
                "DetailType": "TokenRefreshed",
                "Detail": json.dumps({"id": str(name), "subdomain": "acme"}),
            }
            for name in names
        ]
    }


def answer(*codes: str | None) -> dict[str, Any]:
    """Return an answer that takes some and refuses others."""
    failed = [{"ErrorCode": code, "ErrorMessage": "no"} if code else {"EventId": "1"} for code in codes]
    return {"FailedEntryCount": sum(map(bool, codes)), "Entries": failed}


def test_twelve_events_are_two_calls(client: "EventBridgeClient", stub: Stubber) -> None:
    """Ten is what one call takes; nothing was refused and nothing is waited for."""
    pauses = Pauses()
    stub.add_response("put_events", answer(*[None] * 10), entries(*range(10)))
    stub.add_response("put_events", answer(None, None), entries(10, 11))
    assert EventBridgeBus(client, BUS, pauses).put(events(*range(12))) == {}
    assert pauses == []


def test_r24_only_the_refused_are_sent_again(client: "EventBridgeClient", stub: Stubber) -> None:
    """After a pause, and a longer one; what is refused three times is left, with the last reason."""
    pauses = Pauses()
    stub.add_response("put_events", answer(None, "Throttled", "InternalFailure"), entries(0, 1, 2))
    stub.add_response("put_events", answer(None, "InternalFailure"), entries(1, 2))
    stub.add_response("put_events", answer("InternalException"), entries(2))
    assert EventBridgeBus(client, BUS, pauses).put(events(0, 1, 2)) == {2: "InternalException"}
    assert len(pauses) == 2
    assert all(0 <= pause <= longest for pause, longest in zip(pauses, (0.2, 0.4), strict=True))


def test_a_call_that_fails_refuses_all_of_it(client: "EventBridgeClient", stub: Stubber) -> None:
    """Whatever EventBridge's reason; nothing is raised, because every event has somewhere to wait."""
    for _ in range(3):
        stub.add_client_error("put_events", "AccessDeniedException", http_status_code=400)
    refused = EventBridgeBus(client, BUS, Pauses()).put(events(0, 1))
    assert refused == {0: "AccessDeniedException", 1: "AccessDeniedException"}


def test_an_unreachable_bus_refuses_all(client: "EventBridgeClient", monkeypatch: pytest.MonkeyPatch) -> None:
    """The network's fault is told by its kind."""

    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://events")

    monkeypatch.setattr(client, "put_events", lose)
    assert EventBridgeBus(client, BUS, Pauses()).put(events(0)) == {0: "ReadTimeoutError"}


def test_nothing_to_tell_is_no_call(client: "EventBridgeClient", stub: Stubber) -> None:
    """Most batches of claims tell nothing."""
    del stub
    assert EventBridgeBus(client, BUS, Pauses()).put([]) == {}
