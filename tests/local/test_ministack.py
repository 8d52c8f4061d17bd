"""The emulator and its clients see nothing of this machine's AWS."""

import os
import socket
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from local import deployment, ministack, places
from local.ministack import Emulator, free_port, running_ministack
from local.processes import CommandFailedError, Processes

MARKS = {
    "AWS_PROFILE": "MARKED-profile",
    "AWS_ACCESS_KEY_ID": "MARKED-key",
    "AWS_SECRET_ACCESS_KEY": "MARKED-secret",
    "AWS_SESSION_TOKEN": "MARKED-token",
    "AWS_CONFIG_FILE": "/MARKED",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1/MARKED",
    "HTTP_PROXY": "http://127.0.0.1:1/MARKED",
    "PYTHONPATH": "/MARKED",
}


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Return an emulator on a machine that is full of AWS settings."""
    for name, value in MARKS.items():
        monkeypatch.setenv(name, value)
    return Emulator(4566, tmp_path)


def test_a_tools_environment_is_built_from_nothing(emulator: Emulator) -> None:
    """Neither a credential nor a profile, file, proxy or path of ours reaches a child."""
    environment = emulator.environment()
    assert "MARKED" not in repr(environment)
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
    assert environment["HOME"] == environment["TMPDIR"] == str(emulator.folder)


def test_our_clients_go_to_the_emulator_with_its_key(emulator: Emulator) -> None:
    """A profile that does not even exist here neither disturbs nor steers a client."""
    client = emulator.client("dynamodb")
    assert client.meta.endpoint_url == "http://127.0.0.1:4566"
    credentials = client._request_signer._credentials  # type: ignore[attr-defined] # private, and worth a look
    assert (credentials.access_key, credentials.token) == ("testing", None)


def test_the_build_gets_no_aws_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build may see a proxy for packages, but nothing of AWS."""
    script = tmp_path / "scripts" / "build"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\nenv\n")
    script.chmod(0o755)
    for name, value in MARKS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(places, "ROOT", tmp_path)
    with Processes() as processes:
        deployment.build(processes, tmp_path)
    seen = dict(
        line.split("=", 1) for line in (tmp_path / "build.log").read_text().splitlines() if "=" in line
    )
    assert {name for name, value in seen.items() if "MARKED" in value} == {"HTTP_PROXY"}
    assert seen["ARCH"] in {"arm64", "x86_64"}


def test_a_port_that_is_taken_is_left_alone() -> None:
    """The preferred port is taken only where nobody listens; else another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


def test_an_emulator_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that fails says why, and leaves neither process nor folder."""
    monkeypatch.setattr(places, "EMULATOR", tmp_path / "absent.py")
    monkeypatch.setattr(ministack, "_MEMORY", tmp_path / "no-memory")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with (
        Processes() as processes,
        pytest.raises(CommandFailedError, match=r"absent\.py"),
        running_ministack(processes, tmp_path),
    ):
        raise AssertionError("it cannot have started")
    assert [path.name for path in tmp_path.iterdir()] == ["ministack.log"]


def test_what_a_killed_run_left_is_swept_up(tmp_path: Path) -> None:
    """The folder of a run that is no more goes; that of a living one, and whatever is not ours, stays."""
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    names = (
        f"zendesk-oauth-{gone.pid}-x",
        f"zendesk-oauth-{os.getpid()}-x",
        "zendesk-oauth-notes-x",
        "other",
    )
    for name in names:
        (tmp_path / name / "inside").mkdir(parents=True)
    ministack._sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names[1:])


@pytest.mark.parametrize(
    ("free_bytes", "flags", "expected"),
    [(4 * 1024**3, 0, "memory"), (64 * 1024**2, 0, None), (4 * 1024**3, os.ST_NOEXEC, None)],
)
def test_memory_is_used_where_it_is_fit(
    free_bytes: int, flags: int, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder in memory is taken only with room enough and where libraries can be loaded from it."""

    def statvfs(_path: Path) -> SimpleNamespace:
        return SimpleNamespace(f_flag=flags, f_bavail=free_bytes, f_frsize=1)

    (tmp_path / "memory").mkdir()
    monkeypatch.setattr(ministack, "_MEMORY", tmp_path / "memory")
    monkeypatch.setattr(os, "statvfs", statvfs)
    assert ministack._in_memory() == (expected and str(tmp_path / expected))
