"""The programs of the pages run as they stand, with the deployment's policy for workers and nothing else.

Zenpy is played by a double that takes a session as Zenpy does: the real one calls https://acme.zendesk.com alone, which
no test may, and its packages would be locked for one program.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.demo.scene import Scene
from tests.commands.blocks import blocks

PAGES = ("docs/local.md", "docs/workers.md")
DOUBLES = Path(__file__).parent / "doubles"
CALLED = "\nif 'handler' in globals():\n    print(handler({}, None))\n"
"""What Lambda does with a program that has a handler."""
SUBJECT = "Where is my parcel?"
SAYS = {
    "def handler": r"\{'until': '\d{4}-[\d:.T-]+\+00:00', 'generation': \d+, 'scopes': \(.*'tickets:read'.*\)\}",
    "import requests\nfrom zendesk_oauth import Connections, retry_after": rf"1 {re.escape(SUBJECT)}\n(?:\d+ .*\n)*",
    "account_url": re.escape(SUBJECT),
    "import httpx": rf"{re.escape(SUBJECT)}\n{re.escape(SUBJECT)}",
    "from zenpy import Zenpy": re.escape(SUBJECT),
    "newer_than=token.generation": "200",
}
"""What each program prints, by something that stands in it alone."""


def programs() -> list[str]:
    """Return the programs of the pages that read tokens."""
    told = (block.text for block in blocks() if block.document in PAGES and block.language == "python")
    return [text for text in told if "Connections" in text]


def run(customer: Scene, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program as a worker; acme's address is the stand-in's here."""
    stack = customer.stack
    here = program.replace("https://acme.zendesk.com", stack.zendesk.base_url.replace("{subdomain}", "acme"))
    environment = dict(stack.workers.environment)
    environment["PYTHONPATH"] += f":{DOUBLES}"
    return subprocess.run(  # noqa: S603 - the page's own programs
        [sys.executable, "-P", "-c", here + CALLED],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_program_is_run() -> None:
    """Each has one expectation, and no expectation is left over."""
    assert [sum(mark in program for mark in SAYS) for program in programs()] == [1] * len(SAYS)


@pytest.mark.parametrize("mark", SAYS)
def test_a_program_does_what_the_page_says(customer: Scene, mark: str) -> None:
    """It ends well and prints what it is there for, and no token."""
    [program] = [program for program in programs() if mark in program]
    done = run(customer, program)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(SAYS[mark], done.stdout.strip()) or re.fullmatch(SAYS[mark], done.stdout)
    assert not [pair for pair in customer.stack.zendesk.alive("acme") if pair.access_token in done.stdout]


def test_a_401_is_answered_with_a_newer_token(customer: Scene) -> None:
    """The program that sends its own requests asks once more when Zendesk has ended its token."""
    customer.rows.let_pass(120, "acme")
    for pair in customer.stack.zendesk.alive("acme"):
        if "tickets:read" in pair.scope:  # whichever of them is the connection's
            pair.access_ends_at = customer.stack.zendesk.clock()
    [program] = [program for program in programs() if "newer_than=token.generation" in program]
    assert run(customer, program).stdout == "200\n"
    statuses = [
        call.status for call in customer.stack.zendesk.seen.api_calls if "/acme/api/v2/users/me" in call.path
    ]
    assert statuses[-2:] == [401, 200]


def test_the_double_wants_what_zenpy_wants(customer: Scene) -> None:
    """Without `authorized` Zenpy 2.0.57 asks for a password, in the words that its double has from it."""
    [program] = [program for program in programs() if "from zenpy import Zenpy" in program]
    done = run(customer, program.replace("session.authorized = True", "pass"))
    assert "password, token or oauth_token are required!" in done.stderr
