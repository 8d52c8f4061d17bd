"""The calls that each function really makes, counted exactly, and held against what its role in template.yaml allows.

One call more than the minimum is seen here; so is a permission that no scenario uses.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from local.zendesk.person import approve, deny
from tests.flow.wire import Call
from tests.flow.world import Browser, World, state_of, with_query
from tests.handlers.payloads import api_event
from tests.template.reading import TEMPLATE, TemplateLoader

POST = "zendesk.token"
ME, CURRENT, DELETE = "zendesk.users/me", "zendesk.tokens/current", "zendesk.delete"
PUT, UPDATE, GET = "dynamodb.PutItem", "dynamodb.UpdateItem", "dynamodb.GetItem"
QUERY, TRANSACT = "dynamodb.Query", "dynamodb.TransactWriteItems"
KEY, DECRYPT = "kms.GenerateDataKey", "kms.Decrypt"
SECRET = "secretsmanager.GetSecretValue"
EXCHANGE = [KEY, KEY, POST, ME]
REVOCATION = [CURRENT, DELETE, CURRENT]
SOON, LATE = timedelta(seconds=61), timedelta(seconds=601)

type Permission = tuple[str, str]
"""An action and the resource's name in template.yaml."""
type Do = Callable[[], object]


@dataclass(frozen=True)
class Scenario:
    """One call of a function: what has happened before, and exactly what it then calls, in its order."""

    verb: str
    name: str
    prepare: Callable[[World, Browser], Do]
    calls: list[str]
    mode: str = "open"

    def __str__(self) -> str:
        return f"{self.verb}: {self.name}"


def start(query: str) -> Callable[[World, Browser], Do]:
    """Prepare a start with this query."""
    return lambda _, browser: lambda: browser.start(query)


def start_invited(world: World, browser: Browser) -> Do:
    """Prepare a start with an invitation."""
    query = urlsplit(world.invite()).query
    return lambda: browser.start(query)


def preview(world: World, browser: Browser) -> Do:
    """Prepare a GET of an invitation that is no navigation."""
    query = urlsplit(world.invite()).query
    return lambda: browser.start(query, **{"sec-fetch-mode": "no-cors"})


def press_continue(world: World, browser: Browser) -> Do:
    """Prepare the POST of the page that asks first."""
    query = urlsplit(world.invite()).query
    page = browser.start(query, **{"sec-fetch-mode": "no-cors"})
    return lambda: browser.press_continue(query, page)


def allow(role: str = "admin", **misbehaviour: Any) -> Callable[[World, Browser], Do]:
    """Prepare a callback after Allow, in a container that has the client secret."""

    def prepare(world: World, browser: Browser) -> Do:
        warm(world)
        callback = approve(browser.begin(), role)
        if misbehaviour:
            world.zendesk.misbehave(**misbehaviour)
        return lambda: browser.callback(callback)

    return prepare


def warm(world: World) -> None:
    """Let the container of `callback` have the client secret, without leaving a connection of acme's."""
    Browser(world).connect("subdomain=globex" if world.mode == "open" else urlsplit(world.invite()).query)


def allow_cold(world: World, browser: Browser) -> Do:
    """Prepare a callback after Allow in a container of its own."""
    callback = approve(browser.begin())
    container = world.account.cold("callback")
    return lambda: browser.callback(callback, container)


def allow_again(world: World, browser: Browser) -> Do:
    """Prepare a callback over a connection that lives."""
    browser.connect()
    return allow()(world, browser)


def allow_invited(world: World, browser: Browser) -> Do:
    """Prepare a callback that makes a candidate."""
    warm(world)
    callback = approve(browser.begin(urlsplit(world.invite()).query))
    return lambda: browser.callback(callback)


def replay(_: World, browser: Browser) -> Do:
    """Prepare the second opening of a callback."""
    callback = approve(browser.begin())
    browser.callback(callback)
    return lambda: browser.callback(callback)


def refuse(_: World, browser: Browser) -> Do:
    """Prepare a callback after Deny."""
    callback = deny(browser.begin())
    return lambda: browser.callback(callback)


def report_error(_: World, browser: Browser) -> Do:
    """Prepare a callback with an error of Zendesk's."""
    callback = with_query(deny(browser.begin()), error="invalid_scope")
    return lambda: browser.callback(callback)


