"""Begin an install: one conditional write, then the way to Zendesk. Everything is checked before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from zendesk_oauth.errors import InvitationRejectedError, InvitationRequiredError, UnknownGrantError
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.grant import DEFAULT_GRANT, Grant
from zendesk_oauth.models.install import PENDING_LIFE, Install, InstallStatus, StartMode
from zendesk_oauth.models.return_to import ReturnPolicy
from zendesk_oauth.models.secret import Entropy, OneUseSecret, fingerprint, new_install_id, same
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.ports import Change, Clock, InstallStore, OfferedStart
from zendesk_oauth.services.authorization_request import BrowserBinding, authorization_url


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a browser asked for; the subdomain is checked, the rest is not yet.

    `may_spend` is True where a person asked: only then is an invitation used up.
    """

    subdomain: Subdomain | None
    unverified_grant: str | None = None
    unverified_return_to: str | None = None
    unverified_invitation: str | None = field(default=None, repr=False)
    may_spend: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """An install under way: where the browser goes, and the binding that it takes along."""

    install: Install
    binding: BrowserBinding
    location: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SubdomainNeeded:
    """Nothing was written: the person has to say which account it is. The rest of the request is checked."""

    grant: str | None = None
    return_to: str | None = None
    invitation: OneUseSecret | None = None


class ConsentNeeded(NamedTuple):
    """Nothing was read or written: a person has to say that the invitation is to be used."""

    invitation: OneUseSecret


@dataclass(frozen=True, slots=True)
class StartInstall:
    """Starts openly for anybody, or for the bearer of an invitation, by the deployment's mode."""

    installs: InstallStore
    clock: Clock
    entropy: Entropy
    mode: StartMode
    client_id: str
    endpoints: Endpoints
    grants: Mapping[str, Grant]
    return_policy: ReturnPolicy

    def __call__(self, request: StartRequest) -> Started | SubdomainNeeded | ConsentNeeded:
        """Return where to go, or that the subdomain or a person's consent is needed.

        Raises a RequestError, before anything is written, for what cannot be asked for, and a StoreError.
        """
        if self.mode is StartMode.CONFIRMED:
            return self._start_invited(request)
        return self._start_openly(request)

    def _start_openly(self, request: StartRequest) -> Started | SubdomainNeeded:
        if request.unverified_invitation:
            raise InvitationRejectedError("an invitation in open mode")
        grant = self.grants.get(request.unverified_grant or DEFAULT_GRANT)
        if grant is None:
            raise UnknownGrantError("no such grant")
        return_to = self.return_policy.check(request.unverified_return_to)
        if request.subdomain is None:
            return SubdomainNeeded(grant=grant.name, return_to=return_to)
        binding = BrowserBinding.new(new_install_id(self.entropy), self.entropy)
        install = self._pending(request.subdomain, grant, return_to, binding)
        self.installs.put_if_absent(install)
        return self._started(install, binding)

    def _pending(
        self, subdomain: Subdomain, grant: Grant, return_to: str | None, binding: BrowserBinding
    ) -> Install:
        now = self.clock.now()
        return Install(
            install_id=binding.state.install_id,
            status=InstallStatus.PENDING,
            grant=grant.name,
            scopes=grant.scopes,
            subdomain=subdomain,
            created_at=now,
            expires_at=now + PENDING_LIFE,
            return_to=return_to,
            state_fingerprint=binding.state.fingerprint,
            browser_fingerprint=fingerprint(binding.browser),
        )

    def _start_invited(self, request: StartRequest) -> Started | SubdomainNeeded | ConsentNeeded:
        if not request.unverified_invitation:
            raise InvitationRequiredError("no invitation")
        invitation = OneUseSecret.parse(request.unverified_invitation)
        if invitation is None:
            raise InvitationRejectedError("not of the form of an invitation")
        if not request.may_spend:
            return ConsentNeeded(invitation)
        binding = BrowserBinding.new(invitation.install_id, self.entropy)
        now = self.clock.now()
        change = self.installs.start_offered(
            OfferedStart(
                invitation, request.subdomain, binding.state.fingerprint, fingerprint(binding.browser)
            ),
            now,
        )
        if change.made and change.install is not None:
            return self._started(change.install, binding)
        if self._lacks_only_the_subdomain(change, invitation):
            return SubdomainNeeded(invitation=invitation)
        raise InvitationRejectedError("unknown, used or over")

    def _lacks_only_the_subdomain(self, change: Change, invitation: OneUseSecret) -> bool:
        offered = change.install
        return (
            offered is not None
            and offered.status is InstallStatus.OFFERED
            and offered.subdomain is None
            and same(offered.invitation_fingerprint, invitation.fingerprint)
            and not offered.is_over(self.clock.now())
        )

    def _started(self, install: Install, binding: BrowserBinding) -> Started:
        return Started(install, binding, authorization_url(install, binding, self.client_id, self.endpoints))
