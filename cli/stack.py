"""What a deployment says of itself, as far as the commands go by it: its stack's outputs and parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Self

from zendesk_oauth.errors import ConfigurationError
from zendesk_oauth.flow_settings import parse_grants
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.grant import Grant
from zendesk_oauth.models.install import StartMode
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from deployed.stack import DeployedStack


class Stack(NamedTuple):
    """A deployment. Every property raises ConfigurationError where the stack does not say it."""

    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @classmethod
    def of(cls, deployed: "DeployedStack") -> Self:
        """Return what a deployed stack says."""
        return cls(deployed.outputs, deployed.parameters)

    @property
    def table(self) -> str:
        """The connections table."""
        return self.output("ConnectionsTableName")

    @property
    def refresh_function(self) -> str:
        """The function that alone may refresh, and open a pair."""
        return self.output("RefreshFunctionName")

    @property
    def seal(self) -> SealSettings:
        """What names a sealed token's place, and the key."""
        return SealSettings(
            self._parameter("Application"), self._parameter("Stage"), self.output("TokenKeyArn")
        )

    @property
    def grants(self) -> Mapping[str, Grant]:
        """What an account may be connected for."""
        try:
            return parse_grants(self._parameter("Grants"))
        except ValueError as error:
            raise ConfigurationError((f"the stack's Grants {error}",)) from error

    @property
    def required_roles(self) -> frozenset[str]:
        """One of these must be the role of whoever connects an account."""
        return frozenset(self._parameter("RequiredRoles").split())

    @property
    def endpoints(self) -> Endpoints:
        """Zendesk's addresses, and our own."""
        return Endpoints(self._parameter("ZendeskBaseUrl"), self.output("PublicBaseUrl"))

    @property
    def start_url(self) -> str | None:
        """Where anybody may connect an account; None where one is invited."""
        is_open = self._parameter("StartMode") == StartMode.OPEN
        return self.endpoints.start if is_open else None

    def output(self, name: str) -> str:
        """Return an output by its name."""
        return _said(self.outputs, "output", name)

    def _parameter(self, name: str) -> str:
        return _said(self.parameters, "parameter", name)


def _said(values: Mapping[str, str], kind: str, name: str) -> str:
    if name not in values:
        raise ConfigurationError(
            (f"the stack has no {kind} {name}: it is of another version, or none of ours",)
        )
    return values[name]