def stranger(jar: str) -> Callable[[World, Browser], Do]:
    """Prepare a callback in another browser, with this value in the cookie."""

    def prepare(world: World, browser: Browser) -> Do:
        callback = approve(browser.begin())
        other = Browser(world)
        other.jar = dict.fromkeys(browser.jar, jar) if jar else {}
        return lambda: other.callback(callback)

    return prepare


def candidate(world: World) -> str:
    """Make a candidate and return its handle."""
    return Browser(world).connect(urlsplit(world.invite()).query).query["handle"]


def confirm(user: str = "user-17", *, times: int = 1) -> Callable[[World, Browser], Do]:
    """Prepare a confirmation, the last of several."""

    def prepare(world: World, _: Browser) -> Do:
        handle = candidate(world)
        for _repeat in range(times - 1):
            world.confirm(handle, user)
        return lambda: world.confirm(handle, user)

    return prepare


def revoke_candidate(world: World, _: Browser) -> Do:
    """Prepare a run that finds a candidate whose time is over."""
    candidate(world)
    world.clock.advance(LATE)
    return world.revoke


def revoke_failed(world: World, browser: Browser) -> Do:
    """Prepare a run that finds the token of a failed install."""
    world.zendesk.misbehave("server_error", endpoint="current_token")
    browser.connect(role="agent")
    world.clock.advance(SOON)
    return world.revoke


SCENARIOS = [
    Scenario("start", "a subdomain", start("subdomain=acme"), [PUT]),
    Scenario("start", "an invitation", start_invited, [UPDATE], "confirmed"),
    Scenario("start", "a preview of an invitation", preview, [], "confirmed"),
    Scenario("start", "continue", press_continue, [UPDATE], "confirmed"),
    Scenario("start", "the form", start(""), []),
    Scenario("start", "a bad subdomain", start("subdomain=-"), []),
    Scenario("start", "a bad return_to", start("subdomain=acme&return_to=//evil.example"), []),
    Scenario("start", "an invitation is needed", start("subdomain=acme"), [], "confirmed"),
    Scenario("callback", "allow", allow(), [UPDATE, *EXCHANGE, TRANSACT]),
    Scenario(
        "callback", "allow, first in a container", allow_cold, [UPDATE, KEY, KEY, SECRET, POST, ME, TRANSACT]
    ),
    Scenario("callback", "allow over a connection", allow_again, [UPDATE, *EXCHANGE, TRANSACT, TRANSACT]),
    Scenario("callback", "allow, invited", allow_invited, [UPDATE, *EXCHANGE, UPDATE], "confirmed"),
    Scenario("callback", "deny", refuse, [UPDATE]),
    Scenario("callback", "an error", report_error, [UPDATE]),
    Scenario("callback", "a failed exchange", allow(kind="oauth_error"), [UPDATE, KEY, KEY, POST, UPDATE]),
    Scenario("callback", "a wrong role", allow("agent"), [UPDATE, *EXCHANGE, *REVOCATION, UPDATE]),
    Scenario(
        "callback",
        "a token alone",
        allow(kind="no_refresh_token"),
        [UPDATE, KEY, KEY, POST, *REVOCATION, UPDATE],
    ),
    Scenario("callback", "the same address again", replay, [UPDATE]),
    Scenario("callback", "a stranger's cookie", stranger("Z" * 43), [UPDATE]),
    Scenario("callback", "no cookie", stranger(""), []),
    Scenario("installs", "an invitation", lambda world, _: world.invite, [PUT], "confirmed"),
    Scenario("installs", "a confirmation", confirm(), [GET, TRANSACT], "confirmed"),
    Scenario("installs", "a confirmation again", confirm(times=2), [GET], "confirmed"),
    Scenario("installs", "a stranger's confirmation", confirm("somebody"), [GET], "confirmed"),
    Scenario("installs", "no handle", lambda world, _: lambda: world.confirm("x"), [], "confirmed"),
    Scenario("revoke", "nothing to do", lambda world, _: world.revoke, [QUERY]),
    Scenario(
        "revoke", "a candidate", revoke_candidate, [QUERY, UPDATE, DECRYPT, *REVOCATION, UPDATE], "confirmed"
    ),
    Scenario(
        "revoke", "a failed install", revoke_failed, [QUERY, UPDATE, UPDATE, DECRYPT, *REVOCATION, UPDATE]
    ),
]
USED_BY: dict[str, dict[Permission, str]] = {
    "start": {
        ("dynamodb:PutItem", "InstallsTable"): "a subdomain",
        ("dynamodb:UpdateItem", "InstallsTable"): "an invitation",
    },
    "callback": {
        ("dynamodb:UpdateItem", "InstallsTable"): "deny",
        ("dynamodb:UpdateItem", "ConnectionsTable"): "allow",
        ("kms:GenerateDataKey", "TokenKey"): "allow",
        ("secretsmanager:GetSecretValue", "ClientSecretArn"): "allow, first in a container",
    },
    "installs": {
        ("dynamodb:PutItem", "InstallsTable"): "an invitation",
        ("dynamodb:GetItem", "InstallsTable"): "a confirmation",
        ("dynamodb:UpdateItem", "InstallsTable"): "a confirmation",
        ("dynamodb:UpdateItem", "ConnectionsTable"): "a confirmation",
    },
    "revoke": {
        ("dynamodb:Query", "InstallsTable/index/revocations"): "nothing to do",
        ("dynamodb:UpdateItem", "InstallsTable"): "a candidate",
        ("kms:Decrypt", "TokenKey"): "a candidate",
    },
}
"""What each role allows, and the scenario that uses it; logs and what an option of the template adds aside."""


