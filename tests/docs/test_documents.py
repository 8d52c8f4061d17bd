"""What the documents point at is there, and what should not stand in any text does not."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.reading import ROOT, anchors, documents, name_of, prose, texts

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?: \"[^\"]*\")?\)")
_COMMAND = re.compile(r"(?:`|^\s*)make ([a-z][a-z-]*)", re.MULTILINE)
_TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
_NAMED_FILE = re.compile(
    r"`((?:docs|layers|functions|cli|deployed|local|tests|events|benchmarks|scripts|requirements|examples)/[\w./-]+)`"
)
_GENERATED = {"benchmarks/results.json"}
BANNED = {
    "a path of one machine": r"/(?:work|root|home)/[a-z]",
    "a registry's host": r"(?:pypi|npmjs)\.org|python" + r"hosted\.org|registry\.npm" + r"js",
    "an index in a lock": r"--(?:extra-)?index-" + r"url |--find-" + r"links ",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE" + r" KEY-----",
    "an access key of AWS": r"\bAKIA[0-9A-Z]{16}\b(?<!EXAMPLE)",
}


def links(document: Path) -> list[str]:
    """Return what a document links to within the project."""
    found = _LINK.findall(prose(document))
    return [link for link in found if not urlsplit(link).scheme and not link.startswith("//")]


def leads_nowhere(document: Path, link: str) -> bool:
    """Tell whether a link's file is missing, or its heading in that file."""
    path, _, anchor = unquote(link).partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.exists() or not target.is_relative_to(ROOT):
        return True
    return bool(anchor) and target.suffix == ".md" and anchor not in anchors(target)


def test_every_relative_link_leads_somewhere() -> None:
    """Files, folders and headings that documents link to are there."""
    wrong = [
        f"{name_of(document)}: {link}"
        for document in documents()
        for link in links(document)
        if leads_nowhere(document, link)
    ]
    assert wrong == []


def test_every_command_of_make_is_there() -> None:
    """A `make …` that a document names is a target of the Makefile."""
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text()))
    wrong = [
        f"{name_of(document)}: make {command}"
        for document in documents()
        for command in _COMMAND.findall(document.read_text())
        if command not in targets
    ]
    assert wrong == []


def test_every_file_that_a_document_names_is_there() -> None:
    """A path in backquotes is one of the project's, unless it is made by a command."""
    wrong = [
        f"{name_of(document)}: {path}"
        for document in documents()
        for path in _NAMED_FILE.findall(prose(document))
        if path not in _GENERATED and not (ROOT / path).exists()
    ]
    assert wrong == []


@pytest.mark.parametrize("what", BANNED)
def test_no_text_has_what_belongs_to_one_machine(what: str) -> None:
    """Whoever clones this finds nothing of where it was made."""
    pattern = re.compile(BANNED[what])
    wrong = [
        f"{name_of(path)}:{number}: {line.strip()[:80]}"
        for path, text in texts()
        if path != Path(__file__)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a path of one machine", "/home/" + "somebody/x"),
        ("a registry's host", "https://py" + "pi.org/simple"),
        ("an index in a lock", "--index-" + "url https://example.com"),
        ("a private key", "-----BEGIN RSA PRIVATE" + " KEY-----"),
        ("an access key of AWS", "AKIA" + "A" * 16),
    ],
)
def test_the_search_finds_what_it_looks_for(what: str, text: str) -> None:
    """Each pattern matches what it is there for."""
    assert re.search(BANNED[what], text)


def test_there_are_documents_to_look_at() -> None:
    """The search is not empty: the README and the pages of docs/ are among them."""
    names = {name_of(document) for document in documents()}
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"} <= names
    assert sum(len(links(document)) for document in documents()) > 10
