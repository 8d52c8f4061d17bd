"""No secret in any sink: the whole flow at DEBUG with values that are known, and with an exception at every line.

Looked through: log lines, metrics, standard output and error, answers but for what they are meant to carry, both
tables, repr and str of every model and error, tracebacks. All in every encoding that `canary` knows: 0 hits.
"""

import base64
import gc
import json
import logging
import threading
import traceback
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from local.zendesk.settings import Settings
from local.zendesk.standin import StandIn
from tests.flow.acts import ACTS, Act
from tests.flow.canary import Canaries, encodings
from tests.flow.injection import (
    InjectedError,
    Line,
    Watch,
    import_everything,
)
from tests.flow.scene import CLIENT_SECRET, MARK, Scene
from tests.flow.sinks import Sinks, everybody_at_debug, listening
from tests.flow.world import Account, World, running_account

# An exception in the place of a close leaves the socket to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


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
    gc.collect()


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_no_secret_reaches_any_sink(world: World, loud: Sinks, act: Act) -> None:
    """With all loggers at DEBUG, vendors' too, and at each line what every model in reach would print."""
    watch = Watch()
    scene = Scene(world, act, loud)
    assert scene.play(watch) == []
    assert watch.lines
    assert "request answered" in loud.said or "revocation ended" in loud.said


def test_the_acts_have_every_secret_in_play(world: World, loud: Sinks) -> None:
    """What is looked for is really there: each kind of secret turns up in at least one act."""
    names: set[str] = set()
    for act in ACTS:
        if act.name in {"a candidate", "allow", "continue"}:
            scene = Scene(world, act, loud)
            scene.play(Watch())
            names |= scene.canaries.names()
    assert names == {
        "access token",
        "client secret",
        "code",
        "cookie",
        "data key",
        "handle",
        "invitation",
        "proof",
        "refresh token",
        "state",
        "verifier",
    }


def test_the_flow_is_not_silent(world: World, loud: Sinks) -> None:
    """The sinks do hear: our own log line and metric, and vendors that may speak."""
    Scene(world, ACTS[0], loud).play(Watch())
    logging.getLogger("urllib3").debug("heard %s", "urllib3")
    assert "request answered" in loud.stdout
    assert "InstallStarted" in loud.stdout
    assert "heard urllib3" in "".join(loud.records)


@pytest.mark.parametrize(
    "secret", [b"abc\"+/\\~ def%ghi<jkl'mno&pqr", bytes(range(200, 232)), b"0123456789abcdef" * 4]
)
@pytest.mark.parametrize("padding", [b"", b"x", b"xy", b"xyz"])
def test_the_search_finds_every_encoding(secret: bytes, padding: bytes) -> None:
    """Each is found by its name in the middle of something else, as the standard library itself writes it."""
    canaries = Canaries()
    canaries.add("secret", secret)
    ways = set(encodings(secret))
    hays = {
        "hex": (padding + secret + padding).hex().encode(),
        "HEX": (padding + secret + padding).hex().upper().encode(),
        f"base64 at {len(padding) % 3}": base64.b64encode(padding + secret + padding),
        f"base64url at {len(padding) % 3}": base64.urlsafe_b64encode(padding + secret + padding),
        "in a repr of bytes": repr(padding + secret + padding).encode(),
        "raw": padding + secret + padding,
        "first part": padding + secret[:20] + b"..." + padding,
        "last part": padding + b"..." + secret[-20:] + padding,
    }
    if secret.isascii():
        text = (padding + secret + padding).decode()
        hays |= {
            "URL-encoded": quote(text, safe="").encode(),
            "url-encoded": quote(text, safe="").lower().encode(),
            "URL-encoded twice": quote(quote(text, safe=""), safe="").encode(),
            "JSON-escaped": json.dumps({"x": text}).encode(),
            "JSON-escaped twice": json.dumps({"x": json.dumps({"x": text})}).encode(),
            "JSON, code points": "".join(f"\\u{ord(character):04x}" for character in text).encode(),
            "in a repr": repr([text]).encode(),
        }
    for way, hay in hays.items():
        assert way in ways
        assert f"secret, {way}" in canaries.found(hay)
    assert canaries.found(b"nothing of it" * 100) == []
    assert canaries.found(hays["raw"], frozenset({"secret"})) == []


def test_an_injected_error_reaches_the_log_of_the_function(world: World, loud: Sinks) -> None:
    """The injection itself works: the line fails, and what follows of it is told as an internal error."""
    scene = Scene(world, ACTS[0], loud)
    found = Watch()
    scene.play(found)
    target = next(line for line in found.lines if line[0].endswith("start_install.py"))
    scene = Scene(world, ACTS[0], loud)
    watch = Watch(target)
    assert scene.play(watch) == []
    assert watch.fired
    assert InjectedError.__name__ in loud.stdout


SHARES = 4
"""So that the lines can be divided among workers."""
FEWEST_LINES = 800


@pytest.fixture(scope="module")
def owned() -> dict[str, list[Line]]:
    """Return the lines that each act is the first to run; filled by the first test that asks for it."""
    return {}


def owners(world: World, sinks: Sinks) -> dict[str, list[Line]]:
    """Run each act; a line is the first's that runs it."""
    taken: set[Line] = set()
    owned: dict[str, list[Line]] = {}
    for act in ACTS:
        watch = Watch()
        Scene(world, act, sinks).play(watch)
        owned[act.name] = [line for line in watch.lines if line not in taken]
        taken |= watch.lines.keys()
    return owned


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)  # told in the sinks instead
@pytest.mark.parametrize("share", range(SHARES))
def test_no_secret_reaches_any_sink_with_an_error_at_every_line(
    world: World, loud: Sinks, owned: dict[str, list[Line]], share: int
) -> None:
    """Each line of the package that the flow runs fails once; whatever is logged, answered, kept or raised is clean."""
    if not owned:
        owned.update(owners(world, loud))
    lines = [(act, line) for act in ACTS for line in owned[act.name]]
    leaks: list[str] = []
    missed: list[Line] = []
    for act, line in lines[share::SHARES]:
        watch = Watch(line)
        leaks += [f"{act} {line}: {hit}" for hit in Scene(world, act, loud).play(watch)]
        missed += [] if watch.fired else [line]
    assert leaks == []
    assert missed == []
    assert len(lines) > FEWEST_LINES
