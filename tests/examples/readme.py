"""What the example's README shows: its code, its commands, its table of parameters."""

import json
import re
from typing import Any

from tests.examples.building import EXAMPLE

README = (EXAMPLE / "README.md").read_text()
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_SENT = re.compile(r"-d '(\{.*?\n\})'", re.DOTALL)


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return [text for named, text in _BLOCK.findall(README) if named == language]


def webhook(receiver: str, subdomain: str) -> dict[str, Any]:
    """Return what the README has curl send to make a webhook, as the shell would fill it in."""
    [sent] = [found[1] for text in blocks("sh") if (found := _SENT.search(text))]
    filled: dict[str, Any] = json.loads(sent.replace("""'"$RECEIVER"'acme""", f"{receiver}{subdomain}"))
    return filled
