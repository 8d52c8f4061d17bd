"""Runs MiniStack, by its own interpreter, with what its IAM lacks: the condition keys of KMS's encryption context.

With these, the roles and the key policy of the template are enforced here as they are written: `StringEquals` on
`kms:EncryptionContext:field` is what keeps one function from opening another's tokens.
The rule: nothing else of the emulator is changed.
"""

import json
from collections.abc import Mapping

from ministack import app  # type: ignore[import-not-found] # only MiniStack's own environment has it
from ministack.core import iam_actions  # type: ignore[import-not-found] # the same

type ConditionKeys = dict[str, object]

_known = iam_actions.request_tag_context


def condition_keys(service: str, action: str, body: bytes, query: Mapping[str, object]) -> ConditionKeys:
    """Return the condition keys that MiniStack finds in a request, and those of an encryption context."""
    keys: ConditionKeys = _known(service, action, body, query)
    if service != "kms":
        return keys
    context = json.loads(body or b"{}").get("EncryptionContext") or {}
    return keys | {f"kms:EncryptionContext:{name}": value for name, value in context.items()}


iam_actions.request_tag_context = condition_keys

if __name__ == "__main__":
    app.main()
