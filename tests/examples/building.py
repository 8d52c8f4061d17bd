"""The example of a worker's stack: where it is, how it is built, and how its template is read."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from tests.artefact.building import HOST, ROOT, run
from tests.template.reading import SAM, TemplateLoader

EXAMPLE = ROOT / "examples/worker-stack"
TEMPLATE = EXAMPLE / "template.yaml"
CODE = EXAMPLE / "worker"
FUNCTIONS = ("Worker", "Receiver", "Follower")
REGION = "us-east-1"


def template() -> dict[str, Any]:
    """Return the example's template."""
    read: dict[str, Any] = yaml.load(TEMPLATE.read_text(), TemplateLoader)  # noqa: S506 - a SafeLoader
    return read


def build(folder: Path) -> Path:
    """Build as the README says, for this machine's processor, into a folder; return it."""
    options = ("--build-dir", folder, "--region", REGION, "--parameter-overrides", f"Architecture={HOST}")
    run(SAM / "sam", "build", "--template-file", TEMPLATE, *options, SAM_CLI_TELEMETRY="0")
    return folder


def load(folder: str) -> ModuleType:
    """Import a function of the example as a fresh container does."""
    spec = importlib.util.spec_from_file_location(f"example_{folder}", EXAMPLE / folder / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
