"""Exchange the authorization code and keep the tokens, or leave nothing alive.

The order is the point: data keys first, so that no code is spent on an answer that could not be sealed; then
one POST; then who pressed Allow; then one transaction. A fresh token that is not kept is revoked.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from http import HTTPStatus

from zendesk_oauth.errors import (
    AnswerLostError,
    ProviderError,
    ProviderUnavailableError,
    StoreUnavailableError,
    UnintelligibleAnswerError,
    UnrecognisedErrorError,
    WrongRoleError,
    ZendeskOAuthError,
)
from zendesk_oauth.models.connection import Establishment, token_times
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.models.scopes import missing
from zendesk_oauth.models.secret import Entropy, Secret, base64url
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, IssuedTokens, SealContext, UnusableTokensError
from zendesk_oauth.ports import (
    Clock,
    CodeExchange,
    ConnectionStore,
    InstallStore,
    KeysInHand,
    Sealer,
    TokenEndpoint,
    ZendeskApi,
)
from zendesk_oauth.services.authorization_request import BrowserBinding
from zendesk_oauth.services.revoke_token import Revocation, RevokeToken

EXCHANGE_SECONDS = 10.0
"""For the POST and the question who allowed it, together: the person waits, and a code is dead after 120 s."""
REVOKE_SECONDS = 5.0
"""For the revocation of a token that is not kept, within the function's own limit."""
_COMMIT_ID_BYTES = 16
_SETTLED = frozenset({Revocation.REVOKED})
"""A new token that is called dead without having been seen alive may have met a passing fault: asked again later."""


@dataclass(frozen=True, slots=True)
class ExchangeCode:
    """Turns a consumed install and its code into a connection, a candidate, or a failure with nothing left alive."""

    installs: InstallStore
    connections: ConnectionStore
    sealer: Sealer
    token_endpoint: TokenEndpoint
    api: ZendeskApi
    clock: Clock
    entropy: Entropy
    required_roles: AbstractSet[str]

    def __call__(self, install: Install, code: Secret, binding: BrowserBinding) -> Install:
        """Return the install as it ended.

        Raises StoreUnavailableError where not even the failure could be written; the token is revoked then.
        """
        subdomain = install.account
        deadline = self.clock.monotonic() + EXCHANGE_SECONDS
        try:
            keys = self.sealer.prepare(SealContext(install.grant, subdomain))
            issued = self.token_endpoint.exchange(
                CodeExchange(subdomain, code, binding.code_verifier, install.scopes), deadline
            )
        except UnusableTokensError as error:
            return self._let_go_of_half(install, keys, error)
        except ZendeskOAuthError as error:
            lost = _may_have_issued(error)
            return self._fail(install, AnswerLostError.code if lost else error.code, None)
        establishment = self._seal(install, issued, keys)
        return self._keep_or_let_go(install, establishment, issued, binding, deadline)

    def _let_go_of_half(self, install: Install, keys: KeysInHand, half: UnusableTokensError) -> Install:
        """Revoke an access token that came alone, or keep it sealed, in the place of both, until it can be revoked."""
        if self._revoke(install.account, half.access_token):
            return self._fail(install, half.code, None)
        return self._fail(install, half.code, self._seal(install, half.to_revoke(install.scopes), keys))

    def _seal(self, install: Install, issued: IssuedTokens, keys: KeysInHand) -> Establishment:
        commit_id = base64url(self.entropy(_COMMIT_ID_BYTES))
        now = self.clock.now()
        return Establishment(
            grant=install.grant,
            subdomain=install.account,
            scopes=issued.scopes,
            missing_scopes=missing(install.scopes, issued.scopes),
            sealed=keys.seal(issued.access_token, issued.refresh_token, commit_id),
            times=token_times(issued, now, self.entropy(1)[0] / 255),
            authorized_by=None,
            established_at=now,
            user_reference=install.user_reference,
        )

    def _keep_or_let_go(
        self,
        install: Install,
        establishment: Establishment,
        issued: IssuedTokens,
        binding: BrowserBinding,
        deadline: float,
    ) -> Install:
        try:
            user = self._authorized_user(establishment.subdomain, issued.access_token, deadline)
            return self._keep(install, replace(establishment, authorized_by=user), binding)
        except StoreUnavailableError as error:
            return self._settle_lost_commit(install, establishment, issued, error.code)
        except Exception as error:
            revoked = self._revoke(establishment.subdomain, issued.access_token)
            code = error.code if isinstance(error, ZendeskOAuthError) else ZendeskOAuthError.code
            failed = self._fail(install, code, None if revoked else establishment)
            if isinstance(error, ZendeskOAuthError):
                return failed
            raise

    def _authorized_user(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        user = self.api.who_authorized(subdomain, access_token, deadline)
        if user.role not in self.required_roles:
            raise WrongRoleError(f"role {user.role!r}")
        return user

    def _keep(self, install: Install, establishment: Establishment, binding: BrowserBinding) -> Install:
        now = self.clock.now()
        kept = replace(install, missing_scopes=establishment.missing_scopes)
        if not install.awaits_confirmation:
            self.connections.establish(establishment, install.install_id, now)
            return replace(kept, status=InstallStatus.CONNECTED)
        handle = binding.handle.fingerprint
        self.installs.keep_candidate(install.install_id, establishment, handle, now)
        return replace(
            kept,
            status=InstallStatus.CANDIDATE,
            handle_fingerprint=handle,
            expires_at=establishment.candidacy_ends(now),
        )

    def _settle_lost_commit(
        self, install: Install, establishment: Establishment, issued: IssuedTokens, reason: str
    ) -> Install:
        """Find out whether a commit without an answer was made: the failure can be written only if it was not."""
        try:
            return self._fail(install, reason, establishment)
        except StoreUnavailableError:
            self._revoke(establishment.subdomain, issued.access_token)
            raise

    def _fail(self, install: Install, reason: str, unrevoked: Establishment | None) -> Install:
        change = self.installs.fail(install.install_id, reason, unrevoked, self.clock.now())
        return change.install or replace(install, status=InstallStatus.FAILED, reason=reason)

    def _revoke(self, subdomain: Subdomain, access_token: Secret) -> bool:
        deadline = self.clock.monotonic() + REVOKE_SECONDS
        try:
            return RevokeToken(self.api)(subdomain, access_token, deadline) in _SETTLED
        except ProviderError:
            return False


def _may_have_issued(error: ZendeskOAuthError) -> bool:
    """Whether Zendesk may have issued a pair for the code that was sent, though no answer says so."""
    if isinstance(error, ProviderUnavailableError):
        return not error.nothing_sent and not error.throttled
    if isinstance(error, UnrecognisedErrorError) or not isinstance(error, UnintelligibleAnswerError):
        return False
    return error.status is None or error.status < HTTPStatus.BAD_REQUEST
