"""Builds `refresh`, the only function that spends refresh tokens.

Most of its calls read one row and find nothing to do, so only the table's client is made with the container. Authlib,
cryptography and the clients of four more services come when a claim is held: all that a POST needs together with the
keys, so that what cannot be loaded is found out before the refresh token is spent.
"""

from collections.abc import Callable, Mapping
from functools import cache
from secrets import token_bytes
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.dynamodb_refresh import DynamoDBRefreshStore
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.bootstrap.edge import variables_of
from zendesk_oauth.bootstrap.refresh_on_event import RefreshOnEvent, UseCases
from zendesk_oauth.errors import ConfigurationError
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.refresh import Asked, DueConnection, Renewal
from zendesk_oauth.models.tokens import TokenLifetimes
from zendesk_oauth.ports import ClientSecret, ZendeskApi
from zendesk_oauth.ports.refresh import Keyring, PatientClock, RefreshEndpoint, RefreshStore, RescueQueue
from zendesk_oauth.refresh_journal import RefreshJournal
from zendesk_oauth.services.finish_connection import FinishConnection
from zendesk_oauth.services.hand_over_due import Due, Handover, HandOverDue
from zendesk_oauth.services.refresh_connection import RefreshConnection
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.services.replay_rescued import ReplayRescued
from zendesk_oauth.settings import SealSettings, Variables, token_lifetimes, zendesk_base_url
from zendesk_oauth.web.refresh_events import Schedule

if TYPE_CHECKING:
    from zendesk_oauth.adapters.sqs_rescue import SqsRescueQueue
    from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi
    from zendesk_oauth.adapters.zendesk_backoff import PoliteTokenEndpoint
    from zendesk_oauth.bootstrap.inquiries import Inquiries
    from zendesk_oauth.services.rekey_connection import RekeyConnection

CONNECT_SECONDS = 0.5
READ_SECONDS = 1.5
"""Shorter than elsewhere: `services.refresh_ports` says how long a call may take beside the POST."""


class RefreshSettings(NamedTuple):
    """What `refresh` needs to know."""

    connections_table: str
    refresh_function: str
    rescue_queue_url: str
    client_id: str
    client_secret_arn: str
    endpoints: Endpoints
    seal: SealSettings
    lifetimes: TokenLifetimes

    @classmethod
    def read(cls, variables: Variables) -> Self:
        """Read them; problems stay with `variables`."""
        return cls(
            connections_table=variables.text("CONNECTIONS_TABLE"),
            refresh_function=variables.text("REFRESH_FUNCTION"),
            rescue_queue_url=variables.text("RESCUE_QUEUE_URL"),
            client_id=variables.text("ZENDESK_CLIENT_ID"),
            client_secret_arn=variables.text("CLIENT_SECRET_ARN"),
            endpoints=Endpoints(zendesk_base_url(variables), ""),
            seal=SealSettings.read(variables),
            lifetimes=token_lifetimes(variables),
        )


class Late:
    """Stands for a port, and builds it when it is first asked for anything."""

    def __init__(self, build: Callable[[], object]) -> None:
        self._build = cache(build)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the port has
        """Return what the port has under that name."""
        return getattr(self._build(), name)


class Outside(NamedTuple):
    """What a POST needs: keys, Zendesk's token endpoint, and its API to probe and to revoke with."""

    keyring: Keyring
    client_secret: ClientSecret
    token_endpoint: "PoliteTokenEndpoint"
    api: "ZendeskHttpApi"


def build(environ: Mapping[str, str] | None = None) -> RefreshOnEvent:
    """Return the handler, by the process's environment unless another is given."""
    clock, journal = SystemClock(), RefreshJournal()
    try:
        variables = variables_of("refresh", environ)
        use_cases = _use_cases(variables.finish(RefreshSettings.read(variables)), clock, journal)
    except ConfigurationError as error:
        journal.misconfigured(error)
        return RefreshOnEvent(_misconfigured(error.problems), journal, clock)
    return RefreshOnEvent(lambda: use_cases, journal, clock)


