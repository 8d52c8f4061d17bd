"""How long tokens shall live, as a caller of the token endpoint asks for it.

The rule: outside Zendesk's ranges is `invalid_request`; the ranges leave the access token the shorter life.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from authlib.oauth2.rfc6749 import InvalidRequestError

ACCESS_SECONDS = range(300, 172_800 + 1)
REFRESH_SECONDS = range(604_800, 7_776_000 + 1)


@dataclass(frozen=True)
class Lifetimes:
    """How long a pair shall live, in seconds; None where the caller did not ask."""

    access: int | None
    refresh: int | None

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> "Lifetimes":
        """Read what was asked for; raises InvalidRequestError outside Zendesk's ranges."""
        access = _asked(fields, "expires_in", ACCESS_SECONDS)
        refresh = _asked(fields, "refresh_token_expires_in", REFRESH_SECONDS)
        return cls(access, refresh)


def _asked(fields: Mapping[str, str], name: str, allowed: range) -> int | None:
    if name not in fields:
        return None
    text = fields[name]
    if not (re.fullmatch(r"[0-9]{1,10}", text) and int(text) in allowed):
        raise InvalidRequestError(f"{name} must be between {allowed.start} and {allowed.stop - 1} seconds")
    return int(text)
