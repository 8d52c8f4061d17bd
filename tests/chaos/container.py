"""One process of a run: every function of the deployment, built as Lambda would build it, fed with one job at a time.

The server of the processes imports this module once and forks, so each process has its own copy of handlers and
clients that have spoken to nobody yet. What is not the deployed code: the clock (`run_time`), a hook below the SDK
that loses requests and responses, and a wrapper of the one function that speaks to Zendesk, which scales its time
limit and names the job in a header. Everything that the process writes goes to a file of its own, line by line, so
that a kill loses no line.
"""

import ctypes
import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import botocore.retries.standard
from botocore import handlers
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

import zendesk_oauth.adapters.zendesk_api
import zendesk_oauth.adapters.zendesk_tokens
import zendesk_oauth.bootstrap.callback
import zendesk_oauth.bootstrap.connections
import zendesk_oauth.bootstrap.refresh
import zendesk_oauth.bootstrap.revoke
import zendesk_oauth.bootstrap.start
from local.zendesk.person import NotAskedError, approve
from tests.chaos.plan import Plan
from tests.chaos.run_time import RunClock, RunTime
from tests.flow.wire import done_and_unanswered, refused, unanswered
from tests.handlers.payloads import api_event
from zendesk_oauth.adapters.https_connection import HttpAnswer, HttpRequest, send
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.errors import ZendeskOAuthError
from zendesk_oauth.ports import Clock

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

FUNCTION_SECONDS = 60.0
GRANT = "default"
JOB_HEADER = "X-Chaos-Job"
_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
_DROPPED_EVERY = 2
_ERRORS = {"dynamodb": "ThrottlingException", "kms": "ThrottlingException"}

type Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a process is told at its start. `plant` names a loss that is planted to show that it is noticed."""

    name: str
    incarnation: int
    clock: Path
    log: Path
    plan: Plan
    plant: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work: a kind of `Process._work`, the account, and the event where it is an invocation."""

    number: int
    kind: str
    account: str = ""
    event: Any = None


@dataclass(slots=True)
class LambdaContext:
    """What Lambda tells a function about its own call."""

    aws_request_id: str
    clock: RunClock
    ends_at: float

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the function is stopped."""
        return int((self.ends_at - self.clock.monotonic()) * 1000)


@dataclass(slots=True)
class Here:
    """What the hooks know of the process they are in."""

    clock: RunClock = field(default_factory=RunClock)
    time: RunTime | None = None
    plan: Plan | None = None
    name: str = ""
    job: Job | None = None
    plant: str = ""
    calls: int = 0
    posts: int = 0

    def say(self, what: str, **facts: object) -> None:
        """Write a line about what the run does, beside the lines of the functions."""
        job = self.job.number if self.job else None
        now = self.time.monotonic() if self.time else 0.0
        line = json.dumps({"chaos": what, "at": round(now, 2), "job": job, **facts})
        os.write(1, line.encode() + b"\n")


HERE = Here()


class _WallClock:
    """The clock by which a socket waits."""

    @staticmethod
    def monotonic() -> float:
        return time.monotonic()


def _send(request: HttpRequest, deadline: float, clock: Clock) -> HttpAnswer:
    """Send with a time limit as much shorter as the run is faster, and with the job's number in a header."""
    assert HERE.time is not None
    wall = time.monotonic() + (deadline - clock.monotonic()) / HERE.time.speed
    number = HERE.job.number if HERE.job else 0
    named = replace(request, headers={**request.headers, JOB_HEADER: str(number)})
    what = f"{request.method} {urlsplit(request.url).path}"
    began = time.monotonic()
    try:
        answer = send(named, wall, _WallClock)  # type: ignore[arg-type]  # it asks for seconds alone
    except ZendeskOAuthError as error:
        is_late = time.monotonic() >= wall
        HERE.say("unanswered", request=what, error=type(error).__name__, is_late=is_late)
        raise
    HERE.say("answered", request=what, status=answer.status, seconds=round(time.monotonic() - began, 3))
    return _with_planted_loss(request, answer)


