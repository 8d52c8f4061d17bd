"""What the canned endpoint answers: the JSON protocols of DynamoDB, KMS, Secrets Manager and EventBridge, and Zendesk.

Each answer is of the real one's shape and size, and none depends on what came before, so that two runs do the same.
A scenario changes two of them: the rows that DynamoDB gives back, and what Zendesk's token endpoint says.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from benchmarks.updates import after

WRAPPED_KEY_BYTES = 184
"""The length of a data key of 32 bytes wrapped by KMS under a symmetric key."""
TOKEN_CHARACTERS = 64
"""The length of an opaque Zendesk token."""
CLIENT_SECRET = "s" * TOKEN_CHARACTERS
DATA_KEY = bytes(range(32))
"""The one data key that there is: whatever is unwrapped, it comes out."""
WRAPPED_KEY = bytes(index % 251 for index in range(WRAPPED_KEY_BYTES))
_KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it was on the wire. `name` is `DynamoDB.PutItem`, or `POST /oauth/tokens`."""

    name: str
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body; a body of None is none at all."""

    body: Json | None
    status: int = 200


def issued_tokens() -> Json:
    """Return a whole answer of the token endpoint, as Zendesk gives it where both lifetimes were asked for."""
    return {
        "access_token": "a" * TOKEN_CHARACTERS,
        "refresh_token": "r" * TOKEN_CHARACTERS,
        "token_type": "bearer",
        "scope": "users:read tickets:read",
        "expires_in": 172_800,
        "refresh_token_expires_in": 7_776_000,
    }


@dataclass(frozen=True, slots=True)
class Scenario:
    """What differs between situations.

    `rows` are what the calls that read or update one row are given, in turn and then from the first again; `token`
    is what the token endpoint answers.
    """

    rows: Sequence[Json] = ()
    token: Json = field(default_factory=issued_tokens)
    token_status: int = 200


def name_call(method: str, path: str, headers: Mapping[str, str]) -> str:
    """Return the call's name: an AWS target without its version, or the method and the path below the account."""
    target = headers.get("x-amz-target")
    if target is not None:
        service, _, operation = target.partition(".")
        return f"{_SERVICES.get(service, service)}.{operation}"
    _account, _, rest = path.partition("?")[0].lstrip("/").partition("/")
    return f"{method} /{rest}"


class Script:
    """Answers one call after the other by a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._rows = cycle(scenario.rows or [{}])

    def answer(self, call: Call) -> Answer:
        """Return what the call is answered; 501 for one that is not known, which no handler takes for success."""
        if call.name in _ROWS:
            row = _as_asked(call, next(self._rows))
            return Answer({_ROWS[call.name]: row} if row else {})
        if call.name == "POST /oauth/tokens":
            return Answer(self._scenario.token, self._scenario.token_status)
        return _FIXED.get(call.name, _UNKNOWN)


_SERVICES = {
    "AWSEvents": "EventBridge",
    "DynamoDB_20120810": "DynamoDB",
    "TrentService": "KMS",
    "secretsmanager": "SecretsManager",
}


def _as_asked(call: Call, row: Json) -> Json:
    """Return the row as it is after an update that asks for the new one: a commit looks for its own id there."""
    request: Json = json.loads(call.body)
    return row | after(request) if row and request.get("ReturnValues") == "ALL_NEW" else row


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


_UNKNOWN = Answer({"message": "the canned endpoint does not know this call"}, 501)
_ROWS = {"DynamoDB.UpdateItem": "Attributes", "DynamoDB.GetItem": "Item"}
_SECRET = {
    "ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:client-secret-AbCdEf",
    "Name": "client-secret",
    "SecretString": json.dumps({"client_secret": CLIENT_SECRET}),
    "VersionId": "11111111-2222-3333-4444-555555555555",
    "VersionStages": ["AWSCURRENT"],
}
_FIXED: Mapping[str, Answer] = {
    "DynamoDB.PutItem": Answer({}),
    "DynamoDB.Query": Answer({"Items": [], "Count": 0, "ScannedCount": 0}),
    "DynamoDB.TransactWriteItems": Answer({}),
    "EventBridge.PutEvents": Answer(
        {"FailedEntryCount": 0, "Entries": [{"EventId": "11111111-2222-3333-4444-555555555555"}]}
    ),
    "KMS.GenerateDataKey": Answer(
        {"CiphertextBlob": _base64(WRAPPED_KEY), "Plaintext": _base64(DATA_KEY), "KeyId": _KEY_ARN}
    ),
    "KMS.Decrypt": Answer({"Plaintext": _base64(DATA_KEY), "KeyId": _KEY_ARN}),
    "SecretsManager.GetSecretValue": Answer(_SECRET),
    "GET /api/v2/users/me.json": Answer({"user": {"id": 35_436, "role": "admin"}}),
    "GET /api/v2/oauth/tokens/current.json": Answer({"error": "invalid_token"}, 401),
}
