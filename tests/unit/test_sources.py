"""What the sources of production never use, whatever their tests would say of it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = ("layers/zendesk_oauth/zendesk_oauth", "functions")
CIPHER = {"adapters/kms_data_keys.py"}
HASHES = {"hashlib.sha256", "hmac.compare_digest", "hmac.digest"}
PAUSES = {"random.random", "random.uniform"}
"""A pause is drawn so that many part ways, and is no secret."""
STARTS_OTHER_PROGRAMS = {"subprocess", "pty", "multiprocessing"}
READS_CODE_AS_DATA = {"pickle", "marshal", "shelve", "xml", "xmlrpc", "yaml", "ctypes"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}


@cache
def sources() -> dict[str, ast.Module]:
    """Return every module that is deployed, parsed, by where it is within its folder."""
    paths = [path for place in PLACES for path in sorted((ROOT / place).rglob("*.py"))]
    return {
        str(path).rpartition("/zendesk_oauth/zendesk_oauth/")[2]: ast.parse(path.read_text())
        for path in paths
    }


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the first part of each module that is imported, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def used(tree: ast.Module, module: str) -> Iterator[str]:
    """Yield `module.name` for each name of a module that is used by its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module:
            yield f"{module}.{node.attr}"


def called(tree: ast.Module) -> Iterator[str]:
    """Yield each function that is called by its bare name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def test_there_are_sources_to_look_at() -> None:
    """The search is not empty."""
    assert len(sources()) > 80


@pytest.mark.parametrize("unwanted", [STARTS_OTHER_PROGRAMS, READS_CODE_AS_DATA])
def test_nothing_starts_programs_or_reads_data_that_could_be_code(unwanted: set[str]) -> None:
    """No shell, no pickle, no XML, no YAML: what comes from outside is JSON, a query or a form, and stays data."""
    assert {name: found for name, tree in sources().items() if (found := unwanted & {*imported(tree)})} == {}


def test_nothing_runs_a_text() -> None:
    """Neither `eval` nor one of its kin, and no system call by `os`."""
    for name, tree in sources().items():
        assert not RUNS_TEXT & {*called(tree)}, name
        assert {*used(tree, "os")} <= {"os.environ", "os.register_at_fork"}, name


def test_one_module_knows_a_cipher() -> None:
    """Whoever looks for what is encrypted, and how, has one file to read."""
    assert {name for name, tree in sources().items() if "cryptography" in imported(tree)} == CIPHER


def test_the_one_hash_is_sha_256() -> None:
    """Plain or in an HMAC, and compared in constant time."""
    hashes = {
        found for tree in sources().values() for module in ("hashlib", "hmac") for found in used(tree, module)
    }
    assert hashes == HASHES


def test_chance_that_can_be_guessed_draws_pauses_alone() -> None:
    """Secrets come from the operating system, by `secrets`; `random` says only how long to wait."""
    drawn = {found for tree in sources().values() for found in used(tree, "random")}
    assert drawn == PAUSES
