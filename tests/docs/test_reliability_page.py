"""docs/reliability.md has every fault that is to be survived, and tests that are there and show it."""

import ast
import re
from functools import cache

import pytest

from tests.docs.reading import ROOT, table_rows

PAGE = ROOT / "docs/reliability.md"
FAULTS = [f"R{number}" for number in range(1, 47)]
_TEST = re.compile(r"`?(tests/[\w/]+\.py)::(test_\w+)`?")
_SENTENCE = re.compile(r"[A-Z][^.`]{20,}")
_LINK = re.compile(r"\]\(#[\w-]+\)")


def rows() -> dict[str, list[str]]:
    """Return the cells of each fault's row, without its number."""
    found = [row for row in table_rows(PAGE) if re.fullmatch(r"R\d+", row[0])]
    assert [row[0] for row in found] == FAULTS, "every fault has one row, in order"
    return {row[0]: row[1:] for row in found}


def named_tests(shown_by: str) -> list[tuple[str, str]]:
    """Return file and function of each test that a cell names."""
    return _TEST.findall(shown_by)


@cache
def functions_in(path: str) -> dict[str, str]:
    """Return each test function of a file, with its docstring; none where there is no such file."""
    file = ROOT / path
    tree = ast.parse(file.read_text() if file.exists() else "")
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {function.name: ast.get_docstring(function) or "" for function in functions}


def carries(fault: str, path: str, name: str) -> bool:
    """Tell whether a test bears the fault's number, in its name or in its docstring."""
    in_name = name.startswith(f"test_{fault.lower()}_")
    return in_name or re.search(rf"\b{fault}\b", functions_in(path).get(name, "")) is not None


def says_why_not(shown_by: str) -> bool:
    """Tell whether a cell says in a sentence why no test bears the number, and what covers it instead."""
    covered = bool(named_tests(shown_by)) or bool(_LINK.search(shown_by))
    return covered and _SENTENCE.search(shown_by) is not None


def test_every_fault_says_what_it_is_and_what_happens() -> None:
    """No row is without one of its cells."""
    assert [fault for fault, cells in rows().items() if len(cells) != 3 or not all(cells)] == []


def test_every_test_that_the_page_names_is_there() -> None:
    """Whoever renames or removes one is told here."""
    missing = [
        f"{fault}: {path}::{name}"
        for fault, *_, shown_by in table_rows(PAGE)
        for path, name in named_tests(shown_by)
        if name not in functions_in(path)
    ]
    assert missing == []


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_shown_by_a_test_of_its_number_or_says_why_not(fault: str) -> None:
    """A test with the number in name or docstring; or a sentence, with what covers the fault instead."""
    shown_by = rows()[fault][2]
    assert any(carries(fault, *test) for test in named_tests(shown_by)) or says_why_not(shown_by)


@pytest.mark.parametrize("rule", ["I11", "I12"])
def test_what_holds_whatever_happens_is_shown_by_a_test_of_its_number(rule: str) -> None:
    """Each invariant that the page promises has its row, with a test that bears its number."""
    (cells,) = (row for row in table_rows(PAGE) if row[0] == rule)
    assert any(carries(rule, *test) for test in named_tests(cells[-1]))


def test_everything_is_built() -> None:
    """No row says any more that something is not there yet."""
    assert "not built yet" not in PAGE.read_text()


@pytest.mark.parametrize(
    "shown_by", ["", "Somebody will see to it some day.", "`tests/flow/test_refresh.py::test_nothing_at_all`"]
)
def test_an_empty_promise_is_seen(shown_by: str) -> None:
    """Neither words alone nor a test without the number are enough."""
    assert not says_why_not(shown_by)
    assert not any(carries("R9", *test) for test in named_tests(shown_by))
