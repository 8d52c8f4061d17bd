"""One headless Chromium for the whole run, which can look up no host: Playwright bears only one at a time in a process.

The one that `CHROMIUM` names, or Debian's, or another one on PATH: Playwright's own download is checked by no hash.
"""

import os
from collections.abc import Iterator
from shutil import which

import pytest
from playwright.sync_api import Browser, sync_playwright

_NAMES = ("/usr/bin/chromium", "chromium", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost",
]


def executable() -> str | None:
    """Return the path of the browser; None where only Playwright can know of one."""
    found = (which(name) for name in (os.environ.get("CHROMIUM", ""), *_NAMES))
    return next(filter(None, found), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give the browser; each test opens a context of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()
