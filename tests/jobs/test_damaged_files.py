"""A file of tokens that passed through a spreadsheet, Notepad or PowerShell: read as intended, or rejected whole."""

import codecs
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cli.jobs.import_file import FileFormat, ImportFileError, TokenFile
from cli.jobs.import_line import BadLine, Line, is_token_shaped
from cli.jobs.import_survey import survey
from tests.jobs.doubles import NOON

A, B, C, D = "a1" * 32, "b2" * 32, "c3" * 32, "d4" * 32
HEADER = "subdomain,access_token,refresh_token,user_reference\n"
ROWS = f"acme,{A},{B},user-7\nglobex,{C},{D},\n"
MEANT = [("acme", A, B, "user-7"), ("globex", C, D, None)]
TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")

type Read = Callable[..., list[tuple[str, str, str, str | None]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return what reads bytes as a file and gives what was meant by each line; every one of them is good."""

    def read_bytes(data: str | bytes, name: str = "tokens.csv") -> list[tuple[str, str, str, str | None]]:
        lines = list(token_file(tmp_path / name, data).read(NOON))
        assert [line for line in lines if isinstance(line, BadLine)] == []
        return [
            (
                line.subdomain,
                line.access_token.reveal(),
                line.sure_refresh_token.reveal(),
                line.user_reference,
            )
            for line in lines
            if isinstance(line, Line)
        ]

    return read_bytes


def token_file(path: Path, data: str | bytes) -> TokenFile:
    """Write a file and return it."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    file_format = FileFormat.JSONL if path.suffix == ".jsonl" else FileFormat.CSV
    return TokenFile(path, file_format, frozenset({"default"}))


def rejected(file: TokenFile) -> str:
    """Return why a file is rejected: the first reading says it, so that nothing was written."""
    with pytest.raises(ImportFileError) as raised:
        survey(file.read(NOON))
    found = str(raised.value)
    assert not [token for token in (A, B, C, D) if token in found]
    return found


def json_lines() -> str:
    """Return the same rows as JSON lines."""
    names = HEADER.strip().split(",")
    rows = (row.split(",") for row in ROWS.splitlines())
    return "".join(json.dumps(dict(zip(names, cells, strict=True))) + "\n" for cells in rows)


ENCODINGS: Mapping[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16 little-endian": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16 big-endian": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
}
SAVED_AS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "lone CR": lambda text: text.replace("\n", "\r"),
    "no line end at the end": str.rstrip,
    "empty lines": lambda text: "\n" + text.replace("\n", "\n\n"),
}
SPREADSHEETS: Mapping[str, Callable[[str], str]] = {
    "semicolons": lambda text: text.replace(",", ";"),
    "tabs": lambda text: text.replace(",", "\t"),
    "sep=,": lambda text: "sep=,\n" + text,
    "sep=;": lambda text: "sep=;\n" + text.replace(",", ";"),
    "sep=| saved again": lambda text: '"sep=|"|||\n' + text.replace(",", "|"),
    "PowerShell's type": lambda text: "#TYPE System.Management.Automation.PSCustomObject\n" + text,
    "empty columns": lambda text: text.replace("\n", ",,,\n"),
    "empty columns in rows alone": lambda text: HEADER + text.removeprefix(HEADER).replace("\n", ",,\n"),
    "empty rows": lambda text: ",,,\n" + text + ",,,\n,,,,,,\n,\n",
    "quotes around all": lambda text: re.sub(r"[^,\n]+", lambda cell: f'"{cell[0]}"', text),
    "Excel's formulas": lambda text: re.sub(r"[0-9a-z]{64}", lambda cell: f'"=""{cell[0]}"""', text),
    "Excel's formulas, bare": lambda text: re.sub(r"[0-9a-z]{64}", lambda cell: f'="{cell[0]}"', text),
    "apostrophes": lambda text: re.sub(r"[0-9a-z]{64}", lambda cell: f"'{cell[0]}", text),
    "no-break spaces around": lambda text: re.sub(
        r"[0-9a-z]{64}", lambda cell: f"\u00a0{cell[0]}\u00a0", text
    ),
    "capitals in the header": lambda text: text.replace("subdomain", "Subdomain"),
    "a formula in the header": lambda text: text.replace("subdomain", '="subdomain"'),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("save", SAVED_AS.values(), ids=SAVED_AS)
def test_r41_every_encoding_and_line_end_is_read(
    read: Read, encode: Callable[[str], bytes], save: Callable[[str], str]
) -> None:
    """R41: Notepad's, Excel's and PowerShell's encodings and all line ends hold the same lines, in both formats."""
    assert read(encode(save(HEADER + ROWS))) == MEANT
    assert [line[:3] for line in read(encode(save(json_lines())), "tokens.jsonl")] == [m[:3] for m in MEANT]


@pytest.mark.parametrize("write", SPREADSHEETS.values(), ids=SPREADSHEETS)
@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_r41_what_a_spreadsheet_writes_is_read_as_intended(
    read: Read, encode: Callable[[str], bytes], write: Callable[[str], str]
) -> None:
    """R41: separators, empty rows and columns, and quotes mean what the table meant."""
    assert read(encode(write(HEADER + ROWS))) == MEANT


def test_case_import_excel_empty_rows(read: Read) -> None:
    """R41: rows of empty cells, also fewer than the header has, are no lines."""
    text = f"subdomain,access_token,refresh_token\nacme,{A},{B}\n,,\n,\n"
    assert read(text) == [("acme", A, B, None)]


def test_case_import_excel_quoted(read: Read) -> None:
    """R41: tokens that were kept as texts by Excel's formula or an apostrophe are stored without either."""
    text = f'subdomain,access_token,refresh_token\nacme,"=""{A}""","=""{B}"""\nglobex,\'{C},\'{D}\n'
    assert read(text) == [("acme", A, B, None), ("globex", C, D, None)]


REJECTED: Mapping[str, tuple[str | bytes, str]] = {
    "UTF-16 without a mark": ((HEADER + ROWS).encode("utf-16-le"), "line 1: the name of column 1 has a NUL"),
    "UTF-16 cut off": (
        (HEADER + ROWS).encode("utf-16")[:-1],
        "line 3: is cut off in the middle of a character",
    ),
    "a lone surrogate": (
        (HEADER + ROWS.replace("user-7", "\ud800")).encode("utf-16", "surrogatepass"),
        "line 2: user_reference begins with a byte that is no text",
    ),
    "UTF-32": ((HEADER + ROWS).encode("utf-32"), "line 1: the name of column 1 begins with a NUL"),
    "Latin-1": (
        (HEADER + ROWS.replace("user-7", "Jos\u00e9")).encode("latin-1"),
        "line 2: user_reference ends with a byte",
    ),
    "a NUL in a row": (HEADER + ROWS.replace(C, f"{C}\0"), "line 3: access_token ends with a NUL character"),
    "two marks": (
        f"\ufeff\ufeff{HEADER}{ROWS}",
        "line 1: the name of column 1 begins with a byte-order mark",
    ),
    "two files in one": (HEADER + ROWS + "\ufeff" + ROWS, "line 4: subdomain begins with a byte-order mark"),
    "smart quotes": (
        HEADER + ROWS.replace(D, f"\u201c{D}\u201d"),
        "line 3: refresh_token begins with U+201C",
    ),
    "a no-break space inside": (
        HEADER + ROWS.replace(D, f"{D}\u00a0{D}"),
        "line 3: refresh_token has U+00A0",
    ),
    "a line break inside": (
        HEADER + ROWS.replace(D, f'"{D}\n{D}"'),
        "line 3: refresh_token has a line break",
    ),
    "Bearer": (HEADER + ROWS.replace(D, f"Bearer {D}"), "line 3: refresh_token has a space"),
    "a row shifted to the right": (HEADER + f"acme,,{A},{B}\n", "line 2: user_reference looks like a token"),
    "a row with a cell more": (HEADER + f"acme,,{A},{B},user-7\n", "line 2: 5 cells, where the header has 4"),
    "a row with a cell less": (HEADER + f"acme,{A},{B}\n", "line 2: 3 cells, where the header has 4"),
    "subdomain and token swapped": (
        HEADER.replace("subdomain,access_token", "access_token,subdomain") + ROWS,
        "line 2: subdomain looks like a token",
    ),
    "reference and token swapped": (
        HEADER + f"acme,{A},user-7,{B}\n",
        "line 2: user_reference looks like a token",
    ),
    "scopes and token swapped": (
        f"subdomain,scopes,access_token\nacme,{A},read\n",
        "line 2: scopes looks like a token",
    ),
    "another separator in a row": (
        HEADER + ROWS.replace(",", ";"),
        "line 2: 1 cells, where the header has 4",
    ),
    "no header": (ROWS, "line 1: has to name columns"),
    "a separator of nobody's": ("sep=:\n" + (HEADER + ROWS).replace(",", ":"), "line 1: has to name columns"),
    "a column without a name": (HEADER.replace("user_reference", ",x") + ROWS, "line 1: has to name columns"),
    "only empty rows": (",,,\n,,\n", "line 1: the file is empty"),
    "nothing": ("", "line 1: the file is empty"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_r41_what_cannot_be_read_as_intended_is_rejected_as_a_whole(tmp_path: Path, name: str) -> None:
    """R41: the file, the line and the cause are named, and no token is; the first reading ends there."""
    data, cause = REJECTED[name]
    found = rejected(token_file(tmp_path / "tokens.csv", data))
    assert found.startswith(f"tokens.csv, {cause}")
    assert found.endswith("The file is rejected as a whole: correct it and import it again")


JSON_REJECTED: Mapping[str, tuple[str, str]] = {
    "NUL": (json.dumps({"subdomain": "ac\0me", "access_token": A}), "subdomain has a NUL character"),
    "a token in the reference": (
        json.dumps({"subdomain": "acme", "access_token": A, "user_reference": B}),
        "user_reference looks like a token",
    ),
    "half a character": (
        '{"subdomain": "acme", "access_token": "\\ud800"}',
        "access_token begins with a byte",
    ),
    "an object in a string": (json.dumps(json.dumps({"subdomain": "acme"})), "not a JSON object"),
    "a whole file as one array": (
        "[" + json.dumps({"subdomain": "acme", "access_token": A}) + "]",
        "not a JSON",
    ),
    "an object over two lines": ('{"subdomain":\n"acme"}', "not a JSON object"),
}


@pytest.mark.parametrize("name", JSON_REJECTED)
def test_r41_json_lines_that_cannot_be_read_as_intended_are_rejected_as_a_whole(
    tmp_path: Path, name: str
) -> None:
    """R41: as with CSV, by file, line and cause."""
    text, cause = JSON_REJECTED[name]
    found = rejected(token_file(tmp_path / "tokens.jsonl", json_lines() + text + "\n"))
    assert found.startswith(f"tokens.jsonl, line 3: {cause}")


_PIECES = st.sampled_from(
    [
        *(
            HEADER,
            ROWS,
            "acme,",
            f"{A},",
            f"{B}\n",
            "subdomain;access_token\n",
            "sep=;\n",
            "#TYPE x\n",
            ",,,\n",
        ),
        *(
            '"',
            "'",
            '="',
            '""',
            "\r",
            "\n",
            "\0",
            "\ufeff",
            "\u00a0",
            "\u201c",
            "\udcff",
            ";",
            "\t",
            "|",
            "=",
        ),
        *(
            "{",
            "}",
            '{"subdomain": "acme"',
            f', "access_token": "{A}"',
            "[",
            "\\ud800",
            "x" * 200,
            "9" * 5000,
        ),
        json_lines(),
    ]
)
_TEXTS = st.lists(_PIECES | st.text(max_size=10), max_size=12).map("".join)
_BYTES = st.binary(max_size=300) | st.builds(
    lambda text, encoding, cut: text.encode(encoding, "surrogatepass")[cut:],
    _TEXTS,
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
    st.integers(0, 2),
)


@given(_BYTES, st.sampled_from(["tokens.csv", "tokens.jsonl"]))
@example(codecs.BOM_UTF16_LE + b"\n", "tokens.csv")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400)
def test_r41_no_bytes_raise_anything_but_a_sentence(tmp_path: Path, data: bytes, name: str) -> None:
    """R41, R42: a file is read or rejected, its tokens are of RFC 6750's grammar, and no other cell holds one."""
    file = token_file(tmp_path / name, data)
    try:
        lines = list(file.read(NOON))
    except ImportFileError as error:
        assert str(error).startswith(f"{name}, line ")  # noqa: PT017 - both ends are good, and this one says where
        return
    for line in lines:
        if isinstance(line, Line):
            assert TOKEN.fullmatch(line.access_token.reveal())
            assert line.refresh_token is None or TOKEN.fullmatch(line.refresh_token.reveal())
            assert not is_token_shaped(line.key)
