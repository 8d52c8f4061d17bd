"""A file is read as a stream, as spreadsheets write it, and rejected with a line's number where its text is damaged."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from cli.jobs.import_file import FileFormat, ImportFileError, TokenFile, format_of
from cli.jobs.import_line import BadLine, Fields, Line, parse_line
from cli.jobs.import_text import LONGEST_LINE
from tests.jobs.doubles import NOON
from tests.jobs.test_import_line import ACCESS, GOOD, REFRESH

type Read = Callable[[str | bytes], list[Line | BadLine]]
HEADER = "subdomain,access_token,refresh_token\n"
ROW = f"acme,{ACCESS},{REFRESH}\n"


@pytest.fixture
def read_csv(tmp_path: Path) -> Read:
    """Return what reads a text as CSV."""
    return lambda text: read(tmp_path / "tokens.csv", text)


@pytest.fixture
def read_json(tmp_path: Path) -> Read:
    """Return what reads a text as JSON lines."""
    return lambda text: read(tmp_path / "tokens.jsonl", text)


def read(path: Path, text: str | bytes) -> list[Line | BadLine]:
    """Write a file, and read its lines."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(TokenFile(path, format_of(path), frozenset({"default"})).read(NOON))


def rejected(read_file: Read, text: str | bytes) -> str:
    """Return why a file is rejected as a whole."""
    with pytest.raises(ImportFileError) as error:
        read_file(text)
    assert ACCESS not in str(error.value)
    return str(error.value)


def test_csv_as_spreadsheets_write_it(read_csv: Read) -> None:
    """A byte order mark, quotes, blank lines, spaces and Windows' line ends."""
    text = "\ufeffSubdomain, access_token ,refresh_token\r\n\r\n" + f'"acme", {ACCESS} ,"{REFRESH}"\r\n'
    (line,) = read_csv(text)
    assert isinstance(line, Line)
    assert (line.number, line.subdomain, line.access_token.reveal()) == (3, "acme", ACCESS)


def test_columns_come_in_any_order(read_csv: Read) -> None:
    """The header says which is which."""
    (line,) = read_csv(f"refresh_token,user_reference,access_token,subdomain\n{REFRESH},u,{ACCESS},acme\n")
    assert isinstance(line, Line)
    assert (line.user_reference, line.sure_refresh_token.reveal()) == ("u", REFRESH)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "subdomain,refresh_token",
        "subdomain,access_token,acces_token",
        "subdomain:access_token:refresh_token",
        "sep=:\nsubdomain:access_token",
        "subdomain,access_token,subdomain",
        f"acme,{ACCESS},{REFRESH}",
        '"subdomain"x,access_token',
    ],
)
def test_a_header_that_does_not_name_the_columns_ends_the_whole(read_csv: Read, header: str) -> None:
    """A wrong name would mean a wrong cell in each line; where a line of tokens stands there, it is not quoted."""
    with pytest.raises(ImportFileError) as error:
        read_csv(f"{header}\n{ROW}" if header else "")
    assert ACCESS not in str(error.value)


def test_a_column_that_is_none_of_ours_is_named_by_its_place(read_csv: Read) -> None:
    """Its name may be a token, where the header is missing."""
    with pytest.raises(ImportFileError, match="not known: column 3;"):
        read_csv(f"subdomain,access_token,token\n{ROW}")


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ("acme,x\n", "2 cells, where the header has 3"),
        (f"{ROW.strip()},more\n", "4 cells, where the header has 3"),
        (f'"acme"x,{ACCESS},{REFRESH}\n', "not CSV, up to line 3: ',' expected after '\"'"),
        (f"acme,{'a' * (LONGEST_LINE + 1)},{REFRESH}\n", f"has more than {LONGEST_LINE} characters"),
        (f'acme,"{"a" * LONGEST_LINE}\na",{REFRESH}\n', "has more than"),
        (f'acme,"{"aaaa\n" * LONGEST_LINE}",{REFRESH}\n', "not CSV, up to line"),
        (f'"acme,{ACCESS},{REFRESH}\n', "not CSV, up to line 5: unexpected end of data"),
    ],
    ids=range(7),
)
def test_a_broken_row_ends_the_whole(read_csv: Read, row: str, cause: str) -> None:
    """Too few cells, too many, a stray quote, a line without end: the file and the row's first line are named."""
    assert rejected(read_csv, HEADER + ROW + row + ROW * 2).startswith(f"tokens.csv, line 3: {cause}")


