"""No secret in any sink of `refresh`: each of its events at DEBUG, and with exceptions at lines of its own.

Looked through: log lines, metrics, what it hands over and puts into the queue, the tables, repr and str of every model
and error, tracebacks. The lines that it shares with the install are failed in `test_canary`.
"""

import os
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn
from tests.flow.acts import Act
from tests.flow.injection import Line, Watch, import_everything
from tests.flow.refreshing import (
    IDLE,
    INVOKE,
    TRIES,
    accepted,
    connect,
    due,
    event,
    mark,
    marked,
    rescued_messages,
    without_store,
)
from tests.flow.scene import CLIENT_SECRET, MARK, Scene
from tests.flow.sinks import Sinks, everybody_at_debug, listening
from tests.flow.wire import refused, unanswered
from tests.flow.world import Account, Browser, World, running_account

# An exception in the place of a close leaves the socket to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

ITS_OWN = (
    *("refresh", "retire", "replay", "finish_connection", "hand_over", "disconnect_connection", "unfinished"),
    *("rescue", "kms_keyring", "kms_data_keys", "zendesk_backoff", "zendesk_secret_choice", "lambda_"),
    *("zendesk_token", "connection_attributes", "keep_renewal", "probe_", "examine_", "inquir", "rekey"),
)
"""Parts of the names of the files whose lines are failed here."""

type Do = Callable[[], object]
type Prepare = Callable[[World, Browser], Do]


def asking(
    name: str,
    before: Callable[[World], None] = due,
    after: Callable[[World], None] = lambda _: None,
) -> Prepare:
    """Prepare an event in a container of its own; `after` happens when all the rest is prepared."""

    def prepare(world: World, _: Browser) -> Do:
        before(world)
        container = world.account.cold("refresh")
        after(world)
        return lambda: world.refresh(event(name), container)

    return prepare


def misbehaving(kind: str, endpoint: str = "token", **options: Any) -> Callable[[World], None]:
    """Return what lets the stand-in misbehave once."""
    return lambda world: world.zendesk.misbehave(kind, endpoint=endpoint, **options)


def failing(operation: str, *faults: object) -> Callable[[World], None]:
    """Return what lets a call of AWS fail."""
    return lambda world: world.wire.fail(operation, *faults)  # type: ignore[arg-type]  # each is a fault


def idle(world: World) -> None:
    """Make the connection, and leave it alone for two months."""
    connect(world)
    world.clock.advance(IDLE)


def reinstalled(world: World) -> None:
    """Let an install replace another."""
    connect(world)
    connect(world)


def begun(world: World) -> None:
    """Begin a disconnect that Zendesk does not answer."""
    marked(world)
    world.zendesk.misbehave("server_error", endpoint="current_token")
    world.refresh(event("finish"))


def store_down(world: World, _: Browser) -> Do:
    """Prepare a refresh whose store falls silent after the POST."""
    due(world)
    container = without_store(world)
    return lambda: world.refresh(event("due"), container)


def replayed(world: World, browser: Browser) -> Do:
    """Prepare the replay of a rescued renewal."""
    store_down(world, browser)()
    messages, container = rescued_messages(world), world.account.cold("refresh")
    return lambda: world.refresh(messages, container)


def superseded(world: World, browser: Browser) -> Do:
    """Prepare the replay of a renewal whose row went another way."""
    store_down(world, browser)()
    messages, container = rescued_messages(world), world.account.cold("refresh")
    connect(world)
    return lambda: world.refresh(messages, container)


