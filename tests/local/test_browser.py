"""The demo's browser treats cookies as browsers do, and stays on this machine."""

import io
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from rich.console import Console

from local.demo.browser import Browser
from local.demo.teller import Teller
from local.served import served


class Site(BaseHTTPRequestHandler):
    """Sets the cookies that the query names, and says which it was sent."""

    def do_GET(self) -> None:
        """Answer with a page."""
        self.send_response(302)
        for cookie in parse_qs(urlsplit(self.path).query).get("set", []):
            self.send_header("Set-Cookie", cookie)
        self.send_header("Location", "http://elsewhere.example/")
        self.end_headers()
        self.wfile.write(f"<h1 class='x'>Got <b>{self.headers['Cookie']}</b></h1>".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """Give the address of a site on loopback, by name."""
    with served(ThreadingHTTPServer(("127.0.0.1", 0), Site)) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def browser() -> Browser:
    """Return a browser that tells nobody."""
    return Browser("browser", Teller(Console(file=io.StringIO())))


def test_secure_cookies_of_localhost_are_kept_and_sent(site: str, browser: Browser) -> None:
    """As in browsers, http://localhost is trusted with Secure cookies."""
    browser.get(f"{site}/?set=__Host-a=1;Path=/;Secure;HttpOnly;SameSite=Lax")
    answer = browser.get(f"{site}/")
    assert answer.heading == "Got __Host-a=1"
    assert browser.cookies == {"__Host-a": "1"}


def test_a_planted_cookie_is_sent(site: str, browser: Browser) -> None:
    """A stranger can try with a cookie of his own making."""
    browser.hold("__Host-a", "guess")
    assert browser.get(site).heading == "Got __Host-a=guess"


@pytest.mark.parametrize(
    "cookie",
    ["__Host-a=1;Path=/", "__Host-a=1;Secure", "__Host-a=1;Path=/;Secure;Domain=localhost"],
)
def test_a_broken_promise_is_refused(cookie: str, site: str, browser: Browser) -> None:
    """What a browser would throw away does not pass for a cookie here."""
    with pytest.raises(ValueError, match="a browser would refuse"):
        browser.get(f"{site}/?set={cookie.replace(';', '%3B')}")


def test_redirects_are_shown_and_not_followed(site: str, browser: Browser) -> None:
    """A step decides itself where to go next."""
    answer = browser.get(site)
    assert (answer.status, answer.location) == (302, "http://elsewhere.example/")


def test_it_goes_to_loopback_only(browser: Browser) -> None:
    """An address that leads away from this machine is refused before anything is sent."""
    with pytest.raises(ValueError, match="loopback only"):
        browser.get("https://acme.zendesk.com/")
