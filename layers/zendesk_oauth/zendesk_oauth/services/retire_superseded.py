"""Retire what new installs have replaced: each superseded pair is revoked at Zendesk, and then erased."""

from dataclasses import dataclass

from zendesk_oauth.errors import ProviderError, SealError
from zendesk_oauth.models.refresh import Connection, Superseded
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import IssuedTokens
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.services.retire_pair import RetirePair
from zendesk_oauth.services.revoke_token import ENDED


@dataclass(frozen=True, slots=True)
class RetireSuperseded:
    """Goes through the superseded pairs of one connection; what does not end now is tried again."""

    ports: RefreshPorts

    def __call__(self, grant: str, subdomain: Subdomain) -> int:
        """Return how many are still there. Raises StoreUnavailableError."""
        store = self.ports.store
        connection = store.find(grant, subdomain)
        if connection is None:
            return 0
        waiting = store.superseded(connection)
        return sum(not self.retire(connection, pair) for pair in waiting)

    def retire(self, connection: Connection, superseded: Superseded) -> bool:
        """Retire one, and erase it when Zendesk says that it is dead. Raises StoreUnavailableError."""
        if not self.is_retired(connection, superseded):
            return False
        self.ports.store.forget_superseded(connection, superseded)
        return True

    def is_retired(self, connection: Connection, superseded: Superseded) -> bool:
        """Revoke one, and return whether nothing of it lives as far as Zendesk can be asked."""
        ports = self.ports
        try:
            pair = ports.keyring.unlock(connection.context, superseded.sealed)
            revocation = RetirePair(ports.token_endpoint, ports.api, ports.clock)(
                (connection.subdomain, connection.scopes), pair, superseded.access_expires_at, _keep_nothing
            )
        except (ProviderError, SealError):
            return False
        return revocation in ENDED


def _keep_nothing(_fresh: IssuedTokens) -> None:
    """Do nothing: the fresh pair of a superseded one is revoked at once, and nobody will ever use it."""
