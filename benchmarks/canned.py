"""The canned endpoint: a small fast server on loopback that answers whatever a handler calls, and counts it.

It runs in a process of its own (`python -m benchmarks.canned`), so that its work is nobody's measure, and ends when
its standard input does, so that it never outlives who started it. Calls are counted here, on the wire, not in the
code that makes them: a call that a library makes behind our back is seen too.
"""

import asyncio
import json
import subprocess
import sys
import zlib
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.answers import Answer, Call, Scenario, Script, name_call

CONTROL = "/-/"
"""Paths under this are the benchmark's own and are not counted."""
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(slots=True)
class Endpoint:
    """What the server knows: its script, and the calls since it was last asked."""

    script: Script = field(default_factory=lambda: Script(Scenario()))
    calls: list[Call] = field(default_factory=list)

    def respond(self, method: str, path: str, headers: dict[str, str], body: str) -> Answer:
        """Answer a call and count it, or follow an order of the benchmark."""
        if path.startswith(CONTROL):
            return self._obey(body)
        call = Call(name_call(method, path, headers), body)
        self.calls.append(call)
        return self.script.answer(call)

    def _obey(self, body: str) -> Answer:
        """Take a scenario where one is sent, and give the calls back, counting anew."""
        seen, self.calls = self.calls, []
        if body:
            self.script = Script(Scenario(**json.loads(body)))
        return Answer({"calls": [asdict(call) for call in seen]})

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until its client ends it."""
        try:
            while True:
                await self._serve_once(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _serve_once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request_line, *lines = head.split("\r\n")
        method, path, _ = request_line.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
        writer.write(as_bytes(self.respond(method, path, headers, body)))
        await writer.drain()


def as_bytes(given: Answer) -> bytes:
    """Return the answer as HTTP/1.1, with the checksum that DynamoDB sends and botocore checks."""
    body = b"" if given.body is None else json.dumps(given.body).encode()
    head = (
        f"HTTP/1.1 {given.status} Canned\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nx-amz-crc32: {zlib.crc32(body)}\r\n"
        "x-amzn-RequestId: 11111111-2222-3333-4444-555555555555\r\n\r\n"
    )
    return head.encode() + body


class CannedEndpoint:
    """The server as a process of its own: start it with `with`, script it, and ask what it saw."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.canned"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT, text=True
        )
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def script(self, scenario: Scenario) -> None:
        """Answer by this scenario from now on, and count anew."""
        self._order(json.dumps(asdict(scenario)))

    def seen(self) -> list[Call]:
        """Return the calls since the last question, in the order in which they came, and count anew."""
        return [Call(**call) for call in self._order("")["calls"]]

    def _order(self, body: str) -> dict[str, list[dict[str, str]]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", CONTROL, body)
            answered: dict[str, list[dict[str, str]]] = json.loads(connection.getresponse().read())
            return answered
        finally:
            connection.close()


async def run() -> None:
    """Print the port and serve until standard input ends."""
    server = await asyncio.start_server(Endpoint().serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(run())
