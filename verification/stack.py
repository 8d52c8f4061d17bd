"""What a deployed stack says of itself, as far as the checks need it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

SUBDOMAIN = "verify-aws"
"""An account that nobody has: no row is ever found, and none is made."""
ENCODED = "verify-%61ws"
"""The same in another spelling."""
OTHER_GRANT = "verify-other"
_INSTALL_ID = "verify-aws"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack by its outputs and parameters."""

    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @classmethod
    def read(cls, cloudformation: Any, name: str) -> Self:  # noqa: ANN401 - an untyped client
        """Ask CloudFormation. Raises ClientError where there is no such stack."""
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        return cls(
            {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]},
            {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]},
        )

    @property
    def grant(self) -> str:
        """The grant that the policies for workers name."""
        return self.parameters["WorkerGrant"]

    def function(self, verb: str) -> str:
        """Return the name of one of its functions."""
        return f"{self.parameters['Application']}-{self.parameters['Stage']}-{verb}"

    def row(self, grant: str) -> dict[str, dict[str, str]]:
        """Return the key of a connection that is not there."""
        return {"connection_key": {"S": f"{grant}#{SUBDOMAIN}"}}

    def context(self, grant: str, field: str) -> dict[str, str]:
        """Return the encryption context of a field of that connection."""
        return {
            "application": self.parameters["Application"],
            "stage": self.parameters["Stage"],
            "grant": grant,
            "subdomain": SUBDOMAIN,
            "field": field,
        }

    def address(self, region: str) -> str:
        """Return the API's address: the custom domain's, which turns the API's own off, or that."""
        domain = self.parameters.get("DomainName")
        return f"https://{domain or f'{self.outputs["ApiId"]}.execute-api.{region}.amazonaws.com'}"


def install_key() -> dict[str, dict[str, str]]:
    """Return the key of an install that is not there."""
    return {"install_id": {"S": f"{_INSTALL_ID}-{secrets.token_hex(8)}"}}
