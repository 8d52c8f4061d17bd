"""JSON bodies, read strictly."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.web.json_text import json_problem, json_response, parse_fields
from zendesk_oauth.web.statuses import Problem

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


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2027, 1, 4, 12, 0, 0, 999_999, tzinfo=UTC),
        datetime(2027, 1, 4, 14, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_instants_are_written_in_utc_to_the_second(instant: datetime) -> None:
    """Whatever their own zone."""
    assert json.loads(json_response(200, {"at": instant}).body) == {"at": "2027-01-04T12:00:00Z"}


@pytest.mark.parametrize("value", [Secret("s"), {"nested": Secret("s")}, b"bytes", {1, 2}])
def test_what_has_no_place_in_an_answer_is_not_written(value: object) -> None:
    """A secret that nobody has revealed on purpose cannot slip out, at no depth."""
    with pytest.raises(TypeError):
        json_response(200, {"value": value})


def test_a_problem_has_its_details_between_its_own_fields() -> None:
    """Details are fields of their own, and cannot take the place of the reference."""
    problem = Problem(
        409, "over", "It is over.", details={"since": datetime(2027, 1, 4, tzinfo=UTC), "reference": "x"}
    )
    assert json.loads(json_problem(problem, "ref").body) == {
        "error": "over",
        "message": "It is over.",
        "since": "2027-01-04T00:00:00Z",
        "reference": "ref",
    }
