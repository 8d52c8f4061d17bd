"""Write the part of botocore's data that our functions use, so that a cold start parses 80 kB and not 2.5 MB.

Only our own clients read it, as if it were botocore's own data: so the rules for endpoints apply as ever. As a
`data_path`, before the whole data, it would be taken for endpoints of the user's own, which switch those rules off,
and 400 folders would still be looked through. A worker that mounts the layer sees botocore whole.

Usage: trim_models.py SITE_PACKAGES, which gets a folder `aws_models` beside botocore.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

OPERATIONS = {
    "dynamodb/2012-08-10": (
        "BatchGetItem",
        "GetItem",
        "PutItem",
        "Query",
        "TransactWriteItems",
        "UpdateItem",
    ),
    "events/2015-10-07": ("PutEvents",),
    "kms/2014-11-01": ("Decrypt", "GenerateDataKey"),
    "lambda/2015-03-31": ("Invoke",),
    "secretsmanager/2017-10-17": ("GetSecretValue",),
    "sqs/2012-11-05": ("ChangeMessageVisibility", "SendMessage"),
}
"""All that the adapters call: a client knows no other operation. A new one is added here."""
PER_SERVICE = ("endpoint-rule-set-1.json", "paginators-1.json", "service-2.sdk-extras.json")
"""What botocore reads beside a service's model, as far as the service has it; the last changes the model."""
SHARED = ("_retry.json", "partitions.json", "sdk-default-configuration.json")
"""What botocore reads for every service."""


def main(site_packages: Path) -> None:
    """Trim every service, and the endpoints to those services."""
    source, target = site_packages / "botocore/data", site_packages / "aws_models"
    for service, operations in OPERATIONS.items():
        _write(
            target / service / "service-2.json",
            _trimmed(_read(source / service / "service-2.json"), operations),
        )
        for name in PER_SERVICE:
            if _is_there(source / service / name):
                _write(target / service / name, _read(source / service / name))
    for name in SHARED:
        _write(target / name, _read(source / name))
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


def _is_there(path: Path) -> bool:
    return path.exists() or path.with_name(f"{path.name}.gz").exists()


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
