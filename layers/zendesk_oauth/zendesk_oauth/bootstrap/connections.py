"""Builds `connections`: for operators, and for workers that are not Python in Lambda.

Each use case is built when it is first asked for, so that listing loads no cryptography, and a token nothing of what
operators need. No client secret is here, and no key that opens a refresh token.

Its 29 s are the gateway's 30 and one for the way. A token is waited for until 24 are over: the last look at the row
and the key's call then have 5 left. `refresh` is awaited for 20 of them; one that takes longer goes on by itself, and
the row will show its end.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Self

from zendesk_oauth.adapters.clock import SystemClock
from zendesk_oauth.bootstrap.aws import AwsClients
from zendesk_oauth.bootstrap.edge import build_edge, variables_of
from zendesk_oauth.flow_settings import parse_grants, public_base_url, start_mode
from zendesk_oauth.models.endpoints import START_PATH
from zendesk_oauth.models.grant import Grant
from zendesk_oauth.models.install import StartMode
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.token import AccessToken, RefreshReport, RefreshRequest, TokenQuestion
from zendesk_oauth.settings import SealSettings, Variables
from zendesk_oauth.web.answer_connections import METHODS, AnswerConnections
from zendesk_oauth.web.edge import Edge
from zendesk_oauth.web.json_text import json_problem

if TYPE_CHECKING:
    from zendesk_oauth.adapters.dynamodb_directory import DynamoDBConnectionDirectory
    from zendesk_oauth.adapters.lambda_refresher import LambdaRefresher
    from zendesk_oauth.models.connection_summary import ConnectionPage, ConnectionSummary, ListQuestion
    from zendesk_oauth.services.end_connection import EndConnection, Ended
    from zendesk_oauth.services.read_token import ReadToken

READ_SECONDS = 2
REFRESH_SECONDS = 20
"""How long an answer of `refresh` is waited for."""


class ConnectionsSettings(NamedTuple):
    """What `connections` needs. `reconnect_url` is where anybody may start an install, or None by invitation only."""

    connections_table: str
    refresh_function: str
    grants: frozenset[str]
    reconnect_url: str | None
    seal: SealSettings

    @classmethod
    def read(cls, variables: Variables) -> Self:
        """Read them; problems stay with `variables`."""
        grants: Mapping[str, Grant] = variables.read("GRANTS", parse_grants, {})
        start_url = f"{public_base_url(variables)}{START_PATH}"
        return cls(
            connections_table=variables.text("CONNECTIONS_TABLE"),
            refresh_function=variables.text("REFRESH_FUNCTION"),
            grants=frozenset(grants),
            reconnect_url=start_url if start_mode(variables) is StartMode.OPEN else None,
            seal=SealSettings.read(variables),
        )


class LazyUseCases:
    """The use cases of one container, each with its modules and clients from its first use on."""

    def __init__(self, settings: ConnectionsSettings, clock: SystemClock) -> None:
        self._settings = settings
        self._clock = clock
        self._aws = AwsClients(READ_SECONDS)
        self._dynamodb = self._aws.dynamodb()

    def read_token(self, question: TokenQuestion, until: float) -> AccessToken:
        """Return a token."""
        return self._read_token(question, until)

    def list_connections(self, question: "ListQuestion") -> "ConnectionPage":
        """Return a page."""
        from zendesk_oauth.services.list_connections import ListConnections  # noqa: PLC0415 - not for tokens

        return ListConnections(self._directory)(question)

    def show_connection(self, grant: str, subdomain: Subdomain) -> "ConnectionSummary | None":
        """Return one."""
        return self._directory.find(grant, subdomain)

    def end_connection(self, grant: str, subdomain: Subdomain) -> "Ended":
        """Begin to end one."""
        return self._end_connection(grant, subdomain)

    def ask(self, request: RefreshRequest, seconds: float) -> RefreshReport:
        """Ask `refresh`, as the port `Refresher`: most tokens are fresh, so its client is made when it is needed."""
        return self._refresher.ask(request, seconds)

    @cached_property
    def _read_token(self) -> "ReadToken":
        from zendesk_oauth.adapters.dynamodb_token_reader import DynamoDBTokenReader  # noqa: PLC0415 - for tokens only
        from zendesk_oauth.adapters.kms_token_opener import KmsTokenOpener  # noqa: PLC0415 - brings cryptography
        from zendesk_oauth.services.read_token import ReadToken  # noqa: PLC0415 - for tokens only

        return ReadToken(
            reader=DynamoDBTokenReader(self._dynamodb, self._settings.connections_table),
            opener=KmsTokenOpener(self._aws.kms(), self._settings.seal),
            refresher=self,
            clock=self._clock,
            reconnect_url=self._settings.reconnect_url,
        )

    @cached_property
    def _refresher(self) -> "LambdaRefresher":
        from zendesk_oauth.adapters.lambda_refresher import Awaiting, LambdaRefresher  # noqa: PLC0415 - rarely needed

        awaiting = Awaiting(self._aws.lambda_functions(REFRESH_SECONDS), REFRESH_SECONDS)
        return LambdaRefresher(self._handover.client, self._settings.refresh_function, awaiting)

    @cached_property
    def _handover(self) -> "LambdaRefresher":
        from zendesk_oauth.adapters.lambda_refresher import LambdaRefresher  # noqa: PLC0415 - as above

        return LambdaRefresher(self._aws.lambda_functions(READ_SECONDS), self._settings.refresh_function)

    @cached_property
    def _directory(self) -> "DynamoDBConnectionDirectory":
        from zendesk_oauth.adapters.dynamodb_directory import (  # noqa: PLC0415 - not for tokens
            DynamoDBConnectionDirectory,
        )

        return DynamoDBConnectionDirectory(self._dynamodb, self._settings.connections_table)

    @cached_property
    def _end_connection(self) -> "EndConnection":
        from zendesk_oauth.adapters.dynamodb_disconnect_marker import (  # noqa: PLC0415 - the protocol's models
            DynamoDBDisconnectMarker,
        )
        from zendesk_oauth.services.end_connection import EndConnection  # noqa: PLC0415 - as above

        marker = DynamoDBDisconnectMarker(self._dynamodb, self._settings.connections_table)
        return EndConnection(self._directory, marker, self._handover, self._clock)


def build(environ: Mapping[str, str] | None = None) -> Edge:
    """Return the handler, by the process's environment unless another is given."""
    clock = SystemClock()

    def build_answer() -> AnswerConnections:
        variables = variables_of("connections", environ)
        settings = variables.finish(ConnectionsSettings.read(variables))
        return AnswerConnections(LazyUseCases(settings, clock), settings.grants, clock)

    return build_edge(METHODS, json_problem, clock, build_answer)
