"""Where a person may be sent when the install is over: the site of the company, or an origin on its list."""

import re
from dataclasses import dataclass

from zendesk_oauth.errors import ReturnToRefusedError

LONGEST = 1024
_PATH_CHARACTERS = r"[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]"
_ABSOLUTE = re.compile(rf"(https?://[a-z0-9.-]+(?::[0-9]{{1,5}})?)(?:[/?]{_PATH_CHARACTERS}*)?")
_RELATIVE = re.compile(rf"/(?!/){_PATH_CHARACTERS}*")
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?")


def origin_of(url: str) -> str | None:
    """Return the origin of an absolute URL of this grammar, else None."""
    match = _ABSOLUTE.fullmatch(url)
    return match[1] if match else None


@dataclass(frozen=True, slots=True)
class ReturnPolicy:
    """The configured site, which relative addresses resolve against, and the exact allow-list of origins."""

    site_url: str | None
    allowed_origins: frozenset[str]

    def check(self, unverified_url: str | None) -> str | None:
        """Return the absolute URL to return to, or the site itself where none was asked for.

        Raises ReturnToRefusedError for anything but a relative path on the site or an allowed origin's URL:
        an open redirector would lend the company's name to a stranger (RFC 9700 section 4.11).
        """
        if not unverified_url:
            return self.site_url
        if len(unverified_url) > LONGEST:
            raise ReturnToRefusedError("too long")
        if self.site_url and _RELATIVE.fullmatch(unverified_url):
            return f"{origin_of(self.site_url)}{unverified_url}"
        origin = origin_of(unverified_url)
        if origin is None or origin not in self._origins:
            raise ReturnToRefusedError("not a URL of an allowed origin")
        return unverified_url

    @property
    def _origins(self) -> frozenset[str]:
        site = origin_of(self.site_url) if self.site_url else None
        return self.allowed_origins | {site} if site else self.allowed_origins
