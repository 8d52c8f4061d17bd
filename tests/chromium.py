"""One headless Chromium for the whole run, which can look up no host: Playwright bears only one at a time in a process.

Debian's own where there is one, else what `scripts/setup` brought, else Playwright's.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

_DEBIAN = Path("/usr/bin/chromium")
_BROUGHT = Path(__file__).parents[1] / ".tools" / "browser"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]

if _BROUGHT.is_dir():
    os.environ["PLAYWRIGHT_BROWSERS_PATH"] = str(_BROUGHT)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give the browser; each test opens a context of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_DEBIAN if _DEBIAN.exists() else None, args=ARGUMENTS
        )
        yield browser
        browser.close()
