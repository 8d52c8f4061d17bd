"""Throwaway roles: one for each policy, taken by whoever runs this, and gone when the block is left.

The rule: a role has one policy of the stack, or a copy of one, and nothing else, and only who knows this run's
external id may take it.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from deployed.account import Account, Identity
from verification.verdict import REFUSALS

PATH = "/verify-aws/"
SESSION_SECONDS = 900
PATIENCE_SECONDS = 60
"""IAM is everywhere in the end, and mostly within ten seconds."""
PAUSE_SECONDS = 2.0
_COPY = "copy"

type Policy = str | Mapping[str, object]
"""A managed policy by its ARN, or a policy's whole document."""


def policy_of_function(account: Account, function: str, name: str) -> Policy:
    """Return the policy of that name in a function's role, which only Lambda may take. Raises ClientError."""
    configuration = account.client("lambda").get_function_configuration(FunctionName=function)
    role = configuration["Role"].rpartition("/")[2]
    policy: Policy = account.client("iam").get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return policy


@contextmanager
def throwaway(
    account: Account, policies: Mapping[str, Policy], pause: Callable[[float], None]
) -> Iterator[dict[str, Identity]]:
    """Give an identity for each policy, by the same name. Raises ClientError where a role cannot be made."""
    iam, sts = account.client("iam"), account.client("sts")
    external_id = secrets.token_hex(16)
    trust = _trust(sts.get_caller_identity()["Arn"].split(":"), external_id)
    with ExitStack() as stack:
        arns = {name: stack.enter_context(_role(iam, trust, one)) for name, one in policies.items()}
        yield {name: Identity(name, _taken(sts, arn, external_id, pause)) for name, arn in arns.items()}


@contextmanager
def _role(iam: Any, trust: str, policy: Policy) -> Iterator[str]:  # noqa: ANN401 - an untyped client
    """Make a role with one policy, and remove it however the block is left."""
    named = {"RoleName": f"verify-aws-{secrets.token_hex(8)}"}
    with ExitStack() as undo:
        role = iam.create_role(Path=PATH, **named, AssumeRolePolicyDocument=trust)["Role"]
        undo.callback(iam.delete_role, **named)
        if isinstance(policy, str):
            iam.attach_role_policy(**named, PolicyArn=policy)
            undo.callback(iam.detach_role_policy, **named, PolicyArn=policy)
        else:
            iam.put_role_policy(**named, PolicyName=_COPY, PolicyDocument=json.dumps(policy))
            undo.callback(iam.delete_role_policy, **named, PolicyName=_COPY)
        yield role["Arn"]


def _trust(caller: list[str], external_id: str) -> str:
    """Return the policy that lets this account, whose caller's ARN was split at its colons, take the role."""
    partition, number = caller[1], caller[4]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{number}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _taken(sts: Any, arn: str, external_id: str, pause: Callable[[float], None]) -> Credentials:  # noqa: ANN401 - the same
    """Take a role; a new one is refused until it is known everywhere."""
    waited = 0.0
    while True:
        try:
            answer = sts.assume_role(
                RoleArn=arn,
                RoleSessionName="verify-aws",
                ExternalId=external_id,
                DurationSeconds=SESSION_SECONDS,
            )
        except ClientError as error:
            if waited >= PATIENCE_SECONDS or error.response["Error"]["Code"] not in REFUSALS:
                raise
            pause(PAUSE_SECONDS)
            waited += PAUSE_SECONDS
        else:
            given = answer["Credentials"]
            return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
