"""docs/configuration.md has the parameters of template.yaml, with their defaults and descriptions."""

from typing import Any

import yaml

from tests.docs.reading import ROOT, table_rows
from tests.template.reading import TEMPLATE, TemplateLoader

PAGE = ROOT / "docs/configuration.md"


def in_the_template() -> dict[str, tuple[str, str]]:
    """Return default and description of each parameter, as the page writes them."""
    template: dict[str, Any] = yaml.load(TEMPLATE.read_text(), TemplateLoader)  # noqa: S506 - a SafeLoader
    return {
        name: (_default(parameter), parameter["Description"])
        for name, parameter in template["Parameters"].items()
    }


def _default(parameter: dict[str, Any]) -> str:
    if "Default" not in parameter:
        return "*required*"
    return str(parameter["Default"]) if parameter["Default"] != "" else "*empty*"


def on_the_page() -> dict[str, tuple[str, str]]:
    """Return what the page's tables say of each parameter."""
    rows = [row for row in table_rows(PAGE) if len(row) == 3 and row[0][:1].isupper()]
    assert len({row[0] for row in rows}) == len(rows), "a parameter stands on the page twice"
    return {name: (default, description) for name, default, description in rows}


def test_every_parameter_stands_on_the_page() -> None:
    """Whoever adds a parameter says there what it is."""
    assert sorted(in_the_template().keys() - on_the_page().keys()) == []


def test_the_page_knows_no_parameter_that_is_not_there() -> None:
    """Whoever removes or renames one takes it away there."""
    assert sorted(on_the_page().keys() - in_the_template().keys()) == []


def test_defaults_and_descriptions_are_the_templates() -> None:
    """What the page says of a parameter is what the console shows of it."""
    template, page = in_the_template(), on_the_page()
    assert {name: page[name] for name in page if page[name] != template.get(name)} == {}
