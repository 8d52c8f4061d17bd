"""JSON bodies, read strictly."""

import pytest

from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.web.json_text import parse_fields

USER = frozenset({"user"})
MORE = frozenset({"grant"})


@pytest.mark.parametrize("body", [b'{"user":"u"}', b' {"user": "u", "grant": "g"} '])
def test_an_object_of_texts_is_read(body: bytes) -> None:
    """What is required is there, what is optional may be."""
    assert parse_fields(body, USER, MORE)["user"] == "u"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"user"',
        b"{}",
        b'{"grant":"g"}',
        b'{"user":"u","user":"u"}',
        b'{"user":"u","admin":"true"}',
        b'{"user":7}',
        b'{"user":null}',
        b'{"user":["u"]}',
        b'{"user":NaN}',
        b'{"user":"u"}x',
        b"\xff",
        b"[" * 4096,
        b'{"user":' + b"9" * 4000 + b"}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_anything_else_is_malformed(body: bytes) -> None:
    """Other types, unknown, missing or repeated names, depth and encodings are refused."""
    with pytest.raises(MalformedRequestError):
        parse_fields(body, USER, MORE)