@dataclass
class Seen:
    """What one call of a function asked of others, in its order."""

    calls: list[str]
    of_aws: list[Call]


def play(world: World, scenario: Scenario) -> Seen:
    """Prepare, then let the function run once and note what it calls."""
    world.mode = scenario.mode
    do = scenario.prepare(world, Browser(world))
    world.handler(scenario.verb)
    world.zendesk.seen.clear()
    world.wire.clear()
    do()
    of_aws = list(world.wire.calls)
    seen = world.zendesk.seen
    of_zendesk = [(post.at, POST) for post in seen.token_posts]
    of_zendesk += [(call.at, _named(call.method, call.path)) for call in seen.api_calls]
    together = [(at, call.operation) for at, call in zip(world.wire.at, of_aws, strict=True)] + of_zendesk
    return Seen([name for _, name in sorted(together, key=lambda pair: pair[0])], of_aws)


def _named(method: str, path: str) -> str:
    if method == "DELETE":
        return DELETE
    return ME if path.endswith("/users/me.json") else CURRENT


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_function_calls_exactly_this_and_only_what_it_may(world: World, scenario: Scenario) -> None:
    """The calls in their order, none more; and each is allowed by the function's own role."""
    seen = play(world, scenario)
    assert seen.calls == scenario.calls
    assert needed(world, seen.of_aws) <= USED_BY[scenario.verb].keys()


@pytest.mark.parametrize("verb", USED_BY)
def test_a_role_allows_nothing_that_no_scenario_uses(world: World, verb: str) -> None:
    """Every permission is used by the scenario that is named beside it, and the template has no other."""
    used: set[Permission] = set()
    for scenario in SCENARIOS:
        if scenario.verb == verb and scenario.name in USED_BY[verb].values():
            world.clear()
            world.zendesk.start_over(world.zendesk.settings)
            used |= needed(world, play(world, scenario).of_aws)
    assert used == USED_BY[verb].keys()
    assert used == set(allowed(verb))


def test_data_keys_are_asked_for_with_the_whole_context(world: World, browser: Browser) -> None:
    """One for each token; the role's policy asks for application and stage, a worker's will for the field."""
    browser.connect("subdomain=acme&grant=reporting")
    place = {"application": "zendesk-oauth", "stage": "local", "grant": "reporting", "subdomain": "acme"}
    asked = [call.parameters for call in world.wire.calls if call.operation == KEY]
    assert [parameters["EncryptionContext"] for parameters in asked] == [
        place | {"field": "access_token"},
        place | {"field": "refresh_token"},
    ]
    assert {parameters["KeyId"] for parameters in asked} == {world.account.token_key_arn}


