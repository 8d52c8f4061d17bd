"""Arguments of the worker's API: each wrong one raises an error that names the parameter, and nothing is read."""

import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import httpx
import pytest

from tests.worker.doubles import ACCOUNT_URL, World, row
from tests.worker.test_building import GOOD
from zendesk_oauth.errors import SubdomainRefusedError, UnknownGrantError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.worker.answers import retry_after
from zendesk_oauth.worker.connections import Clocks, Connections
from zendesk_oauth.worker.httpx_auth import HttpxAuth
from zendesk_oauth.worker.questions import question_of
from zendesk_oauth.worker.requests_auth import RequestsAuth

NO_TEXT: tuple[object, ...] = (None, True, 5, math.nan, b"acme", ["acme"], {"acme"})
NO_SCOPES: tuple[object, ...] = (None, True, 5, math.nan, b"read", bytearray(b"read"))
NO_SCOPE_IN_IT: tuple[object, ...] = (b"read", 5, None, ["read"], Secret("read"))
NO_SPAN: tuple[object, ...] = (None, True, 5, 5.0, math.nan, "5", [])
NO_SECONDS: tuple[object, ...] = ("5", True, timedelta(5), [])
NO_QUESTION: tuple[object, ...] = ("acme", None, ("default", "acme"), True)
NO_GENERATION: tuple[object, ...] = (True, 7.0, math.nan, "7", b"7", Decimal(7), [7], Secret("7"))
TOO_SHORT = timedelta(microseconds=-1)


def scopes_that_fail() -> Iterator[str]:
    """Yield a scope, then something that is none."""
    yield "read"
    yield 5  # type: ignore[misc] # what the test is about


@pytest.fixture
def world() -> World:
    """Return a worker's surroundings with one active connection."""
    return World(row())


@pytest.fixture
def connections(world: World) -> Connections:
    """Return connections that have a kept token, so that the quick path is tried as well."""
    connections = world.connections()
    connections.token("acme")
    return connections


WRONG_TYPES: list[tuple[str, str, object]] = [
    *(
        (method, "subdomain", wrong)
        for method in ("token", "auth", "httpx_auth", "account_url")
        for wrong in NO_TEXT
    ),
    *((method, "grant", wrong) for method in ("token", "auth", "httpx_auth") for wrong in NO_TEXT),
    *((method, "scopes", wrong) for method in ("token", "auth", "httpx_auth") for wrong in NO_SCOPES),
    *(("token", "min_ttl", wrong) for wrong in NO_SPAN),
    *(("token", "newer_than", wrong) for wrong in NO_GENERATION),
    *((method, "question", wrong) for method in ("answer", "kept") for wrong in NO_QUESTION),
    *(("answer", "until", wrong) for wrong in NO_SECONDS),
]


@pytest.mark.parametrize(("method", "parameter", "wrong"), WRONG_TYPES)
def test_a_wrong_type_is_named(
    world: World, connections: Connections, method: str, parameter: str, wrong: object
) -> None:
    """A TypeError names the parameter and the type that was given, and nothing is read."""
    first = {"question": question_of("acme")} if method in {"answer", "kept"} else {"subdomain": "acme"}
    arguments: dict[str, Any] = first | {parameter: wrong}
    with pytest.raises(TypeError, match=rf"^{parameter} must be .*, not {type(wrong).__name__}$"):
        getattr(connections, method)(**arguments)
    assert world.rows.reads == ["eventual"]


@pytest.mark.parametrize("method", ["token", "auth", "httpx_auth"])
@pytest.mark.parametrize("wrong", NO_SCOPE_IN_IT)
def test_an_element_that_is_no_scope_is_named(connections: Connections, method: str, wrong: object) -> None:
    """Also one that no set could hold."""
    with pytest.raises(TypeError, match=rf"^scopes must be .*, not {type(wrong).__name__} in it"):
        getattr(connections, method)("acme", scopes=["read", wrong])


