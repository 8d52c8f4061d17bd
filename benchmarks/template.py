"""What the template says of a function that its cost depends on."""

from typing import Any

import yaml

from benchmarks.artefact import ROOT


class _TagsIgnored(yaml.SafeLoader):
    """Reads CloudFormation's short forms as what they are applied to."""


def _plain(loader: _TagsIgnored, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else None


_TagsIgnored.add_multi_constructor("!", _plain)


def memory_mb(function: str) -> int:
    """Return the memory of a function."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    template: dict[str, Any] = yaml.load(text, Loader=_TagsIgnored)  # noqa: S506 - a safe loader, which only ignores tags
    return int(template["Resources"][f"{function.capitalize()}Function"]["Properties"]["MemorySize"])