def test_only_access_tokens_are_ever_opened(confirmed: World) -> None:
    """The one function that decrypts names the field that its role allows."""
    candidate(confirmed)
    confirmed.clock.advance(LATE)
    confirmed.wire.clear()
    confirmed.revoke()
    asked = [
        call.parameters["EncryptionContext"]["field"]
        for call in confirmed.wire.calls
        if call.operation == DECRYPT
    ]
    assert asked == ["access_token"]


def test_the_connections_are_written_in_transactions_of_their_own(world: World, browser: Browser) -> None:
    """The outcome of the install is in the same one, and what it replaces; the row comes only with a failure."""
    for _ in range(2):
        browser.connect()
    first, failed, second = [call for call in world.wire.calls if call.operation == TRANSACT]
    tables = world.account.tables
    assert first.tables == failed.tables == (tables.installs, tables.connections)
    assert second.tables == (tables.installs, tables.connections, tables.connections)
    for transaction in (first, failed, second):
        writes = [item["Update"] for item in transaction.parameters["TransactItems"]]
        assert not any("ReturnValues" in write for write in writes)
        asked_back = [write.get("ReturnValuesOnConditionCheckFailure") for write in writes]
        assert asked_back == ["ALL_OLD", "ALL_OLD", None][: len(writes)]


def test_a_method_that_is_refused_calls_nobody(world: World) -> None:
    """A 405 costs nothing, at each of the addresses."""
    for verb, path in (
        ("start", "/oauth/start"),
        ("callback", "/oauth/callback"),
        ("installs", "/invitations"),
    ):
        assert world.call(verb, api_event("PATCH", path)).status == 405
    assert world.wire.calls == []


def test_the_state_of_an_install_is_settled_before_a_key_is_asked_for(world: World, browser: Browser) -> None:
    """The first call of an allowed callback consumes the install, and nothing was read before."""
    callback = approve(browser.begin())
    world.wire.clear()
    browser.callback(callback)
    first = world.wire.calls[0]
    assert (first.operation, first.tables) == (UPDATE, (world.account.tables.installs,))
    assert first.parameters["Key"] == {"install_id": {"S": state_of(callback).partition(".")[0]}}


def needed(world: World, calls: Iterable[Call]) -> set[Permission]:
    """Return what IAM asks for these calls: a transaction needs the permission of each write in it."""
    tables = {
        world.account.tables.installs: "InstallsTable",
        world.account.tables.connections: "ConnectionsTable",
    }
    permissions: set[Permission] = set()
    for call in calls:
        service, _, action = call.operation.partition(".")
        index = f"/index/{call.parameters['IndexName']}" if "IndexName" in call.parameters else ""
        if call.operation == TRANSACT:
            action = "UpdateItem"
            assert all(set(write) == {"Update"} for write in call.parameters["TransactItems"])
        resources = [f"{tables[table]}{index}" for table in call.tables] or [_resource(world, call)]
        permissions |= {(f"{service}:{action}", resource) for resource in resources}
    return permissions


def _resource(world: World, call: Call) -> str:
    named = call.parameters.get("KeyId") or call.parameters.get("SecretId")
    return {world.account.token_key_arn: "TokenKey", world.account.client_secret_arn: "ClientSecretArn"}[
        str(named)
    ]


def allowed(verb: str) -> Iterator[Permission]:
    """Yield what the role of a function allows, its own logs and what the template's options add aside."""
    resources = yaml.load(TEMPLATE.read_text(), TemplateLoader)["Resources"]  # noqa: S506 - a SafeLoader
    (role,) = [
        resources[resource["Properties"]["Role"]["Fn::GetAtt"][0]]["Properties"]
        for resource in resources.values()
        if resource["Properties"].get("Handler") == f"{verb}.app.handler"
    ]
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if "Fn::If" in statement or statement["Sid"] == "WriteItsOwnLogs":
                continue
            actions = statement["Action"]
            for action in actions if isinstance(actions, list) else [actions]:
                yield action, _short(statement["Resource"])


def _short(resource: dict[str, Any]) -> str:
    (form, value), *_ = resource.items()
    if form == "Fn::GetAtt":
        return str(value[0])
    return str(value).replace("${InstallsTable.Arn}", "InstallsTable")
