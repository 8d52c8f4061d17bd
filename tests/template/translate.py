"""Prints a SAM template as CloudFormation sees it, in JSON. Runs in SAM's own environment, which has the translator."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

from samcli.yamlhelper import yaml_parse  # type: ignore[import-not-found]  # only in SAM's environment
from samtranslator.translator.transform import transform  # type: ignore[import-not-found]  # the same

UPLOADED = "s3://bucket/key"


def main() -> None:
    """Translate the file named first on the command line; code counts as uploaded."""
    template = yaml_parse(Path(sys.argv[1]).read_text())
    template["Globals"]["Function"]["CodeUri"] = UPLOADED
    for resource in template["Resources"].values():
        if "ContentUri" in resource["Properties"]:
            resource["Properties"]["ContentUri"] = UPLOADED
    managed_policies = SimpleNamespace(load=dict)
    sys.stdout.write(json.dumps(transform(template, {}, managed_policies)))


main()
