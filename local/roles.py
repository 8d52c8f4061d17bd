"""A function's role, changed for a while: to see that it is enforced, or what happens where it lacks something."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local.deployment import Deployment
from local.ministack import Emulator


@contextmanager
def changed_role(
    emulator: Emulator,
    deployment: Deployment,
    verb: str,
    change: Callable[[Mapping[str, dict[str, Any]]], None],
) -> Iterator[None]:
    """Change the policy of a function's role while the block runs; `change` is given its statements by their Sid."""
    iam, name = emulator.client("iam"), deployment.function_name(verb)
    function = emulator.client("lambda").get_function_configuration(FunctionName=name)
    role = function["Role"].rpartition("/")[2]
    before = iam.get_role_policy(RoleName=role, PolicyName=verb)["PolicyDocument"]
    after = copy.deepcopy(before)
    change({statement["Sid"]: statement for statement in after["Statement"]})
    iam.put_role_policy(RoleName=role, PolicyName=verb, PolicyDocument=json.dumps(after))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=verb, PolicyDocument=json.dumps(before))
