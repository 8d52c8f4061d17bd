"""The file for a second terminal: sourced, the emulator is its AWS; with the stack it goes."""

import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from local import places
from local.environment import kept, variables
from local.ministack import Emulator

EMULATOR = Emulator(4566, Path("nowhere"))
STACK = "zendesk-oauth-open"


def sourced(file: Path, before: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program that a terminal starts after it has sourced the file."""
    done = subprocess.run(  # noqa: S603 - a shell of our own, with a line of our own
        ["/bin/sh", "-euc", f". '{file}'; env -0"],
        env={"PATH": os.environ["PATH"], **before},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


def test_a_terminal_that_sources_it_has_the_emulator_as_its_aws(tmp_path: Path) -> None:
    """Address, key, Region under both names, and the stack; each line is `export NAME=value`."""
    file = tmp_path / "local" / "environment"
    worker = {"ZENDESK_OAUTH_CONNECTIONS_TABLE": "connections"}
    with kept(variables(EMULATOR, STACK, worker), file):
        assert (
            sourced(file, {}).items()
            >= {
                "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",
                "ZENDESK_OAUTH_STACK": STACK,
                "ZENDESK_OAUTH_CONNECTIONS_TABLE": "connections",
                "PYTHONPATH": str(places.ROOT / "layers/zendesk_oauth"),
            }.items()
        )
        _, *lines = file.read_text().splitlines()
        assert all(line.startswith("export ") for line in lines)


def test_a_persons_own_profile_and_session_are_put_aside(tmp_path: Path) -> None:
    """Neither goes before the emulator's key, nor with it."""
    file = tmp_path / "environment"
    with kept(variables(EMULATOR, STACK, {}), file):
        after = sourced(file, {"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "mine"})
    assert "mine" not in after.values()


def test_a_value_is_taken_as_it_is(tmp_path: Path) -> None:
    """Nothing in a value is a word of the shell."""
    file = tmp_path / "environment"
    with kept({"A": "two words; $HOME `id` 'quoted'"}, file):
        assert sourced(file, {})["A"] == "two words; $HOME `id` 'quoted'"


def test_it_goes_with_the_stack(tmp_path: Path) -> None:
    """Also where the stack ends by an exception, as Ctrl-C is one, and where somebody has removed it before."""
    file = tmp_path / "environment"
    with pytest.raises(KeyboardInterrupt), kept({"A": "a"}, file):
        raise KeyboardInterrupt
    assert not file.exists()
    with kept({"A": "a"}, file):
        file.unlink()


def test_another_runs_is_left(tmp_path: Path) -> None:
    """Who starts a second stack has its file there until that one ends."""
    file = tmp_path / "environment"
    with kept({"A": "first"}, file):
        file.write_text("export A=second\n")
    assert file.read_text() == "export A=second\n"


def test_logs_are_tidied_around_it(tmp_path: Path) -> None:
    """Only folders of logs are counted and removed."""
    (tmp_path / places.ENVIRONMENT.name).write_text("")
    for number in range(6):
        (tmp_path / f"{number}").mkdir()
    places.keep_newest(tmp_path)
    assert (tmp_path / places.ENVIRONMENT.name).exists()
    assert len(list(tmp_path.iterdir())) == 5


def test_the_file_of_a_stack_that_still_runs_comes_back(tmp_path: Path) -> None:
    """A second stack in the same folder takes its place only as long as it runs; one that has ended does not return."""
    file = tmp_path / "environment"
    with socket.create_server(("127.0.0.1", 0)) as first:
        running = variables(Emulator(first.getsockname()[1], Path("nowhere")), STACK, {})
        with kept(running, file):
            text = file.read_text()
            with kept({"A": "a"}, file):
                assert sourced(file, {})["A"] == "a"
            assert file.read_text() == text
    file.write_text(text)
    with kept({"A": "a"}, file):
        pass
    assert not file.exists()
