"""Probe a connection: ask Zendesk with its stored access token whether that lives, what it may, and whose it is.

Nothing is written and nothing is spent, whatever comes back: it is a person who looks. It also works where a person has
to connect again, because the row keeps its pair until then.
"""

from dataclasses import dataclass

from zendesk_oauth.errors import ProviderError, SealError, TokenRefusedError, WrongRoleError
from zendesk_oauth.models.inquiry import ProbeAnswer, ProbeOutcome
from zendesk_oauth.models.refresh import EXPIRY_SKEW, Connection
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import LivingToken
from zendesk_oauth.ports import Clock, Opener
from zendesk_oauth.ports.inquiry import TokenInquiry
from zendesk_oauth.ports.refresh import RefreshStore
from zendesk_oauth.services.refresh_ports import PROBE_SECONDS


@dataclass(frozen=True, slots=True)
class ProbeConnection:
    """Read the row, open its access token, ask twice."""

    store: RefreshStore
    opener: Opener
    api: TokenInquiry
    clock: Clock

    def __call__(self, grant: str, subdomain: Subdomain) -> ProbeAnswer:
        """Return what is known. Raises StoreUnavailableError."""
        connection = self.store.find(grant, subdomain)
        if connection is None or connection.sealed is None:
            return ProbeAnswer(ProbeOutcome.NOT_CONNECTED, connection)
        try:
            access_token = self.opener.open_access_token(
                connection.sealed.access_token, connection.context, connection.sealed.commit_id
            )
        except SealError as error:
            return ProbeAnswer(ProbeOutcome.UNKNOWN, connection, cause=error.code)
        return self._ask(connection, access_token)

    def _ask(self, connection: Connection, access_token: Secret) -> ProbeAnswer:
        """Ask for the token's own entry, then whose it is; a token that may not ask this (403) lives all the same."""
        subdomain = connection.subdomain
        try:
            token = self.api.find_token(subdomain, access_token, self._deadline())
        except TokenRefusedError:
            token = LivingToken(0, None, None)
        except ProviderError as error:
            return ProbeAnswer(ProbeOutcome.UNKNOWN, connection, cause=error.code)
        if token is None:
            return ProbeAnswer(self._dead_or_over(connection), connection)
        answer = ProbeAnswer(ProbeOutcome.ALIVE, connection, token.scopes, token.expires_at)
        try:
            return answer._replace(user=self.api.who_authorized(subdomain, access_token, self._deadline()))
        except (ProviderError, WrongRoleError) as error:
            return answer._replace(cause=error.code)

    def _dead_or_over(self, connection: Connection) -> ProbeOutcome:
        is_over = self.clock.now() + EXPIRY_SKEW >= connection.times.expires_at
        return ProbeOutcome.OVER if is_over else ProbeOutcome.DEAD

    def _deadline(self) -> float:
        return self.clock.monotonic() + PROBE_SECONDS