ACTS = [
    Act("due", asking("due")),
    Act("not due", asking("due", connect)),
    Act("idle", asking("idle", idle)),
    Act("a 401 denied", asking("failed", due)),
    Act("a rejected grant", asking("due", due, misbehaving("oauth_error"))),
    Act("a rejected client", asking("due", due, misbehaving("oauth_error", error="invalid_client"))),
    Act("busy", asking("due", due, misbehaving("too_many_requests", retry_after="date"))),
    Act("an HTML page", asking("due", due, misbehaving("html"))),
    Act("a lost answer", asking("due", due, misbehaving("lost"))),
    Act("no refresh token", asking("due", due, misbehaving("no_refresh_token"))),
    Act("no keys", asking("due", due, failing("kms.Decrypt", refused("AccessDeniedException")))),
    Act("no row", asking("due", due, failing("dynamodb.GetItem", *[unanswered] * TRIES))),
    Act("the store is down", store_down),
    Act("a replay", replayed),
    Act("a replay that nobody wants", superseded),
    Act("a damaged message", asking("rescued", due)),
    Act("malformed", asking("malformed", due)),
    Act("disconnect", asking("finish", marked)),
    Act(
        "a disconnect that is refused",
        asking("finish", marked, misbehaving("forbidden", "delete_token")),
    ),
    Act("a disconnect after the end", asking("finish", idle, mark)),
    Act("go on with a disconnect", asking("finish", begun)),
    Act("finish what was replaced", asking("finish", reinstalled)),
    Act("not finished", asking("finish", reinstalled, misbehaving("server_error", "current_token"))),
    Act("rekey", asking("rekey", connect)),
    Act("rekey of what was replaced", asking("rekey", reinstalled)),
    Act(
        "rekey without keys",
        asking("rekey", connect, failing("kms.Decrypt", refused("AccessDeniedException"))),
    ),
    Act("a probe", asking("probe", due)),
    Act("a probe of what is over", asking("probe", idle)),
    Act("a probe that may not ask whose it is", asking("probe", due, misbehaving("forbidden", "users_me"))),
    Act("an examination", asking("examine", due)),
    Act(
        "an examination of a wrong client",
        asking("examine", due, misbehaving("oauth_error", error="invalid_client")),
    ),
    Act("keep-alive", asking("keep-alive", idle, failing(INVOKE, accepted))),
    Act("unfinished", asking("unfinished", reinstalled, failing(INVOKE, accepted))),
    Act("no handover", asking("keep-alive", idle, failing(INVOKE, refused("ThrottlingException", 429)))),
]
RAISING = {"no row", "malformed", "no handover"}
"""What ends in an error of ours, which the caller gets."""
SHARES = 4
FEWEST_LINES = 500
EVERY = int(os.environ.get("CANARY_EVERY", "4"))
"""Each line takes a whole act, so one in four fails here, and each of them in `make fuzz`."""


@pytest.fixture
def zendesk_settings() -> Settings:
    """Return a stand-in whose every code and token begins with the mark."""
    return Settings(client_secret=CLIENT_SECRET, mark=MARK)


@pytest.fixture(scope="module")
def account(dynamodb_endpoint: str, zendesk_server: StandIn) -> Iterator[Account]:
    """Give an account whose client secret has the mark in it, and whose containers find every logger at DEBUG."""
    import_everything()
    with (
        everybody_at_debug(),
        running_account(dynamodb_endpoint, zendesk_server.base_url, CLIENT_SECRET) as made,
    ):
        yield made


@pytest.fixture
def loud(capsys: pytest.CaptureFixture[str]) -> Iterator[Sinks]:
    """Listen to everybody at DEBUG; also to threads that die."""
    with pytest.MonkeyPatch.context() as patch, listening(capsys) as sinks:
        patch.setattr(threading, "excepthook", lambda args: traceback.print_exception(args.exc_value))
        yield sinks


class Expected(Watch):
    """Watches the lines of an act that is meant to raise."""

    def __init__(self, act: Act, target: Line | None = None) -> None:
        super().__init__(target)
        self.fired = act.name in RAISING and target is None


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_no_secret_reaches_any_sink(world: World, loud: Sinks, act: Act) -> None:
    """With all loggers at DEBUG, vendors' too, and at each line what every model in reach would print."""
    watch = Expected(act)
    scene = Scene(world, act, loud)
    assert scene.play(watch) == []
    assert watch.lines
    assert {"access token", "refresh token", "client secret"} <= scene.canaries.names()
    assert '"request_id":"b8f5f9a2-' in loud.said


@pytest.fixture(scope="module")
def owned() -> dict[str, list[Line]]:
    """Return the lines that each act is the first to run; filled by the first test that asks for it."""
    return {}


def owners(world: World, sinks: Sinks) -> dict[str, list[Line]]:
    """Run each act; a line of `refresh`'s own is the first's that runs it."""
    taken: set[Line] = set()
    owned: dict[str, list[Line]] = {}
    for act in ACTS:
        watch = Expected(act)
        Scene(world, act, sinks).play(watch)
        new = [line for line in watch.lines if line not in taken]
        owned[act.name] = [
            line for line in new if any(part in line[0].rpartition("/")[2] for part in ITS_OWN)
        ]
        taken |= watch.lines.keys()
    return owned


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)  # told in the sinks instead
@pytest.mark.parametrize("share", range(SHARES))
def test_no_secret_reaches_any_sink_with_an_error_at_every_line(
    world: World, loud: Sinks, owned: dict[str, list[Line]], share: int
) -> None:
    """Lines of its own fail, each once; whatever is logged, answered, kept, handed over or raised is clean."""
    if not owned:
        owned.update(owners(world, loud))
    lines = [(act, line) for act in ACTS for line in owned[act.name]]
    leaks: list[str] = []
    missed: list[Line] = []
    for act, line in lines[share * EVERY :: SHARES * EVERY]:
        watch = Expected(act, line)
        leaks += [f"{act} {line}: {hit}" for hit in Scene(world, act, loud).play(watch)]
        missed += [] if watch.fired else [line]
    assert leaks == []
    assert missed == []
    assert len(lines) > FEWEST_LINES
