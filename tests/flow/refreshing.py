"""A connection's later life in the flow's world: how it is asked for, and what has to have happened before.

The rule: events are those of `events/refresh/`, and what the function hands over to itself is taken off the wire.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from tests.flow.wire import _Raw, unanswered
from tests.flow.world import Browser, MovableClock, World
from tests.handlers.payloads import load_event
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.models.subdomain import Subdomain

NEARLY_OVER = timedelta(hours=47, minutes=55)
"""After this a fresh access token is due for refresh, and not over."""
IDLE = timedelta(days=61)
"""After this every fresh connection is due for its keep-alive."""
TRIES = 2
"""A call and the one repeat that bootstrap allows the SDK."""
INVOKE = "lambda.Invoke"


class HurriedClock(MovableClock):
    """A clock that sleeps a minute when it is asked to wait: what is tried until the end is tried a few times."""

    def sleep(self, seconds: float) -> None:
        """Let more than the time of a function pass."""
        super().sleep(seconds + 60)


def event(name: str) -> dict[str, Any]:
    """Return an event of `events/refresh/`."""
    return load_event(f"refresh/{name}")


def connect(world: World) -> None:
    """Make the connection default#acme."""
    assert Browser(world).connect().status == 303


def marked(world: World) -> None:
    """Make the connection, and mark its disconnect as `connections` does."""
    connect(world)
    mark(world)


def mark(world: World) -> None:
    """Mark the connection's disconnect."""
    store = DynamoDBRefreshStore(world.account.dynamodb, world.account.tables.connections)
    connection = store.find("default", Subdomain("acme"))
    assert connection is not None
    assert store.mark_disconnecting(connection, world.clock.now()) is not None


def due(world: World) -> None:
    """Make the connection, and let its access token come near its end."""
    connect(world)
    world.clock.advance(NEARLY_OVER)


def version(world: World) -> tuple[int, int]:
    """Return epoch and generation of the connection."""
    row = world.connection()
    assert row is not None
    return int(row["epoch"]["N"]), int(row["generation"]["N"])


def accepted(request: AWSPreparedRequest) -> AWSResponse:
    """Answer an asynchronous invocation as Lambda does, without anybody being invoked."""
    return AWSResponse(request.url, 202, HTTPHeaders(), _Raw(b""))


@contextmanager
def handing_over(world: World, times: int = 1) -> Iterator[list[dict[str, Any]]]:
    """Accept what `refresh` hands over to itself, and give it when the block is over."""
    handed: list[dict[str, Any]] = []
    world.wire.fail(INVOKE, *[accepted] * times)
    before = len(world.wire.calls)
    yield handed
    for call in world.wire.calls[before:]:
        if call.operation == INVOKE:
            assert call.parameters["InvocationType"] == "Event"
            handed.append(json.loads(call.parameters["Payload"]))


def without_store(world: World) -> Any:
    """Return a container of `refresh` that finds the table silent from its first commit on, for two tries."""
    container = world.account.cold("refresh", clock=HurriedClock(world.clock.offset))
    world.wire.fail("dynamodb.UpdateItem", lambda _: None, *[unanswered] * TRIES * 2)
    return container


def rescued_messages(world: World) -> dict[str, Any]:
    """Return the event that the queue makes of what was last sent to it."""
    bodies = [
        call.parameters["MessageBody"] for call in world.wire.calls if call.operation == "sqs.SendMessage"
    ]
    record = event("rescued")["Records"][0]
    return {"Records": [record | {"body": bodies[-1]}]}
