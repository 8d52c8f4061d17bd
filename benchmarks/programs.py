"""The programs that are measured: which handler, which event, what is answered to it, and what it must answer.

A number of a handler that failed is worth nothing, so every run's answer is looked at.
"""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from benchmarks import environment
from benchmarks.answers import Json, Scenario
from benchmarks.artefact import ROOT, Artefact
from benchmarks.rows import FAR_AWAY, connection_row

PYTHON = (ROOT / ".tools" / "python3.13").resolve()
RUNNER = ROOT / "benchmarks" / "runner.py"
EVENTS = ROOT / "events"
_COOKIE = "__Host-install-"


class UnexpectedAnswerError(Exception):
    """A measured handler did not answer as it should, so its number would mean nothing."""


@dataclass(frozen=True, slots=True)
class Program:
    """A handler, the event it is shown, what its calls are answered, and what it must answer.

    `status` is the HTTP status, or the outcome that `refresh` names, or None for a function that only is to end well.
    """

    name: str
    function: str
    event: Path
    status: int | str | None
    scenario: Scenario = field(default_factory=Scenario)

    def command(self, times: int = 1) -> list[str]:
        """Return the measured process's command line."""
        return [str(PYTHON), "-S", str(RUNNER), f"{self.function}.app", str(self.event), str(times)]

    def surroundings(self, artefact: Artefact, endpoint: str) -> dict[str, str]:
        """Return its variables, with Lambda's order of the path: the function, the layers, the standard library."""
        path = f"{artefact.task(self.function)}:{artefact.opt}"
        return environment.of_process(self.function, endpoint) | {"PYTHONPATH": path}


@dataclass(frozen=True, slots=True)
class Run:
    """A finished process: each answer with the seconds that it took, and the bytes it logged.

    `peak_kb` is the most memory that it held, or None where the system does not tell.
    """

    answers: Sequence[tuple[float, Json | None]]
    logged: int
    peak_kb: int | None = None


def bare() -> Program:
    """Return the bare handler: one client, one write."""
    return Program("bare", "bare", EVENTS / "start" / "acme.json", 204)


def functions() -> list[Program]:
    """Return one program for each function, with its commonest event; a function that comes later joins here."""
    by_name = {program.name: program for program in situations()}
    return [
        by_name["start"],
        replace(by_name["allow"], name="callback"),
        Program("installs", "installs", EVENTS / "installs" / "invite.confirmed.json", 201),
        Program("revoke", "revoke", EVENTS / "revoke" / "scheduled.json", None),
        by_name["refresh"],
        replace(by_name["token"], name="connections"),
        by_name["publish"],
    ]


def others() -> list[Program]:
    """Return what else is started cold: a worker with the library, and the bare handler with the calls it makes."""
    (worker,) = (program for program in situations() if program.name == "worker")
    return [worker, replace(worker, name="bare_read", function="bare_read")]


def situations() -> list[Program]:
    """Return the situations whose calls are counted; one that comes later joins here."""
    allowed, denied = EVENTS / "callback" / "allowed.json", EVENTS / "callback" / "denied.json"
    exchanging = install_row(allowed, "exchanging")
    failed = exchanging | {"status": {"S": "failed"}, "reason": {"S": "grant_rejected"}}
    refused = Scenario((exchanging, failed), {"error": "invalid_grant"}, 400)
    return [
        Program("start", "start", EVENTS / "start" / "acme.json", 302),
        Program("deny", "callback", denied, 200, Scenario((install_row(denied, "denied"),))),
        Program("allow", "callback", allowed, 200, Scenario((exchanging,))),
        Program("failed_exchange", "callback", allowed, 400, refused),
        *_readings(),
        Program("publish", "publish", EVENTS / "publish" / "established.json", None),
    ]


def _readings() -> list[Program]:
    """Return what becomes of a connection later: refreshed, asked about too early, read by a worker or over HTTP."""
    due, fresh = (Scenario((connection_row(due=is_due),)) for is_due in (True, False))
    asked = EVENTS / "refresh" / "due.json"
    return [
        Program("refresh", "refresh", asked, "refreshed", due),
        Program("refresh_not_due", "refresh", asked, "current", fresh),
        Program("token", "connections", EVENTS / "connections" / "token.json", 200, fresh),
        Program("worker", "worker", EVENTS / "start" / "acme.json", 204, fresh),
    ]


def install_row(event: Path, status: str) -> Json:
    """Return the install that a callback's event belongs to, as DynamoDB gives it back once it is consumed."""
    said: dict[str, Any] = json.loads(event.read_text(encoding="utf-8"))
    state = parse_qs(said["rawQueryString"])["state"][0]
    install_id, _, secret = state.partition(".")
    cookies = dict(cookie.split("=", 1) for cookie in said["cookies"])
    return {
        "install_id": {"S": install_id},
        "status": {"S": status},
        "grant": {"S": "default"},
        "scopes": {"L": [{"S": "users:read"}, {"S": "tickets:read"}]},
        "subdomain": {"S": "acme"},
        "created_at": {"N": "1795000000"},
        "consumed_at": {"N": "1795000060"},
        "expires_at": {"N": FAR_AWAY},
        "delete_at": {"N": FAR_AWAY},
        "attempt_id": {"S": "a" * 22},
        "state_fingerprint": {"S": hashlib.sha256(secret.encode()).hexdigest()},
        "browser_fingerprint": {"S": hashlib.sha256(cookies[_COOKIE + install_id].encode()).hexdigest()},
    }


def run(command: Sequence[str], surroundings: dict[str, str], order: str = "") -> str:
    """Run a process to its end and return what it printed. Raises UnexpectedAnswerError with its last words.

    `order` is its standard input.
    """
    done = subprocess.run(command, env=surroundings, input=order, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnexpectedAnswerError((done.stdout + done.stderr)[-4000:])
    return done.stdout


def read_run(program: Program, output: str) -> Run:
    """Return what a finished process answered. Raises UnexpectedAnswerError where that is not what it should be."""
    logs, _, last = output.rstrip("\n").rpartition("\n")
    told = json.loads(last)
    answers = [(seconds, answer) for seconds, answer in told["answers"]]
    for _, answer in answers:
        said = answer and answer.get("statusCode", answer.get("outcome"))
        if program.status is not None and said != program.status:
            raise UnexpectedAnswerError(f"{program.name} answered {said}: {logs[-4000:]}")
    return Run(answers, len(logs.encode()), told["peak_kb"])
