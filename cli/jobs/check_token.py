"""Ask Zendesk of a token that a company already has: does it live, whose is it, what may it, and until when."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from cli.jobs.import_line import Line
from cli.jobs.polite_accounts import PoliteAccounts
from zendesk_oauth.errors import TokenRefusedError, WrongRoleError
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, LivingToken
from zendesk_oauth.ports import Clock
from zendesk_oauth.services.revoke_token import UNAUTHORIZED

ASK_SECONDS = 10.0
"""For both questions together."""


class TokenApi(Protocol):
    """The two questions. Every method raises a ProviderError."""

    def find_token(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> LivingToken | None:
        """Return what Zendesk says of the living token; None: it is not alive (401)."""

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        """Return whose token this is. Raise WrongRoleError for an anonymous one."""


class Vouched(NamedTuple):
    """Zendesk vouches for the token: who pressed Allow, and what it says of scopes and end, where it says it."""

    user: AuthorizedUser
    scopes: Scopes | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class CheckToken:
    """Asks politely."""

    api: TokenApi
    accounts: PoliteAccounts
    clock: Clock
    required_roles: AbstractSet[str]

    def __call__(self, line: Line) -> Vouched | None:
        """Return what Zendesk says of the line's access token; None: it does not live, or not any more.

        Raises WrongRoleError where it is not of somebody who may connect an account, TokenRefusedError where it may
        not ask whose it is, and another ProviderError where Zendesk has not answered.
        """
        return self.accounts.ask(line.subdomain, lambda: self._ask(line))

    def _ask(self, line: Line) -> Vouched | None:
        deadline = self.clock.monotonic() + ASK_SECONDS
        try:
            token = self._find(line, deadline)
            user = self.api.who_authorized(line.subdomain, line.access_token, deadline) if token else None
        except TokenRefusedError as error:
            if error.status == UNAUTHORIZED:
                return None
            raise
        if token is None or user is None:
            return None
        if user.role not in self.required_roles:
            raise WrongRoleError(f"role {user.role!r}")
        return Vouched(user, token.scopes, token.expires_at)

    def _find(self, line: Line, deadline: float) -> LivingToken | None:
        """Find the token; one that may not look at itself (403) lives all the same."""
        try:
            return self.api.find_token(line.subdomain, line.access_token, deadline)
        except TokenRefusedError as error:
            if error.status == UNAUTHORIZED:
                raise
            return LivingToken(0, None, None)
