"""How the tests build, and how they read what was built."""

import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = (ROOT / ".tools/python3.13").resolve()
HOST = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
FUNCTIONS = ("start", "callback", "installs", "revoke", "refresh", "connections", "publish")
MACHINES = {62: "x86_64", 183: "arm64"}  # e_machine: EM_X86_64, EM_AARCH64
_MACHINE_AT = slice(18, 20)


def run(*command: str | Path, **variables: str) -> str:
    """Run a command of the build in the project's folder, with its own Python found first; return what it printed."""
    tools = {"PATH": f"{PYTHON.parent}:{os.environ['PATH']}"}
    done = subprocess.run(  # noqa: S603 - the commands are written in these tests
        command,
        cwd=ROOT,
        env=os.environ | tools | variables,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def make(folder: str, target: str, artefacts: Path, **variables: str) -> Path:
    """Build one target of a makefile into a folder of our own, as `sam build` would; return that folder."""
    run("make", "-C", folder, target, ARTIFACTS_DIR=str(artefacts), **({"ARCH": HOST} | variables))
    return artefacts


def machine(library: Path) -> str:
    """Return the processor that an ELF file is for."""
    head = library.read_bytes()[:20]
    assert head[:4] == b"\x7fELF", library
    return MACHINES[int.from_bytes(head[_MACHINE_AT], "little")]


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file's bytes by its path within the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in files(folder)}


def files(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
