"""Write docs/events/registry.yaml from the schemas beside it: `make registry`; a test holds the one to the others.

EventBridge's registry takes JSON Schema of draft 4 and describes the whole event, so each is put into its envelope, and
what draft 4 does not know is said as it knows it.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "events"
TARGET = FOLDER / "registry.yaml"
SOURCE = "zendesk-oauth"
HEAD = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: >-
  The schemas of the events in EventBridge's schema registry, for whoever wants code bindings from there. Optional; the
  JSON Schemas beside this file say the same.

Parameters:
  RegistryName:
    Description: Name of the registry that is made.
    Type: String
    Default: zendesk-oauth

Resources:
  Registry:
    Type: AWS::EventSchemas::Registry
    Properties:
      RegistryName: !Ref RegistryName
      Description: What becomes of installs and connections
"""
ENTRY = """
  {name}:
    Type: AWS::EventSchemas::Schema
    Properties:
      RegistryName: !GetAtt Registry.RegistryName
      SchemaName: {source}@{name}
      Type: JSONSchemaDraft4
      Description: {description}
      Content: '{content}'
"""


def registry() -> str:
    """Return the template."""
    schemas = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.v1.json"))]
    return HEAD + "".join(_entry(schema) for schema in schemas)


def _entry(schema: dict[str, Any]) -> str:
    content = json.dumps(in_envelope(schema), separators=(",", ":"))
    return ENTRY.format(
        name=schema["title"],
        source=SOURCE,
        description=json.dumps(schema["description"].partition(". ")[0].rstrip("."), ensure_ascii=False),
        content=content.replace("'", "''"),
    )


def in_envelope(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the whole event, in draft 4."""
    detail = {name: schema[name] for name in ("type", "required", "properties")}
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": schema["title"],
        "type": "object",
        "required": ["source", "detail-type", "detail"],
        "properties": {
            "source": {"enum": [SOURCE]},
            "detail-type": {"enum": [schema["title"]]},
            "id": {"type": "string"},
            "time": {"type": "string", "format": "date-time"},
            "account": {"type": "string"},
            "region": {"type": "string"},
            "version": {"type": "string"},
            "resources": {"type": "array", "items": {"type": "string"}},
            "detail": _without_const(detail),
        },
    }


def _without_const(part: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(part, list):
        return [_without_const(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        "enum" if name == "const" else name: [value] if name == "const" else _without_const(value)
        for name, value in part.items()
    }


if __name__ == "__main__":
    TARGET.write_text(registry())
