"""What the functions ask AWS, seen from below the SDK: each call is noted, and any can be made to go wrong.

The rule: it hangs into every botocore session made while it is switched on, and so into the functions' own clients.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore import handlers
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

type Send = Callable[[AWSPreparedRequest], AWSResponse]
type Fault = Callable[[AWSPreparedRequest], AWSResponse | None]
"""Done instead of sending a request: returns an answer, None for the true one, or raises what the network raises."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the SDK: `dynamodb.UpdateItem`, and the tables, index or key that it names."""

    operation: str
    parameters: dict[str, Any] = field(repr=False)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the call writes or reads."""
        if "TransactItems" in self.parameters:
            return tuple(
                part["TableName"] for write in self.parameters["TransactItems"] for part in write.values()
            )
        return (self.parameters["TableName"],) if "TableName" in self.parameters else ()


class Wire:
    """Notes calls in their order, and when they were made, in epoch seconds.

    `fail` queues what goes wrong on the next requests of an operation.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, list[Fault]] = {}
        self.calls: list[Call] = []
        self.at: list[float] = []
        self.answers: list[tuple[str, dict[str, Any]]] = []

    @property
    def operations(self) -> list[str]:
        """The names of the calls in their order."""
        return [call.operation for call in self.calls]

    def fail(self, operation: str, *faults: Fault) -> None:
        """Let the next requests of `operation` go wrong, one fault each; repeats of the SDK are requests too."""
        with self._lock:
            self._faults.setdefault(operation, []).extend(faults)

    def clear(self) -> None:
        """Forget what was seen and behave again."""
        with self._lock:
            self._faults.clear()
            self.calls.clear()
            self.at.clear()
            self.answers.clear()

    def _read(self, params: dict[str, Any], model: Any, **_: object) -> None:
        call = Call(f"{model.service_model.service_name}.{model.name}", dict(params))
        with self._lock:
            self.calls.append(call)
            self.at.append(time.time())

    def _answered(self, parsed: dict[str, Any], model: Any, **_: object) -> None:
        with self._lock:
            self.answers.append((f"{model.service_model.service_name}.{model.name}", parsed))

    def _send(self, event_name: str, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        operation = event_name.removeprefix("before-send.").replace("secrets-manager", "secretsmanager")
        with self._lock:
            queue = self._faults.get(operation)
            fault = queue.pop(0) if queue else None
        return fault(request) if fault else None


@contextmanager
def switched_on(wire: Wire) -> Iterator[None]:
    """Hang the wire into every session that is made while the block runs."""
    hooks: list[Any] = [
        ("provide-client-params", wire._read),
        ("after-call", wire._answered),
        ("before-send", wire._send),
    ]
    handlers.BUILTIN_HANDLERS[:0] = hooks
    try:
        yield
    finally:
        for hook in hooks:
            handlers.BUILTIN_HANDLERS.remove(hook)


def refused(code: str, status: int = 400) -> Fault:
    """Return a fault: the service answers with this error, and nothing was done."""

    def refuse(request: AWSPreparedRequest) -> AWSResponse:
        body = f'{{"__type": "{code}", "message": "The service was told to say so."}}'.encode()
        headers = HTTPHeaders()
        headers["Content-Type"] = "application/x-amz-json-1.0"
        return AWSResponse(request.url, status, headers, _Raw(body))

    return refuse


def unanswered(request: AWSPreparedRequest) -> AWSResponse:
    """Do nothing, and let the caller wait in vain."""
    raise ReadTimeoutError(endpoint_url=request.url)


def done_and_unanswered(request: AWSPreparedRequest) -> AWSResponse:
    """Do what was asked, and lose the answer."""
    URLLib3Session().send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def at_the_same_time(work: Callable[[], object]) -> Fault:
    """Return no fault: `work` is done just before the request is sent."""

    def send(request: AWSPreparedRequest) -> None:
        del request
        work()

    return send


class _Raw:
    """A body as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        """Give it in one piece."""
        yield self._body