def _with_planted_loss(request: HttpRequest, answer: HttpAnswer) -> HttpAnswer:
    """Swap both tokens of some refreshed pairs for others, where this is planted: the true ones are nowhere then."""
    if (
        HERE.plant != "pair"
        or b"grant_type=refresh_token" not in (request.body or b"")
        or answer.status >= 300
    ):
        return answer
    HERE.posts += 1
    if HERE.posts % _DROPPED_EVERY:
        return answer
    told = json.loads(answer.body)
    told |= {name: told[name][::-1] for name in ("access_token", "refresh_token") if name in told}
    return replace(answer, body=json.dumps(told).encode())


def _before_send(event_name: str, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
    """Lose a request of the SDK, or its response, where the plan says so."""
    if HERE.time is None or HERE.plan is None or not HERE.time.has_faults:
        return None
    service, operation = event_name.split(".")[1:]
    HERE.calls += 1
    account = _row_account(operation, request) if service == "dynamodb" else ""
    if account and HERE.plan.is_table_down(account, HERE.time.monotonic()):
        HERE.say("table down", operation=operation, account=account)
        return unanswered(request)
    draw = HERE.plan.store if service == "dynamodb" else HERE.plan.service
    fault = draw(HERE.name, HERE.calls)
    if fault is None:
        return None
    HERE.say("aws fault", fault=fault, service=service, operation=operation)
    if fault == "lost":
        return done_and_unanswered(request)
    if fault == "unsent" or service not in _ERRORS:
        return unanswered(request)
    return refused(_ERRORS[service])(request)


def _row_account(operation: str, request: AWSPreparedRequest) -> str:
    """Return the account whose connection a call writes, or nothing."""
    body: Payload = json.loads(request.body or b"{}")  # type: ignore[arg-type]  # never a file
    if operation == "TransactWriteItems":
        keys = [next(iter(write.values())).get("Key", {}) for write in body["TransactItems"]]
    elif operation in {"UpdateItem", "PutItem"}:
        keys = [body.get("Key") or body.get("Item", {})]
    else:
        return ""
    named = (key["connection_key"]["S"] for key in keys if "connection_key" in key)
    return next(named, "").partition("#")[2].partition("#")[0]


def shorten_waits(speed: float) -> None:
    """Let the SDK's pauses and its wait for another function pass as fast as the run."""
    backoff = botocore.retries.standard.ExponentialBackoff
    pause = backoff.delay_amount
    lambda_functions = AwsClients.lambda_functions

    def shorter(self: Any, context: Any) -> float:
        return float(pause(self, context)) / speed

    def impatient(self: AwsClients, read_seconds: float = 3.0) -> Any:
        return lambda_functions(self, max(1.0, read_seconds / speed))

    backoff.delay_amount = shorter  # type: ignore[method-assign]  # the same, only shorter
    AwsClients.lambda_functions = impatient  # type: ignore[method-assign]  # the same, only shorter


class Functions:
    """The handlers of the deployment, with everything that they build late built now."""

    def __init__(self) -> None:
        for module in ("callback", "connections", "refresh", "revoke", "start"):
            setattr(getattr(zendesk_oauth.bootstrap, module), "SystemClock", lambda: HERE.clock)  # noqa: B010
        for adapter in (zendesk_oauth.adapters.zendesk_api, zendesk_oauth.adapters.zendesk_tokens):
            setattr(adapter, "send", _send)  # noqa: B010 - what they import is theirs to replace
        hook: Any = ("before-send", _before_send)
        handlers.BUILTIN_HANDLERS.insert(0, hook)
        self.start: Any = zendesk_oauth.bootstrap.start.build()
        self.callback: Any = zendesk_oauth.bootstrap.callback.build()
        self.connections: Any = zendesk_oauth.bootstrap.connections.build()
        self.refresh: Any = zendesk_oauth.bootstrap.refresh.build()
        self.revoke: Any = zendesk_oauth.bootstrap.revoke.build()
        ports = self.refresh.build_use_cases().refresh.ports
        for port, method in ((ports.keyring, "unlock"), (ports.rescue, "send")):
            getattr(port, method)  # what is built late is built before the fork


class Process:
    """Does one job after the other."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions

    def answer(self, job: Job) -> Payload:
        """Do a job and return its answer, or the name of the error that it ended with."""
        HERE.job = job
        HERE.say("begins", kind=job.kind, account=job.account, event=_shown(job.event))
        try:
            answer = self._work(job)
        except Exception as error:  # noqa: BLE001 - as Lambda, whatever it is
            answer = {"error": type(error).__name__}
        HERE.say("ends", answer=_shown(answer))
        HERE.job = None
        return answer

    def _work(self, job: Job) -> Payload:
        match job.kind:
            case "refresh":
                answer: Payload = self.functions.refresh(job.event, self._context(job))
                return answer
            case "revoke":
                ended: Payload = self.functions.revoke(job.event, self._context(job))
                return ended
            case "install":
                return self._install(job)
            case "disconnect":
                return {"status": self._connections("DELETE", job.account)["statusCode"]}
        return self._use(job)

    def _context(self, job: Job) -> LambdaContext:
        ends_at = HERE.clock.monotonic() + FUNCTION_SECONDS
        return LambdaContext(f"{HERE.name}-{job.number}", HERE.clock, ends_at)

    def _install(self, job: Job) -> Payload:
        """Press the button, press Allow, and come back, as one browser does."""
        headers = {"sec-fetch-mode": "navigate"}
        query = urlencode({"subdomain": job.account, "grant": GRANT})
        begun = self.functions.start(api_event("GET", "/oauth/start", query, headers=headers), None)
        if "Location" not in begun["headers"]:
            return {"start": begun["statusCode"]}
        cookies = [cookie.partition(";")[0] for cookie in begun.get("cookies", [])]
        try:
            back = urlsplit(approve(begun["headers"]["Location"]))
        except (NotAskedError, OSError, http.client.HTTPException) as error:
            return {"authorize": type(error).__name__}
        event = api_event("GET", "/oauth/callback", back.query, headers=headers, cookies=cookies)
        return {"callback": self.functions.callback(event, None)["statusCode"]}

    def _use(self, job: Job) -> Payload:
        """Read a token, call the API with it, and read once more where it failed, as a worker does."""
        first = self._token(job.account)
        status = self._call(job.account, first) if first else 0
        if first is None or status != http.client.UNAUTHORIZED:
            return {"token": first is not None, "called": status}
        second = self._token(job.account, newer_than=first["generation"])
        return {"token": True, "called": status, "again": self._call(job.account, second) if second else 0}

    def _token(self, account: str, newer_than: int | None = None) -> Payload | None:
        query = "" if newer_than is None else urlencode({"newer_than": newer_than})
        answer = self._connections("GET", account, "/token", query)
        if answer["statusCode"] != http.client.OK:
            return None
        token: Payload = json.loads(answer["body"])
        return token

    def _call(self, account: str, token: Payload) -> int:
        base = urlsplit(os.environ["ZENDESK_BASE_URL"].replace("{subdomain}", account))
        connection = http.client.HTTPConnection(base.hostname or "", base.port, timeout=5)
        try:
            number = str(HERE.job.number if HERE.job else 0)
            headers = {"Authorization": f"Bearer {token['access_token']}", JOB_HEADER: number}
            connection.request("GET", f"{base.path}/api/v2/users/me.json", headers=headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def _connections(self, method: str, account: str, path: str = "", query: str = "") -> Payload:
        route = f"/connections/{GRANT}/{account}{path}"
        answer: Payload = self.functions.connections(api_event(method, route, query), None)
        return answer


def _shown(value: Any) -> Any:
    """Return what of an event or an answer can be written down: a message of the rescue queue by its id alone."""
    if isinstance(value, Mapping) and "Records" in value:
        return {"Records": [record["messageId"] for record in value["Records"]]}
    return value


def work(line: "Connection[Any, Any]", setting: Setting) -> None:
    """Do jobs until the line is closed."""
    from tests.chaos import preloaded  # noqa: PLC0415 - the server of the processes has it, nobody else

    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    log = os.open(setting.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is the process's own
    HERE.name, HERE.plan, HERE.plant = f"{setting.name}.{setting.incarnation}", setting.plan, setting.plant
    HERE.time = HERE.clock.start(setting.clock, setting.plan.skew_of(HERE.name))
    process = Process(preloaded.FUNCTIONS)
    while True:
        try:
            job = line.recv()
        except EOFError:
            return
        line.send(process.answer(job))