def test_json_lines(read_json: Read) -> None:
    """One object a line; null is as good as absent, a list of scopes as good as a text, and a number may be one."""
    whole = GOOD | {"grant": None, "scopes": ["read", "users:read"], "expires_in": 3600}
    text = json.dumps(whole) + "\n\n" + json.dumps(GOOD)
    first, second = read_json(text)
    assert isinstance(first, Line)
    assert (first.scopes, first.expires_at is not None) == (("read", "users:read"), True)
    assert (first.number, second.number) == (1, 3)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("acme", "not a JSON object: "),
        ("[]", "not a JSON object"),
        ("[", "not a JSON object: "),
        ('"{}"', "not a JSON object"),
        ("{" * 50_000, "not a JSON object: "),
        ('{"subdomain": "acme", "subdomain": "globex"}', "a member stands there twice"),
        (json.dumps(GOOD | {"acces_token": "x"}), "has members that are none of"),
        (json.dumps(GOOD | {"expires_in": 1.5}), "a member is neither a text"),
        (json.dumps(GOOD | {"scopes": [7]}), "a member is neither a text"),
        (json.dumps(GOOD | {"expires_in": True}), "a member is neither a text"),
        ('{"expires_in": ' + "1" * 5000 + "}", "not a JSON object: "),
        ("\udcff", "not a JSON object: "),
        ('{"subdomain": "' + "a" * LONGEST_LINE + '"}', "has more than"),
        ('{"subdomain": "' + "a" * 3 * LONGEST_LINE + '"}', "has more than"),
    ],
    ids=range(14),
)
def test_a_json_line_that_is_none_ends_the_whole(read_json: Read, line: str, cause: str) -> None:
    """The file and the line are named, and what stands there is not."""
    text = json.dumps(GOOD).encode() + b"\n" + line.encode(errors="surrogateescape") + b"\n"
    found = rejected(read_json, text)
    assert found.startswith(f"tokens.jsonl, line 2: {cause}")
    assert len(found) < 250


def test_a_file_s_name_says_its_format() -> None:
    """Unless it does not: then somebody has to."""
    names = ("a.csv", "a.CSV", "a.jsonl", "a.ndjson")
    assert [format_of(Path(name)) for name in names] == [
        FileFormat.CSV,
        FileFormat.CSV,
        FileFormat.JSONL,
        FileFormat.JSONL,
    ]
    with pytest.raises(ImportFileError, match="--format"):
        format_of(Path("tokens.txt"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By its name, without its folder."""
    file = TokenFile(tmp_path / "none.csv", FileFormat.CSV, frozenset({"default"}))
    with pytest.raises(ImportFileError, match=r"none\.csv cannot be read: No such file"):
        list(file.read(NOON))


def test_only_one_line_is_read_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million lines are not kept: nothing is parsed before it is wanted."""
    path = tmp_path / "tokens.csv"
    path.write_text(HEADER + ROW * 1000)
    parsed: list[int] = []

    def count(number: int, fields: Fields, grants: frozenset[str], now: datetime) -> Line | BadLine:
        parsed.append(number)
        return parse_line(number, fields, grants, now)

    monkeypatch.setattr("cli.jobs.import_file.parse_line", count)
    lines = TokenFile(path, FileFormat.CSV, frozenset({"default"})).read(NOON)
    for _ in range(10):
        next(lines)
    assert len(parsed) == 10
