"""docs/errors.md says what errors.py does, no more and no less."""

import importlib
import pkgutil
from collections.abc import Iterator

import zendesk_oauth
from tests.docs.reading import ROOT, table_rows
from zendesk_oauth.errors import ZendeskOAuthError

PAGE = ROOT / "docs/errors.md"


def tree(root: type[ZendeskOAuthError]) -> Iterator[type[ZendeskOAuthError]]:
    """Yield an error and all below it."""
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def in_the_code() -> set[tuple[str, str, str]]:
    """Return code, name and whether to try again of every error of the package, wherever it is defined."""
    for module in pkgutil.walk_packages(zendesk_oauth.__path__, "zendesk_oauth."):
        importlib.import_module(module.name)
    ours = (error for error in tree(ZendeskOAuthError) if error.__module__.startswith("zendesk_oauth."))
    return {(error.code, error.__name__, "yes" if error.retryable else "no") for error in ours}


def on_the_page() -> set[tuple[str, ...]]:
    """Return the same of the page's table."""
    return {tuple(row[:3]) for row in table_rows(PAGE) if row[1].endswith("Error")}


def test_every_error_stands_on_the_page() -> None:
    """Whoever adds an error, or makes one retryable, says so there."""
    assert sorted(in_the_code() - on_the_page()) == []


def test_the_page_knows_no_error_that_is_not_there() -> None:
    """Whoever removes or renames one takes it away there."""
    assert sorted(on_the_page() - in_the_code()) == []


def test_every_error_is_explained() -> None:
    """No row is without what it means and what to do."""
    assert [row for row in table_rows(PAGE) if len(row) != 4 or not row[3]] == []
