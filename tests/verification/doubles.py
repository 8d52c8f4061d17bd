"""An account of AWS that answers by a script, and remembers who asked for what."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from cli.jobs.import_rows import READ, READ_TO_REPLACE
from cli.jobs.restore_update import SEEN
from deployed.account import Identity
from zendesk_oauth.adapters.dynamodb_directory_rows import PROJECTED
from zendesk_oauth.adapters.dynamodb_token_reader import ATTRIBUTES

WORKER_KEY = {"connection_key": {"S": "default#verify-aws"}}
OWN_CONTEXT = {
    "application": "zendesk-oauth",
    "stage": "prod",
    "grant": "default",
    "subdomain": "verify-aws",
    "field": "access_token",
}
POLICY_OF_CONNECTIONS = {"Version": "2012-10-17", "Statement": [{"Sid": "OfConnections"}]}
MAY_OF_THE_COMMAND: Mapping[str, frozenset[str]] = {
    "operator-policy": frozenset({"invoke refresh", "describe_table", "get_queue_attributes"}),
    "rekey-policy": frozenset({"query listing", "invoke refresh"}),
    "import-policy": frozenset({"read", "write", "generate_data_key prod", "invoke refresh"}),
    "restore-policy": frozenset({"read", "write"}),
}
"""What whoever holds one of these may do, in words of this module."""
SECRET_OF_A_ROLE = "a-secret-key-of-a-throwaway-role"


_FIXED: Mapping[str, object] = {
    "get_caller_identity": {"Arn": "arn:aws:iam::123456789012:user/somebody"},
    "get_function_configuration": {"Role": "arn:aws:iam::123456789012:role/role-of-connections"},
    "get_role_policy": {"PolicyDocument": POLICY_OF_CONNECTIONS},
}


class Asked(NamedTuple):
    """A call: by whom (the access key, or None for whoever runs it), of which operation, with what."""

    who: str | None
    service: str
    operation: str
    arguments: Mapping[str, Any]


def refusal(code: str = "AccessDeniedException") -> ClientError:
    """Return the error that AWS answers with."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


@dataclass
class ScriptedAccount:
    """Refuses whatever the policies of the template do not allow; `rules` come first and may answer otherwise."""

    rules: list[Callable[[Asked], object]] = field(default_factory=list)
    calls: list[Asked] = field(default_factory=list)
    roles: dict[str, str | None] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)

    def client(self, service: str, identity: Identity | None = None) -> Any:
        """Return a client of one identity."""
        credentials = identity.credentials if identity else None
        return _Client(
            self, service, credentials.get_frozen_credentials().access_key if credentials else None
        )

    def answer(self, asked: Asked) -> object:
        """Answer a call, or raise what AWS would."""
        self.calls.append(asked)
        for rule in self.rules:
            if (said := rule(asked)) is not None:
                return said
        if asked.who is None:
            return self._as_own_caller(asked)
        if asked.who == json.dumps(POLICY_OF_CONNECTIONS):
            return _as_connections(asked)
        return _as_of_the_command(asked) if asked.who in MAY_OF_THE_COMMAND else _as_worker(asked)

    def _as_own_caller(self, asked: Asked) -> object:
        if asked.operation in _FIXED:
            return _FIXED[asked.operation]
        if asked.operation == "generate_data_key":
            return {"CiphertextBlob": json.dumps(asked.arguments["EncryptionContext"]).encode()}
        return self._of_a_role(asked)

    def _of_a_role(self, asked: Asked) -> object:
        said, name = asked.arguments, asked.arguments.get("RoleName", "")
        match asked.operation:
            case "create_role":
                self.roles[name] = None
                return {"Role": {"Arn": f"arn:aws:iam::123456789012:role/verify-aws/{name}"}}
            case "attach_role_policy" | "put_role_policy":
                self.roles[name] = said.get("PolicyArn") or said["PolicyDocument"]
            case "detach_role_policy" | "delete_role_policy":
                self.roles[name] = None
            case "delete_role":
                assert self.roles.pop(name) is None, "a role with a policy cannot be deleted"
            case "assume_role":
                self.taken.append(said["RoleArn"].rpartition("/")[2])
                policy = self.roles[self.taken[-1]]
                given = {"AccessKeyId": policy, "SecretAccessKey": SECRET_OF_A_ROLE, "SessionToken": "t"}
                return {"Credentials": given}
        return {}


