"""The calls that `refresh` really makes, counted exactly and in their order; and what it loads to make them.

The holder of a claim reads, claims, has its keys, posts once and commits; everybody else makes one read.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.places import ROOT
from tests.flow.refreshing import (
    IDLE,
    INVOKE,
    NEARLY_OVER,
    connect,
    due,
    event,
    handing_over,
    marked,
    rescued_messages,
    without_store,
)
from tests.flow.test_calls import (
    CURRENT,
    DECRYPT,
    GET,
    KEY,
    ME,
    POST,
    QUERY,
    REVOCATION,
    SECRET,
    UPDATE,
    Scenario,
    play,
)
from tests.flow.world import Browser, World
from zendesk_oauth.models.connection import KEEP_ALIVE_SHARDS
from zendesk_oauth.models.refresh import GENERATIONS_PER_DATA_KEY

SHARDS = [QUERY] * KEEP_ALIVE_SHARDS
ERASED = [UPDATE, DECRYPT, DECRYPT, *REVOCATION, UPDATE]

type Do = Callable[[], object]
type Prepare = Callable[[World, Browser], Do]


def asked(name: str, prepare: Callable[[World], None] = due, *, warm: bool = False) -> Prepare:
    """Prepare a question; a warm container has the client secret, and has opened this connection's pair before."""

    def prepared(world: World, _: Browser) -> Do:
        container = world.account.cold("refresh")
        prepare(world)
        if warm:
            world.refresh(event("due"), container)
            world.clock.advance(NEARLY_OVER)
        return lambda: world.refresh(event(name), container)

    return prepared


def an_hour_later(world: World) -> None:
    """Make the connection, and let its token live on."""
    connect(world)
    world.clock.advance(timedelta(hours=1))


def claimed(world: World) -> None:
    """Let somebody else hold the claim."""
    due(world)
    claim(world)


def claim(world: World) -> None:
    """Claim the connection for somebody who is at work."""
    until = int((world.clock.now() + timedelta(seconds=70)).timestamp())
    change(
        world,
        claim_id={"S": "theirs"},
        claim_state={"S": "living"},
        claim_until={"N": str(until)},
    )


def change(world: World, **attributes: Any) -> None:
    """Set attributes of the connection's row, as no function would."""
    world.account.dynamodb.update_item(
        TableName=world.account.tables.connections,
        Key={"connection_key": {"S": "default#acme"}},
        AttributeUpdates={name: {"Value": value, "Action": "PUT"} for name, value in attributes.items()},
    )


def before_fresh_keys(world: World) -> None:
    """Let the next generation be one that gets fresh data keys."""
    due(world)
    change(world, generation={"N": str(GENERATIONS_PER_DATA_KEY - 1)})


def disconnected(world: World) -> None:
    """End the connection."""
    marked(world)
    world.refresh(event("finish"))


def replaced(world: World, _: Browser) -> Do:
    """Prepare the visit of a pair that an install has replaced."""
    container = world.account.cold("refresh")
    for _number in range(2):
        connect(world)
    with handing_over(world) as handed:
        world.refresh(event("unfinished"))
    return lambda: world.refresh(handed[0], container)


def sealed_anew(world: World) -> None:
    """Let the campaign have been here."""
    connect(world)
    world.refresh(event("rekey"))


def revoked(world: World) -> None:
    """Make the connection, and let the account's admin end its token."""
    an_hour_later(world)
    world.zendesk.revoke_all("acme")


def replayed(world: World, _: Browser) -> Do:
    """Prepare the replay of a rescued renewal."""
    due(world)
    world.refresh(event("due"), without_store(world))
    messages = rescued_messages(world)
    return lambda: world.refresh(messages)


def kept_alive(world: World, _: Browser) -> Do:
    """Prepare a tick that finds one connection due."""
    connect(world)
    world.clock.advance(IDLE)

    def tick() -> None:
        with handing_over(world):
            world.refresh(event("keep-alive"))

    return tick