def _use_cases(settings: RefreshSettings, clock: PatientClock, journal: RefreshJournal) -> UseCases:
    aws = AwsClients(READ_SECONDS, CONNECT_SECONDS)
    store = DynamoDBRefreshStore(aws.dynamodb(), settings.connections_table)
    outside = cache(lambda: _outside(settings, aws, clock))
    rescue = cache(lambda: _rescue_queue(settings, aws))
    inquiries = cache(lambda: _inquiries(settings, aws, store, outside(), clock))
    ports = RefreshPorts(
        store=store,
        keyring=cast("Keyring", Late(lambda: outside().keyring)),
        token_endpoint=cast("RefreshEndpoint", Late(lambda: outside().token_endpoint)),
        api=cast("ZendeskApi", Late(lambda: outside().api)),
        rescue=cast("RescueQueue", Late(rescue)),
        clock=clock,
        entropy=token_bytes,
        tell_unkept=journal.unkept,
    )
    return UseCases(
        refresh=RefreshConnection(ports),
        finish=FinishConnection(ports),
        replay=ReplayRescued(ports),
        hand_over=_hand_over(settings, aws, store, clock),
        read_renewal=_read_renewal,
        show_again=lambda receipt, seconds: rescue().show_again(receipt, seconds),
        rekey=cache(lambda: _rekey(store, outside().keyring, clock)),
        inquire=inquiries,
    )


def _hand_over(
    settings: RefreshSettings, aws: AwsClients, store: RefreshStore, clock: PatientClock
) -> Callable[[Schedule], HandOverDue]:
    handovers = cache(lambda: _handovers(settings, aws))
    due: Mapping[Schedule, Due] = {Schedule.KEEP_ALIVE: store.idle, Schedule.UNFINISHED: store.unfinished}

    def hand_over(schedule: Schedule) -> HandOverDue:
        def handover(connection: DueConnection) -> None:
            handovers()[schedule](connection)

        return HandOverDue(due[schedule], handover, clock)

    return hand_over


def _outside(settings: RefreshSettings, aws: AwsClients, clock: PatientClock) -> Outside:
    from zendesk_oauth.adapters.client_secret import SecretsManagerClientSecret  # noqa: PLC0415 - as the top says
    from zendesk_oauth.adapters.kms_keyring import KmsKeyring  # noqa: PLC0415
    from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi  # noqa: PLC0415
    from zendesk_oauth.adapters.zendesk_backoff import PoliteTokenEndpoint  # noqa: PLC0415
    from zendesk_oauth.adapters.zendesk_tokens import AuthlibTokenEndpoint  # noqa: PLC0415

    client_secret = SecretsManagerClientSecret(aws.secretsmanager(), settings.client_secret_arn, clock)
    token_endpoint = AuthlibTokenEndpoint(
        settings.client_id, client_secret, settings.endpoints, settings.lifetimes, clock
    )
    return Outside(
        KmsKeyring(aws.kms(), settings.seal),
        client_secret,
        PoliteTokenEndpoint(token_endpoint, clock),
        ZendeskHttpApi(settings.endpoints, clock),
    )


def _rescue_queue(settings: RefreshSettings, aws: AwsClients) -> "SqsRescueQueue":
    from zendesk_oauth.adapters.sqs_rescue import SqsRescueQueue  # noqa: PLC0415 - when the store is down

    return SqsRescueQueue(aws.sqs(), settings.rescue_queue_url)


def _rekey(store: DynamoDBRefreshStore, keyring: Keyring, clock: PatientClock) -> "RekeyConnection":
    from zendesk_oauth.adapters.dynamodb_rekey import DynamoDBRekeyStore  # noqa: PLC0415 - once in a long while
    from zendesk_oauth.services.rekey_connection import RekeyConnection  # noqa: PLC0415

    return RekeyConnection(DynamoDBRekeyStore(store.client, store.table), keyring, clock)


def _handovers(settings: RefreshSettings, aws: AwsClients) -> Mapping[Schedule, Handover]:
    from zendesk_oauth.adapters.lambda_refresher import LambdaRefresher  # noqa: PLC0415 - where something is due

    refresher = LambdaRefresher(aws.lambda_functions(), settings.refresh_function)
    return {
        Schedule.KEEP_ALIVE: lambda due: refresher.ask_later(due.grant, due.subdomain, Asked.IDLE),
        Schedule.UNFINISHED: lambda due: refresher.hand_over_finish(due.grant, due.subdomain, due.replaced),
    }


def _inquiries(
    settings: RefreshSettings, aws: AwsClients, store: RefreshStore, outside: Outside, clock: PatientClock
) -> "Inquiries":
    from zendesk_oauth.bootstrap.inquiries import build_inquiries  # noqa: PLC0415 - where an operator asks

    return build_inquiries(aws.kms(), settings.seal, store, outside, clock)


def _read_renewal(text: str) -> Renewal:
    from zendesk_oauth.adapters.rescue_message import renewal_of  # noqa: PLC0415 - for the rescue queue alone

    return renewal_of(text)


def _misconfigured(problems: tuple[str, ...]) -> Callable[[], UseCases]:
    def build_use_cases() -> UseCases:
        raise ConfigurationError(problems)

    return build_use_cases
