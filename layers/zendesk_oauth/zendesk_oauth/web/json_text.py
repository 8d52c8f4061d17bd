"""JSON at the border: bodies read strictly, answers written plainly."""

import json
from collections.abc import Mapping
from datetime import datetime

from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.models.instant import utc_text
from zendesk_oauth.web.response import Response
from zendesk_oauth.web.statuses import Problem

_JSON = {"Content-Type": "application/json"}


def parse_fields(body: bytes, required: frozenset[str], optional: frozenset[str]) -> Mapping[str, str]:
    """Return the body's fields: one JSON object of texts.

    Raises MalformedRequestError for anything else: another type, a name that is unknown, missing or there twice.
    """
    try:
        fields = json.loads(body.decode(), object_pairs_hook=_unrepeated)
    except (ValueError, RecursionError):
        raise MalformedRequestError("body is not a JSON object") from None
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise MalformedRequestError("body is not a JSON object of texts")
    if not required <= fields.keys() <= required | optional:
        raise MalformedRequestError("body has other fields than it should")
    return fields


def json_response(status: int, fields: Mapping[str, object]) -> Response:
    """Return the fields as a JSON object; instants are written in ISO 8601, in UTC, to the second."""
    return Response(status, json.dumps(fields, default=_iso), _JSON)


def json_problem(problem: Problem, reference: str) -> Response:
    """Return a problem as JSON: `error` and the details for machines, `message` for people, `reference` for the log."""
    fields = {"error": problem.code, "message": problem.message, **problem.details, "reference": reference}
    return json_response(problem.status, fields)


def _iso(instant: object) -> str:
    """Return how an instant is written. Raises TypeError for whatever else JSON does not know, a Secret above all."""
    if not isinstance(instant, datetime):
        raise TypeError(f"{type(instant).__name__} has no place in an answer")
    return utc_text(instant)


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name stands twice")
    return fields
