"""The whole flow in one process: the real handlers, real tables, real HTTP.

The handlers are built by bootstrap; around them are DynamoDB Local, moto's KMS and Secrets Manager, and the stand-in
for Zendesk over loopback.
The rule: only time, the network below the SDK and the stand-in's behaviour are played with; nothing in the package is
replaced. Every answer to a browser is held to the headers that stand on each.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import batched
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import boto3
import pytest
from botocore.loaders import JSONFileLoader
from moto import mock_aws

from local.zendesk.person import approve, deny
from local.zendesk.standin import StandIn
from tests.dynamodb_local import Tables, create_tables, dynamodb_client
from tests.flow.wire import Wire, switched_on
from tests.handlers.payloads import api_event
from zendesk_oauth.bootstrap import callback, installs, refresh, revoke, start
from zendesk_oauth.web.response import _ALWAYS as ALWAYS

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

REGION = "us-east-1"
BASE_URL = "https://connect.example.com"
REDIRECT_URI = f"{BASE_URL}/oauth/callback"
SITE_URL = "https://app.example.com/settings"
OTHER_ORIGIN = "https://other.example.com"
CLIENT_SECRET = "stand-in-client-secret"
REFRESH_FUNCTION = "flow-refresh"
USER = "user-17"
NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
"""What a browser says of an address that a person opens."""
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
_KEYS = {"installs": "install_id", "connections": "connection_key"}
_BATCH = 25
"""As many writes as DynamoDB takes at once."""
_BUILDERS: Mapping[str, Callable[[Mapping[str, str]], Any]] = {
    "start": start.build,
    "callback": callback.build,
    "installs": installs.build,
    "revoke": revoke.build,
    "refresh": refresh.build,
}

_MODES: Mapping[str, Mapping[str, str]] = {
    "open": {"START_MODE": "open"},
    "open, without a site": {"START_MODE": "open", "SITE_URL": ""},
    "confirmed": {"START_MODE": "confirmed"},
}

type Row = dict[str, Any]


class MovableClock:
    """The machine's clock with an offset; seconds for deadlines are the machine's own, and what was waited for."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset
        self._real = _system_clock()
        self._waited = 0.0

    def now(self) -> datetime:
        """Return the present, moved by the offset."""
        return datetime.now(UTC) + self.offset

    def monotonic(self) -> float:
        """Return seconds that only rise."""
        return self._real() + self._waited

    def sleep(self, seconds: float) -> None:
        """Let the seconds pass for deadlines, without waiting."""
        self._waited += seconds

    def advance(self, by: timedelta) -> None:
        """Let time pass for every function."""
        self.offset += by


def _system_clock() -> Callable[[], float]:
    from zendesk_oauth.adapters.clock import SystemClock  # noqa: PLC0415 - bootstrap's is replaced, this is not

    return SystemClock().monotonic


class Context:
    """What Lambda tells a function of its own call: there is a minute left."""

    aws_request_id = "b8f5f9a2-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return milliseconds."""
        return 60_000


@dataclass(frozen=True)
class Answer:
    """What a browser or a backend gets."""

    status: int
    headers: Mapping[str, str]
    body: str
    cookies: tuple[str, ...] = ()

    @property
    def location(self) -> str:
        """Where it leads, or nothing."""
        return self.headers.get("location", "")

    @property
    def query(self) -> dict[str, str]:
        """The query of where it leads."""
        return dict(parse_qsl(urlsplit(self.location).query, keep_blank_values=True))


@dataclass
class Account:
    """The AWS account of one module's tests: its tables, key and secret, and the containers that run in it."""

    dynamodb: "DynamoDBClient"
    endpoint: str
    tables: Tables
    token_key_arn: str
    client_secret_arn: str
    rescue_queue_url: str
    zendesk_base_url: str
    wire: Wire = field(default_factory=Wire)
    clock: MovableClock = field(default_factory=MovableClock)
    containers: dict[tuple[str, str], Any] = field(default_factory=dict)

    def environ(self) -> dict[str, str]:
        """Return the variables of all functions together."""
        return {
            "APPLICATION": "zendesk-oauth",
            "STAGE": "local",
            "INSTALLS_TABLE": self.tables.installs,
            "CONNECTIONS_TABLE": self.tables.connections,
            "TOKEN_KEY_ARN": self.token_key_arn,
            "CLIENT_SECRET_ARN": self.client_secret_arn,
            "ACCESS_TOKEN_SECONDS": "172800",
            "REFRESH_TOKEN_SECONDS": "7776000",
            "REFRESH_FUNCTION": REFRESH_FUNCTION,
            "RESCUE_QUEUE_URL": self.rescue_queue_url,
            "ZENDESK_CLIENT_ID": "zdg-example",
            "ZENDESK_BASE_URL": self.zendesk_base_url,
            "PUBLIC_BASE_URL": BASE_URL,
            "GRANTS": "default=users:read tickets:read;reporting=read",
            "START_MODE": "open",
            "ALLOWED_RETURN_ORIGINS": OTHER_ORIGIN,
            "SITE_URL": SITE_URL,
            "REQUIRED_ROLES": "admin",
            "COMPANY_NAME": "Example Ltd",
            "SUPPORT_ADDRESS": "help@example.com",
        }

    def cold(
        self, verb: str, settings: Mapping[str, str] | None = None, clock: MovableClock | None = None
    ) -> Any:
        """Return a new container's handler."""
        with pytest.MonkeyPatch.context() as patch, switched_on(self.wire):
            patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", self.endpoint)
            patch.setattr(f"zendesk_oauth.bootstrap.{verb}.SystemClock", lambda: clock or self.clock)
            return _BUILDERS[verb](self.environ() | dict(settings or {}))

    def warm(self, verb: str, mode: str) -> Any:
        """Return the handler of a container that is kept for the next call in the same mode."""
        if (verb, mode) not in self.containers:
            self.containers[verb, mode] = self.cold(verb, _MODES[mode])
        return self.containers[verb, mode]


