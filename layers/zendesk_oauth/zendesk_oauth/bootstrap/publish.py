"""Builds `publish`, which the tables' streams and its own queue wake. No key, no secret and no table is here."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Self

from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.dynamodb_changes import DynamoDBChangeRecord
from zendesk_oauth.adapters.eventbridge_bus import EventBridgeBus
from zendesk_oauth.adapters.sqs_waiting_room import KeptRecord, SqsWaitingRoom
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.bootstrap.edge import variables_of
from zendesk_oauth.bootstrap.publish_on_event import PublishOnEvent, UseCases
from zendesk_oauth.errors import ConfigurationError
from zendesk_oauth.flow_settings import public_base_url, start_mode
from zendesk_oauth.models.endpoints import START_PATH
from zendesk_oauth.models.event import Origin
from zendesk_oauth.models.install import StartMode
from zendesk_oauth.publish_journal import PublishJournal
from zendesk_oauth.services.publish_changes import PublishChanges
from zendesk_oauth.settings import Variables, deployment_names


class PublishSettings(NamedTuple):
    """What `publish` needs."""

    origin: Origin
    bus_name: str
    waiting_room_url: str

    @classmethod
    def read(cls, variables: Variables) -> Self:
        """Read them; problems stay with `variables`."""
        start_url = f"{public_base_url(variables)}{START_PATH}"
        is_open = start_mode(variables) is StartMode.OPEN
        return cls(
            origin=Origin(*deployment_names(variables), start_url if is_open else None),
            bus_name=variables.text("EVENT_BUS"),
            waiting_room_url=variables.text("UNPUBLISHED_QUEUE_URL"),
        )


def build(environ: Mapping[str, str] | None = None) -> PublishOnEvent:
    """Return the handler, by the process's environment unless another is given."""
    clock, journal = SystemClock(), PublishJournal()
    try:
        variables = variables_of("publish", environ)
        use_cases = _use_cases(variables.finish(PublishSettings.read(variables)), clock)
    except ConfigurationError as error:
        journal.misconfigured(error)
        return PublishOnEvent(_misconfigured(error.problems), journal, clock)
    return PublishOnEvent(lambda: use_cases, journal, clock)


def _use_cases(settings: PublishSettings, clock: SystemClock) -> UseCases:
    aws = AwsClients()
    bus = EventBridgeBus(aws.events(), settings.bus_name, clock.sleep)
    waiting_room = SqsWaitingRoom(aws.sqs(), settings.waiting_room_url)
    return UseCases(
        publish=PublishChanges(settings.origin, bus, waiting_room),
        publish_kept=PublishChanges(settings.origin, bus, None),
        stream_record=lambda record: DynamoDBChangeRecord(*record),
        kept_record=lambda message: KeptRecord(*message),
    )


def _misconfigured(problems: tuple[str, ...]) -> Callable[[], UseCases]:
    def build_use_cases() -> UseCases:
        raise ConfigurationError(problems)

    return build_use_cases
