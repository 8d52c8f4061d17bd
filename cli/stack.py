"""What a deployment says of itself, as far as the commands go by it: its stack's outputs and parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

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

    deployed: "DeployedStack"

    @property
    def table(self) -> str:
        """The connections table."""
        return self.deployed.outputs["ConnectionsTableName"]

    @property
    def refresh_function(self) -> str:
        """The function that alone may refresh, and open a pair."""
        return self.deployed.outputs["RefreshFunctionName"]

    @property
    def seal(self) -> SealSettings:
        """What names a sealed token's place, and the key."""
        said = self.deployed.parameters
        return SealSettings(said["Application"], said["Stage"], self.deployed.outputs["TokenKeyArn"])

    @property
    def grants(self) -> Mapping[str, Grant]:
        """What an account may be connected for."""
        try:
            return parse_grants(self.deployed.parameters["Grants"])
        except ValueError as error:
            raise ConfigurationError((f"the stack's Grants {error}",)) from error

    @property
    def required_roles(self) -> frozenset[str]:
        """One of these must be the role of whoever connects an account."""
        return frozenset(self.deployed.parameters["RequiredRoles"].split())

    @property
    def endpoints(self) -> Endpoints:
        """Zendesk's addresses, and our own."""
        return Endpoints(self.deployed.parameters["ZendeskBaseUrl"], self.deployed.outputs["PublicBaseUrl"])

    @property
    def client_id(self) -> str:
        """The identifier of our client at Zendesk."""
        return self.deployed.parameters["ZendeskClientId"]

    @property
    def start_url(self) -> str | None:
        """Where anybody may connect an account; None where one is invited."""
        is_open = self.deployed.parameters["StartMode"] == StartMode.OPEN
        return self.endpoints.start if is_open else None
