"""Key service, secret and queue on loopback, so that every process of a test has the same ones.

The rule: a data key opens only in the encryption context that it was made in, and a wrapped key that was touched does
not open at all; what each operation was asked for is counted, and nothing else is kept of it.
"""

import base64
import hashlib
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from local.served import served

KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/loopback"
SECRET_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:loopback"
QUEUE = "/123456789012/rescue"
_NONCE_BYTES = 12

type Body = dict[str, Any]


class RefusedError(Exception):
    """An answer that is an error, with its code."""


class LoopbackAws:
    """What answers at `address`; `messages` are the bodies that wait in the queue."""

    def __init__(self, client_secret: str) -> None:
        self.address = ""
        self.client_secret = client_secret
        self.messages: list[str] = []
        self.asked: Counter[str] = Counter()
        self._master = AESGCM(AESGCM.generate_key(256))
        self._lock = threading.Lock()
        self._operations: Mapping[str, Callable[[Body], Body]] = {
            "GenerateDataKey": self._generate_data_key,
            "Decrypt": self._decrypt,
            "GetSecretValue": self._get_secret_value,
            "SendMessage": self._send_message,
        }

    @property
    def queue_url(self) -> str:
        """The queue's address."""
        return self.address + QUEUE

    def environ(self) -> dict[str, str]:
        """Return what leads an SDK here."""
        services = ("KMS", "SECRETS_MANAGER", "SQS")
        return {f"AWS_ENDPOINT_URL_{service}": self.address for service in services}

    def answer(self, operation: str, body: Body) -> Body:
        """Do one operation. Raises RefusedError."""
        with self._lock:
            self.asked[operation] += 1
        return self._operations[operation](body)

    def _generate_data_key(self, body: Body) -> Body:
        plain, nonce = os.urandom(32), os.urandom(_NONCE_BYTES)
        wrapped = nonce + self._master.encrypt(nonce, plain, _context(body))
        return {"KeyId": KEY_ARN, "Plaintext": _base64(plain), "CiphertextBlob": _base64(wrapped)}

    def _decrypt(self, body: Body) -> Body:
        wrapped = base64.b64decode(body["CiphertextBlob"])
        try:
            plain = self._master.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _context(body))
        except InvalidTag:
            raise RefusedError("InvalidCiphertextException") from None
        return {"KeyId": KEY_ARN, "Plaintext": _base64(plain)}

    def _get_secret_value(self, body: Body) -> Body:
        if body.get("VersionStage", "AWSCURRENT") != "AWSCURRENT":
            raise RefusedError("ResourceNotFoundException")
        return {"ARN": SECRET_ARN, "Name": "loopback", "SecretString": self.client_secret}

    def _send_message(self, body: Body) -> Body:
        text: str = body["MessageBody"]
        with self._lock:
            self.messages.append(text)
        return {
            "MessageId": str(uuid4()),
            "MD5OfMessageBody": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        }


def _context(body: Body) -> bytes:
    return json.dumps(body.get("EncryptionContext", {}), sort_keys=True).encode()


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


class _Server(ThreadingHTTPServer):
    """Has room for everybody who comes at once."""

    request_queue_size = 1024
    daemon_threads = True

    def __init__(self, aws: LoopbackAws) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.aws = aws

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a caller who was killed; tell of everything else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # the types are the base's own


def json_body(request: BaseHTTPRequestHandler) -> Any:
    """Return what a caller has sent. Raises ConnectionError where it was killed in the middle."""
    length = int(request.headers["Content-Length"])
    content = request.rfile.read(length)
    if len(content) < length:
        raise ConnectionError("half a request")
    return json.loads(content)


class _Request(BaseHTTPRequestHandler):
    """One request of an SDK: the operation is named in a header, the rest is JSON."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        """Answer."""
        body = json_body(self)
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        try:
            status, answer = 200, self.server.aws.answer(operation, body)
        except RefusedError as error:
            status, answer = 400, {"__type": str(error), "message": "refused"}
        content = json.dumps(answer).encode()
        head = (
            f"HTTP/1.1 {status} Answer\r\nContent-Type: application/x-amz-json-1.1\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        self.wfile.write(head.encode() + content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def running_aws(client_secret: str) -> Iterator[LoopbackAws]:
    """Give the services while the block runs."""
    aws = LoopbackAws(client_secret)
    with serving_aws(aws):
        yield aws


@contextmanager
def serving_aws(aws: LoopbackAws) -> Iterator[None]:
    """Let these services answer at `aws.address` while the block runs."""
    with served(_Server(aws)) as server:
        aws.address = f"http://127.0.0.1:{server.server_port}"
        yield
