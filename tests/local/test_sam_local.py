"""What `sam local` is given: addresses that a container can reach, and flags that name them."""

import socket
import threading
import tomllib

import pytest

from local.containers import ContainerEngine, reachable
from local.ministack import Emulator
from local.sam import settings
from local.sam.expected import AFTER_ANOTHER, EVENTS, Returned, Shown, mode_of
from local.sam.run import _differs, _differs_on_the_web
from zendesk_oauth.settings import Variables, zendesk_base_url

ZENDESK = "http://127.0.0.1:8001"
DEPLOYED = {
    "ZENDESK_BASE_URL": f"{ZENDESK}/{{subdomain}}",
    "PUBLIC_BASE_URL": "http://localhost:8700",
    "RESCUE_QUEUE_URL": "http://localhost:4566/000000000000/rescue",
    "SITE_URL": "",
    "ALLOWED_RETURN_ORIGINS": "http://localhost:5000",
    "STAGE": "local",
}


@pytest.fixture
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    """Return what is known of an emulator, which does not run."""
    return Emulator(4566, tmp_path_factory.mktemp("emulator"))


def test_a_function_reaches_everything_through_the_name_of_this_machine(emulator: Emulator) -> None:
    """In a container, 127.0.0.1 is the container; the browser comes back to `sam local start-api`."""
    variables = settings._for_container(DEPLOYED, emulator, ZENDESK)
    assert variables == {
        **DEPLOYED,
        "AWS_ENDPOINT_URL": "http://host.docker.internal:4566",
        "ZENDESK_BASE_URL": "http://host.docker.internal:8001/{subdomain}",
        "PUBLIC_BASE_URL": "http://localhost:3000",
        "RESCUE_QUEUE_URL": "http://host.docker.internal:4566/000000000000/rescue",
        "SITE_URL": "http://localhost:5000/settings",
    }


def test_start_sends_the_browser_to_loopback(emulator: Emulator) -> None:
    """`start` never calls Zendesk, and a browser on this machine does not know the container's name for it."""
    assert settings._for_container(DEPLOYED, emulator, "")["ZENDESK_BASE_URL"] == f"{ZENDESK}/{{subdomain}}"


@pytest.mark.parametrize("stage", ["local", "prod"])
def test_no_other_stage_takes_the_name_of_this_machine(stage: str) -> None:
    """The address of the fake Zendesk in a container is one of stage `local` alone."""
    variables = Variables(
        "start", {"STAGE": stage, "ZENDESK_BASE_URL": "http://host.docker.internal:8001/{subdomain}"}
    )
    zendesk_base_url(variables)
    assert (variables.problems == []) is (stage == "local")


def test_the_file_of_flags_names_each_deployment() -> None:
    """The open deployment is the default, the confirmed one an environment of its own; no image is pulled."""
    config = tomllib.loads(settings._config(ContainerEngine("10.88.0.1"), ["open", "confirmed"]))
    for environment, mode in (("default", "open"), ("confirmed", "confirmed")):
        for command in ("local_invoke", "local_start_api", "local_start_lambda"):
            flags = config[environment][command]["parameters"]
            assert flags["env_vars"].endswith(f"/{mode}.json")
            assert (flags["add_host"], flags["skip_pull_image"]) == ("host.docker.internal:10.88.0.1", True)


def test_an_engine_that_knows_this_machine_needs_no_address() -> None:
    """Docker Desktop leads the name to loopback by itself."""
    assert "add_host" not in settings._config(ContainerEngine(None), ["open"])


@pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])
def test_a_container_reaches_loopback_at_the_gateway() -> None:
    """Each connection is passed on both ways, and ends when either side ends; nothing listens afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        port = upstream.getsockname()[1]

        def echo() -> None:
            connection, _ = upstream.accept()
            with connection:
                while data := connection.recv(1000):
                    connection.sendall(data.upper())

        thread = threading.Thread(target=echo, daemon=True)
        thread.start()
        with reachable(ContainerEngine("127.0.0.2"), [port]):
            with socket.create_connection(("127.0.0.2", port)) as container:
                container.sendall(b"hello")
                container.shutdown(socket.SHUT_WR)
                assert container.recv(1000) == b"HELLO"
                assert container.recv(1000) == b""
            thread.join(10)
        assert not thread.is_alive()
        with socket.socket() as late:
            assert late.connect_ex(("127.0.0.2", port)) != 0


def test_every_event_that_needs_the_confirmed_deployment_says_so() -> None:
    """The name tells; and an event that needs another one before it has both in the table."""
    confirmed = {name for name in EVENTS if mode_of(name) == "confirmed"}
    assert {name for name in EVENTS if name.startswith("installs/")} <= confirmed
    assert {*AFTER_ANOTHER, *AFTER_ANOTHER.values()} <= set(EVENTS)


@pytest.mark.parametrize(
    ("result", "differs"),
    [
        ({"statusCode": 200, "body": "yes", "headers": {"Location": "/x"}}, False),
        ({"statusCode": 400, "body": "yes", "headers": {"Location": "/x"}}, True),
        ({"statusCode": 200, "body": "no", "headers": {"Location": "/x"}}, True),
        ({"statusCode": 200, "body": "yes", "headers": {}}, True),
        ({"errorType": "ConfigurationError"}, True),
    ],
)
def test_an_answer_that_is_another_is_seen(result: dict[str, object], *, differs: bool) -> None:
    """`sam local invoke` exits with 0 also when the function fails, so its answer is what counts."""
    assert (_differs_on_the_web(result, Shown(200, "yes", "/x")) is not None) is differs


@pytest.mark.parametrize(
    ("result", "differs"), [({"a": 1, "b": 2}, False), ({"a": 2}, True), ([], True), (None, True)]
)
def test_a_returned_object_that_is_another_is_seen(result: object, *, differs: bool) -> None:
    """Every member that is named has to be there."""
    assert (_differs(result, Returned({"a": 1})) is not None) is differs
