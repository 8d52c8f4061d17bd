"""The browser's half of an install: one `__Host-` cookie each (RFC 6265bis section 4.1.3.2), at most eight at a time.

SameSite is Lax and not Strict, because the redirect from Zendesk is a navigation from another site.
"""

import re
from collections.abc import Iterable
from datetime import timedelta

from zendesk_oauth.errors import StateRejectedError
from zendesk_oauth.models.install import PENDING_LIFE
from zendesk_oauth.models.secret import Secret

type Cookies = tuple[tuple[str, str], ...]
"""Names and values in the browser's order: among cookies of one path, the oldest first (RFC 6265 section 5.4)."""

MOST_INSTALLS = 8
_PREFIX = "__Host-install-"
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"
_WHITE_SPACE = " \t"
"""All that the cookie syntax calls white space (RFC 6265 section 5.2): a browser keeps any other as part of a name."""
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A token (RFC 6265 section 4.1.1, RFC 9110 section 5.6.2)."""
_INSTALL_COOKIE = re.compile(rf"{_PREFIX}[A-Za-z0-9_-]{{22}}")
_BROWSER_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def parse_cookies(headers: Iterable[str]) -> Cookies:
    """Return the cookies of these `Cookie` header values; a pair whose name is not a token is ignored.

    A browser lets any sibling subdomain set a cookie named U+2000 and `__Host-…`, so no name is normalized here.
    """
    pairs = (part.strip(_WHITE_SPACE).partition("=") for header in headers for part in header.split(";"))
    return tuple((name, value) for name, separator, value in pairs if separator and _NAME.fullmatch(name))


def browser_secret(cookies: Cookies, install_id: str) -> Secret:
    """Return what this browser holds for the install.

    Raises StateRejectedError where it holds nothing, two different values, or none of our form.
    """
    secret = secret_named(cookies, f"{_PREFIX}{install_id}")
    if secret is None:
        raise StateRejectedError("no cookie of this install")
    return secret


def secret_named(cookies: Cookies, name: str) -> Secret | None:
    """Return the secret in the cookie of this name, or None where there is none, two different ones, or no secret."""
    values = {value for one, value in cookies if one == name}
    value = values.pop() if len(values) == 1 else ""
    return Secret(value) if _BROWSER_SECRET.fullmatch(value) else None


def set_cookie(name: str, secret: Secret, life: timedelta) -> str:
    """Return the `Set-Cookie` value that has the browser hold a secret for so long."""
    return f"{name}={secret.reveal()}; {_ATTRIBUTES}; Max-Age={int(life.total_seconds())}"


def set_cookies(install_id: str, secret: Secret, present: Cookies) -> tuple[str, ...]:
    """Return the `Set-Cookie` values: the new install's, and the end of the oldest beyond eight."""
    new = f"{_PREFIX}{install_id}"
    others = dict.fromkeys(name for name, _ in present if _INSTALL_COOKIE.fullmatch(name) and name != new)
    oldest = tuple(others)[: max(0, len(others) + 1 - MOST_INSTALLS)]
    return (
        set_cookie(new, secret, PENDING_LIFE),
        *(f"{name}=; {_ATTRIBUTES}; Max-Age=0" for name in oldest),
    )
