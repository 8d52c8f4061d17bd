"""The command as `make setup` leaves it: a few lines that find this checkout from anywhere."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.docs.reading import ROOT

WRITE = ROOT / "scripts/write-command"


def write(folder: Path, script: Path = WRITE) -> Path:
    """Write the command into a folder and return it."""
    subprocess.run([script, folder], check=True, cwd="/")  # noqa: S603 - our own script
    return folder / "zendesk-oauth"


def run(command: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command from a folder of its own, in an environment that says nothing of this checkout."""
    return subprocess.run(  # noqa: S603 - our own command
        [command, *words],
        cwd=command.parent,
        env={"PATH": "/usr/bin:/bin", "HOME": str(command.parent), "PYTHONPATH": str(command.parent)},
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_command_works_from_anywhere(tmp_path: Path) -> None:
    """Whatever lies in the folder where it is called, and under the name by which people know it."""
    (tmp_path / "cli.py").write_text("raise SystemExit('another module of this name')\n")
    done = run(write(tmp_path), "list", "--help")
    assert (done.returncode, "Usage: zendesk-oauth list" in done.stdout) == (0, True), done.stderr


def test_an_error_says_which_command_it_is_of(tmp_path: Path) -> None:
    """And ends with the exit code of the table."""
    done = run(write(tmp_path), "list", "--nonsense")
    assert (done.returncode, "zendesk-oauth list" in done.stderr) == (2, True)


def test_the_command_is_of_the_checkout_that_wrote_it(tmp_path: Path) -> None:
    """Also where its path has a space and a quote in it; what it needs stands beside it."""
    checkout = tmp_path / "it's mine"
    (checkout / "scripts").mkdir(parents=True)
    shutil.copy2(WRITE, checkout / "scripts")
    for name in (".venv", "cli", "deployed", "layers"):
        (checkout / name).symlink_to(ROOT / name)
    (tmp_path / "bin").mkdir()
    command = write(tmp_path / "bin", checkout / "scripts/write-command")
    assert str(ROOT) not in command.read_text()
    assert run(command, "--help").returncode == 0


def test_what_is_there_already_is_left(tmp_path: Path) -> None:
    """A second run changes nothing, and leaves nothing beside it."""
    command = write(tmp_path)
    os.utime(command, (1, 1))
    write(tmp_path)
    assert command.stat().st_mtime == 1
    assert [path.name for path in tmp_path.iterdir()] == ["zendesk-oauth"]


def test_set_up_writes_it() -> None:
    """Right after the environment that it runs in."""
    lines = (ROOT / "scripts/setup").read_text().splitlines()
    made = lines.index('environment dev "$PWD/.venv"')
    assert lines[made + 1] == 'scripts/write-command "$PWD/.venv/bin"'
