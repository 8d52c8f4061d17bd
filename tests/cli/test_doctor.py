"""`zendesk-oauth doctor`: each fault turns its own line red, and no other, and says what to do."""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError, HTTPClientError

from cli.checkup.checks import CHECKS, findings
from cli.checkup.patient import ANY_AT_A_STAND_IN, NEVER_MADE, Patient
from cli.desk import Desk
from cli.errors import NotNowError, RefusedError
from cli.exits import Exit
from cli.output import Output
from tests.cli.aws import PARAMETERS, LoopbackAws, Said
from tests.cli.conftest import Type
from tests.cli.healthy import PREFIX, Healthy, Page, configuration, gone, physical, told
from tests.cli.samples import connection
from tests.docs.reading import ROOT
from zendesk_oauth.models.subdomain import Subdomain

type Fault = Callable[[Healthy], object]


class Seen(Patient):
    """A patient whose pages and examination are those of the test."""

    def __init__(self, healthy: Healthy, *, is_own_account: bool = False) -> None:
        super().__init__(cast("Desk", healthy), Subdomain("acme"), is_own_account=is_own_account)
        self._healthy = healthy
        self.pages: list[str] = []

    @property
    def examination(self) -> Any:
        """What `refresh` says."""
        return told(self._healthy.examination)

    def page(self, url: str) -> Any:
        """Return our own page, or Zendesk's."""
        self.pages.append(url)
        return told(self._healthy.start_page if url.endswith("/oauth/start") else self._healthy.consent_page)


def red(healthy: Healthy, **how: bool) -> dict[str, str]:
    """Return the lines that are red, with what to do."""
    return {each.check: str(each.mend) for each in findings(Seen(healthy, **how)) if not each.ok}


def test_all_is_well() -> None:
    """Every line is green, and none says what to do."""
    found = list(findings(Seen(Healthy())))
    assert [each.check for each in found] == list(CHECKS)
    assert {(each.ok, each.mend) for each in found} == {(True, None)}


def answer(operation: str, value: object) -> Fault:
    """Return a fault: an operation is answered otherwise."""
    return lambda healthy: healthy.answers.update({operation: value})


def table(name: str, **changes: object) -> Fault:
    """Return a fault: a table is otherwise."""
    return lambda healthy: healthy.tables[physical(name)].update(changes)


def mapping(**changes: object) -> Fault:
    """Return a fault: a mapping is otherwise."""
    return lambda healthy: healthy.mappings[0].update(changes)


def alarm(**changes: object) -> Fault:
    """Return a fault: an alarm is otherwise."""
    return lambda healthy: healthy.alarms[0].update(changes)


def examined(**changes: object) -> Fault:
    """Return a fault: `refresh` says something else."""
    return lambda healthy: cast("dict[str, object]", healthy.examination).update(changes)


def has(name: str, value: object) -> Fault:
    """Return a fault: the double has another value."""
    return lambda healthy: setattr(healthy, name, value)


def stack(**changes: object) -> Fault:
    """Return a fault: the stack is otherwise."""

    def change(healthy: Healthy) -> None:
        fields = {name: getattr(healthy.stack, name) for name in ("outputs", "parameters", "status")}
        healthy.stack = type(healthy.stack)(**fields | changes)

    return change


def client_id(identifier: str) -> Fault:
    """Return a fault: the whole deployment has another client."""

    def change(healthy: Healthy) -> None:
        stack(parameters={**PARAMETERS, "ZendeskClientId": identifier})(healthy)
        given = healthy.answers["get_function_configuration"]["Environment"]["Variables"]
        given["ZENDESK_CLIENT_ID"] = identifier

    return change


