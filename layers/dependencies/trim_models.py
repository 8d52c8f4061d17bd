"""Write the part of botocore's data that our functions use, so that a cold start parses 80 kB and not 2.5 MB.

botocore looks into its `data_path` before its own data (botocore.loaders), file by file, so what is not here is
still found there. Only our own clients are given this path: a worker that mounts the layer sees botocore whole.

Usage: trim_models.py SITE_PACKAGES, which gets a folder `aws_models` beside botocore.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

OPERATIONS = {
    "dynamodb/2012-08-10": ("GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"),
    "kms/2014-11-01": ("Decrypt", "GenerateDataKey"),
    "secretsmanager/2017-10-17": ("GetSecretValue",),
}
"""All that the adapters call: a client knows no other operation. A new one is added here."""


def main(site_packages: Path) -> None:
    """Trim every service, and the endpoints to those services."""
    source, target = site_packages / "botocore/data", site_packages / "aws_models"
    for service, operations in OPERATIONS.items():
        _write(
            target / service / "service-2.json",
            _trimmed(_read(source / service / "service-2.json"), operations),
        )
        rules = "endpoint-rule-set-1.json"
        _write(target / service / rules, _read(source / service / rules))
    endpoints = _read(source / "endpoints.json")
    for partition in endpoints["partitions"]:
        partition["services"] = {
            name: data
            for name, data in partition["services"].items()
            if name in {service.split("/")[0] for service in OPERATIONS}
        }
    _write(target / "endpoints.json", endpoints)


def _trimmed(model: dict[str, Any], operations: tuple[str, ...]) -> dict[str, Any]:
    """Return the model with these operations, the shapes they reach, and no prose."""
    kept = {name: model["operations"][name] for name in operations}
    shapes: dict[str, Any] = {}
    _reach(kept, model["shapes"], shapes)
    plain: dict[str, Any] = _without_prose(model | {"operations": kept, "shapes": shapes})
    return plain


def _reach(part: object, shapes: dict[str, Any], reached: dict[str, Any]) -> None:
    if isinstance(part, dict):
        name = part.get("shape")
        if isinstance(name, str) and name not in reached:
            reached[name] = shapes[name]
            _reach(shapes[name], shapes, reached)
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            _reach(each, shapes, reached)


def _without_prose(part: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(part, dict):
        return {
            name: _without_prose(value)
            for name, value in part.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_without_prose(each) for each in part] if isinstance(part, list) else part


def _read(path: Path) -> dict[str, Any]:
    packed = path.with_name(f"{path.name}.gz")
    text = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    data: dict[str, Any] = json.loads(text)
    return data


def _write(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, separators=(",", ":")))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
