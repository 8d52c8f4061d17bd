"""Where a command works: the deployment that it was told of, and the ways out for what it says.

The rule: nothing is asked and no SDK is loaded before a command needs it, so that `--help` comes at once.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.errors import NoAccessError
from cli.output import Output

if TYPE_CHECKING:  # botocore takes a while to load
    from deployed.account import Account, Identity
    from deployed.api import Api
    from deployed.stack import DeployedStack

DEFAULT_STACK = "zendesk-oauth"


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
        """What CloudFormation says of the stack. Raises NoAccessError where it is none of ours."""
        from deployed.stack import DeployedStack  # noqa: PLC0415 - as above

        stack = DeployedStack.read(self.client("cloudformation"), self.stack_name)
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
