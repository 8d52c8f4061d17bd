"""A double of Zenpy, as far as docs/workers.md uses it: it takes a session that is authorized, as Zenpy 2.0.57 does.

Zenpy asks for a password or a token unless the session's `authorized` is true; it keeps the session's `auth`, leaves a
user agent of one's own alone, calls `https://{subdomain}.{domain}/api/v2/…`, and makes objects of what comes back.
"""

import os
from types import SimpleNamespace

import requests

VERSION = "2.0.57"
_TIMEOUT_SECONDS = 60


class ZenpyException(Exception):  # noqa: N818 - its name there
    """What Zenpy raises without credentials."""


class Zenpy:
    """Asks with a session of one's own."""

    def __init__(self, subdomain: str, session: requests.Session | None = None) -> None:
        if session is None or not getattr(session, "authorized", False):
            raise ZenpyException("password, token or oauth_token are required!")
        if session.headers.get("User-Agent") == requests.utils.default_user_agent():
            session.headers.update({"User-Agent": f"Zenpy/{VERSION}"})
        self._session = session
        self._address = os.environ["ZENDESK_OAUTH_BASE_URL"].replace("{subdomain}", subdomain)

    def tickets(self, *, id: int) -> SimpleNamespace:  # noqa: A002 - its name there
        """Return a ticket."""
        address = f"{self._address}/api/v2/tickets/{id}.json"
        answer = self._session.get(address, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return SimpleNamespace(**answer.json()["ticket"])
