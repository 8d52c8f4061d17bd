"""A headless Chromium, and the pages and handlers at an address it can open."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from local.zendesk.pytest_plugin import zendesk, zendesk_server, zendesk_settings
from tests.handlers.gateway import Gateway, running_gateway

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Give Debian's Chromium where there is one, else Playwright's own."""
    path = str(CHROMIUM) if CHROMIUM.exists() else None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def gateway() -> Iterator[Gateway]:
    """Give a gateway on loopback."""
    with running_gateway() as running:
        yield running
