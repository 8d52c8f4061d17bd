"""Zendesk's token endpoint, over Authlib's protocol core.

Authlib puts the request together; it never judges or keeps an answer. Its client would take a rate-limit page for a
token, crash on an odd `expires_in` and print what it holds, so its session is ours: one POST, whose answer is judged
before Authlib sees anything of it. One client for each call: nothing of one account can reach the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from authlib.oauth2.client import OAuth2Client

from zendesk_oauth.adapters.https_connection import HttpAnswer, HttpRequest, send
from zendesk_oauth.adapters.zendesk_answers import issued_tokens
from zendesk_oauth.errors import ClientRejectedError, ProviderUnavailableError
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import IssuedTokens, TokenLifetimes
from zendesk_oauth.ports import ClientSecret, Clock, CodeExchange

TOKEN_PATH = "/oauth/tokens"  # noqa: S105 - a path
_FORM = {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}


class _ClientAuth(Protocol):
    """How Authlib adds the client's credentials."""

    def prepare(
        self, method: str, uri: str, headers: dict[str, str], body: str
    ) -> tuple[str, dict[str, str], str]: ...


class _NothingForAuthlib:
    """The answer that Authlib is given: an empty one. The real one is judged elsewhere."""

    status_code = 200

    @staticmethod
    def json() -> dict[str, str]:
        return {}


class _OnePost:
    """A session for one POST that is neither redirected nor repeated; it keeps the answers for us."""

    def __init__(self, deadline: float, clock: Clock) -> None:
        self._deadline = deadline
        self._clock = clock
        self.answers: list[HttpAnswer] = []

    def post(
        self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: _ClientAuth
    ) -> _NothingForAuthlib:
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        request = HttpRequest("POST", url, headers, body.encode())
        self.answers.append(send(request, self._deadline, self._clock))
        return _NothingForAuthlib()


LEAST_SECONDS = 3.0
"""A code is not spent with less time than this: its answer would come to nobody, and its token live on unknown."""


@dataclass(frozen=True, slots=True)
class AuthlibTokenEndpoint:
    """The port `TokenEndpoint`: credentials in the body, both lifetimes always asked for."""

    client_id: str
    client_secret: ClientSecret
    endpoints: Endpoints
    lifetimes: TokenLifetimes
    clock: Clock

    def exchange(self, exchange: CodeExchange, deadline: float) -> IssuedTokens:
        """Post the code once and return the whole, checked answer (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

        Raises a ProviderError, UnusableTokensError among them, and what the client secret's port raises before
        anything is sent.
        """
        client_secret = self.client_secret()
        if deadline - self.clock.monotonic() < LEAST_SECONDS:
            raise ProviderUnavailableError("too little time is left to spend the code", nothing_sent=True)
        answer = self._post(exchange, client_secret, deadline)
        try:
            return issued_tokens(answer, exchange.scopes, self.lifetimes, self.clock.now())
        except ClientRejectedError:
            self.client_secret.forget()
            raise

    def _post(self, exchange: CodeExchange, client_secret: Secret, deadline: float) -> HttpAnswer:
        session = _OnePost(deadline, self.clock)
        client = OAuth2Client(
            session,
            self.client_id,
            client_secret=client_secret.reveal(),
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - a method's name
        )
        client.fetch_token(
            f"{self.endpoints.account(exchange.subdomain)}{TOKEN_PATH}",
            grant_type="authorization_code",
            headers=_FORM,
            code=exchange.code.reveal(),
            code_verifier=exchange.code_verifier.reveal(),
            redirect_uri=self.endpoints.redirect_uri,
            scope=" ".join(exchange.scopes),
            expires_in=_seconds(self.lifetimes.access.total_seconds()),
            refresh_token_expires_in=_seconds(self.lifetimes.refresh.total_seconds()),
        )
        return session.answers.pop()


def _seconds(seconds: float) -> str:
    return str(int(seconds))
