"""What a deployed stack says of itself: its outputs, and the parameters that it was deployed with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from deployed.said import Said


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """A stack by its outputs and parameters; what it does not say raises ConfigurationError when it is asked for."""

    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    status: str = ""
    """CloudFormation's own word for how its last change ended."""

    def __post_init__(self) -> None:
        """Let what is missing be told in a sentence."""
        object.__setattr__(self, "outputs", Said("output", self.outputs))
        object.__setattr__(self, "parameters", Said("parameter", self.parameters))

    @classmethod
    def read(cls, cloudformation: Any, name: str) -> Self:  # noqa: ANN401 - an untyped client
        """Ask CloudFormation. Raises ClientError where there is no such stack."""
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        return cls(
            {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())},
            {
                parameter["ParameterKey"]: parameter["ParameterValue"]
                for parameter in stack.get("Parameters", ())
            },
            stack.get("StackStatus", ""),
        )

    @property
    def is_ours(self) -> bool:
        """Whether it is a deployment of this, and not another stack that stands beside it."""
        return "Grants" in self.parameters  # outputs are missing where a first deployment has failed

    @property
    def grant(self) -> str:
        """The grant that the policies for workers name."""
        return self.parameters["WorkerGrant"]

    @property
    def name(self) -> str:
        """Application and stage, with which the names of its functions begin."""
        return f"{self.parameters['Application']}-{self.parameters['Stage']}"

    def function(self, verb: str) -> str:
        """Return the name of one of its functions."""
        return f"{self.name}-{verb}"

    def address(self, region: str) -> str:
        """Return the API's address: the custom domain's, which turns the API's own off, or that."""
        domain = self.parameters.get("DomainName")
        return f"https://{domain or f'{self.outputs["ApiId"]}.execute-api.{region}.amazonaws.com'}"
