"""Where a command works: the deployment that it was told of, and the ways out for what it says.

The rule: nothing is asked and no SDK is loaded before a command needs it, so that `--help` comes at once.
"""

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.errors import NoAccessError, RefusedError
from cli.output import Output

if TYPE_CHECKING:  # botocore takes a while to load
    from deployed.account import Account, Identity
    from deployed.api import Api
    from deployed.stack import DeployedStack

DEFAULT_STACK = "zendesk-oauth"
STACK = re.compile(
    r"[A-Za-z][A-Za-z0-9-]{0,127}|arn:[a-z0-9-]+:cloudformation:[A-Za-z0-9:/-]{1,1000}", re.ASCII
)
"""The name of a stack, or its ARN, as CloudFormation takes them."""


class Desk:
    """One command's deployment and output."""

    def __init__(self, stack_name: str, output: Output) -> None:
        self.stack_name = stack_name
        self.output = output

    @cached_property
    def account(self) -> "Account":
        """The account and Region of the usual AWS settings."""
        from deployed.account import Account  # noqa: PLC0415 - as the top says

        return Account.here()

    @cached_property
    def stack(self) -> "DeployedStack":
        """What CloudFormation says of the stack. Raises NoAccessError where there is none, or none of ours."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - as above

        from deployed.stack import DeployedStack  # noqa: PLC0415 - as above
        from zendesk_oauth.adapters.aws_errors import code_of  # noqa: PLC0415 - as above

        if not STACK.fullmatch(self.stack_name):
            raise RefusedError("that is the name of no stack; --stack or ZENDESK_OAUTH_STACK names yours")
        try:
            stack = DeployedStack.read(self.client("cloudformation"), self.stack_name)
        except ClientError as error:
            if error.operation_name == "DescribeStacks" and code_of(error) == "ValidationError":
                raise NoAccessError(
                    f"there is no stack {self.stack_name} here; --stack names yours, and AWS_REGION its Region"
                ) from None
            raise
        if not stack.is_ours:
            raise NoAccessError(
                f"{self.stack_name} is a stack, but no deployment of this; --stack names yours"
            )
        return stack

    @cached_property
    def api(self) -> "Api":
        """The deployment's API."""
        from deployed.api import Api  # noqa: PLC0415 - as above

        return Api.of(self.stack, self.account)

    @cached_property
    def identity(self) -> "Identity":
        """Whoever runs this, to sign requests of the API."""
        return self.account.whoever_runs_this()

    def client(self, service: str) -> Any:  # noqa: ANN401 - every service there is
        """Return a client of AWS, with the credentials of whoever runs this."""
        return self.account.client(service)
