"""Every fenced block says what it is, and every command stands where it is run."""

import re

import pytest

from tests.commands.blocks import (
    LANGUAGES,
    blocks,
    commands_of,
    documents_with_commands,
    split,
    told,
)
from tests.commands.exceptions import ELSEWHERE, GOES_ON, NOT_RUN, PLAYED, REFUSED, STACK_OF_ITS_OWN, UNTIL

_BEGINS_A_COMMAND = re.compile(
    r"^(?:\$ )?(?:aws|bash|cd|curl|export|git|make|pip|python3?|sam|zendesk-oauth|\.(?:venv|tools)/\S+) ",
    re.MULTILINE,
)


def every_command() -> list[str]:
    """Return all commands of all documents."""
    return [command for document in documents_with_commands() for command in commands_of(document)]


def test_every_block_says_what_it_is() -> None:
    """A bare fence would hide commands from these tests."""
    assert [(block.document, block.text[:40]) for block in blocks() if block.language not in LANGUAGES] == []


def test_no_command_stands_in_a_block_of_another_kind() -> None:
    """What is typed stands in a block for the shell."""
    wrong = [
        (block.document, found[0])
        for block in blocks()
        if not block.typed and (found := _BEGINS_A_COMMAND.search(block.text))
    ]
    assert wrong == []


def test_there_are_commands_to_run() -> None:
    """The search is not empty."""
    assert {"README.md", "docs/workers.md", "examples/worker-stack/README.md"} <= {*documents_with_commands()}
    assert len(every_command()) > 20


@pytest.mark.parametrize("command", NOT_RUN)
def test_what_is_not_run_is_in_a_document_and_has_a_reason(command: str) -> None:
    """An exception that is no longer needed is told here."""
    assert command in [told(each) for each in every_command()]
    assert len(NOT_RUN[command].split()) > 3


@pytest.mark.parametrize("beginning", [*REFUSED, *UNTIL])
def test_what_is_refused_or_stopped_is_in_a_document(beginning: str) -> None:
    """The same for what is run and refused."""
    assert [command for command in every_command() if command.startswith(beginning)]


@pytest.mark.parametrize("pattern", ELSEWHERE)
def test_what_is_different_here_is_in_a_document(pattern: str) -> None:
    """The same for what is replaced."""
    assert [command for command in every_command() if re.search(pattern, command)]


def test_a_document_with_a_stack_of_its_own_is_there() -> None:
    """The same for those, and for those that go on where another one ends."""
    assert {*documents_with_commands()} >= STACK_OF_ITS_OWN | PLAYED | {*GOES_ON, *GOES_ON.values()}


def test_a_command_is_whole() -> None:
    """Continued lines, open quotes and substitutions belong to the command that they are in; comments are none."""
    text = 'one \\\n  two\n# nothing\nA=$(three\n  "four\nfive")\n\nsix  # said\n'
    assert [told(command) for command in split(text)] == ["one two", 'A=$(three\n  "four\nfive")', "six"]
