"""Retire what new installs have replaced: each superseded pair is revoked at Zendesk, and then erased."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from zendesk_oauth.errors import SealError, StoreUnavailableError
from zendesk_oauth.models.refresh import NO_VERSION, Connection, Renewal, Superseded
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.tokens import IssuedTokens, SealContext
from zendesk_oauth.services.keep_renewal import (
    KeepRenewal,
    Replaced,
    no_row,
    sealed_renewal,
    superseded_by_birth,
)
from zendesk_oauth.services.refresh_ports import RefreshPorts
from zendesk_oauth.services.retire_pair import Retired, RetirePair, told_end


@dataclass(frozen=True, slots=True)
class RetireSuperseded:
    """Retires one superseded pair after the other, `until` there is no time for more (monotonic seconds)."""

    ports: RefreshPorts
    until: float

    def retire(self, connection: Connection, superseded: Superseded) -> Retired:
        """Retire one, and erase it when nothing more can be done with it. Raises StoreUnavailableError.

        Return how it ended; if it has not, it is still there, and has to be tried again. Where it had to be refreshed
        to be revoked, the fresh pair is superseded too, so that a revocation that fails is tried again; where no answer
        brought one, that is noted, so that the next try does not take a pair that is dead for one that is ended.
        """

        def keep_beside(fresh: Renewal) -> None:
            self.ports.store.keep_superseded(connection, superseded_by_birth(fresh))

        store = self.ports.store
        retired = self.revoke(connection.context, connection.scopes, superseded, keep_beside)
        if retired.revocation is not None:
            store.forget_superseded(connection, superseded)
            told = told_end(retired.revocation, may_have_lost=superseded.may_have_lost)
            return retired._replace(revocation=told)
        if retired.may_have_lost and not superseded.may_have_lost:
            store.keep_superseded(connection, replace(superseded, may_have_lost=True))
        return retired

    def revoke(
        self,
        context: SealContext,
        scopes: Scopes,
        superseded: Superseded,
        write: Callable[[Renewal], None] = no_row,
    ) -> Retired:
        """Revoke one, and return how that ended; if it has not, it may live, and has to be tried again.

        `write` keeps a fresh pair in its row; without one, only the rescue queue does.
        """
        ports = self.ports
        try:
            pair = ports.keyring.unlock(context, superseded.sealed)
        except SealError as error:
            return Retired(error=error)

        def keep(fresh: IssuedTokens, until: float) -> None:
            with suppress(StoreUnavailableError):  # it is revoked all the same
                renewal = sealed_renewal(ports, Replaced(context, NO_VERSION), pair, fresh)
                KeepRenewal(ports, until)(renewal, write)

        retire = RetirePair(ports.token_endpoint, ports.api, ports.clock, self.until)
        return retire((context.subdomain, scopes), pair, superseded.access_expires_at, keep)
