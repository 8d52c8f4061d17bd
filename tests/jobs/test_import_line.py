"""A line of a file of tokens is read strictly, and what is wrong with it is told without a word of what it holds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.jobs.import_line import COLUMNS, BadLine, Line, parse_line
from tests.jobs.doubles import NOON
from zendesk_oauth.models.subdomain import Subdomain

GRANTS = frozenset({"default", "reporting"})
ACCESS, REFRESH = "a" * 64, "r" * 64
GOOD = {"subdomain": "acme", "access_token": ACCESS, "refresh_token": REFRESH}


def parsed(**cells: str) -> Line:
    """Return a line that is good."""
    line = parse_line(7, GOOD | cells, GRANTS, NOON)
    assert isinstance(line, Line), line
    return line


def refused(**cells: str) -> BadLine:
    """Return a line that is not."""
    line = parse_line(7, GOOD | cells, GRANTS, NOON)
    assert isinstance(line, BadLine), line
    return line


def test_a_whole_line() -> None:
    """Each cell is what its column says."""
    line = parsed(
        grant="reporting",
        scopes="read users:read",
        expires_at="2027-01-04T13:00:00+01:00",
        user_reference="user-7",
    )
    assert (line.number, line.grant, line.subdomain, line.key) == (7, "reporting", "acme", "reporting#acme")
    assert line.access_token.reveal() == ACCESS
    assert line.sure_refresh_token.reveal() == REFRESH
    assert (line.scopes, line.expires_at, line.user_reference) == (("read", "users:read"), NOON, "user-7")
    assert ACCESS not in repr(line)
    assert REFRESH not in repr(line)


def test_what_need_not_be_there() -> None:
    """The grant is the default one, and of the rest nothing is known."""
    line = parsed(refresh_token="", grant="", scopes="", expires_at="", expires_in="", user_reference="")
    assert (line.grant, line.refresh_token, line.scopes) == ("default", None, None)
    assert (line.expires_at, line.user_reference) == (None, None)


@pytest.mark.parametrize(
    ("cells", "expires_at"),
    [
        ({"expires_at": "1798804800"}, datetime(2027, 1, 1, 12, tzinfo=UTC)),
        ({"expires_at": "2027-01-01T12:00:00Z"}, datetime(2027, 1, 1, 12, tzinfo=UTC)),
        ({"expires_in": "3600"}, NOON + timedelta(hours=1)),
        ({"expires_in": "0"}, NOON),
    ],
)
def test_an_end_is_an_instant_or_seconds_from_now(cells: dict[str, str], expires_at: datetime) -> None:
    """Epoch seconds and ISO 8601 with its offset say the same."""
    assert parsed(**cells).expires_at == expires_at


@pytest.mark.parametrize("text", ["read,write", "read, write", " read   write ", "read write read"])
def test_scopes_are_names_however_they_are_kept_apart(text: str) -> None:
    """Spaces or commas, each once."""
    assert parsed(scopes=text).scopes == ("read", "write")


def test_a_pasted_address_is_cut_down() -> None:
    """As at the start of an install."""
    assert parsed(subdomain="https://Acme.zendesk.com/agent").subdomain == Subdomain("acme")


@pytest.mark.parametrize(
    ("cells", "named"),
    [
        ({"subdomain": ""}, "subdomain is missing"),
        ({"subdomain": "acme.example.com"}, "subdomain is not"),
        ({"grant": "billing"}, "grant is none"),
        ({"access_token": ""}, "access_token is missing"),
        ({"access_token": "a" * 15}, "access_token is not"),
        ({"access_token": "a" * 63 + " "}, "access_token is not"),
        ({"access_token": "a" * 63 + "é"}, "access_token is not"),
        ({"access_token": "a" * 16385}, "access_token is not"),
        ({"refresh_token": "short"}, "refresh_token is not"),
        ({"scopes": ","}, "scopes are not"),
        ({"scopes": "read é"}, "scopes are not"),
        ({"expires_at": "tomorrow"}, "expires_at is neither"),
        ({"expires_at": "2027-01-01T12:00:00"}, "expires_at is neither"),
        ({"expires_at": "1798804800000"}, "expires_at is neither"),
        ({"expires_in": "-1"}, "expires_in is not"),
        ({"expires_in": "3600", "expires_at": "1798804800"}, "cannot both"),
        ({"user_reference": "x" * 257}, "user_reference is not"),
        ({"user_reference": "a\nb"}, "user_reference is not"),
    ],
)
def test_a_wrong_cell_is_named(cells: dict[str, str], named: str) -> None:
    """The first one that is wrong."""
    assert named in refused(**cells).reason


def test_as_much_as_could_be_read_is_told() -> None:
    """Whoever looks for the line finds it by its account too."""
    assert refused(access_token="").subdomain == "acme"
    assert (refused(grant="billing").grant, refused(subdomain="-").subdomain) == (None, None)


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=40)))
def test_no_reason_quotes_a_cell(cells: dict[str, str]) -> None:
    """Whatever stands in the wrong column, it may be a token."""
    line = parse_line(1, cells, GRANTS, NOON)
    if isinstance(line, BadLine):
        assert line.reason.isascii()
        assert not [text for text in cells.values() if len(text) > 15 and text in line.reason]
