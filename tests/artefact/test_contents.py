"""What is shipped: for the right processor, compiled, whole, and nothing that never runs."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from tests.artefact.building import FUNCTIONS, HOST, ROOT, contents, files, machine, make
from tests.template.reading import TemplateLoader

LARGEST = 250 * 1024 * 1024  # Lambda's limit for a function and its layers, unzipped, in bytes
UNCHECKED_HASH = 1  # PEP 552: hash-based bytecode that Python takes without looking at the source


def pinned() -> set[str]:
    """Return the names of the packages that requirements/layer.txt pins."""
    return set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/layer.txt").read_text(), re.MULTILINE))


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_the_layer_is_for_the_processor_it_is_built_for(architecture: str, tmp_path: Path) -> None:
    """Every native library of the layer is for the processor that ARCH named, whatever this machine has."""
    layer = make("layers/dependencies", "build-DependenciesLayer", tmp_path / "layer", ARCH=architecture)
    machines = {path.name: machine(path) for path in files(layer) if ".so" in path.suffixes}
    assert "_rust.abi3.so" in machines
    assert set(machines.values()) == {architecture}


def test_without_a_word_the_layer_is_for_the_templates_default() -> None:
    """The makefile's own default is the default of the template's parameter: forgetting both is no mistake."""
    template = yaml.load((ROOT / "template.yaml").read_text(), TemplateLoader)  # noqa: S506 - a SafeLoader
    default = template["Parameters"]["Architecture"]["Default"]
    for script in ("layers/dependencies/Makefile", "scripts/build"):
        assert re.search(
            rf"^ARCH(=\$\{{ARCH:-| \?= ){default}\b", (ROOT / script).read_text(), re.MULTILINE
        ), script


def test_what_scripts_build_left_is_for_the_processor_that_was_asked_for(layers: tuple[Path, Path]) -> None:
    """The architecture reaches the layer through scripts/build and `sam build`."""
    assert {machine(path) for path in files(layers[0]) if ".so" in path.suffixes} == {HOST}


def test_every_module_ships_its_bytecode_and_it_is_never_stale(built: Path) -> None:
    """Beside each .py lies bytecode of this Python, taken unchecked, and made from exactly that source."""
    sources = [path for path in files(built) if path.suffix == ".py"]
    assert len(sources) > 500
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        head = compiled.read_bytes()[:16]
        assert head[:4] == importlib.util.MAGIC_NUMBER, source
        assert int.from_bytes(head[4:8], "little") == UNCHECKED_HASH, source
        assert head[8:] == importlib.util.source_hash(source.read_bytes()), source


def test_no_bytecode_lacks_its_source(built: Path) -> None:
    """There is nothing to run whose source one cannot read."""
    for compiled in (path for path in files(built) if path.suffix == ".pyc"):
        assert (compiled.parent.parent / f"{compiled.name.split('.')[0]}.py").exists(), compiled


def test_the_layer_has_the_pinned_packages_and_no_others(layers: tuple[Path, Path]) -> None:
    """What is in the layer is what requirements/layer.txt pins: no test tool, no type stubs, nothing by chance."""
    metadata = [path.name for path in layers[0].glob("*.dist-info")]
    found = {name.rsplit("-", 1)[0].replace("_", "-").lower() for name in map(_without_suffix, metadata)}
    assert found == pinned()
    assert {path.name for path in layers[1].iterdir()} == {"zendesk_oauth"}


def _without_suffix(name: str) -> str:
    return name.removesuffix(".dist-info")


def test_every_package_keeps_its_licence_and_metadata(layers: tuple[Path, Path]) -> None:
    """We pass these packages on, so their licences go with them; importlib.metadata finds their versions."""
    for folder in layers[0].glob("*.dist-info"):
        assert (folder / "METADATA").exists(), folder
        assert [path for path in files(folder) if "LICEN" in path.name.upper() or "COPYING" in path.name], (
            folder
        )


@pytest.mark.parametrize("package", ["boto3", "botocore"])
def test_the_sdk_is_whole(package: str, layers: tuple[Path, Path]) -> None:
    """Workers mount this layer and may call any service: no file of the SDK is missing."""
    spec = importlib.util.find_spec(package)
    assert spec
    assert spec.origin
    here = {path for path in contents(Path(spec.origin).parent) if "__pycache__" not in path}
    assert len(here) > 10
    assert here <= set(contents(layers[0] / package))


def test_nothing_is_shipped_that_never_runs(built: Path) -> None:
    """No tests, stubs, headers, commands, makefiles or installers' notes."""
    for path in files(built):
        assert not {"tests", "test", "bin"} & set(path.relative_to(built).parts), path
        assert path.suffix not in {".pyi", ".h", ".c", ".pth"}, path
        assert path.name not in {"Makefile", "RECORD", "INSTALLER", "WHEEL", "conftest.py"}, path


@pytest.mark.parametrize("verb", FUNCTIONS)
def test_a_function_ships_its_own_folder_only(verb: str, built: Path) -> None:
    """A function's package is its folder of functions/, file for file, and its bytecode."""
    shipped = {name for name in contents(built / f"{verb.title()}Function") if not name.endswith(".pyc")}
    source = ROOT / "functions" / verb
    assert shipped == {f"{verb}/{name}" for name in contents(source) if "__pycache__" not in name}
    assert f"{verb}/app.py" in shipped


def test_a_function_and_its_layers_fit_into_lambda(built: Path, layers: tuple[Path, Path]) -> None:
    """The largest function and both layers stay under half of Lambda's limit: a worker mounts them beside its own."""
    size = sum(path.stat().st_size for layer in layers for path in files(layer))
    size += max(
        sum(path.stat().st_size for path in files(built / f"{verb.title()}Function")) for verb in FUNCTIONS
    )
    assert size < LARGEST / 2


@pytest.mark.parametrize(
    ("folder", "target"),
    [
        ("layers/zendesk_oauth", "build-PackageLayer"),
        ("layers/dependencies", "build-DependenciesLayer"),
        *(("functions", f"build-{verb.title()}Function") for verb in FUNCTIONS),
    ],
)
def test_two_builds_of_the_same_source_are_the_same(folder: str, target: str, tmp_path: Path) -> None:
    """File by file, bytes and dates agree, even from an empty cache: a deploy without a change replaces nothing."""
    one, two = (make(folder, target, tmp_path / name, CACHE=str(tmp_path / f"{name}-cache")) for name in "ab")
    assert contents(one) == contents(two)
    assert {path.stat().st_mtime for folder in (one, two) for path in files(folder)} == {315_532_800.0}