def test_a_wrong_scope_of_a_generator_is_named(connections: Connections) -> None:
    """Each element is checked, wherever the scopes come from."""
    with pytest.raises(TypeError, match=r"^scopes must be .*, not int in it"):
        connections.token("acme", scopes=scopes_that_fail())


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"scopes": ("tickets;read",)}, "scopes"),
        ({"scopes": " "}, "scopes"),
        ({"scopes": "read read"}, "scopes"),
        ({"min_ttl": TOO_SHORT}, "min_ttl"),
        ({"min_ttl": timedelta.min}, "min_ttl"),
        ({"min_ttl": timedelta(days=2, microseconds=1)}, "min_ttl"),
        ({"min_ttl": timedelta.max}, "min_ttl"),
        ({"newer_than": -1}, "newer_than"),
    ],
)
def test_a_value_out_of_range_is_named(
    world: World, connections: Connections, arguments: dict[str, Any], parameter: str
) -> None:
    """A ValueError names the parameter and what it may be; nothing is read."""
    with pytest.raises(ValueError, match=f"^{parameter}") as caught:
        connections.token("acme", **arguments)
    assert type(caught.value) is ValueError
    assert world.rows.reads == ["eventual"]


def test_names_that_are_none_keep_their_own_errors(connections: Connections) -> None:
    """A text that no account or grant can have is told apart from a wrong type."""
    for wrong in ("", "a.b", "é", "a" * 64):
        with pytest.raises(SubdomainRefusedError):
            connections.token(wrong)
    for wrong in ("", "A", "a#b", "a" * 33):
        with pytest.raises(UnknownGrantError):
            connections.token("acme", wrong)


def test_the_limits_themselves_are_accepted(connections: Connections) -> None:
    """The shortest and the longest wish, and the lowest generation."""
    assert connections.token("acme", min_ttl=timedelta(0), newer_than=0).generation == 1
    assert connections.token("acme", min_ttl=timedelta(days=2)).generation == 1


@pytest.mark.parametrize("wrong", NO_SPAN)
@pytest.mark.parametrize("build", [Connections.from_environ, Connections])
def test_a_wait_of_a_wrong_type_is_named(build: Callable[..., Connections], wrong: object) -> None:
    """Both ways to make connections raise it at once, before a client is built."""
    arguments: tuple[object, ...] = (GOOD,)
    if build is Connections:
        arguments = (World(row()).read_token, ACCOUNT_URL, Clocks(float, float))
    with pytest.raises(TypeError, match=rf"^wait must be .*, not {type(wrong).__name__}"):
        build(*arguments, wait=wrong)


@pytest.mark.parametrize(
    "wrong", [TOO_SHORT, timedelta.min, timedelta(minutes=15, microseconds=1), timedelta.max]
)
def test_a_wait_out_of_range_is_named(wrong: timedelta) -> None:
    """A lock takes no longer time-out than that, and no negative one."""
    with pytest.raises(ValueError, match=r"^wait must be from 0"):
        Connections.from_environ(GOOD, wait=wrong)


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"read_token": None}, "read_token"),
        ({"account_url": None}, "account_url"),
        ({"account_url": b"https://{subdomain}.zendesk.com"}, "account_url"),
        ({"clocks": None}, "clocks"),
        ({"clocks": (float, None)}, "clocks"),
        ({"clocks": Clocks(float, None)}, "clocks"),  # type: ignore[arg-type] # what the test is about
    ],
)
def test_a_constructor_argument_of_a_wrong_type_is_named(changes: dict[str, Any], parameter: str) -> None:
    """Connections are made once, so each is checked there and not at the first call."""
    arguments = {"read_token": World(row()).read_token, "account_url": ACCOUNT_URL} | {
        "clocks": Clocks(float, float)
    }
    with pytest.raises(TypeError, match=f"^{parameter} must be "):
        Connections(**(arguments | changes))  # type: ignore[arg-type] # what the test is about


@pytest.mark.parametrize("wrong", ["https://acme.zendesk.com", "https://{0}.zendesk.com", "{subdomain", ""])
def test_an_account_url_without_a_place_for_the_subdomain_is_named(wrong: str) -> None:
    """Every account would have the same address, or none."""
    with pytest.raises(ValueError, match=r"^account_url must "):
        Connections(World(row()).read_token, wrong, Clocks(float, float))


