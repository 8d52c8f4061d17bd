from pathlib import Path

import pytest

from benchmarks import artefact, cold_start, imports, programs, sizes, template
from benchmarks.artefact import Artefact


def test_a_count_is_the_whole_process() -> None:
    """Of callgrind's output the summary is taken, whatever else stands in it."""
    assert cold_start.read_count("events: Ir\nfn=(1) main\n1 10\nsummary: 1152292935\n") == 1_152_292_935


def test_no_summary_is_no_number() -> None:
    """Where callgrind was interrupted there is an error, not a zero."""
    with pytest.raises(ValueError, match="no summary"):
        cold_start.read_count("events: Ir\n")


def test_a_missing_valgrind_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without valgrind it is said what is missing and how to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(cold_start.ValgrindMissingError, match="apt install valgrind"):
        cold_start.require_valgrind()


def test_import_times_are_read_by_module() -> None:
    """A module's own time is taken, without what it imports, and other lines are passed over."""
    head = "import time: self [us] | cumulative | imported package"
    text = f"{head}\nimport time:       120 |        350 |   json.decoder\nx\n"
    assert imports.read_import_times(text) == {"json.decoder": 120}


def test_shared_imports_are_not_ours() -> None:
    """What the bare handler loads too is not counted against a function, and the costliest comes first."""
    own = {"botocore": 9.0, "authlib": 1.0, "cryptography": 4.0}
    assert list(imports.costliest(own, {"botocore": 8.0})) == ["cryptography", "authlib"]


def test_a_layer_has_two_sizes(tmp_path: Path) -> None:
    """Unzipped is what the files hold, zipped what is uploaded."""
    built = Artefact(tmp_path, "arm64")
    for name in artefact.LAYERS:
        built.layer(name).mkdir()
    (built.layer("dependencies") / "zeros").write_bytes(bytes(1_000_000))
    measured = sizes.measure_sizes(built)
    assert measured["dependencies"]["unzipped"] == 1.0
    assert measured["dependencies"]["zipped"] < 0.1


def test_bytecode_is_left_behind(tmp_path: Path) -> None:
    """The copy without bytecode has every source and not one compiled file."""
    built = Artefact(tmp_path / "arm64", "arm64")
    folders = [built.opt, *(built.task(f) for f in (*artefact.FUNCTIONS, *artefact.OWN))]
    for folder in folders:
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "app.py").touch()
        (folder / "__pycache__" / "app.pyc").touch()
    bare = built.without_bytecode()
    assert len(list(bare.folder.rglob("app.py"))) == len(folders)
    assert not list(bare.folder.rglob("*.pyc"))


@pytest.mark.parametrize("function", artefact.FUNCTIONS)
def test_memory_is_the_templates(function: str) -> None:
    """The cost is reckoned with the memory that the template gives the function."""
    assert template.memory_mb(function) in range(128, 10_241)


def test_the_peak_is_told_with_the_answers() -> None:
    """A process tells its answers and its peak in its last line; what stands before is what it logged."""
    told = 'a line\n{"answers": [[0.5, null]], "peak_kb": 52000}\n'
    run = programs.read_run(programs.Program("revoke", "revoke", Path("event.json"), None), told)
    assert (run.answers, run.logged, run.peak_kb) == ([(0.5, None)], len("a line"), 52_000)


def test_a_refresh_that_had_nothing_to_do_is_not_measured_as_one() -> None:
    """What answers early is cheap: the outcome must be the one that the program is named for."""
    refresh = programs.Program("refresh", "refresh", Path("event.json"), "refreshed")
    with pytest.raises(programs.UnexpectedAnswerError, match="current"):
        programs.read_run(refresh, '{"answers": [[0.5, {"outcome": "current"}]], "peak_kb": null}\n')