SCENARIOS = [
    Scenario(
        "refresh",
        "due, first in a container",
        asked("due"),
        [GET, UPDATE, DECRYPT, DECRYPT, SECRET, POST, UPDATE],
    ),
    Scenario("refresh", "due, warm", asked("due", warm=True), [GET, UPDATE, POST, UPDATE]),
    Scenario(
        "refresh",
        "due for fresh data keys",
        asked("due", before_fresh_keys),
        [GET, UPDATE, DECRYPT, DECRYPT, KEY, KEY, SECRET, POST, UPDATE],
    ),
    Scenario("refresh", "not due", asked("due", an_hour_later), [GET]),
    Scenario("refresh", "idle, not due", asked("idle", an_hour_later), [GET]),
    Scenario("refresh", "somebody is at it", asked("due", claimed), [GET]),
    Scenario("refresh", "nothing there", asked("unknown-connection", connect), [GET]),
    Scenario("refresh", "not connected any more", asked("due", disconnected), [GET]),
    Scenario(
        "refresh",
        "a 401 that Zendesk denies",
        asked("failed", an_hour_later),
        [GET, UPDATE, DECRYPT, DECRYPT, CURRENT, UPDATE],
    ),
    Scenario("refresh", "a disconnect", asked("finish", marked), [GET, *ERASED]),
    Scenario("refresh", "a disconnect that has ended", asked("finish", disconnected), [GET]),
    Scenario(
        "refresh",
        "what an install replaced",
        replaced,
        [GET, *ERASED],
    ),
    Scenario("refresh", "a rescued renewal", replayed, [DECRYPT, DECRYPT, GET, UPDATE]),
    Scenario(
        "refresh",
        "sealed anew",
        asked("rekey", connect),
        [GET, DECRYPT, DECRYPT, KEY, KEY, UPDATE],
    ),
    Scenario("refresh", "sealed anew before", asked("rekey", sealed_anew), [GET]),
    Scenario("refresh", "not sealed anew beside a claim", asked("rekey", claimed), [GET]),
    Scenario("refresh", "keep-alive, nothing due", asked("keep-alive", connect), SHARDS),
    Scenario("refresh", "unfinished, nothing due", asked("unfinished", connect), SHARDS),
    Scenario("refresh", "a probe", asked("probe", an_hour_later), [GET, DECRYPT, CURRENT, ME]),
    Scenario("refresh", "a probe of what is dead", asked("probe", revoked), [GET, DECRYPT, CURRENT]),
    Scenario("refresh", "a probe of nothing", asked("probe", disconnected), [GET]),
    Scenario("refresh", "an examination", asked("examine", an_hour_later), [SECRET, POST, KEY, DECRYPT]),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_refresh_calls_exactly_this(world: World, scenario: Scenario) -> None:
    """The calls in their order, none more."""
    assert play(world, scenario).calls == scenario.calls


def test_a_tick_makes_one_invocation_for_each_due_connection(world: World) -> None:
    """Sixteen queries, and one invocation among them; the row itself is not read by the tick."""
    calls = play(world, Scenario("refresh", "keep-alive", kept_alive, [])).calls
    assert sorted(calls) == sorted([*SHARDS, INVOKE])


@pytest.mark.parametrize(
    ("prepare", "name"),
    [(an_hour_later, "due"), (claimed, "due"), (connect, "keep-alive")],
    ids=["not due", "somebody is at it", "a schedule"],
)
def test_a_cold_start_with_nothing_to_do_loads_next_to_nothing(
    world: World, prepare: Callable[[World], None], name: str
) -> None:
    """In an interpreter of its own: built, asked, answered, and neither Authlib nor cryptography loaded for it."""
    prepare(world)
    code = (
        "import json, sys; sys.dont_write_bytecode = True\n"
        "from zendesk_oauth.bootstrap.refresh import build\n"
        "class Context:\n"
        "    aws_request_id = 'x'\n"
        "    get_remaining_time_in_millis = staticmethod(lambda: 60_000)\n"
        f"build()({event(name)!r}, Context())\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    run = subprocess.run(  # noqa: S603 - our own interpreter and our own code
        [sys.executable, "-c", code], env=environment(world), capture_output=True, check=True
    )
    loaded = json.loads(run.stdout.splitlines()[-1])
    unwanted = ("authlib", "cryptography", "boto3", "requests", "asyncio", "zendesk_oauth.web.pages")
    assert [module for module in unwanted if module in loaded] == []
    assert [module for module in loaded if "zendesk_oauth.adapters" in module] == LOADED


LOADED = [
    "zendesk_oauth.adapters",
    "zendesk_oauth.adapters.aws_errors",
    "zendesk_oauth.adapters.clock",
    "zendesk_oauth.adapters.dynamodb_attributes",
    "zendesk_oauth.adapters.dynamodb_connection_attributes",
    "zendesk_oauth.adapters.dynamodb_connection_table",
    "zendesk_oauth.adapters.dynamodb_errors",
    "zendesk_oauth.adapters.dynamodb_expressions",
    "zendesk_oauth.adapters.dynamodb_refresh",
    "zendesk_oauth.adapters.dynamodb_refresh_rows",
    "zendesk_oauth.adapters.dynamodb_replaced_rows",
]
"""The adapters of a cold start that only reads."""


def environment(world: World) -> dict[str, str]:
    """Return the variables of a process that answers for real, at this world's table."""
    powertools = {name: text for name, text in os.environ.items() if name.startswith("POWERTOOLS_")}
    return (
        world.account.environ()
        | powertools
        | {
            "PYTHONPATH": str(ROOT / "layers/zendesk_oauth"),
            "PATH": "/usr/bin:/bin",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_DYNAMODB": world.account.endpoint,
        }
    )
