"""docs/security.md leaves out no section of RFC 9700 and no requirement of the ASVS, and names tests that are there."""

import re
from collections.abc import Iterator

import pytest

from tests.docs.reading import ROOT, table_rows
from tests.docs.test_reliability_page import functions_in, named_tests

PAGE = ROOT / "docs/security.md"
SECTIONS = [
    *("2.1", "2.1.1", "2.1.2", "2.2.1", "2.2.2", "2.3", "2.4", "2.5", "2.6"),
    *(f"4.{number}" for number in range(1, 18)),
]
"""Of RFC 9700: what it recommends, and the attacks that it describes."""
REQUIREMENTS = {
    "V1": (2, 10, 12, 3, 3),
    "V2": (3, 3, 5, 2),
    "V3": (1, 3, 5, 8, 8, 1, 5),
    "V4": (5, 5, 2, 4),
    "V8": (4, 4, 3, 2),
    "V10": (2, 3, 5, 16, 5, 2, 3),
    "V11": (4, 5, 5, 4, 2, 2, 2),
    "V12": (5, 2, 5),
    "V13": (4, 6, 4, 7),
    "V14": (2, 8, 3),
    "V15": (5, 5, 7, 4),
    "V16": (1, 5, 4, 3, 4),
}
"""How many requirements each section of a chapter of the ASVS 5.0 has."""
VERDICTS = ("Does not apply", "Zendesk's part", "AWS's part", "The deployer's part", "Said in", "Not met")
_NUMBER = re.compile(r"V\d+\.\d+\.\d+")
_SECTION = re.compile(r"[24]\.\d+(?:\.\d+)?")
_TESTS = re.compile(r"`?tests/[\w/]+\.py::test_\w+`?")


def rows() -> dict[str, tuple[str, str]]:
    """Return what is done and what shows it, by section or requirement."""
    names = re.compile(f"{_NUMBER.pattern}|{_SECTION.pattern}")
    found = [row for row in table_rows(PAGE) if names.fullmatch(row[0]) and len(row) == 3]
    assert len({row[0] for row in found}) == len(found), "one of them stands on the page twice"
    return {name: (done, shown_by) for name, done, shown_by in found}


def set_aside() -> list[str]:
    """Return the requirements of the last table, each of whose rows says why."""
    lists = [row for row in table_rows(PAGE) if _NUMBER.match(row[0]) and len(row) == 2]
    assert all(why for _, why in lists)
    return [number for numbers, _ in lists for number in numbers.split(", ")]


def of_the_asvs() -> Iterator[str]:
    """Yield every requirement of the chapters that the page looks at."""
    for chapter, sections in REQUIREMENTS.items():
        for section, count in enumerate(sections, 1):
            yield from (f"{chapter}.{section}.{number}" for number in range(1, count + 1))


def words_of(shown_by: str) -> str:
    """Return what a cell says beside the tests that it names."""
    return _TESTS.sub("", shown_by).strip()


def is_honest(shown_by: str) -> bool:
    """Tell whether a cell names tests, or says in one of the page's words whose part it is; nothing else."""
    words = words_of(shown_by)
    return words.startswith(VERDICTS) if words else bool(named_tests(shown_by))


def test_every_section_of_the_rfc_has_its_row() -> None:
    """What it recommends and what it warns of, in its order."""
    assert [name for name in rows() if _SECTION.fullmatch(name)] == SECTIONS


def test_every_requirement_of_the_asvs_is_looked_at_once() -> None:
    """In a row of its own, or set aside with a reason; none is made up."""
    looked_at = [name for name in rows() if _NUMBER.fullmatch(name)]
    assert sorted([*looked_at, *set_aside()]) == sorted(of_the_asvs())


def test_every_row_says_what_is_done() -> None:
    """Also where it is somebody else's part."""
    assert [name for name, (done, _) in rows().items() if len(done) < 10] == []


@pytest.mark.parametrize("name", rows())
def test_every_row_is_shown_by_a_test_or_says_whose_part_it_is(name: str) -> None:
    """A test, or one of the words that the page explains."""
    assert is_honest(rows()[name][1])


def test_every_test_that_the_page_names_is_there() -> None:
    """Whoever renames or removes one is told here."""
    missing = [
        f"{name}: {path}::{test}"
        for name, (_, shown_by) in rows().items()
        for path, test in named_tests(shown_by)
        if test not in functions_in(path)
    ]
    assert missing == []


def test_the_page_explains_its_words() -> None:
    """Each verdict stands in the table at the beginning."""
    assert [row[0] for row in table_rows(PAGE) if row[0] in VERDICTS] == list(VERDICTS)


@pytest.mark.parametrize("shown_by", ["", "Somebody has looked at it.", "tests/unit/test_sources.py"])
def test_an_empty_promise_is_seen(shown_by: str) -> None:
    """Neither other words nor a file without a test are enough."""
    assert not is_honest(shown_by)
