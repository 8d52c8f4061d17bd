"""The deployment that is looked at, by the resources of its stack, and an account at Zendesk to ask."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from cli.connections import some_connections
from cli.desk import Desk
from cli.errors import RefusedError
from cli.refresh_function import examine
from cli.stack import Stack
from zendesk_oauth.models.connection import ConnectionStatus
from zendesk_oauth.models.endpoints import ZENDESK_BASE_URL
from zendesk_oauth.models.inquiry import OK
from zendesk_oauth.models.subdomain import Subdomain

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

ALARM = "AWS::CloudWatch::Alarm"
ANY_AT_A_STAND_IN = "acme"
"""A stand-in has every account."""
NEVER_MADE = "never-made"
"""Stands for the physical id that a resource has not, whose making has failed: nothing is called so."""
PAGE_SECONDS = 15
REJECTED = "client_rejected"
"""The code of a client that Zendesk does not know by its secret."""


class Patient:
    """One deployment; its resources, its alarms and what `refresh` finds are asked for once."""

    def __init__(self, desk: Desk, account: Subdomain | None, *, is_own_account: bool = False) -> None:
        self.desk = desk
        self.is_own_account = is_own_account
        self._account = account

    @cached_property
    def stack(self) -> Stack:
        """What the stack says of itself."""
        return Stack(self.desk.stack)

    @cached_property
    def resources(self) -> Mapping[str, Mapping[str, str]]:
        """What the stack has made: by type and logical id, the physical id."""
        made: dict[str, dict[str, str]] = {}
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=self.desk.stack_name):
            for resource in page["StackResourceSummaries"]:
                of_type = made.setdefault(resource["ResourceType"], {})
                of_type[resource["LogicalResourceId"]] = resource.get("PhysicalResourceId", NEVER_MADE)
        return made

    @cached_property
    def alarms(self) -> Sequence[Mapping[str, Any]]:
        """The stack's own alarms, as far as they are there."""
        own = set(self.resources.get(ALARM, {}).values())
        pages = self.client("cloudwatch").get_paginator("describe_alarms")
        found = pages.paginate(AlarmNamePrefix=f"{self.desk.stack.name}-")
        return [alarm for page in found for alarm in page["MetricAlarms"] if alarm["AlarmName"] in own]

    @cached_property
    def consent(self) -> "AWSResponse | Exception":
        """What Zendesk's page of consent answers to an install, or what keeps it from an answer; asked for once."""
        query = {
            "response_type": "code",
            "client_id": self.stack.client_id,
            "redirect_uri": self.stack.endpoints.redirect_uri,
            "scope": " ".join(next(iter(self.stack.grants.values())).scopes),
            # A challenge of nobody's: there is no verifier, so nothing could come of an answer.
            "state": "doctor",
            "code_challenge": "A" * 43,
            "code_challenge_method": "S256",
        }
        address = self.stack.endpoints.authorize(self.account)
        try:
            return self.page(f"{address}?{urlencode(query, quote_via=quote)}")
        except Exception as error:  # noqa: BLE001 - whatever keeps a browser from it
            return error

    @cached_property
    def account(self) -> Subdomain:
        """The account at Zendesk that is asked. Raises RefusedError where none was named and none is connected."""
        if self._account:
            return self._account
        if self.stack.endpoints.zendesk_base_url != ZENDESK_BASE_URL:
            return Subdomain(ANY_AT_A_STAND_IN)
        found, _ = some_connections(self.desk, None, ConnectionStatus.ACTIVE, 1)
        if not found:
            raise RefusedError("nobody is connected yet: name an account to ask, `zendesk-oauth doctor acme`")
        return Subdomain(found[0]["subdomain"])

    @property
    def examination(self) -> Mapping[str, Any]:
        """What the function `refresh` says of the secret, the client and the key; an error, too, is asked for once."""
        if isinstance(self._examined, Exception):
            raise self._examined
        return self._examined

    @cached_property
    def _examined(self) -> Mapping[str, Any] | Exception:
        try:
            return examine(self.desk, self.account)
        except Exception as error:  # noqa: BLE001 - it is raised to each who asks
            return error

    @property
    def known_client(self) -> bool | None:
        """Whether Zendesk's token endpoint knows the client by its secret; None where that is not known."""
        try:
            code = self.examination["client"]
        except Exception:  # noqa: BLE001 - its own line of the doctor's reports it
            return None
        return {OK: True, REJECTED: False}.get(code)

    def client(self, service: str) -> Any:  # noqa: ANN401 - every service there is
        """Return a client of AWS."""
        return self.desk.client(service)

    def page(self, url: str) -> "AWSResponse":
        """Return what a browser without cookies is answered first. Raises HTTPClientError."""
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - as cli.desk says
        from botocore.httpsession import URLLib3Session  # noqa: PLC0415
        from botocore.utils import get_environ_proxies  # noqa: PLC0415

        session = URLLib3Session(timeout=PAGE_SECONDS, proxies=get_environ_proxies(url))
        return session.send(AWSRequest("GET", url).prepare())