@dataclass
class _Client:
    account: ScriptedAccount
    service: str
    who: str | None

    def __getattr__(self, operation: str) -> Callable[..., object]:
        return lambda **arguments: self.account.answer(Asked(self.who, self.service, operation, arguments))


def _as_worker(asked: Asked) -> object:
    """Allow what WorkerPolicy allows, and refuse all else."""
    said, context = asked.arguments, asked.arguments.get("EncryptionContext", {})
    names = set(said.get("ExpressionAttributeNames", {}).values())
    if asked.operation == "get_item" and said["Key"] == WORKER_KEY and names and names <= set(ATTRIBUTES):
        return {}
    if asked.operation == "decrypt" and context == OWN_CONTEXT:
        return {"Plaintext": b"a data key"}
    if asked.operation == "invoke" and said["FunctionName"].endswith("-refresh"):
        assert said["InvocationType"] == "DryRun"
        return {"StatusCode": 204}
    raise refusal("AccessDenied" if asked.service == "sqs" else "AccessDeniedException")


def _as_connections(asked: Asked) -> object:
    """Allow what the role of `connections` allows, and refuse all else; no condition of a write holds."""
    said = asked.arguments
    names = set(said.get("ExpressionAttributeNames", {}).values())
    if asked.operation == "get_item" and names and names <= set(PROJECTED):
        return {}
    if asked.operation == "update_item" and names == {"connection_key"} and "ReturnValues" not in said:
        raise refusal("ConditionalCheckFailedException")
    raise refusal()


def _as_of_the_command(asked: Asked) -> object:
    """Allow what a policy for the operator's command allows, and refuse all else; no condition of a write holds."""
    assert asked.who is not None
    said = asked.arguments
    if _asked_for(asked) not in MAY_OF_THE_COMMAND[asked.who]:
        raise refusal()
    if asked.operation == "update_item":
        assert said["ConditionExpression"] == "attribute_exists(#key) AND attribute_not_exists(#key)"
        raise refusal("ConditionalCheckFailedException")
    return {}


def _asked_for(asked: Asked) -> str:
    said = asked.arguments
    match asked.operation:
        case "query":
            return f"query {said.get('IndexName')}"
        case "invoke":
            assert said["InvocationType"] == "DryRun"
            return f"invoke {said['FunctionName'].rpartition('-')[2]}"
        case "generate_data_key":
            return f"generate_data_key {said['EncryptionContext']['stage']}"
        case "batch_get_item":
            [wanted] = said["RequestItems"].values()
            names = set(wanted.get("ExpressionAttributeNames", {}).values())
            known = {*READ, *READ_TO_REPLACE} if asked.who == "import-policy" else set(SEEN)
            return "read" if names and names <= known else "read more"
        case "update_item":
            names = set(said["ExpressionAttributeNames"].values())
            return (
                "write"
                if names == {"connection_key", "status"} and "ReturnValues" not in said
                else "write more"
            )
    return asked.operation


@dataclass
class ScriptedApi:
    """An API that answers as its routes' policies would have it."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def get(self, path: str, identity: Identity) -> AWSResponse:
        """Answer a GET."""
        self.asked.append((identity.name, path))
        if _may(identity, path):
            return function(404)
        return gateway(404 if path.endswith("%6E") else 403)


def _may(identity: Identity, path: str) -> bool:
    is_token, is_own = path.endswith("/token"), path.startswith("/connections/default/")
    if identity.name == "operator":
        return not is_token and "%" not in path
    return identity.name == "token caller" and is_token and is_own


def gateway(status: int) -> AWSResponse:
    """Return an answer of the gateway itself."""
    return AWSResponse("https://api.example.com", status, HTTPHeaders(), None)


def function(status: int) -> AWSResponse:
    """Return an answer of a function of ours."""
    headers = HTTPHeaders()
    headers["Referrer-Policy"] = "no-referrer"
    return AWSResponse("https://api.example.com", status, headers, None)


def credentials(name: str) -> Credentials:
    """Return credentials that are none."""
    return Credentials(name, SECRET_OF_A_ROLE)