@pytest.mark.parametrize("wrong", ["STAGE=prod", 5, True, [("STAGE", "prod")], b""])
def test_an_environment_that_is_no_mapping_is_named(wrong: object) -> None:
    """None stands for the process's own; anything else has to map names to texts."""
    with pytest.raises(TypeError, match=rf"^environ must be .*, not {type(wrong).__name__}"):
        Connections.from_environ(wrong)  # type: ignore[arg-type] # what the test is about


@pytest.mark.parametrize("wrong", [None, True, 5, math.nan, b"prod", Secret("hidden")])
def test_a_variable_of_a_wrong_type_is_named(wrong: object) -> None:
    """By its whole name, and without its value."""
    with pytest.raises(TypeError, match=r"^environ\['ZENDESK_OAUTH_STAGE'\] must be str, not ") as caught:
        Connections.from_environ({**GOOD, "ZENDESK_OAUTH_STAGE": wrong})  # type: ignore[dict-item]
    assert "hidden" not in str(caught.value)


def test_variables_of_others_are_not_looked_at() -> None:
    """Only our own names are checked: the mapping may be the program's whole configuration."""
    environ: dict[str, Any] = {**GOOD, "PORT": 80, "ZENDESK_OAUTH_EXTRA": None}
    assert Connections.from_environ(environ).account_url("acme") == "https://acme.zendesk.com"


class NoHeaders:
    """A response whose headers are none."""

    headers = ("Retry-After: 5",)


class NoText:
    """A response whose header is no text."""

    headers: ClassVar = {"Retry-After": 5}


@pytest.mark.parametrize("wrong", [None, 429, "5", {"Retry-After": "5"}, NoHeaders(), NoText()])
def test_a_response_that_is_none_is_named(wrong: object) -> None:
    """What has no headers to be asked for is no response."""
    with pytest.raises(TypeError, match=r"^response must be "):
        retry_after(wrong)  # type: ignore[arg-type] # what the test is about


@pytest.mark.parametrize(
    "wrong", [None, "https://acme.zendesk.com/api", httpx.Request("GET", "https://acme.zendesk.com/api")]
)
def test_a_request_of_another_client_is_named(connections: Connections, wrong: object) -> None:
    """A client of httpx calls any callable with its own requests: the error says which auth object it needs."""
    with pytest.raises(TypeError, match=r"^request must be a prepared request of requests.*httpx_auth"):
        connections.auth("acme")(wrong)  # type: ignore[arg-type] # what the test is about


@pytest.mark.parametrize("wrong", [None, "https://acme.zendesk.com/api", 5])
def test_a_request_that_httpx_never_made_is_named(connections: Connections, wrong: object) -> None:
    """The synchronous and the asynchronous flow name it."""
    auth = connections.httpx_auth("acme")
    with pytest.raises(TypeError, match=r"^request must be an httpx.Request"):
        next(auth.sync_auth_flow(wrong))  # type: ignore[arg-type] # what the test is about
    with pytest.raises(TypeError, match=r"^request must be an httpx.Request"):
        auth.async_auth_flow(wrong).asend(None).send(None)  # type: ignore[arg-type] # the same


@pytest.mark.parametrize("build", [RequestsAuth, HttpxAuth])
def test_an_auth_object_is_made_by_its_connections(build: Callable[..., object], world: World) -> None:
    """Made by hand with something else it names what is wrong."""
    with pytest.raises(TypeError, match=r"^connections must be "):
        build(None, question_of("acme"))
    with pytest.raises(TypeError, match=r"^question must be "):
        build(world.connections(), "acme")


@pytest.mark.parametrize("wrong", NO_TEXT)
def test_a_secret_is_made_of_text(wrong: object) -> None:
    """Otherwise the error would come where it is revealed, far from its cause; the value is not printed."""
    with pytest.raises(TypeError, match=rf"^text must be str, not {type(wrong).__name__}$"):
        Secret(wrong)  # type: ignore[arg-type] # what the test is about
