"""GET and DELETE below /connections: for operators, and for workers that are not Python in Lambda. All in JSON.

The gateway has checked the caller's IAM signature before. What only operators ask for is imported when they ask.
"""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from zendesk_oauth.errors import UnknownGrantError, ZendeskOAuthError
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.token import AccessToken, TokenQuestion
from zendesk_oauth.ports import Clock
from zendesk_oauth.web.connections_query import (
    ConnectionPath,
    check_names,
    connection_path,
    is_list,
    list_question,
    token_question,
)
from zendesk_oauth.web.edge import Answer, Refusal
from zendesk_oauth.web.json_text import json_response
from zendesk_oauth.web.query import parse_query
from zendesk_oauth.web.request import Request
from zendesk_oauth.web.statuses import NOT_CONNECTED, NOT_FOUND, REPLACED, Problem, method_not_allowed

if TYPE_CHECKING:
    from zendesk_oauth.models.connection_summary import ConnectionPage, ConnectionSummary, ListQuestion
    from zendesk_oauth.services.end_connection import Ended

METHODS = frozenset({"DELETE", "GET"})
ANSWER_SECONDS = 24.0
"""How long a token is waited for: the gateway gives 30, of which a cold start and the last calls take their part."""
_GET = frozenset({"GET"})
_IN_THE_WAY: Mapping[str, Problem] = {"not_connected": NOT_CONNECTED, "replaced": REPLACED}
_ENDS: Mapping[str, tuple[int, str]] = {
    "under_way": (HTTPStatus.ACCEPTED, "disconnecting"),
    "disconnected": (HTTPStatus.OK, "disconnected"),
}
"""How a request to end one is answered, by what it came to (`services.disconnect_connection.DisconnectOutcome`)."""


class ConnectionUseCases(Protocol):
    """What can be asked of the connections."""

    def read_token(self, question: TokenQuestion, until: float) -> AccessToken:
        """Return a token by that monotonic second. Raises a TokenUnavailableError or a SealError."""

    def list_connections(self, question: "ListQuestion") -> "ConnectionPage":
        """Return a page of them."""

    def show_connection(self, grant: str, subdomain: Subdomain) -> "ConnectionSummary | None":
        """Return one, or None where there is none."""

    def end_connection(self, grant: str, subdomain: Subdomain) -> "Ended":
        """Begin to end one, or say how far that has come."""


class AnswerConnections:
    """Finds the use case by route and method, and answers in JSON. `grants` are the names of those configured."""

    def __init__(self, use_cases: ConnectionUseCases, grants: Collection[str], clock: Clock) -> None:
        self.use_cases = use_cases
        self.grants = grants
        self.clock = clock

    def __call__(self, request: Request) -> Answer | Refusal | Problem:
        """Return the answer, or what stands in the way. Raises a RequestError or a StoreError."""
        query = parse_query(request.unverified_query)
        if is_list(request.route, request.path):
            return self._list(query) if request.method in _GET else method_not_allowed(_GET)
        path = connection_path(request.route, request.path)
        if path is None:
            return NOT_FOUND
        if path.is_token and request.method not in _GET:
            return method_not_allowed(_GET)
        grant, subdomain = path.names()
        try:
            answer = self._of_one(path, grant, subdomain, request.method, query)
        except ZendeskOAuthError as error:
            answer = Refusal(error)
        return answer._replace(subject={"grant": grant, "subdomain": subdomain} | dict(answer.subject))

    def _list(self, query: Mapping[str, str]) -> Answer:
        from zendesk_oauth.web.connection_fields import page_fields  # noqa: PLC0415 - no token needs it

        page = self.use_cases.list_connections(list_question(query))
        return Answer(json_response(HTTPStatus.OK, page_fields(page)), "connections_listed")

    def _of_one(
        self, path: ConnectionPath, grant: str, subdomain: Subdomain, method: str, query: Mapping[str, str]
    ) -> Answer | Refusal:
        if path.is_token:
            return self._token(token_question(grant, subdomain, query))
        check_names(query)
        if method in _GET:
            return self._show(grant, subdomain)
        return self._end(grant, subdomain)

    def _token(self, question: TokenQuestion) -> Answer:
        if question.grant not in self.grants:
            raise UnknownGrantError("no such grant is configured")
        token = self.use_cases.read_token(question, self.clock.monotonic() + ANSWER_SECONDS)
        version = {"epoch": token.epoch, "generation": token.generation}
        return Answer(
            json_response(HTTPStatus.OK, self._token_fields(token) | version), "token_given", subject=version
        )

    def _token_fields(self, token: AccessToken) -> dict[str, object]:
        """Return the token as RFC 6749 section 5.1 has it, until when it lives, and what it may."""
        left = token.expires_at - self.clock.now()
        return {
            "access_token": token.value.reveal(),
            "token_type": "Bearer",
            "expires_in": max(0, int(left.total_seconds())),
            "expires_at": token.expires_at,
            "scopes": token.scopes,
        }

    def _show(self, grant: str, subdomain: Subdomain) -> Answer | Refusal:
        from zendesk_oauth.web.connection_fields import connection_fields  # noqa: PLC0415 - no token needs it

        connection = self.use_cases.show_connection(grant, subdomain)
        if connection is None:
            return Refusal(NOT_CONNECTED)
        return Answer(json_response(HTTPStatus.OK, connection_fields(connection)), "connection_shown")

    def _end(self, grant: str, subdomain: Subdomain) -> Answer | Refusal:
        ended = self.use_cases.end_connection(grant, subdomain)
        if ended.outcome in _IN_THE_WAY:
            return Refusal(_IN_THE_WAY[ended.outcome])
        status, outcome = _ENDS[ended.outcome]
        fields = {"grant": grant, "subdomain": subdomain, "status": outcome}
        return Answer(json_response(status, fields), outcome, error=ended.unheard, repeated=ended.repeated)