@contextmanager
def running_account(
    endpoint: str, zendesk_base_url: str, client_secret: str = CLIENT_SECRET
) -> Iterator[Account]:
    """Give an account with empty tables, a key and the secret while the block runs."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        # Every cold container makes clients anew: what they read of botocore's data is read once.
        read = cache(JSONFileLoader().load_file)
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: read(path))
        patch.setenv("POWERTOOLS_SERVICE_NAME", "flow")
        patch.setenv("POWERTOOLS_METRICS_NAMESPACE", "zendesk-oauth/flow")
        patch.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
        dynamodb = dynamodb_client(endpoint)
        key = boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["Arn"]
        secrets = boto3.client("secretsmanager", region_name=REGION)
        secret = secrets.create_secret(Name="flow/client-secret", SecretString=client_secret)["ARN"]
        queue = boto3.client("sqs", region_name=REGION).create_queue(QueueName="flow-rescue")["QueueUrl"]
        tables = create_tables(dynamodb)
        yield Account(dynamodb, endpoint, tables, key, secret, queue, zendesk_base_url)
        for name in (tables.installs, tables.connections):
            dynamodb.delete_table(TableName=name)


class World:
    """An account, a Zendesk and whoever calls them, for one test."""

    def __init__(self, account: Account, zendesk: StandIn, mode: str = "open") -> None:
        self.account = account
        self.zendesk = zendesk
        self.mode = mode
        self.answers: list[tuple[str, Answer]] = []

    @property
    def wire(self) -> Wire:
        """What is asked of AWS."""
        return self.account.wire

    @property
    def clock(self) -> MovableClock:
        """Time, for the functions; Zendesk's moves by itself."""
        return self.account.clock

    def handler(self, verb: str) -> Any:
        """Return the function of the warm container."""
        return self.account.warm(verb, self.mode)

    def call(self, verb: str, event: dict[str, Any], handler: Any = None) -> Answer:
        """Call a function as the gateway does; every answer has the headers that stand on each."""
        payload = (handler or self.handler(verb))(event, Context())
        headers = {name.lower(): value for name, value in payload["headers"].items()}
        assert {name.lower() for name in ALWAYS} <= headers.keys()
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'; ")
        assert all(
            "\r" not in text and "\n" not in text for text in (*headers.values(), *payload.get("cookies", ()))
        )
        answer = Answer(payload["statusCode"], headers, payload["body"], tuple(payload.get("cookies", ())))
        self.answers.append((verb, answer))
        return answer

    # -- the company's backend --

    def invite(self, **fields: str | None) -> str:
        """Offer an install and return the address for its user's browser; a field of None is left out."""
        wanted = {"user": USER, "subdomain": "acme"} | fields
        body = json.dumps({name: text for name, text in wanted.items() if text is not None})
        answer = self.call("installs", api_event("POST", "/invitations", body=body))
        assert answer.status == 201, answer.body
        start_url: str = json.loads(answer.body)["start_url"]
        return start_url

    def confirm(self, handle: str, user: str = USER, handler: Any = None) -> Answer:
        """Ask for a candidate to become the connection."""
        event = api_event("POST", f"/installs/{handle}/confirm", body=f'{{"user": "{user}"}}')
        return self.call("installs", event, handler)

    def revoke(self, handler: Any = None) -> int:
        """Let the scheduled function run; return how many it ended."""
        ended: int = (handler or self.handler("revoke"))({}, Context())["ended"]
        return ended

    def refresh(self, event: object, handler: Any = None) -> Row:
        """Let `refresh` answer an event; return its payload."""
        payload: Row = (handler or self.handler("refresh"))(event, Context())
        return payload

    # -- what can be seen --

    def rows(self, table: str) -> list[Row]:
        """Return all the rows of `installs` or `connections`, raw, by their keys."""
        pages = self.account.dynamodb.get_paginator("scan").paginate(
            TableName=getattr(self.account.tables, table), ConsistentRead=True
        )
        found: list[Row] = [row for page in pages for row in page["Items"]]
        return sorted(found, key=lambda row: str(row[_KEYS[table]]["S"]))

    def install(self, state: str) -> Row:
        """Return the row of the install of a state, an invitation or a handle."""
        wanted = state.partition(".")[0]
        (row,) = [row for row in self.rows("installs") if row["install_id"]["S"] == wanted]
        return row

    def status(self, state: str) -> tuple[str, str | None]:
        """Return what an install is, and the reason in its row."""
        row = self.install(state)
        return row["status"]["S"], row.get("reason", {}).get("S")

    def connection(self, key: str = "default#acme") -> Row | None:
        """Return the row of a connection, or None."""
        rows = [row for row in self.rows("connections") if row["connection_key"]["S"] == key]
        return rows[0] if rows else None

    def replaced(self) -> list[Row]:
        """Return the rows of replaced pairs."""
        return [row for row in self.rows("connections") if row["connection_key"]["S"].startswith("~")]

    @property
    def posts(self) -> int:
        """How many requests the token endpoint has had."""
        return self.zendesk.seen.count()

    @property
    def alive(self) -> int:
        """How many tokens live at Zendesk."""
        return len(self.zendesk.alive())

    def delete(self, rows: Mapping[str, list[Row]]) -> None:
        """Take rows away again, by their tables."""
        for table, found in rows.items():
            name, key = getattr(self.account.tables, table), _KEYS[table]
            for some in batched(found, _BATCH, strict=False):
                deletions: Any = [{"DeleteRequest": {"Key": {key: row[key]}}} for row in some]
                self.account.dynamodb.batch_write_item(RequestItems={name: deletions})

    def forget(self) -> None:
        """Forget what was seen, behave well again, and go back to the present; the tables stay as they are."""
        self.clock.offset = timedelta()
        self.wire.clear()
        self.answers.clear()

    def clear(self) -> None:
        """Forget, and empty the tables."""
        self.delete({table: self.rows(table) for table in _KEYS})
        self.forget()


