"""The example of a worker's stack: where it is, how it is built, and how its template is read."""

from pathlib import Path
from typing import Any

import yaml

from tests.artefact.building import HOST, ROOT, run
from tests.template.reading import SAM, TemplateLoader

EXAMPLE = ROOT / "examples/worker-stack"
TEMPLATE = EXAMPLE / "template.yaml"
CODE = EXAMPLE / "worker"
REGION = "us-east-1"


def template() -> dict[str, Any]:
    """Return the example's template."""
    read: dict[str, Any] = yaml.load(TEMPLATE.read_text(), TemplateLoader)  # noqa: S506 - a SafeLoader
    return read


def build(folder: Path) -> Path:
    """Build as the README says, for this machine's processor, into a folder; return where the function is."""
    options = ("--build-dir", folder, "--region", REGION, "--parameter-overrides", f"Architecture={HOST}")
    run(SAM / "sam", "build", "--template-file", TEMPLATE, *options, SAM_CLI_TELEMETRY="0")
    return folder / "Worker"
