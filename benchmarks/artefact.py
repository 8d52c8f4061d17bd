"""The built artefact for this machine's processor, laid out as Lambda lays it out.

It is made by the same makefiles as `sam build` calls, in a folder of its own for each run: what stands in
`.aws-sam/build` may be for another processor, or older than the source, and is left for whoever is about to deploy it;
and two runs at once do not build under each other's feet.
"""

import fcntl
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build" / "benchmarks"
FUNCTIONS = ("start", "callback", "installs", "revoke", "refresh", "connections", "publish")
OWN = ("bare", "bare_read", "worker")
"""Handlers of the benchmark's own: those that others are held against, and a worker as its users have one."""
LAYERS = {"dependencies": "DependenciesLayer", "zendesk_oauth": "PackageLayer"}
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Artefact:
    """Where the built functions and layers lie. `architecture` is Lambda's word for this machine's."""

    folder: Path
    architecture: str

    @property
    def opt(self) -> Path:
        """Both layers on top of each other, as they lie in /opt/python."""
        return self.folder / "opt"

    def task(self, function: str) -> Path:
        """Return the function's own folder, as it lies in /var/task."""
        return self.folder / (function if function in OWN else f"{function.capitalize()}Function")

    def layer(self, name: str) -> Path:
        """Return a layer's folder, which holds `python/`."""
        return self.folder / LAYERS[name]

    def without_bytecode(self) -> "Artefact":
        """Return a copy that has no compiled bytecode, as a build that compiles nothing would ship."""
        bare = Artefact(self.folder / "no-bytecode", self.architecture)
        for part in [*(self.task(function) for function in (*FUNCTIONS, *OWN)), self.opt]:
            shutil.copytree(
                part,
                bare.folder / part.name,
                copy_function=os.link,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        return bare

    def remove(self) -> None:
        """Remove everything that was built."""
        shutil.rmtree(self.folder)


def architecture_here() -> str:
    """Return Lambda's word for this machine's processor."""
    return _ARCHITECTURES[platform.machine().lower()]


def build() -> Artefact:
    """Build functions, layers and our own handlers for this machine. Raises CalledProcessError with make's words."""
    HOME.mkdir(parents=True, exist_ok=True)
    architecture = architecture_here()
    artefact = Artefact(Path(mkdtemp(prefix=f"{architecture}-", dir=HOME)), architecture)
    with _alone():
        for name, target in LAYERS.items():
            _make(ROOT / "layers" / name, target, artefact)
        for function in FUNCTIONS:
            _make(ROOT / "functions", artefact.task(function).name, artefact)
    for name in LAYERS:
        shutil.copytree(
            artefact.layer(name) / "python", artefact.opt, copy_function=os.link, dirs_exist_ok=True
        )
    for function in OWN:
        _build_own(artefact, function)
    return artefact


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of scripts/build: both keep the dependencies in one cache."""
    lock = ROOT / "build" / "build.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(folder: Path, target: str, artefact: Artefact) -> None:
    python = (ROOT / ".tools" / "python3.13").resolve()
    environ = os.environ | {
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "UV": str(ROOT / ".tools" / "uv" / "bin" / "uv"),
        "ARCH": artefact.architecture,
        "ARTIFACTS_DIR": str(artefact.folder / target),
    }
    command = ["make", "--no-print-directory", "-C", str(folder), f"build-{target}"]
    made = subprocess.run(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if made.returncode:
        print(made.stdout)
        made.check_returncode()


def _build_own(artefact: Artefact, function: str) -> None:
    """Compile a handler of our own as the functions are compiled."""
    shutil.copytree(
        ROOT / "benchmarks" / function,
        artefact.task(function) / function,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    python = (ROOT / ".tools" / "python3.13").resolve()
    command = [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, str(artefact.task(function))], env=environ, check=True)
