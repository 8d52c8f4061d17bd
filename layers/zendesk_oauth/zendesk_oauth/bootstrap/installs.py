"""Builds `installs`: invitations and confirmations for the company's own backend; no Authlib, no cryptography."""

from collections.abc import Mapping
from secrets import token_bytes

from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.dynamodb_connections import DynamoDBConnectionStore
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.bootstrap.edge import build_edge, variables_of
from zendesk_oauth.flow_settings import FlowSettings
from zendesk_oauth.services.confirm_install import ConfirmInstall
from zendesk_oauth.services.offer_install import OfferInstall
from zendesk_oauth.web.answer_installs import AnswerInstalls
from zendesk_oauth.web.edge import Edge
from zendesk_oauth.web.json_text import json_problem


def build(environ: Mapping[str, str] | None = None) -> Edge:
    """Return the handler, by the process's environment unless another is given."""
    clock = SystemClock()

    def build_answer() -> AnswerInstalls:
        variables = variables_of("installs", environ)
        connections_table = variables.text("CONNECTIONS_TABLE")
        flow = variables.finish(FlowSettings.read(variables))
        dynamodb = AwsClients().dynamodb()
        installs = DynamoDBInstallStore(dynamodb, flow.installs_table)
        connections = DynamoDBConnectionStore(dynamodb, flow.installs_table, connections_table)
        offer_install = OfferInstall(
            installs=installs,
            clock=clock,
            entropy=token_bytes,
            mode=flow.mode,
            endpoints=flow.endpoints,
            grants=flow.grants,
            return_policy=flow.return_policy,
        )
        return AnswerInstalls(offer_install, ConfirmInstall(installs, connections, clock))

    return build_edge("POST", json_problem, clock, build_answer)
