"""How the tests read template.yaml: where it is, its short forms, and how they run the tools around it."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
SAM = ROOT / ".tools/sam/bin"


class TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, each turned into its long form."""


def long_form(loader: TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """Return `!Name value` as `{"Fn::Name": value}`; Ref and Condition have no prefix, GetAtt is a list."""
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


TemplateLoader.add_multi_constructor("!", long_form)


def run(*command: str | Path) -> tuple[int, str]:
    """Run one of our own tools in the project's folder; return its exit code and all it said.

    It asks nobody anything: no telemetry, a Region, no profile.
    """
    quiet = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(  # noqa: S603 - the tools and their arguments are written in these tests
        command, cwd=ROOT, env=quiet, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.returncode, done.stdout
