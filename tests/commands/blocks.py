"""The fenced blocks of the documents, and the commands in those that are for a shell."""

import re
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.docs.reading import documents, name_of

COMMANDS = "sh"
"""The language of a block whose every line is typed as it stands."""
CONSOLE = "console"
"""The language of a block that shows commands, after a `$`, and what they print."""
LANGUAGES = {COMMANDS, CONSOLE, "text", "json", "python", "yaml"}
_FENCED = re.compile(r"^( *)```([\w-]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"^\$ (.+\n)", re.MULTILINE)
_COMMENT = re.compile(r"(?:^|\s+)#.*$", re.MULTILINE)
_CONTINUED = re.compile(r"\s*\\\n\s*")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, and the document that it stands in."""

    document: str
    language: str
    text: str

    @property
    def typed(self) -> str:
        """What of it is for a shell."""
        if self.language == CONSOLE:
            return "".join(_SHOWN.findall(self.text))
        return self.text if self.language == COMMANDS else ""


@cache
def blocks() -> tuple[Block, ...]:
    """Return every fenced block of every document, in order."""
    return tuple(
        block for path in documents() for block in fenced(name_of(path), path.read_text(encoding="utf-8"))
    )


def fenced(document: str, text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a text, also those within lists."""
    for _, language, lines in _FENCED.findall(text):
        yield Block(document, language, textwrap.dedent(lines))


@cache
def commands_of(document: str) -> tuple[str, ...]:
    """Return the commands of a document, in order, each whole, over as many lines as it takes."""
    texts = [block.typed for block in blocks() if block.document == document]
    return tuple(command for text in texts for command in split(text))


@cache
def documents_with_commands() -> tuple[str, ...]:
    """Return the documents that have any."""
    return tuple(dict.fromkeys(block.document for block in blocks() if block.typed))


def split(text: str) -> Iterator[str]:
    """Yield the commands of a block: a line, and those after it as long as bash waits for more."""
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if _is_whole(pending):
            if told(pending):
                yield pending
            pending = ""
    assert not pending, f"an unfinished command: {pending}"


def told(command: str) -> str:
    """Return a command on one line and without its comment: how it is spoken of."""
    return _COMMENT.sub("", _CONTINUED.sub(" ", command)).strip()


def _is_whole(text: str) -> bool:
    if text.endswith("\\\n"):
        return False
    looked_at = subprocess.run(
        ["bash", "-n"],  # noqa: S607 - whichever bash there is
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return looked_at.returncode == 0 and not looked_at.stderr
