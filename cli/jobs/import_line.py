"""One line of a file of tokens: read strictly, or told by what is wrong with it, and never by what stands there.

A wrong cell can hold anything, a token in the wrong column too, so no reason quotes one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from zendesk_oauth.errors import RequestError, SubdomainRefusedError
from zendesk_oauth.models.connection import connection_key
from zendesk_oauth.models.grant import DEFAULT_GRANT
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import Secret, derive
from zendesk_oauth.models.subdomain import Subdomain, parse_subdomain
from zendesk_oauth.services.offer_install import check_user_reference

REQUIRED = ("subdomain", "access_token")
COLUMNS = (
    *REQUIRED,
    "refresh_token",
    "grant",
    "scopes",
    "expires_at",
    "expires_in",
    "user_reference",
)
"""Every column that there may be; another one is refused, because most likely something else was meant."""
_TOKEN = re.compile(r"[\x21-\x7e]{16,16384}")
"""As the token endpoint's answers are read, and no shorter: what is cut off in a spreadsheet is no token."""
_SCOPE = re.compile(r"[\x21-\x7e]{1,128}")
_SECONDS = re.compile(r"[0-9]{1,10}")
_PURPOSE = "the install id of an imported pair"
_ID_LENGTH = 22

type Fields = Mapping[str, str]
"""The cells of a line by their columns; an empty one is as good as none."""


@dataclass(frozen=True, slots=True)
class Line:
    """A pair that a company already has. Without a refresh token it can never be refreshed."""

    number: int
    grant: str
    subdomain: Subdomain
    access_token: Secret
    refresh_token: Secret | None
    scopes: Scopes | None = None
    expires_at: datetime | None = None
    user_reference: str | None = None

    @property
    def key(self) -> str:
        """The connection's key."""
        return connection_key(self.grant, self.subdomain)

    @property
    def install_id(self) -> str:
        """What a row is known by that this line has made: the same in every run.

        It is an HMAC keyed with the refresh token itself, of which it tells nothing: whoever could check a guess would
        have had to guess 256 random bits. Raises ValueError for a line without one.
        """
        return derive(self.sure_refresh_token, _PURPOSE, self.key).reveal()[:_ID_LENGTH]

    @property
    def sure_refresh_token(self) -> Secret:
        """The refresh token of a line that has one. Raises ValueError for another: it makes no row."""
        if self.refresh_token is None:
            raise ValueError("a line without a refresh token makes no row")
        return self.refresh_token


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be used, and why; grant and subdomain as far as they could be read."""

    number: int
    reason: str
    grant: str | None = None
    subdomain: Subdomain | None = None


class BadCellError(ValueError):
    """A cell is wrong: the text says which, and quotes nothing."""


def parse_line(number: int, fields: Fields, grants: frozenset[str], now: datetime) -> Line | BadLine:
    """Return the line, or what is wrong with it first."""
    grant: str | None = None
    subdomain: Subdomain | None = None
    try:
        subdomain = _subdomain(_cell(fields, "subdomain"))
        grant = _grant(fields.get("grant") or DEFAULT_GRANT, grants)
        return Line(
            number=number,
            grant=grant,
            subdomain=subdomain,
            access_token=_token(_cell(fields, "access_token"), "access_token"),
            refresh_token=_optional(fields, "refresh_token", lambda text: _token(text, "refresh_token")),
            scopes=_optional(fields, "scopes", _scopes),
            expires_at=_expires_at(fields, now),
            user_reference=_optional(fields, "user_reference", _user_reference),
        )
    except BadCellError as error:
        return BadLine(number, str(error), grant, subdomain)


def _cell(fields: Fields, name: str) -> str:
    if not fields.get(name):
        raise BadCellError(f"{name} is missing")
    return fields[name]


def _optional[T](fields: Fields, name: str, parse: Callable[[str], T]) -> T | None:
    text = fields.get(name)
    return parse(text) if text else None


def _subdomain(text: str) -> Subdomain:
    try:
        return parse_subdomain(text)
    except SubdomainRefusedError:
        raise BadCellError("subdomain is not the name of a Zendesk account") from None


def _grant(text: str, grants: frozenset[str]) -> str:
    if text not in grants:
        raise BadCellError("grant is none of this deployment's")
    return text


def _token(text: str, name: str) -> Secret:
    if not _TOKEN.fullmatch(text):
        raise BadCellError(f"{name} is not 16 to 16384 visible ASCII characters")
    return Secret(text)


def _scopes(text: str) -> Scopes:
    names = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if not names or not all(map(_SCOPE.fullmatch, names)):
        raise BadCellError("scopes are not names with spaces between them")
    return names


def _user_reference(text: str) -> str:
    try:
        return check_user_reference(text)
    except RequestError:
        raise BadCellError("user_reference is not 1 to 256 printable characters") from None


def _expires_at(fields: Fields, now: datetime) -> datetime | None:
    at, within = fields.get("expires_at"), fields.get("expires_in")
    if at and within:
        raise BadCellError("expires_at and expires_in cannot both be there")
    if within:
        return now + timedelta(seconds=_seconds(within, "expires_in"))
    return _instant(at) if at else None


def _instant(text: str) -> datetime:
    """Return an instant: seconds since 1970, or ISO 8601 with its offset."""
    if _SECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text), UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise BadCellError("expires_at is neither seconds since 1970 nor ISO 8601 with an offset")
    return instant


def _seconds(text: str, name: str) -> int:
    if not _SECONDS.fullmatch(text):
        raise BadCellError(f"{name} is not a whole number of seconds")
    return int(text)
