"""docs/quickstart.md is walked through as it stands: two terminals, and a browser between their commands."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.checkup.checks import CHECKS
from local import places
from local.demo.scene import eventually
from tests.commands.blocks import fenced, split, told
from tests.commands.shell import Shell
from tests.commands.terminal import Terminal, opened
from tests.docs.reading import ROOT

PAGE = "docs/quickstart.md"
START, TICKETS = (
    re.compile(r"http://localhost:\d+/oauth/start\?subdomain=acme"),
    re.compile(r"http://127\.0\.0\.1:\d+/acme/agent/tickets"),
)
"""The two addresses that a person opens."""
READY, FAREWELL = "Ctrl-C ends everything", "Stopped; nothing is running any more."
"""The last that `make local` says before it waits, and when it has ended."""


def parts() -> list[list[list[str]]]:
    """Return the commands of part A and of part B, block by block."""
    _, *texts = (ROOT / PAGE).read_text().split("\n## ")
    return [[[*split(block.typed)] for block in fenced(PAGE, text)] for text in texts]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Give a page of a fresh browser."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def connect(page: Page, address: str) -> None:
    """Do what "Connect an account" says."""
    page.goto(address)
    page.locator("#person-admin").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Zendesk is connected")).to_be_visible()


def note_on(page: Page, address: str, ticket: int) -> str:
    """Open a ticket until it has a note of the worker's, and return what stands there."""
    page.goto(f"{address}/{ticket}")
    eventually(lambda: page.reload() and page.locator("li.internal").count(), bool)
    return page.locator("li.internal").inner_text()


def add_ticket(page: Page, address: str) -> int:
    """Add a ticket by the form, and return its number."""
    page.goto(address)
    page.get_by_label("Subject").fill("My order is late")
    page.get_by_label("Text").fill("It should have come on Monday.")
    page.get_by_role("button", name="Add the ticket").click()
    page.wait_for_url(re.compile(r"/tickets/\d+$"))
    return int(page.url.rpartition("/")[2])


def typed(terminal: Terminal, commands: list[str]) -> str:
    """Type a block's commands, see each end well, and return what they have printed."""
    outcomes = [(command, terminal.type(command)) for command in commands]
    assert [(told(command), outcome.end) for command, outcome in outcomes if outcome.status] == []
    return "".join(outcome.printed for _, outcome in outcomes)


def test_part_a_ends_with_the_workers_notes_seen(shell: Shell, page: Page) -> None:
    """Set up, started, looked at, connected in the browser, listed, and the notes read on the stand-in's pages."""
    (setup, start), source, look, see = parts()[0]
    environment = shell.folder / places.ENVIRONMENT.relative_to(ROOT)
    with opened(shell.folder) as first, opened(shell.folder) as second:
        typed(first, [setup])
        printed = first.type_until(start, READY)
        [address], [tickets] = START.findall(printed), TICKETS.findall(printed)
        typed(second, source)
        assert re.findall(r"^(✔|✘) ", typed(second, look), re.MULTILINE) == ["✔"] * len(CHECKS)
        connect(page, address)
        seen = typed(second, see)
        assert re.search(r"^default +acme +active ", seen, re.MULTILINE)
        assert re.search(r"^token +alive: ", seen, re.MULTILINE)
        assert "Our worker is connected to this account." in note_on(page, tickets, 2)
        assert "Our worker has seen “My order is late”." in note_on(page, tickets, add_ticket(page, tickets))
        assert environment.exists()
        assert FAREWELL in first.interrupt()
        assert not environment.exists()


def test_part_bs_commands_run(shell: Shell) -> None:
    """Those that need a deployment, at one where acme is connected already; what Zendesk does is Zendesk's."""
    outcome = shell.run(PAGE, [command for block in parts()[1] for command in block])
    assert outcome.status == 0, outcome.end
    assert "/oauth/start" in outcome.printed
