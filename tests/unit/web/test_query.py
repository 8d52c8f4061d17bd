"""The query parser: one reading, or none."""

from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.web.query import parse_query


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("", {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&&b=", {"a": "1", "b": ""}),
        ("a", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("a=x+y%20z%2B", {"a": "x y z+"}),
        ("a=%C3%BC", {"a": "ü"}),
        ("a=ü", {"a": "ü"}),
        ("%61=1", {"a": "1"}),
        ("a=%09x%09", {"a": "\tx\t"}),
    ],
)
def test_what_is_well_formed_is_read(query: str, parameters: dict[str, str]) -> None:
    """Form encoding is read the way the URL Standard writes it."""
    assert parse_query(query) == parameters


@pytest.mark.parametrize(
    "query",
    [
        "a=1&a=1",
        "a=1&%61=2",
        "code[]=1",
        "=1",
        "a%00=1",
        f"{'a' * 65}=1",
        "a=%00",
        "a=%0d%0aSet-Cookie:x",
        "a=%7f",
        "a=%C2%85",
        "a=%E2%80%A8",
        "a=\n",
        "a=%ff",
        "a=%C3",
        "a=%ED%A0%80",
        "a=\ud800",
        "a=%",
        "a=%4",
        "a=%zz",
        "a=" + "x" * 4097,
        "a=" + "x" * 10_240,
    ],
    ids=repr,
)
def test_what_has_two_readings_is_refused(query: str) -> None:
    """Repeats, odd names, broken encodings, control characters and sizes are refused, never repaired."""
    with pytest.raises(MalformedRequestError) as caught:
        parse_query(query)
    assert "x" * 10 not in str(caught.value)


_VALUES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=50)


@given(st.dictionaries(st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True), _VALUES, max_size=5))
def test_what_is_written_is_read_again(parameters: dict[str, str]) -> None:
    """Whatever an honest writer encodes comes out again, in either way to write a space."""
    assert parse_query(urlencode(parameters)) == parameters
    assert parse_query(urlencode(parameters, quote_via=quote)) == parameters


IGNORED = [
    "amp;x=1",
    "amp;ours=1",
    "$deep_link=true",
    "~campaign=x",
    "utm[source]=x",
    "a[]=1",
    "q=caf%E9",
    "q=1&q=2",
    "%ff=1",
    "%=1",
    "%zz",
    "=1",
    "[]=1",
    "q=%00",
    "q=%0d%0aSet-Cookie:x",
    "q=\ud800",
    "\ud800=1",
    "oursx=1",
    "xours[]=1",
    "ours%ff=1",
    "ours.x=1",
    "OURS=1",
    "q=" + "x" * 8192,
]


@pytest.mark.parametrize("unknown", IGNORED, ids=lambda text: ascii(text)[:40])
def test_what_is_not_ours_is_ignored_however_malformed(unknown: str) -> None:
    """Before, between and after our own parameters, an unknown one changes nothing."""
    expected = {"ours": "1", "other": "2"}
    for query in (f"{unknown}&ours=1&other=2", f"ours=1&{unknown}&other=2", f"ours=1&other=2&{unknown}"):
        assert parse_query(query, frozenset({"ours", "other", "absent"})) == expected


@pytest.mark.parametrize(
    "broken",
    [
        *("ours=2", "%6Furs=2", "ours[]=2", "ours[0]=2", "ours%5B%5D=2", "ours[", "ours%00=2", "ours%00x=2"),
        *("+ours=2", "%20ours=2", "ours%20=2", "%09ours=2", "%E2%80%80ours=2", "ours=%00", "ours=%ff"),
        *("ours=%", "ours=\ud800", "ours=%0d%0ax", "ours=" + "x" * 4097),
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_ours_stay_strict(broken: str) -> None:
    """A repeat, a list, a broken value, and a name that other parsers read as ours: refused, whatever stands beside."""
    for query in (f"ours=1&{broken}", f"{broken}&ours=1", f"x[]=1&ours=1&y=%ff&{broken}"):
        with pytest.raises(MalformedRequestError):
            parse_query(query, frozenset({"ours"}))


@given(st.text(st.characters(codec=None, exclude_characters="&"), max_size=60), st.text(max_size=20))
def test_an_arbitrary_stranger_changes_nothing_or_is_refused(stranger: str, value: str) -> None:
    """Whatever stands beside our parameter, its value is the one that was written, or the whole is refused."""
    encoded = quote(value)
    try:
        found = parse_query(f"{stranger}&ours={encoded}", frozenset({"ours"}))
    except MalformedRequestError:
        return
    assert found == {"ours": value}
