"""The authorization server proper: Authlib's grants, held to Zendesk's rules.

The rule: Authlib decides what OAuth says, this module only what Zendesk does differently, one method each.
"""

import logging
from collections.abc import Collection
from typing import cast

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import (
    AuthorizationCodeGrant,
    BaseGrant,
    ClientMixin,
    InvalidRequestError,
    InvalidScopeError,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Response

from local.zendesk.accounts import Person
from local.zendesk.lifetimes import Lifetimes
from local.zendesk.oauth_requests import PageRequest, TokenRequest
from local.zendesk.settings import Client, Settings, Switches
from local.zendesk.tokens import CODE_SECONDS, Code, TokenPair, Tokens

# Authlib's server half prints the tokens it issues at DEBUG: in a test's process that would look like a leak of ours.
for _name in ("authorization_code", "refresh_token"):
    logging.getLogger(f"authlib.oauth2.rfc6749.grants.{_name}").disabled = True


class ZendeskServer(AuthorizationServer):
    """Authlib's server with one client and everything in memory."""

    def __init__(self, settings: Settings, client: Client, tokens: Tokens, switches: Switches) -> None:
        super().__init__()
        self.settings = settings
        self.client = client
        self.tokens = tokens
        self.switches = switches
        self.register_grant(CodeGrant, [S256Only(required=False)])
        self.register_grant(RefreshGrant)

    def query_client(self, client_id: str) -> Client | None:  # type: ignore[override]  # Authlib takes None for unknown
        """Return the client, or None if it is another one's id."""
        return self.client if client_id == self.client.get_client_id() else None

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:  # type: ignore[override]  # the stub names Flask's kind only
        """Return the request as it is: ours are made where the account is known."""
        return request

    def validate_requested_scope(self, scope: str) -> None:
        """Refuse what the client is not allowed to ask for; unknown names are no reason."""
        allowed = self.settings.allowed_scopes
        if allowed is not None and not allowed.issuperset(self.client.get_allowed_scope(scope).split()):
            raise InvalidScopeError

    def handle_error_response(self, request: OAuth2Request, error: OAuth2Error) -> Response:
        """Answer an error: `invalid_client` is 401 at Zendesk, and a denial may lose its state."""
        if error.error == "invalid_client":
            error.status_code = 401
        if error.error == "access_denied" and self.switches.drop_state_on_deny:
            error.state = None
        return cast("Response", super().handle_error_response(request, error))  # the stub says object

    def token_response(self, request: TokenRequest) -> Response:
        """Answer a token request; one at a time, since Authlib looks, issues and takes away in three steps."""
        with self.tokens.lock:
            response = cast("Response", self.create_token_response(request))  # the stub says a tuple
        if response.status_code == 200:  # noqa: PLR2004  # Authlib's only success
            response.status_code = self.switches.success_status
        return response


class S256Only(CodeChallenge):
    """PKCE as Zendesk has it: S256 and nothing else (RFC 7636)."""

    def validate_code_challenge(self, grant: "CodeGrant", redirect_uri: str) -> None:
        """Refuse a challenge whose method is not S256, or is not said."""
        super().validate_code_challenge(grant, redirect_uri)
        data = grant.request.payload.data
        if data.get("code_challenge") and data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256")


class _IssuesPairs(BaseGrant):
    """Issuing, the same for both grants."""

    TOKEN_ENDPOINT_AUTH_METHODS: Collection[str] = ("client_secret_post",)
    request: PageRequest | TokenRequest
    server: ZendeskServer

    def generate_token(  # Authlib's signature
        self,
        user: Person | None = None,
        scope: str | None = None,
        grant_type: str | None = None,  # noqa: ARG002  # the same
        expires_in: int | None = None,  # noqa: ARG002  # the same
        include_refresh_token: bool = True,  # noqa: ARG002, FBT001, FBT002  # the same
    ) -> dict[str, str | int]:
        """Issue and keep a pair with the lifetimes asked for, and return the answer."""
        if user is None:
            raise InvalidRequestError("there is nobody to issue a token for")
        asked = Lifetimes.from_fields(self.request.form)
        pair = self.server.tokens.issue(self.request.account, user, scope or "", asked)
        self.note_issued(pair)
        return pair.answer()

    def note_issued(self, pair: TokenPair) -> None:
        """Do nothing: a pair that comes from a code has no ancestor."""

    def save_token(self, token: object) -> None:
        """Do nothing: the pair is kept where it is made."""


class CodeGrant(_IssuesPairs, AuthorizationCodeGrant):
    """The authorization code grant (RFC 6749, section 4.1)."""

    request: PageRequest | TokenRequest
    server: ZendeskServer

    def generate_authorization_code(self) -> str:
        """Return a fresh text for a code."""
        return self.server.tokens.new_text()

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:  # noqa: ARG002  # it is ours too
        """Keep the code, bound to account, person, address, scope and challenge; it lives 120 s."""
        payload = self.request.payload
        self.server.tokens.put_code(
            Code(
                value=code,
                account=self.request.account,
                person=self.request.user,
                redirect_uri=payload.redirect_uri,
                asked=payload.scope or "",
                scope=self.request.scope,
                expires_at=self.server.tokens.now() + CODE_SECONDS,
                code_challenge=payload.data.get("code_challenge"),
                code_challenge_method=payload.data.get("code_challenge_method"),
            )
        )

    def query_authorization_code(self, code: str, client: ClientMixin) -> Code | None:  # noqa: ARG002  # one client
        """Return the code if it lives and is this account's."""
        return self.server.tokens.find_code(code, self.request.account)

    def validate_token_request(self) -> None:
        """Check the request, and that its scope is no more than what the person was asked."""
        super().validate_token_request()
        code = cast("Code", self.request.authorization_code)
        if not set(self.request.form.get("scope", "").split()) <= set(code.asked.split()):
            raise InvalidScopeError

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Use the code up."""
        self.server.tokens.use_up(authorization_code)

    def authenticate_user(self, authorization_code: Code) -> Person:
        """Return who pressed Allow."""
        return authorization_code.person


class RefreshGrant(_IssuesPairs, RefreshTokenGrant):
    """The refresh token grant (RFC 6749, section 6), with rotation."""

    INCLUDE_NEW_REFRESH_TOKEN = True
    request: TokenRequest
    server: ZendeskServer

    def authenticate_refresh_token(self, refresh_token: str) -> TokenPair | None:  # type: ignore[override]  # the same
        """Return the pair that can be renewed, or None; a spent token may end what it was renewed into."""
        pair = self.server.tokens.find_refreshable(refresh_token, self.request.account)
        if pair is None and self.server.switches.reuse_ends_family:
            self.server.tokens.end_family(refresh_token, self.request.account)
        return pair

    def authenticate_user(self, refresh_token: TokenPair) -> Person:
        """Return whose token it is."""
        return refresh_token.person

    def note_issued(self, pair: TokenPair) -> None:
        """Remember what the pair that was posted has been renewed into."""
        cast("TokenPair", self.request.refresh_token).successor = pair

    def revoke_old_credential(self, refresh_token: TokenPair) -> None:  # type: ignore[override]  # ours is the only kind there is
        """Kill the old pair, both halves: no grace period."""
        refresh_token.is_dead = True
