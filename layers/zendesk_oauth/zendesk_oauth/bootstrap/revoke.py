"""Builds `revoke`, which a schedule starts every minute."""

from collections.abc import Callable, Mapping
from typing import Protocol

from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.adapters.kms_sealer import KmsOpener
from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.bootstrap.edge import variables_of
from zendesk_oauth.errors import ConfigurationError
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.observability import Journal
from zendesk_oauth.ports import Clock
from zendesk_oauth.services.revoke_leftovers import RevokeLeftovers
from zendesk_oauth.services.revoke_token import RevokeToken
from zendesk_oauth.settings import SealSettings, zendesk_base_url

RESERVED_SECONDS = 30.0
"""What one revocation may take, its lease and its note with all their repeats: none is begun with less time left."""


class LambdaContext(Protocol):
    """What Lambda tells a function about its own call."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the function is stopped."""


class RevokeOnSchedule:
    """The handler: works while there is time, and says how many ended."""

    def __init__(
        self, build_revoke_leftovers: Callable[[], RevokeLeftovers], journal: Journal, clock: Clock
    ) -> None:
        self.build_revoke_leftovers = build_revoke_leftovers
        self.journal = journal
        self.clock = clock

    def __call__(self, event: object, context: LambdaContext) -> dict[str, int]:  # noqa: ARG002 - a tick says nothing
        """Return `{"ended": n}`. Raises ConfigurationError and StoreUnavailableError, for the alarm to see."""
        revoke_leftovers = self.build_revoke_leftovers()
        until = self.clock.monotonic() + context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS
        ended = 0
        for revocation in revoke_leftovers(until):
            self.journal.revoked(revocation)
            ended += 1
        return {"ended": ended}


def build(environ: Mapping[str, str] | None = None) -> RevokeOnSchedule:
    """Return the handler, by the process's environment unless another is given."""
    clock, journal = SystemClock(), Journal()
    try:
        revoke_leftovers = _revoke_leftovers(environ, clock)
    except ConfigurationError as error:
        journal.misconfigured(error)
        return RevokeOnSchedule(_misconfigured(error.problems), journal, clock)
    return RevokeOnSchedule(lambda: revoke_leftovers, journal, clock)


def _revoke_leftovers(environ: Mapping[str, str] | None, clock: Clock) -> RevokeLeftovers:
    variables = variables_of("revoke", environ)
    installs_table = variables.text("INSTALLS_TABLE")
    endpoints = Endpoints(zendesk_base_url(variables), "")
    seal = variables.finish(SealSettings.read(variables))
    aws = AwsClients()
    return RevokeLeftovers(
        installs=DynamoDBInstallStore(aws.dynamodb(), installs_table),
        opener=KmsOpener(aws.kms(), seal),
        revoke_token=RevokeToken(ZendeskHttpApi(endpoints, clock)),
        clock=clock,
    )


def _misconfigured(problems: tuple[str, ...]) -> Callable[[], RevokeLeftovers]:
    def build_revoke_leftovers() -> RevokeLeftovers:
        raise ConfigurationError(problems)

    return build_revoke_leftovers
