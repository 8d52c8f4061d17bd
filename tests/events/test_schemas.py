"""The published schemas: one for each event, valid, and the same in the template of the registry."""

import importlib.util
from types import ModuleType
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator, ValidationError

from tests.docs.reading import table_rows
from tests.events.schemas import FOLDER, schema, validator
from tests.template.reading import ROOT, TemplateLoader
from zendesk_oauth.adapters.eventbridge_bus import SOURCE
from zendesk_oauth.models.event import EventType


def generator() -> ModuleType:
    """Return the script that writes the registry's template."""
    spec = importlib.util.spec_from_file_location("registry", ROOT / "scripts/registry.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def registered() -> dict[str, dict[str, Any]]:
    """Return the schemas that the registry's template has, by the name of their event."""
    template = yaml.load((FOLDER / "registry.yaml").read_text(), TemplateLoader)  # noqa: S506 - a SafeLoader
    return {
        resource["Properties"]["SchemaName"].partition("@")[2]: yaml.safe_load(
            resource["Properties"]["Content"]
        )
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::EventSchemas::Schema"
    }


def test_every_event_has_a_schema_and_a_row() -> None:
    """Neither more nor less, in the folder, on the page and in the registry."""
    names = {str(event_type) for event_type in EventType}
    assert {path.name.partition(".")[0] for path in FOLDER.glob("*.json")} == names
    rows = {row[0].partition("`")[2].partition("`")[0] for row in table_rows(ROOT / "docs/events.md")}
    assert {row for row in rows if row} == names
    assert registered().keys() == names


@pytest.mark.parametrize("name", list(EventType))
def test_a_schema_says_what_each_field_is(name: str) -> None:
    """Every property is described and required: an event has all of its fields, null where there is no value."""
    validator(name)
    properties = schema(name)["properties"]
    assert all(field["description"] for field in properties.values())
    assert schema(name)["required"] == list(properties)
    assert schema(name)["title"] == name


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"schema": 2},
        {"id": "short"},
        {"occurred_at": "yesterday"},
        {"subdomain": "acme.zendesk.com"},
        {"order": "1.2.3"},
        {"epoch": "3"},
    ],
)
def test_a_schema_refuses_what_is_no_such_event(wrong: dict[str, Any]) -> None:
    """It can fail: an empty event, another version, a field of another form."""
    good: dict[str, Any] = {
        "schema": 1,
        "id": "0" * 32,
        "occurred_at": "2027-01-04T12:00:00Z",
        "application": "zendesk-oauth",
        "stage": "prod",
        "grant": "default",
        "subdomain": "acme",
        "user_reference": None,
        "install": None,
        "epoch": 3,
        "generation": 40,
        "order": "0000000003.0000000040.0",
    }
    validator("ConnectionRestored").validate(good)
    with pytest.raises(ValidationError):
        validator("ConnectionRestored").validate(good | wrong if wrong else wrong)


def test_the_registrys_template_is_made_of_the_schemas() -> None:
    """`make registry` writes it; whoever changes a schema and forgets that is told here."""
    module = generator()
    assert (FOLDER / "registry.yaml").read_text() == module.registry()
    assert module.SOURCE == SOURCE


@pytest.mark.parametrize("name", list(EventType))
def test_the_registry_has_draft_4(name: str) -> None:
    """The registry knows no later one: what is in it is valid there, and describes the event in its envelope."""
    Draft4Validator.check_schema(registered()[name])
    assert "const" not in str(registered()[name])
    with pytest.raises(ValidationError):
        Draft4Validator(registered()[name]).validate({"source": SOURCE, "detail-type": name, "detail": {}})
