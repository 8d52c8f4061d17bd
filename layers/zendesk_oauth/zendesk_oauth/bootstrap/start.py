"""Builds `start`: one table, and neither Authlib nor cryptography."""

from collections.abc import Mapping
from secrets import token_bytes

from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.adapters.dynamodb_installs import DynamoDBInstallStore
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.bootstrap.edge import build_edge, refuse_with_page, variables_of
from zendesk_oauth.flow_settings import FlowSettings, PageSettings
from zendesk_oauth.services.start_install import StartInstall
from zendesk_oauth.web.answer_start import AnswerStart
from zendesk_oauth.web.edge import Edge


def build(environ: Mapping[str, str] | None = None) -> Edge:
    """Return the handler, by the process's environment unless another is given."""
    clock = SystemClock()
    variables = variables_of("start", environ)
    flow = FlowSettings.read(variables)
    pages = PageSettings.read(variables, flow)

    def build_answer() -> AnswerStart:
        client_id = variables.text("ZENDESK_CLIENT_ID")
        variables.finish(flow)
        start_install = StartInstall(
            installs=DynamoDBInstallStore(AwsClients().dynamodb(), flow.installs_table),
            clock=clock,
            entropy=token_bytes,
            mode=flow.mode,
            client_id=client_id,
            endpoints=flow.endpoints,
            grants=flow.grants,
            return_policy=flow.return_policy,
        )
        return AnswerStart(start_install, pages, flow.endpoints.start, token_bytes)

    return build_edge({"GET", "POST"}, refuse_with_page(pages), clock, build_answer)