class Browser:
    """A browser: it has a jar of cookies, and somebody in front of it who presses Allow or Deny."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.jar: dict[str, str] = {}

    def get(self, path: str, query: str = "", handler: Any = None, **headers: str) -> Answer:
        """Open an address of ours."""
        return self._send("GET", path, query, handler, headers, None)

    def press_continue(self, query: str, page: Answer, handler: Any = None) -> Answer:
        """Press the button of a page that asks before an invitation is used up."""
        body = urlencode(dict(_HIDDEN.findall(page.body)))
        return self._send("POST", "/oauth/start", query, handler, {}, body)

    def _send(
        self, method: str, path: str, query: str, handler: Any, headers: dict[str, str], body: str | None
    ) -> Answer:
        verb = path.rpartition("/")[2]
        cookies = [f"{name}={value}" for name, value in self.jar.items()]
        sent = NAVIGATION | headers
        event = api_event(method, path, query, headers=sent, cookies=cookies, body=body)
        answer = self.world.call(verb, event, handler)
        for cookie in answer.cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.jar[name] = value
            if "Max-Age=0" in cookie:
                del self.jar[name]
        return answer

    def start(self, query: str = "subdomain=acme", handler: Any = None, **headers: str) -> Answer:
        """Press the company's button."""
        return self.get("/oauth/start", query, handler, **headers)

    def begin(self, query: str = "subdomain=acme") -> str:
        """Press the button and return where Zendesk is to be asked."""
        answer = self.start(query)
        assert answer.status == 302, answer.body
        return answer.location

    def callback(self, callback_url: str, handler: Any = None, **headers: str) -> Answer:
        """Follow Zendesk's redirect."""
        return self.get("/oauth/callback", urlsplit(callback_url).query, handler, **headers)

    def connect(self, query: str = "subdomain=acme", role: str = "admin") -> Answer:
        """Do it all: press the button, press Allow, come back."""
        return self.callback(approve(self.begin(query), role))

    def refuse(self, query: str = "subdomain=acme") -> Answer:
        """Press the button, press Deny, come back."""
        return self.callback(deny(self.begin(query)))


def state_of(url: str) -> str:
    """Return the state in an address."""
    return dict(parse_qsl(urlsplit(url).query))["state"]


def with_query(url: str, **changes: str | None) -> str:
    """Return the address with parameters changed, added or (None) taken away."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **changes}
    return parts._replace(
        query=urlencode({name: text for name, text in query.items() if text is not None})
    ).geturl()
