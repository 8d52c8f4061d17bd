"""A line of a file of tokens is read strictly, and what is wrong with it is told without a word of what it holds."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.jobs.import_line import COLUMNS, BadLine, Line, is_token_shaped, parse_line
from cli.jobs.import_text import DamagedLineError
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
        ({"access_token": "a" * 16385}, "access_token is not"),
        ({"refresh_token": "short"}, "refresh_token is not"),
        ({"scopes": ","}, "scopes are not"),
        ({"scopes": "read é"}, "scopes are not"),
        ({"expires_at": "tomorrow"}, "expires_at is neither"),
        ({"expires_at": "2027-01-01T12:00:00"}, "expires_at is neither"),
        ({"expires_at": "1798804800000"}, "expires_at is neither"),
        ({"expires_in": "-1"}, "expires_in is not"),
        ({"expires_in": "3600", "expires_at": "1798804800"}, "cannot both"),
        ({"user_reference": "x " * 128 + "x"}, "user_reference is not"),
    ],
)
def test_a_wrong_cell_is_named(cells: dict[str, str], named: str) -> None:
    """The first one that is wrong."""
    assert named in refused(**cells).reason


def test_as_much_as_could_be_read_is_told() -> None:
    """Whoever looks for the line finds it by its account too."""
    assert refused(access_token="").subdomain == "acme"
    assert (refused(grant="billing").grant, refused(subdomain="-").subdomain) == (None, None)


def damage(**cells: str) -> str:
    """Return why a line makes its file one that cannot be trusted."""
    with pytest.raises(DamagedLineError) as raised:
        parse_line(7, GOOD | cells, GRANTS, NOON)
    assert raised.value.number == 7
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("a" * 63 + "é", "ends with U+00E9 LATIN SMALL LETTER E WITH ACUTE"),
        (f"Bearer {ACCESS}", "has a space (character 7)"),
        (f"{ACCESS}\u00a0{ACCESS}", "has U+00A0 NO-BREAK SPACE (character 65)"),
        (f"\u201c{ACCESS}\u201d", "begins with U+201C LEFT DOUBLE QUOTATION MARK"),
        (f"`{ACCESS}`", "is in quotes, which would be part of it"),
        (f"{ACCESS}'", "ends with a quotation mark"),
        (f"{ACCESS}\ufeff", "ends with a byte-order mark"),
        (f"a\0{ACCESS}", "has a NUL character, as in UTF-16 (character 2)"),
        (f"{ACCESS}:{ACCESS}", "has U+003A COLON (character 65)"),
        (f"{ACCESS}={ACCESS}", "has an equals sign before its end"),
        ("=" * 64, "has an equals sign before its end"),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("column", ["access_token", "refresh_token"])
def test_r42_a_token_outside_its_grammar_ends_the_whole(column: str, text: str, cause: str) -> None:
    """R42: nothing but RFC 6750's b64token is a token, and the foreign character is named by its place."""
    assert damage(**{column: text}) == f"line 7: {column} {cause}, which no token has"


@pytest.mark.parametrize(
    "text", [f'="{ACCESS}"', f"'{ACCESS}", f"'{ACCESS}'", f'"{ACCESS}"', f" {ACCESS}\r\n", f'" {ACCESS} "']
)
def test_r41_a_token_is_read_without_the_quotes_around_it(text: str) -> None:
    """R41: no token has a quotation mark, so it is known what Excel's formula and its apostrophe hold."""
    assert parsed(access_token=text, refresh_token=text).access_token.reveal() == ACCESS
    assert parsed(access_token=text, refresh_token=text).sure_refresh_token.reveal() == ACCESS