NO_PERMISSIONS: dict[str, list[str]] = {"PolicyNames": []}
FULL = {"Attributes": {"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "1"}}
NO_BACKUPS = {
    "ContinuousBackupsDescription": {
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"}
    }
}
OF_ANOTHER = {"Variables": {"PUBLIC_BASE_URL": "https://old", "ZENDESK_CLIENT_ID": "zdg-example"}}
AWAY = HTTPClientError(error="refused")
FAULTS: list[tuple[str, Fault, str]] = [
    ("stack", stack(status="UPDATE_ROLLBACK_COMPLETE"), "its events in CloudFormation say why"),
    ("functions", answer("get_function_configuration", gone()), "RefreshFunction is gone"),
    (
        "functions",
        answer(
            "get_function_configuration", configuration(State="Failed", StateReason="its key is disabled")
        ),
        "RefreshFunction has failed: its key is disabled",
    ),
    (
        "functions",
        answer("get_function_configuration", gone("AccessDenied")),
        "docs/cli.md says which policy",
    ),
    ("roles", answer("get_role", gone("NoSuchEntity")), "RefreshRole is gone"),
    ("roles", answer("list_role_policies", NO_PERMISSIONS), "RefreshRole has lost its permissions"),
    ("policies", answer("get_policy", gone("NoSuchEntity")), "WorkerPolicy is gone"),
    ("schedules", answer("get_schedule", gone()), "KeepAliveSchedule is gone"),
    ("schedules", answer("get_schedule", {"State": "DISABLED"}), "in EventBridge Scheduler"),
    ("tables", table("InstallsTable", TableStatus="ARCHIVED"), "InstallsTable is ARCHIVED"),
    (
        "tables",
        answer("describe_time_to_live", {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}),
        "InstallsTable has no time to live",
    ),
    ("tables", answer("describe_continuous_backups", NO_BACKUPS), "no point-in-time recovery"),
    ("streams", table("ConnectionsTable", StreamSpecification={}), "ConnectionsTable has no stream"),
    (
        "streams",
        table("ConnectionsTable", LatestStreamArn="newer"),
        "another stream than the one that is read",
    ),
    ("streams", has("mappings", []), "ConnectionChanges is gone: "),
    ("streams", mapping(State="Disabled"), f"--enabled --uuid {PREFIX}ConnectionChanges"),
    ("streams", mapping(LastProcessingResult="PROBLEM: Function call failed"), "the function's log says why"),
    ("alarms", has("alarms", []), f"gone: {PREFIX}RescuedAlarm, {PREFIX}UnreadBatchesAlarm"),
    ("alarms", alarm(ActionsEnabled=False), f"enable-alarm-actions --alarm-names {PREFIX}RescuedAlarm"),
    ("alarms", alarm(AlarmActions=[]), "AlarmTopicArn"),
    ("no alarm rings", alarm(StateValue="ALARM"), "docs/operations.md#RescuedAlarm"),
    (
        "queues are empty",
        answer("get_queue_attributes", FULL),
        "RescueQueue has 3: docs/operations.md#rescue-waits",
    ),
    ("queues are empty", answer("get_queue_attributes", gone("QueueDoesNotExist")), "RescueQueue is gone"),
    ("public address", has("start_page", AWAY), "does not answer (HTTPClientError)"),
    ("public address", has("start_page", Page(502)), "the log of the function start says why"),
    ("public address", has("start_page", Page(200)), "something else answers at"),
    ("token key", examined(key="key_unavailable"), "KMS does not let refresh use TokenKeyArn"),
    ("token key", examined(key="seal_broken"), "seal_broken: docs/errors.md"),
    ("client at Zendesk", examined(client="client_rejected"), "put the client's secret"),
    ("client at Zendesk", examined(client="provider_unavailable"), "try again later"),
    (
        "redirect address",
        has("consent_page", Page(400)),
        "https://connect.example.com/oauth/callback, byte for byte",
    ),
    (
        "redirect address",
        answer("get_function_configuration", configuration(Environment=OF_ANOTHER)),
        "start has another PUBLIC_BASE_URL than the stack",
    ),
    ("redirect address", has("consent_page", Page(400, b"No such client")), "compare it with Admin Center"),
    (
        "redirect address",
        has("consent_page", Page(404)),
        "the account was renamed or closed, or it is the address of a brand",
    ),
    ("redirect address", has("consent_page", Page(503)), "not known, because Zendesk answers with 503"),
    ("redirect address", has("consent_page", Page(403)), "not known, because Zendesk answers with 403"),
    ("redirect address", has("consent_page", AWAY), "Zendesk does not answer"),
    (
        "global client",
        client_id("acme_local"),
        "have Zendesk make it global",
    ),
]


@pytest.mark.parametrize(
    ("check", "fault", "said"), FAULTS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_fault_turns_its_own_line_red(check: str, fault: Fault, said: str) -> None:
    """That line alone, and it says what to do."""
    healthy = Healthy()
    fault(healthy)
    lines = red(healthy)
    assert list(lines) == [check]
    assert said in lines[check]


NOT_KNOWN = Page(400, b"<h1>Invalid authorization request</h1> No such client")
REJECTED = {"secret": "ok", "client": "client_rejected", "key": "ok"}
SECRET_UNREAD = {"secret": "secret_unavailable", "client": None, "key": "ok"}
BY_SECRET = "put the client's secret, as Admin Center gives it, into Secrets Manager"
BY_IDENTIFIER = "ZendeskClientId is not the client's unique identifier"
BY_APPROVAL = "the global client is not approved yet"
BY_ACCOUNT = "a local client of another account than acme"
BY_ADDRESS = "give the client zdg-example the redirect URL"
CAUSES = (BY_SECRET, BY_IDENTIFIER, BY_APPROVAL, BY_ACCOUNT, BY_ADDRESS)


@pytest.mark.parametrize(
    ("page", "examination", "check", "causes"),
    [
        (Page(400), None, "redirect address", {BY_ADDRESS}),
        (Page(400), REJECTED, "redirect address", {BY_IDENTIFIER, BY_APPROVAL, BY_ADDRESS}),
        (Page(400), SECRET_UNREAD, "redirect address", {BY_IDENTIFIER, BY_APPROVAL, BY_ADDRESS}),
        (Page(400), NotNowError("-"), "redirect address", {BY_IDENTIFIER, BY_APPROVAL, BY_ADDRESS}),
        (NOT_KNOWN, None, "redirect address", {BY_IDENTIFIER, BY_APPROVAL}),
        (NOT_KNOWN, REJECTED, "client at Zendesk", {BY_SECRET, BY_IDENTIFIER, BY_APPROVAL}),
        (AWAY, REJECTED, "client at Zendesk", {BY_SECRET, BY_IDENTIFIER, BY_APPROVAL}),
        (Page(302), REJECTED, "client at Zendesk", {BY_SECRET, BY_IDENTIFIER, BY_APPROVAL}),
    ],
)
def test_r43_every_cause_that_fits_is_named_and_no_other(
    page: Page | Exception, examination: Any, check: str, causes: set[str]
) -> None:
    """R43: what Zendesk's two answers tell apart is told apart; of the rest every candidate is listed."""
    healthy = Healthy()
    healthy.consent_page = page
    healthy.examination = examination or healthy.examination
    mend = red(healthy)[check]
    assert {cause for cause in CAUSES if cause in mend} == causes


def test_r43_a_local_client_may_be_of_another_account() -> None:
    """R43: a local client needs no approval, and is known at its own account alone."""
    healthy = Healthy()
    client_id("acme_local")(healthy)
    healthy.examination = REJECTED
    mend = red(healthy, is_own_account=True)["client at Zendesk"]
    assert {cause for cause in CAUSES if cause in mend} == {BY_SECRET, BY_IDENTIFIER, BY_ACCOUNT}


def test_r43_a_page_that_does_not_refuse_the_identifier_puts_the_secret_first() -> None:
    """R43: the page of consent knows no secret, so where it goes on the secret is what differs."""
    healthy = Healthy()
    healthy.examination = REJECTED
    mend = red(healthy)["client at Zendesk"]
    assert f"its page of consent does not refuse the identifier: {BY_SECRET}" in mend


def test_r43_a_secret_that_cannot_be_meant_is_named_in_its_own_line() -> None:
    """R43: what `refresh` finds wrong with the secret is the advice, in place of `ok` beside a rejected client."""
    healthy = Healthy()
    problem = "the secret of CLIENT_SECRET_ARN begins with a byte-order mark"
    healthy.examination = {"secret": "configuration", "secret_problem": problem, "client": None, "key": "ok"}
    assert red(healthy)["client secret"] == f"{problem}: docs/configuration.md#the-client-secret"


def test_the_page_has_every_check() -> None:
    """docs/cli.md says of each what is looked at, and shows it."""
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    section = page.partition("## doctor\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE) == [*CHECKS, "--own-account"]
    assert re.findall(r"^[✔✘]   (.+?)(?: {2,}.*)?$", section, re.MULTILINE) == list(CHECKS)


@cache
def mends() -> Mapping[str, str]:
    """Return all that each check can say, by the faults of this module."""
    said: dict[str, str] = {}
    for check, fault, _ in [*FAULTS, ("client secret", examined(secret="configuration"), "")]:
        healthy = Healthy()
        fault(healthy)
        said[check] = f"{said.get(check, '')} {red(healthy)[check]}"
    return said


@pytest.mark.parametrize("check", CHECKS)
def test_the_page_says_what_to_do_as_the_check_does(check: str) -> None:
    """Whatever it names, a command or a setting or a page, the check names too; and it leaves out no page."""
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    [mend] = re.findall(rf"^\| `{check}` \| .+? \| (.+) \|$", page, re.MULTILINE)
    assert [name for name in re.findall(r"`(.+?)`", mend) if name not in mends()[check]] == []
    pages = {f"docs/{target}" for target in re.findall(r"\]\((.+?)\)", mend)}
    said = re.sub(
        r"(operations\.md)#(?!what-)[\w-]+", r"\1", mends()[check]
    )  # an alarm's own part of the page
    assert pages == set(re.findall(r"docs/[\w.#-]+\w", said)) - {"docs/cli.md"}


def test_every_check_can_fail() -> None:
    """None is there that no fault turns red."""
    assert {check for check, _, _ in FAULTS} == CHECKS.keys() - {"client secret"}


def test_without_its_secret_nothing_is_known_of_the_client() -> None:
    """Both lines are red, and the first says what to do."""
    healthy = Healthy()
    healthy.examination = {"secret": "configuration", "client": None, "key": "ok"}
    lines = red(healthy)
    assert list(lines) == ["client secret", "client at Zendesk"]
    assert "docs/configuration.md#the-client-secret" in lines["client secret"]
    assert lines["client at Zendesk"] == "not known before the secret can be read"


def test_where_refresh_cannot_be_asked_three_lines_say_so() -> None:
    """Nothing keeps another check from being made."""
    healthy = Healthy()
    healthy.examination = NotNowError("refresh could not do it now")
    assert list(red(healthy)) == ["client secret", "client at Zendesk", "token key"]


def test_a_local_client_may_be_meant() -> None:
    """For one's own account it need not be global."""
    healthy = Healthy()
    client_id("acme_local")(healthy)
    assert red(healthy, is_own_account=True) == {}


def test_consent_is_asked_for_as_an_install_would() -> None:
    """With our own client, redirect address and scopes, and with nobody's challenge."""
    seen = Seen(Healthy())
    list(findings(seen))
    [url] = [page for page in seen.pages if "authorizations" in page]
    assert url.startswith(
        "https://acme.zendesk.com/oauth/authorizations/new?response_type=code&client_id=zdg-example&"
    )
    assert (
        "redirect_uri=https%3A%2F%2Fconnect.example.com%2Foauth%2Fcallback&scope=users%3Aread%20tickets%3Aread"
        in url
    )


def test_an_error_that_nobody_foresaw_is_told_in_its_own_line() -> None:
    """By its kind and place, as a bug; the others are looked at all the same."""
    healthy = Healthy()
    healthy.examination = ZeroDivisionError("a-secret")
    lines = red(healthy)
    assert list(lines) == ["client secret", "client at Zendesk", "token key"]
    assert "ZeroDivisionError at " in lines["token key"]
    assert "a-secret" not in lines["token key"]


def test_a_failed_question_is_asked_once(aws: LoopbackAws) -> None:
    """Each try may take a minute, and post to Zendesk."""
    aws.say("invoke", Said(200, {"errorType": "Sandbox.Timedout"}, {"X-Amz-Function-Error": "Unhandled"}))
    patient = Patient(Desk("zendesk-oauth", Output(as_json=True)), Subdomain("acme"))
    for _ in range(2):
        with pytest.raises(NotNowError):
            _ = patient.examination
    assert len(aws.requests("invoke")) == 1


def test_what_was_never_made_has_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resource whose making has failed is listed without one."""
    healthy = Healthy()
    page = {
        "StackResourceSummaries": [{"ResourceType": "AWS::IAM::Role", "LogicalResourceId": "RefreshRole"}]
    }
    monkeypatch.setattr(healthy, "_page", lambda _: page)
    assert Seen(healthy).resources == {"AWS::IAM::Role": {"RefreshRole": NEVER_MADE}}


def test_an_account_that_is_none_is_refused(aws: LoopbackAws, typed: Type) -> None:
    """Before anything is looked at."""
    assert typed("doctor", "not valid!").exit_code == Exit.USAGE
    assert aws.asked == []


def test_which_account_is_asked(aws: LoopbackAws) -> None:
    """The one that is said; any at a stand-in; one that is connected; where there is none, it is asked for."""

    def patient(account: Subdomain | None = None) -> Patient:
        return Patient(Desk("zendesk-oauth", Output(as_json=True)), account)

    assert patient(Subdomain("globex")).account == "globex"
    aws.say("GET /connections", Said(body={"connections": [connection("hooli")], "cursor": None}))
    assert patient().account == "hooli"
    aws.say("GET /connections", Said(body={"connections": [], "cursor": None}))
    with pytest.raises(RefusedError, match="name an account to ask"):
        _ = patient().account
    aws.parameters["ZendeskBaseUrl"] = "http://127.0.0.1:1/{subdomain}"
    assert patient().account == ANY_AT_A_STAND_IN


def test_the_function_is_asked_once(aws: LoopbackAws) -> None:
    """Of the account, by an event that changes nothing."""
    aws.say("invoke", Said(body={"secret": "ok", "client": "ok", "key": "ok"}))
    patient = Patient(Desk("zendesk-oauth", Output(as_json=True)), Subdomain("acme"))
    assert patient.examination is patient.examination
    assert [asked.body for asked in aws.requests("invoke")] == [{"examine": {"subdomain": "acme"}}]


def test_the_command_says_it_line_by_line(
    aws: LoopbackAws, typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For people with a mark, for machines as a list; red is an exit code of its own."""
    del aws
    sound, sick = [("stack", None)], [("stack", None), ("token key", "enable the key")]
    for wanted, code in ((sound, Exit.DONE), (sick, Exit.AMISS)):
        checks = {name: (lambda _, mend=mend: mend) for name, mend in wanted}
        monkeypatch.setattr("cli.checkup.checks.CHECKS", checks)
        assert typed("doctor", "acme").exit_code == code
        told_to_machines = json.loads(typed("doctor", "acme", "--json").stdout)
        assert told_to_machines == [
            {"check": name, "ok": mend is None, "mend": mend} for name, mend in wanted
        ]
    printed = typed("doctor", "acme").stdout
    assert "✔   stack" in printed
    assert "✘   token key   enable the key" in printed


def test_without_a_stack_there_is_nothing_to_look_at(aws: LoopbackAws, typed: Type) -> None:
    """It is said as by every other command."""
    del aws
    assert typed("doctor", "--stack", "nobody").exit_code == Exit.NO_ACCESS


def test_a_browser_is_sent_nowhere(aws: LoopbackAws) -> None:
    """A page is what is answered first, and an address at which nobody listens is an error of the SDK's."""
    patient = Patient(cast("Desk", Healthy()), Subdomain("acme"))
    assert patient.page(f"{aws.address}/").status_code == 500
    with pytest.raises((EndpointConnectionError, HTTPClientError)):
        patient.page("http://127.0.0.1:1/")
