"""One line of a file of tokens: read strictly, or told by what is wrong with it, and never by what stands there.

A wrong cell can hold anything, a token in the wrong column too, so no reason quotes one. A wrong value makes a bad
line. Text that was damaged on its way, and a token where none belongs, make the whole file one that cannot be trusted.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cli.jobs.import_text import DamagedLineError
from zendesk_oauth.errors import RequestError, SubdomainRefusedError
from zendesk_oauth.models.connection import connection_key
from zendesk_oauth.models.grant import DEFAULT_GRANT
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import Secret, derive
from zendesk_oauth.models.subdomain import Subdomain, parse_subdomain
from zendesk_oauth.models.text_damage import damage_in, foreign_character
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
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""RFC 6750 section 2.1, b64token: what can follow `Bearer`. Zendesk's refresh tokens are of the same characters."""
_TOKEN_LENGTHS = range(16, 16_385)
"""As long as the token endpoint's answers may be, and no shorter: what is cut off in a spreadsheet is no token."""
_TOKEN_COLUMNS = frozenset({"access_token", "refresh_token"})
_NO_TOKEN_CHARACTER = re.compile(r"[^A-Za-z0-9\-._~+/=]")
_QUOTED = re.compile(r"""="([^"]*)"|"([^"]*)"|'([^']*)'?""")
"""Excel's text formula, a shell's or JSON's quotes, and the apostrophe by which a spreadsheet keeps a text a text."""
_RUN = re.compile(r"[A-Za-z0-9\-._~+/=]{32,}")
_UNBROKEN = re.compile(r"[A-Za-z0-9]{32,}")
_UUID = re.compile(r"[0-9a-f]{12}[1-8][0-9a-f]{3}[89ab][0-9a-f]{15}", re.IGNORECASE)
"""RFC 9562 section 4, without its hyphens: a reference that would look like a token otherwise."""
_LONG, _VERY_LONG = 40, 64
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
    """Return the line, or what is wrong with it first. Raises DamagedLineError where its text is damaged."""
    fields = {name: _meant(number, name, text) for name, text in fields.items()}
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


def unquoted(text: str) -> str:
    """Return a text without the white space and the one pair of quotes around it."""
    text = text.strip()
    quoted = _QUOTED.fullmatch(text)
    return (quoted[1] or quoted[2] or quoted[3] or "").strip() if quoted else text


def intact(number: int, name: str, text: str) -> str:
    """Return a text that has no trace of the programs that it came through. Raises DamagedLineError."""
    if damage := damage_in(text, is_ascii=False):
        raise DamagedLineError(number, f"{name} {damage}")
    return text


def _meant(number: int, name: str, text: str) -> str:
    """Return what a cell was meant to hold, before anybody looks at its value. Raises DamagedLineError."""
    if name == "scopes":
        text = " ".join(text.split())
    if name in _TOKEN_COLUMNS:
        return _bearer(number, name, unquoted(text))
    # In a reference, which is anybody's text, nobody knows which quotes are meant: those are rejected.
    text = intact(number, name, text.strip() if name == "user_reference" else unquoted(text))
    if is_token_shaped(text) and not (name == "user_reference" and _UUID.fullmatch(text)):
        raise DamagedLineError(
            number, f"{name} looks like a token: are the columns the ones that the header names?"
        )
    return text


def _bearer(number: int, name: str, text: str) -> str:
    """Return a token of RFC 6750's grammar, or an empty text. Raises DamagedLineError."""
    if text and not _TOKEN.fullmatch(text):
        foreign = _NO_TOKEN_CHARACTER.search(text)
        found = foreign_character(text, foreign.start()) if foreign else "has an equals sign before its end"
        raise DamagedLineError(number, f"{name} {damage_in(text) or found}, which no token has")
    return text


def is_token_shaped(text: str) -> bool:
    """Tell whether a text has a part that looks random: no name of an account, scope or person does.

    That is 64 letters and digits in a row, 32 with both letters and digits among them, or 40 characters of a token's
    with small and capital letters and digits. A UUID in its usual form has too many hyphens.
    """
    return any(_is_random(run) for run in _RUN.findall(text))


def _is_random(run: str) -> bool:
    has_digit = any(map(str.isdigit, run))
    is_mixed = has_digit and run.upper() != run and run.lower() != run
    if len(run) >= _LONG and is_mixed:
        return True
    return any(
        len(part) >= _VERY_LONG or not (part.isalpha() or part.isdigit()) for part in _UNBROKEN.findall(run)
    )


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
    if len(text) not in _TOKEN_LENGTHS:
        raise BadCellError(f"{name} is not 16 to 16384 characters long")
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