@pytest.mark.parametrize("text", ["a-token_of.Zendesk~+/==", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"])
def test_r42_every_character_of_the_grammar_is_taken(text: str) -> None:
    """R42: also the padding at its end, and the dots of a JWT."""
    assert parsed(access_token=text).access_token.reveal() == text


@pytest.mark.parametrize(
    "cells",
    [
        {"subdomain": '="acme"'},
        {"subdomain": "'acme"},
        {"subdomain": "\u00a0acme\u00a0"},
        {"grant": '"default"'},
        {"scopes": "'read\u00a0write"},
        {"expires_at": "'1798804800", "scopes": '="read"'},
    ],
    ids=range(6),
)
def test_r41_the_other_cells_are_read_without_quotes_too(cells: dict[str, str]) -> None:
    """R41: no subdomain, grant, scope or time has a quotation mark."""
    line = parsed(**cells)
    assert (line.subdomain, line.grant) == ("acme", "default")
    assert set(line.scopes or ()) <= {"read", "write"}


@pytest.mark.parametrize(
    ("cells", "cause"),
    [
        ({"subdomain": "ac\u200bme"}, "subdomain has U+200B ZERO WIDTH SPACE (character 3)"),
        ({"subdomain": "ac\ufffdme"}, "subdomain has a replacement character"),
        ({"subdomain": "\u201cacme\u201d"}, "subdomain is in quotes"),
        ({"user_reference": "'user-7"}, "user_reference begins with a quotation mark"),
        ({"user_reference": '"user-7"'}, "user_reference is in quotes"),
        ({"user_reference": "a\nb"}, "user_reference has a line break (character 2)"),
        ({"user_reference": "a\u00a0b"}, "user_reference has U+00A0 NO-BREAK SPACE (character 2)"),
        ({"user_reference": "a\udcffb"}, "user_reference has a byte that is no text"),
        ({"grant": "def\0ault"}, "grant has a NUL character"),
    ],
    ids=range(9),
)
def test_r41_a_damaged_cell_ends_the_whole(cells: dict[str, str], cause: str) -> None:
    """R41: what cannot be read as it was meant is named by column and cause."""
    assert damage(**cells).startswith(f"line 7: {cause}")


TOKENS = [
    "b2" * 32,
    "a" * 64,
    "gErypPlm4dOVgGRvA1ZzMH5MQ3nLo8bo",
    "0123456789abcdef" * 2,
    "Zm9vYmFy-Zm9v_YmFyZm9v.YmFyZm9vYmFy4Zm9vYm",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0",
    f"Bearer {'c3' * 32}",
    f"https://acme.zendesk.com/?token={'d4' * 20}",
]


@pytest.mark.parametrize("column", [name for name in COLUMNS if not name.endswith("_token")])
@pytest.mark.parametrize("token", TOKENS, ids=range(8))
def test_r42_a_token_in_a_column_that_is_not_encrypted_ends_the_whole(column: str, token: str) -> None:
    """R42: columns that are swapped or shifted would write a token in the clear; no other line can be trusted."""
    assert (
        damage(**{column: token})
        == f"line 7: {column} looks like a token: are the columns the ones that the header names?"
    )


@pytest.mark.parametrize(
    "reference",
    [
        "550e8400-e29b-41d4-a716-446655440000",
        "550e8400e29b41d4a716446655440000",
        "user-550e8400-e29b-41d4-a716-446655440000",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "user_2NNEqL2nrIRdJ194ndJqAHwEfxC",
        "Jane.Doe.Of.The.Support.Department@example.com",
        "service-account-zendesk-production-eu-west-1",
        "arn:aws:iam::123456789012:role/backend",
        "103547991597142817347",
    ],
)
def test_r42_a_reference_is_no_token(reference: str) -> None:
    """R42: the names that other systems give to their users are taken as they are."""
    assert parsed(user_reference=reference).user_reference == reference


@pytest.mark.parametrize(
    "subdomain", ["themassachusettsinstituteoftechnology", "d3v-support1584441234", "a" * 63]
)
def test_r42_a_long_subdomain_is_no_token(subdomain: str) -> None:
    """R42: a word of many letters is a name."""
    assert not is_token_shaped(subdomain)


ANY_CELL = st.text(st.characters(codec=None, exclude_categories=()), max_size=80) | st.sampled_from(TOKENS)


@given(st.dictionaries(st.sampled_from(COLUMNS), ANY_CELL))
def test_no_reason_quotes_a_cell(cells: dict[str, str]) -> None:
    """R42: whatever stands in the wrong column may be a token; a line has tokens of the grammar, and nowhere else."""
    try:
        line = parse_line(1, cells, GRANTS, NOON)
        reason = line.reason if isinstance(line, BadLine) else ""
    except DamagedLineError as error:
        line, reason = None, str(error)
    assert reason.isascii()
    assert not [text for text in cells.values() if len(text) > 15 and text in reason]
    if isinstance(line, Line):
        assert re.fullmatch(r"[A-Za-z0-9\-._~+/]+=*", line.access_token.reveal())
        assert not is_token_shaped(" ".join((line.subdomain, line.grant, *(line.scopes or ()))))
