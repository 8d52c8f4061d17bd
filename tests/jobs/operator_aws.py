"""CloudFormation and Lambda on loopback, as far as the operator's command asks them.

The rule: there is one stack, which says what it was given, and one function, which is the desk's.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from cli.stack import Stack
from local.served import served
from tests.doubles.describe_stacks import error_xml, stack_xml
from tests.jobs.desk import FUNCTION_SECONDS, Desk
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.token import RefreshRequest
from zendesk_oauth.web.rekey_events import parse_rekey, rekey_payload

STACK_NAME, FUNCTION = "zendesk-oauth", "zendesk-oauth-local-refresh"


class OperatorAws(ThreadingHTTPServer):
    """Answers DescribeStacks, and invocations of `refresh`."""

    daemon_threads = True

    def __init__(self, desk: Desk, stack: Stack) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.desk, self.stack = desk, stack
        self.address = f"http://127.0.0.1:{self.server_port}"

    def environ(self) -> dict[str, str]:
        """Return what leads the command here, and to the desk's other services."""
        addresses = self.desk.addresses
        return {
            "AWS_ENDPOINT_URL_CLOUDFORMATION": self.address,
            "AWS_ENDPOINT_URL_DYNAMODB": addresses.dynamodb,
            "AWS_ENDPOINT_URL_KMS": addresses.aws,
            "AWS_ENDPOINT_URL_LAMBDA": self.address,
        }

    def describe(self, name: str) -> tuple[int, str]:
        """Return a status, and XML."""
        if name != STACK_NAME:
            return 400, error_xml("ValidationError", "no such stack")
        return 200, stack_xml(self.stack.deployed.outputs, self.stack.deployed.parameters)

    def invoke(self, event: Mapping[str, Any]) -> dict[str, object]:
        """Do what `refresh` does when it is asked."""
        if "rekey" in event:
            rekey = parse_rekey(event["rekey"])
            return rekey_payload(self.desk.rekey(rekey.rows, rekey.campaign))
        request = RefreshRequest(event["grant"], Subdomain(event["subdomain"]))
        return {"outcome": self.desk.ask(request, FUNCTION_SECONDS + 1).outcome, "retry_at": None}


class _Request(BaseHTTPRequestHandler):
    """One request of an SDK."""

    protocol_version = "HTTP/1.1"
    server: OperatorAws

    def do_POST(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == f"/2015-03-31/functions/{FUNCTION}/invocations":
            status, text = 200, json.dumps(self.server.invoke(json.loads(body)))
        else:
            status, text = self.server.describe(parse_qs(body.decode())["StackName"][0])
        content = text.encode()
        self.wfile.write(
            f"HTTP/1.1 {status} Answer\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
        )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def running_operator_aws(desk: Desk, stack: Stack) -> Iterator[OperatorAws]:
    """Give both while the block runs."""
    with served(OperatorAws(desk, stack)) as server:
        yield server
