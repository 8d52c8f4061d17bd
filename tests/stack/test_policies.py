"""The policies for others, tried on the deployed stack by what `make verify-aws` tries on AWS.

The emulator judges as AWS documents its conditions, not as AWS does: this shows that the policies say what they mean.
"""

import os
from typing import Any

import pytest
from botocore.session import Session

from deployed.account import Account
from deployed.api import Api
from local.ministack import REGION
from local.stack import OPEN, LocalStack
from verification.run import Verification
from verification.stack import Deployed

FROM_NOWHERE: dict[str, Any] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@pytest.fixture
def lines() -> list[str]:
    """Return what the verification said."""
    return []


@pytest.fixture
def verification(stack: LocalStack, lines: list[str]) -> Verification:
    """Return a verification of the open deployment, by the emulator's root key."""
    session = Session(session_vars=FROM_NOWHERE)
    session.set_credentials("testing", "testing")
    emulator, deployment = stack.emulator, stack.deployments[OPEN]
    account = Account(REGION, session, emulator.address)
    deployed = Deployed.read(account.client("cloudformation"), deployment.order.stack_name)
    api = Api(emulator.address, REGION, deployment.host(emulator.port))
    return Verification(account, api, deployed, lines.append, lambda _: None)


def test_everything_is_as_verify_aws_wants_it(verification: Verification, lines: list[str]) -> None:
    """Workers, callers, operators and `connections` may do what they are for, and of all the rest nothing."""
    status = verification()
    assert [line for line in lines if not line.startswith(("ok ", "note "))] == [lines[-1]]
    assert sum(line.startswith("note ") for line in lines) == 2
    assert status == 0
    assert len(lines) > 50


def test_no_role_is_left(verification: Verification, stack: LocalStack) -> None:
    """What a verification makes is gone after it."""
    verification()
    roles = stack.emulator.client("iam").list_roles()["Roles"]
    assert [role["RoleName"] for role in roles if "verify" in role["RoleName"]] == []
    assert roles
