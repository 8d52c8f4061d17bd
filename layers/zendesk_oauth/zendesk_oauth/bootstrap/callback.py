"""Builds `callback`, the only function that exchanges codes.

Its 29 s, the most that the gateway waits: consuming the install may take 6, what comes before the code is spent counts
in the 10 s of the exchange, the commit and what settles a lost one take 2 + 2 s each on a connection that is open by
then, the revocation 5. Once Zendesk has answered there is a token to keep or to revoke, so reads have 2 s instead of 3.
"""

from collections.abc import Mapping
from secrets import token_bytes
from typing import NamedTuple, Self

from zendesk_oauth.adapters.client_secret import SecretsManagerClientSecret
from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.dynamodb_connections import DynamoDBConnectionStore
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.adapters.kms_sealer import KmsSealer
from zendesk_oauth.adapters.zendesk_api import ZendeskHttpApi
from zendesk_oauth.adapters.zendesk_tokens import AuthlibTokenEndpoint
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.bootstrap.edge import build_edge, refuse_with_page, variables_of
from zendesk_oauth.flow_settings import FlowSettings, PageSettings
from zendesk_oauth.models.tokens import TokenLifetimes
from zendesk_oauth.ports import Clock
from zendesk_oauth.services.complete_install import CompleteInstall
from zendesk_oauth.services.exchange_code import ExchangeCode
from zendesk_oauth.settings import SealSettings, Variables, token_lifetimes
from zendesk_oauth.web.answer_callback import AnswerCallback
from zendesk_oauth.web.edge import Edge

READ_SECONDS = 2


class CallbackSettings(NamedTuple):
    """What `callback` alone needs, beside the flow's and the pages' settings."""

    client_id: str
    client_secret_arn: str
    connections_table: str
    seal: SealSettings
    lifetimes: TokenLifetimes

    @classmethod
    def read(cls, variables: Variables) -> Self:
        """Read them; problems stay with `variables`."""
        return cls(
            client_id=variables.text("ZENDESK_CLIENT_ID"),
            client_secret_arn=variables.text("CLIENT_SECRET_ARN"),
            connections_table=variables.text("CONNECTIONS_TABLE"),
            seal=SealSettings.read(variables),
            lifetimes=token_lifetimes(variables),
        )


def build(environ: Mapping[str, str] | None = None) -> Edge:
    """Return the handler, by the process's environment unless another is given."""
    clock = SystemClock()
    variables = variables_of("callback", environ)
    flow = FlowSettings.read(variables)
    pages = PageSettings.read(variables, flow)

    def build_answer() -> AnswerCallback:
        settings = variables.finish(CallbackSettings.read(variables))
        return AnswerCallback(_complete_install(flow, settings, clock), pages, flow.endpoints)

    return build_edge("GET", refuse_with_page(pages), clock, build_answer)


def _complete_install(flow: FlowSettings, settings: CallbackSettings, clock: Clock) -> CompleteInstall:
    aws = AwsClients(READ_SECONDS)
    dynamodb = aws.dynamodb()
    installs = DynamoDBInstallStore(dynamodb, flow.installs_table)
    client_secret = SecretsManagerClientSecret(aws.secretsmanager(), settings.client_secret_arn, clock)
    exchange_code = ExchangeCode(
        installs=installs,
        connections=DynamoDBConnectionStore(dynamodb, flow.installs_table, settings.connections_table),
        sealer=KmsSealer(aws.kms(), settings.seal),
        token_endpoint=AuthlibTokenEndpoint(
            settings.client_id, client_secret, flow.endpoints, settings.lifetimes, clock
        ),
        api=ZendeskHttpApi(flow.endpoints, clock),
        clock=clock,
        entropy=token_bytes,
        required_roles=flow.required_roles,
    )
    return CompleteInstall(installs, exchange_code, clock, token_bytes)
