"""An account of AWS on loopback, as far as the command asks it: a stack, a function, and the API of the deployment.

The rule: it answers what a test has set, and keeps what it was asked; what nobody has set an answer for is a 500.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from local.served import served
from tests.doubles.describe_stacks import error_xml, stack_xml

STACK = "zendesk-oauth"
OUTPUTS: Mapping[str, str] = {
    "ApiId": "abc123",
    "PublicBaseUrl": "https://connect.example.com",
    "RedirectUri": "https://connect.example.com/oauth/callback",
    "RefreshFunctionName": "zendesk-oauth-prod-refresh",
    "StartUrl": "https://connect.example.com/oauth/start",
}
PARAMETERS: Mapping[str, str] = {
    "Application": "zendesk-oauth",
    "Stage": "prod",
    "DomainName": "",
    "Grants": "default=users:read tickets:read;reporting=read",
    "StartMode": "open",
    "WorkerGrant": "default",
    "ZendeskBaseUrl": "https://{subdomain}.zendesk.com",
    "ZendeskClientId": "zdg-example",
}
_FUNCTIONS = "/2015-03-31/functions/"


class Asked(NamedTuple):
    """A request to the API or to a function: its line, who signed it, and its JSON."""

    what: str
    authorization: str
    body: Any


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: JSON unless it is text already."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The bytes."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


type Answer = Said | Callable[[Asked], Said]


class LoopbackAws(ThreadingHTTPServer):
    """Answers by what is asked: `GET /connections/…` of the API, `invoke` of the function, `DescribeStacks`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.outputs, self.parameters = dict(OUTPUTS), dict(PARAMETERS)
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[Asked] = []
        self.others = Said(500, "nobody asks for this")
        """What every other service answers."""

    @property
    def host(self) -> str:
        """The API's own name here."""
        return f"{self.outputs['ApiId']}.execute-api.localhost:{self.server_port}"

    def say(self, what: str, *answers: Answer) -> None:
        """Set what is answered from now on, one after the other; the last goes on."""
        self.answers[what] = list(answers)

    def requests(self, what: str) -> list[Asked]:
        """Return what was asked by a line that begins so."""
        return [asked for asked in self.asked if asked.what.startswith(what)]

    def answer(self, asked: Asked) -> Said:
        """Return what is set for a question."""
        self.asked.append(asked)
        answers = self.answers.get(asked.what.partition("?")[0]) or self.answers.get(asked.what)
        if not answers:
            return Said(500, "nobody has set an answer")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer if isinstance(answer, Said) else answer(asked)

    def describe_stacks(self, name: str) -> Said:
        """Return XML, as CloudFormation says it."""
        if name != STACK:
            return Said(400, error_xml("ValidationError", f"Stack with id {name} does not exist"))
        return Said(200, stack_xml(self.outputs, self.parameters))


class _Request(BaseHTTPRequestHandler):
    """One request of an SDK, or of a signed client."""

    protocol_version = "HTTP/1.1"
    server: LoopbackAws

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        said = self._said(body)
        self.send_response_only(said.status)
        for name, value in {**said.headers, "Content-Length": str(len(said.content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.content)

    def _said(self, body: str) -> Said:
        authorization = self.headers.get("Authorization", "")
        if self.headers["Host"] == self.server.host:
            asked = Asked(f"{self.command} {self.path}", authorization, json.loads(body) if body else None)
            return self.server.answer(asked)
        if self.path.startswith(_FUNCTIONS):
            return self.server.answer(Asked("invoke", authorization, json.loads(body)))
        asked_of_stacks = parse_qs(body)
        if asked_of_stacks.get("Action") == ["DescribeStacks"]:
            set_answer = self.server.answers.get("DescribeStacks")
            if set_answer:
                return self.server.answer(Asked("DescribeStacks", authorization, None))
            return self.server.describe_stacks(asked_of_stacks["StackName"][0])
        return self.server.others

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the base's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Say nothing."""


@contextmanager
def running_aws() -> Iterator[LoopbackAws]:
    """Give an account while the block runs."""
    with served(LoopbackAws()) as server:
        yield server


def refused(code: str, message: str = "no", status: int = 400) -> Said:
    """Return an error of CloudFormation."""
    return Said(status, error_xml(code, message))
