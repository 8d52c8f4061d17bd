"""A browser of ours: a `requests` session that behaves as browsers do where it matters here.

It says that a person navigates, and keeps Secure cookies for http://localhost. It takes `__Host-` cookies
only with what their name promises (RFC 6265bis section 4.1.3.2), follows no redirect by itself, and goes to
loopback only.
"""

import re
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
from requests.cookies import get_cookie_header

from local.demo.teller import Teller

_LOOPBACK = frozenset({"localhost", "127.0.0.1"})
_TIMEOUT_SECONDS = 60
_NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
"""What a browser says of an address that a person opens: only such a request uses an invitation up."""
_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_ATTRIBUTES = frozenset({"path=/", "secure"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    location: str
    set_cookies: tuple[str, ...]
    text: str

    @property
    def heading(self) -> str:
        """The page's first heading, or nothing."""
        found = _HEADING.search(self.text)
        return " ".join(_TAG.sub("", found[1]).split()) if found else ""

    @property
    def cookie_names(self) -> tuple[str, ...]:
        """The names of the cookies that it sets."""
        return tuple(header.partition("=")[0] for header in self.set_cookies)


class Browser:
    """One person's browser, which tells what it sends and gets."""

    def __init__(self, name: str, teller: Teller) -> None:
        self.name = name
        self._teller = teller
        self._session = requests.Session()
        self._session.trust_env = False  # neither a proxy nor a .netrc of this machine
        self._session.cookies.set_policy(DefaultCookiePolicy(secure_protocols=("https", "http")))

    def get(self, url: str) -> Answer:
        """Open an address."""
        return self._send("GET", url)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies it holds: secrets."""
        return {cookie.name: cookie.value or "" for cookie in self._session.cookies}

    def hold(self, name: str, value: str) -> None:
        """Plant a cookie, as somebody would who tries."""
        self._session.cookies.set(name, value, domain="localhost.local", path="/", secure=True)

    def _send(self, method: str, url: str) -> Answer:
        if urlsplit(url).hostname not in _LOOPBACK:
            raise ValueError("the demo's browsers go to loopback only")
        request = self._prepared(method, url)
        self._teller.sent(self.name, method, _without_origin(url), _names(request.headers.get("Cookie", "")))
        response = self._session.send(request, allow_redirects=False, timeout=_TIMEOUT_SECONDS)
        answer = Answer(
            response.status_code, response.headers.get("Location", ""), _set_cookies(response), response.text
        )
        self._teller.received(answer.status, answer.location, answer.set_cookies, answer.heading)
        return answer

    def _prepared(self, method: str, url: str) -> requests.PreparedRequest:
        """Return the request with its cookies: `requests` itself would forget our policy."""
        request = requests.Request(method, url, _NAVIGATION).prepare()
        cookies = get_cookie_header(self._session.cookies, request)  # type: ignore[no-untyped-call] # requests' own
        if cookies:
            request.headers["Cookie"] = cookies
        return request


def _without_origin(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(scheme="", netloc="").geturl()


def _names(cookie_header: str) -> tuple[str, ...]:
    return tuple(pair.strip().partition("=")[0] for pair in cookie_header.split(";") if pair.strip())


def _set_cookies(response: requests.Response) -> tuple[str, ...]:
    """Return the Set-Cookie headers. Raises ValueError for a `__Host-` cookie that a browser would refuse."""
    headers = tuple(response.raw.headers.getlist("Set-Cookie"))
    for header in headers:
        attributes = {part.strip().lower() for part in header.split(";")[1:]}
        if not attributes >= _ATTRIBUTES or any(part.startswith("domain") for part in attributes):
            raise ValueError(
                "a browser would refuse this cookie: Path=/, Secure and no Domain are its promise"
            )
    return headers
