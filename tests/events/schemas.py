"""The JSON Schemas of the events, as they are published in docs/events."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from tests.template.reading import ROOT
from zendesk_oauth.models.event import SCHEMA, Event

FOLDER = ROOT / "docs/events"


@cache
def schema(name: str) -> dict[str, Any]:
    """Return the schema of an event, by its name."""
    read: dict[str, Any] = json.loads((FOLDER / f"{name}.v{SCHEMA}.json").read_text())
    return read


@cache
def validator(name: str) -> Validator:
    """Return what holds an event to its schema."""
    Draft202012Validator.check_schema(schema(name))
    return Draft202012Validator(schema(name))


def hold(event: Event) -> None:
    """Hold an event to its schema, which names every field that it has."""
    detail = json.loads(json.dumps(event.detail))
    validator(event.event_type).validate(detail)
    assert detail.keys() == schema(event.event_type)["properties"].keys()
