"""Runs MiniStack, by its own interpreter, with the condition keys that its IAM lacks, of KMS and of DynamoDB.

With these, the roles, the policies and the key policy of the template are enforced here as they are written:
`kms:EncryptionContext:field` keeps one function from opening another's tokens, `dynamodb:LeadingKeys` and
`dynamodb:Attributes` hold a worker to one grant's access tokens. They follow AWS's documents, not AWS itself.
The rule: nothing else of the emulator is changed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ministack import app  # type: ignore[import-not-found] # only MiniStack's own environment has it
from ministack.core import iam_actions  # type: ignore[import-not-found] # the same

type ConditionKeys = dict[str, object]

_known = iam_actions.request_tag_context
_known_of_dynamodb = iam_actions.dynamodb_service_context
_EXPRESSIONS = ("ProjectionExpression", "UpdateExpression", "ConditionExpression")
_NAME = re.compile(r"(?<![:\w.])#?[A-Za-z_]\w*(?!\w*\()")
_WORDS = frozenset({"ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"})


def condition_keys(service: str, action: str, body: bytes, query: Mapping[str, object]) -> ConditionKeys:
    """Return the condition keys that MiniStack finds in a request, and those of an encryption context."""
    keys: ConditionKeys = _known(service, action, body, query)
    if service != "kms":
        return keys
    context = json.loads(body or b"{}").get("EncryptionContext") or {}
    return keys | {f"kms:EncryptionContext:{name}": value for name, value in context.items()}


def dynamodb_condition_keys(body: bytes) -> ConditionKeys:
    """Return the condition keys that MiniStack finds, and those that it finds only in a projection, or not at all.

    A batch of reads counts as what its tables' parts say together. Of a transaction MiniStack asks for each write by
    itself, without its expressions: there is nothing here to add.
    """
    keys: ConditionKeys = _known_of_dynamodb(body)
    if not keys:
        return keys
    request = json.loads(body)
    batch = request.get("RequestItems")
    parts = [part for part in batch.values() if isinstance(part, dict)] if batch else [request]
    attributes = sorted({name for part in parts for name in _attributes(part)})
    leading = [
        value
        for part in parts
        for key in _row_keys(part)
        for typed in key.values()
        for value in typed.values()
    ]
    if batch and parts and all("ProjectionExpression" in part for part in parts):
        keys["dynamodb:Select"] = "SPECIFIC_ATTRIBUTES"
    if "ReturnValues" in request:
        keys["dynamodb:ReturnValues"] = request["ReturnValues"]
    named = {"dynamodb:Attributes": attributes, "dynamodb:LeadingKeys": leading}
    return keys | {name: found for name, found in named.items() if found}


def _row_keys(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the keys of rows; here they have one attribute each, which is the one that leads."""
    return [*part.get("Keys", ()), *([part["Key"]] if "Key" in part else [])]


def _attributes(part: Mapping[str, Any]) -> Iterator[str]:
    """Yield every attribute at the top level that keys and expressions name."""
    for key in _row_keys(part):
        yield from key
    yield from part.get("AttributesToGet") or ()
    placeholders = part.get("ExpressionAttributeNames") or {}
    for expression in _EXPRESSIONS:
        for name in _NAME.findall(part.get(expression) or ""):
            if name not in _WORDS:
                yield placeholders.get(name, name)


iam_actions.request_tag_context = condition_keys
iam_actions.dynamodb_service_context = dynamodb_condition_keys

if __name__ == "__main__":
    app.main()
