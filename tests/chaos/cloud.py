"""Key service, secret, rescue queue and Lambda on loopback: every process of a run has the same ones.

The rescue queue shows a message again when its visibility timeout has passed, in seconds of the run; Lambda hands an
event to the fleet, and repeats an asynchronous one twice that ended in an error, as AWS documents it.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

from local.served import served
from tests.chaos.run_time import RunTime
from tests.processes.aws import Body, LoopbackAws, json_body, serving_aws

VISIBILITY_SECONDS = 360.0
"""Of the rescue queue, as the template has it."""
_BATCH = 10
_INVOCATION_SECONDS = 60.0

type Invoke = Callable[[Any, bool], Future[Any]]
"""Hand an event to `refresh`; True: it is asynchronous, and repeated where it fails."""


@dataclass(slots=True)
class Message:
    """One message of the queue, and from when on it is visible."""

    body: str
    message_id: str = field(default_factory=lambda: str(uuid4()))
    receipt: str = ""
    visible_at: float = 0.0
    receives: int = 0

    def record(self) -> Body:
        """Return it as Lambda delivers it."""
        return {
            "messageId": self.message_id,
            "receiptHandle": self.receipt,
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.receives)},
            "eventSource": "aws:sqs",
        }


class Cloud(LoopbackAws):
    """The services, with a queue that keeps time."""

    def __init__(self, client_secret: str, time: RunTime) -> None:
        super().__init__(client_secret)
        self.waiting: list[Message] = []
        self.bodies: list[str] = []
        """Of every message that was ever sent."""
        self._time = time
        self._queue_lock = threading.Lock()
        self._operations = {
            **self._operations,
            "SendMessage": self._enqueue,
            "ChangeMessageVisibility": self._change_visibility,
        }

    def receive(self) -> list[Message]:
        """Return what is visible now, at most one batch of it; it is hidden for the visibility timeout."""
        now = self._time.monotonic()
        with self._queue_lock:
            batch = [message for message in self.waiting if message.visible_at <= now][:_BATCH]
            for message in batch:
                message.receipt = str(uuid4())
                message.receives += 1
                message.visible_at = now + VISIBILITY_SECONDS
        return batch

    def delete(self, messages: list[Message], failed: set[str]) -> None:
        """Delete what a batch has done with."""
        with self._queue_lock:
            for message in messages:
                if message.message_id not in failed:
                    with suppress(ValueError):
                        self.waiting.remove(message)

    def _enqueue(self, body: Body) -> Body:
        answer = self._send_message(body)
        text: str = body["MessageBody"]
        with self._queue_lock:
            self.bodies.append(text)
            self.waiting.append(Message(text, answer["MessageId"], visible_at=self._time.monotonic()))
        return answer

    def _change_visibility(self, body: Body) -> Body:
        with self._queue_lock:
            for message in self.waiting:
                if message.receipt == body["ReceiptHandle"]:
                    message.visible_at = self._time.monotonic() + float(body["VisibilityTimeout"])
        return {}


class _Lambda(ThreadingHTTPServer):
    """Room for every process at once."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, invoke: Invoke) -> None:
        super().__init__(("127.0.0.1", 0), _Invocation)
        self.invoke = invoke

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a caller who was killed; tell of everything else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # the types are the base's own


class _Invocation(BaseHTTPRequestHandler):
    """One call of Lambda's Invoke."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Lambda

    def do_POST(self) -> None:
        """Answer at once, or when the function has."""
        event = json_body(self)
        if self.headers.get("X-Amz-Invocation-Type") == "Event":
            self.server.invoke(event, True)  # noqa: FBT003 - asynchronous
            self._write(202, {})
            return
        answer = self.server.invoke(event, False).result(_INVOCATION_SECONDS)  # noqa: FBT003 - it is awaited
        if "error" in answer:
            self._write(200, {"errorType": answer["error"]}, "X-Amz-Function-Error: Unhandled\r\n")
        else:
            self._write(200, answer)

    def _write(self, status: int, answer: Body, header: str = "") -> None:
        content = json.dumps(answer).encode()
        head = (
            f"HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\n{header}"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        with suppress(OSError):  # the caller may have been killed
            self.wfile.write(head.encode() + content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def running_cloud(cloud: Cloud) -> Iterator[Cloud]:
    """Give the services while the block runs."""
    with serving_aws(cloud):
        yield cloud


@contextmanager
def running_lambda(invoke: Invoke) -> Iterator[str]:
    """Give the address of a Lambda while the block runs."""
    with served(_Lambda(invoke)) as server:
        yield f"http://127.0.0.1:{server.server_port}"
