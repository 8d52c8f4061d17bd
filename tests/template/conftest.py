"""Loads template.yaml once, as data: as it is written, and as CloudFormation sees it after SAM's transform."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.template.reading import SAM, TEMPLATE, TemplateLoader, run


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """Return the template as it is written."""
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), TemplateLoader)  # noqa: S506 - a SafeLoader
    return loaded


@pytest.fixture(scope="session")
def resources(template: dict[str, Any]) -> dict[str, Any]:
    """Return the template's resources by logical id."""
    found: dict[str, Any] = template["Resources"]
    return found


@pytest.fixture(scope="session")
def functions(resources: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of each function by its verb."""
    return {
        resource["Properties"]["Handler"].split(".")[0]: resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Serverless::Function"
    }


@pytest.fixture(scope="session")
def translated() -> dict[str, Any]:
    """Return the template after SAM's transform, which lives in SAM's own environment."""
    code, said = run(SAM / "python", Path(__file__).with_name("translate.py"), TEMPLATE)
    assert code == 0, said
    found: dict[str, Any] = json.loads(said)
    return found
