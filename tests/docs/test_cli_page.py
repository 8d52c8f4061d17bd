"""docs/cli.md says what the command does: its commands, their options, its exit codes."""

import re
from collections.abc import Mapping
from functools import cache

import pytest
import typer.main

from cli.app import COMMANDS, app
from cli.exits import Exit
from tests.docs.reading import ROOT, table_rows

PAGE = ROOT / "docs/cli.md"
EVERYWHERE = {"--stack", "--json", "--help"}
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_OPTION = re.compile(r"^\| `(--[a-z-]+)` \|", re.MULTILINE)


@cache
def sections() -> Mapping[str, str]:
    """Return the text of each section."""
    _, *parts = _SECTION.split(PAGE.read_text())
    return dict(zip(parts[::2], parts[1::2], strict=True))


@cache
def options(command: str) -> set[str]:
    """Return the options that a command has in the code."""
    group = typer.main.get_command(app)
    found = group.commands[command]  # type: ignore[attr-defined]  # with a callback it is a group
    return {name for parameter in found.params for name in parameter.opts if name.startswith("--")} | {
        "--help"
    }


def test_every_exit_code_stands_on_the_page() -> None:
    """With its number and its name, in order."""
    rows = [row for row in table_rows(PAGE) if row[0].isdecimal()]
    assert [(int(number), name) for number, name, _ in rows] == [(code.value, code.name) for code in Exit]


def test_every_command_has_its_section_and_no_other_has_one() -> None:
    """In the order in which `--help` shows them."""
    known = [name for name in sections() if re.fullmatch(r"[a-z]+", name)]
    assert known == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_section_has_the_commands_options(command: str) -> None:
    """Each with what it does, no more and no fewer, and what every command has stands once for all."""
    assert set(_OPTION.findall(sections()[command])) == options(command) - EVERYWHERE
    assert options(command) >= EVERYWHERE
    assert set(_OPTION.findall(sections()["What every command has"])) == EVERYWHERE


@pytest.mark.parametrize("command", COMMANDS)
def test_a_section_shows_an_example_and_the_json(command: str) -> None:
    """What it looks like when it is typed, and what machines get."""
    assert f"```console\n$ zendesk-oauth {command}" in sections()[command]
    assert "\nJSON: " in sections()[command]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_says_what_a_command_needs(command: str) -> None:
    """Each has its row in the table of permissions."""
    assert re.search(rf"^\| `{command}` \| .+ \|$", sections()["What it may do"], re.MULTILINE)
