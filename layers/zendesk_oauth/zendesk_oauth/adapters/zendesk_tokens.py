"""Zendesk's token endpoint, over Authlib's protocol core.

Authlib puts the request together; it never judges or keeps an answer. Its client would take a rate-limit page for a
token, crash on an odd `expires_in` and print what it holds, so its session is ours: one POST, whose answer is judged
before Authlib sees anything of it. One client for each call: nothing of one account can reach the next.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

from authlib.oauth2.client import OAuth2Client

from zendesk_oauth.adapters.https_connection import HttpAnswer, HttpRequest, send
from zendesk_oauth.adapters.zendesk_secret_choice import SecretChoice
from zendesk_oauth.adapters.zendesk_token_answers import issued_tokens, refreshed_tokens, rejects_client
from zendesk_oauth.errors import (
    ClientRejectedError,
    ConfigurationError,
    GrantRejectedError,
    ProviderUnavailableError,
    SecretUnavailableError,
    UnintelligibleAnswerError,
)
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens, TokenLifetimes
from zendesk_oauth.ports import ClientSecret, Clock, CodeExchange

if TYPE_CHECKING:
    from zendesk_oauth.ports.refresh import RefreshGrant

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
"""Nothing is spent with less time than this: its answer would come to nobody, and its token live on unknown."""


class AuthlibTokenEndpoint:
    """The ports `TokenEndpoint` and `RefreshEndpoint`: credentials in the body, both lifetimes always asked for."""

    def __init__(
        self,
        client_id: str,
        client_secret: ClientSecret,
        endpoints: Endpoints,
        lifetimes: TokenLifetimes,
        clock: Clock,
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.endpoints = endpoints
        self.lifetimes = lifetimes
        self.clock = clock
        self._choice = SecretChoice(client_secret, clock)

    def exchange(self, exchange: CodeExchange, deadline: float) -> IssuedTokens:
        """Post the code once and return the whole, checked answer (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

        Raises a ProviderError, UnusableTokensError among them, and what the client secret's port raises before
        anything is sent.
        """
        client_secret = self.client_secret()
        self._require_time(deadline)
        fields = {
            "grant_type": "authorization_code",
            "code": exchange.code.reveal(),
            "code_verifier": exchange.code_verifier.reveal(),
            "redirect_uri": self.endpoints.redirect_uri,
            "scope": " ".join(exchange.scopes),
        }
        answer = self._post(exchange.subdomain, client_secret, fields, deadline)
        try:
            return issued_tokens(answer, exchange.scopes, self.lifetimes, self.clock.now())
        except ClientRejectedError:
            self.client_secret.forget()
            raise

    def refresh(self, grant: "RefreshGrant", deadline: float) -> IssuedTokens:
        """Spend the refresh token and return the whole, checked answer (RFC 6749 section 6); no scope is asked for.

        One POST, and one more with the client's other secret where the first was refused for its own: then nothing
        was rotated. Raises a ProviderError, ClientRejectedError where there is no client secret to send.
        """
        answer = self._spend(grant, self._first_secret(), deadline)
        return refreshed_tokens(answer, grant, self.lifetimes, self.clock.now())

    def knows_client(self, grant: "RefreshGrant", deadline: float) -> bool:
        """Tell by a refresh token that nobody has issued whether Zendesk takes the current secret: one POST with it.

        `invalid_client` says that it does not, `invalid_grant` that the token alone is wrong (RFC 6749 section 5.2);
        that the client is looked at first is taken from other servers. Raises the ProviderError of any other answer,
        and what the client secret's port raises before anything is sent.
        """
        answer = self._post_refresh(grant, self.client_secret(), deadline)
        if rejects_client(answer):
            self.client_secret.forget()
            return False
        try:
            refreshed_tokens(answer, grant, self.lifetimes, self.clock.now())
        except GrantRejectedError:
            return True
        except ClientRejectedError as error:
            raise UnintelligibleAnswerError("a made-up token was refused for another reason") from error
        raise UnintelligibleAnswerError("a refresh token was taken that nobody has issued")

    def _first_secret(self) -> Secret:
        try:
            return self._choice.first()
        except ConfigurationError as error:
            raise ClientRejectedError(str(error)) from error
        except SecretUnavailableError as error:
            raise ProviderUnavailableError("no client secret can be had", nothing_sent=True) from error

    def _spend(self, grant: "RefreshGrant", first: Secret, deadline: float) -> HttpAnswer:
        answer = self._post_refresh(grant, first, deadline)
        if not rejects_client(answer):
            return answer
        other = self._choice.other_than(first)
        if other is None or self._is_late(deadline):
            return answer
        answer = self._post_refresh(grant, other, deadline)
        if not rejects_client(answer):
            self._choice.remember(other)
        return answer

    def _post_refresh(self, grant: "RefreshGrant", client_secret: Secret, deadline: float) -> HttpAnswer:
        self._require_time(deadline)
        fields = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token.reveal()}
        return self._post(grant.subdomain, client_secret, fields, deadline)

    def _require_time(self, deadline: float) -> None:
        if self._is_late(deadline):
            raise ProviderUnavailableError("too little time is left to spend anything", nothing_sent=True)

    def _is_late(self, deadline: float) -> bool:
        return deadline - self.clock.monotonic() < LEAST_SECONDS

    def _post(
        self, subdomain: Subdomain, client_secret: Secret, fields: Mapping[str, str], deadline: float
    ) -> HttpAnswer:
        session = _OnePost(deadline, self.clock)
        client = OAuth2Client(
            session,
            self.client_id,
            client_secret=client_secret.reveal(),
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - a method's name
        )
        client.fetch_token(
            f"{self.endpoints.account(subdomain)}{TOKEN_PATH}",
            headers=_FORM,
            expires_in=_seconds(self.lifetimes.access.total_seconds()),
            refresh_token_expires_in=_seconds(self.lifetimes.refresh.total_seconds()),
            **fields,
        )
        return session.answers.pop()


def _seconds(seconds: float) -> str:
    return str(int(seconds))
