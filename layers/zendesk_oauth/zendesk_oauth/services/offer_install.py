"""Offer an install to one of the company's own users: an invitation that works once, within 60 seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from zendesk_oauth.errors import InvitationsNotOfferedError, MalformedRequestError, UnknownGrantError
from zendesk_oauth.models.endpoints import Endpoints
from zendesk_oauth.models.grant import DEFAULT_GRANT, Grant
from zendesk_oauth.models.install import OFFER_LIFE, Install, InstallStatus, StartMode
from zendesk_oauth.models.return_to import ReturnPolicy
from zendesk_oauth.models.secret import Entropy, OneUseSecret, new_install_id, new_secret
from zendesk_oauth.models.subdomain import Subdomain, parse_subdomain
from zendesk_oauth.ports import Clock, InstallStore

LONGEST_USER_REFERENCE = 256


@dataclass(frozen=True, slots=True)
class Offer:
    """What the company's backend asks for. `user_reference` is its own, opaque to us; the rest is unchecked."""

    user_reference: str
    unverified_grant: str | None = None
    unverified_subdomain: str | None = None
    unverified_return_to: str | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """An offered install, and the address to send this user's browser to. The address is a secret."""

    install: Install
    secret: OneUseSecret
    start_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OfferInstall:
    """Writes the offered row: the pending install's own, before anybody pressed anything."""

    installs: InstallStore
    clock: Clock
    entropy: Entropy
    mode: StartMode
    endpoints: Endpoints
    grants: Mapping[str, Grant]
    return_policy: ReturnPolicy

    def __call__(self, offer: Offer) -> Invitation:
        """Return the invitation. Raises a RequestError before anything is written, and a StoreError."""
        if self.mode is not StartMode.CONFIRMED:
            raise InvitationsNotOfferedError("open mode")
        grant = self.grants.get(offer.unverified_grant or DEFAULT_GRANT)
        if grant is None:
            raise UnknownGrantError("no such grant")
        install, secret = self._offered(
            check_user_reference(offer.user_reference),
            grant,
            parse_subdomain(offer.unverified_subdomain) if offer.unverified_subdomain else None,
            self.return_policy.check(offer.unverified_return_to),
        )
        self.installs.put_if_absent(install)
        query = urlencode({"invitation": secret.text})
        return Invitation(install, secret, f"{self.endpoints.start}?{query}")

    def _offered(
        self, user_reference: str, grant: Grant, subdomain: Subdomain | None, return_to: str | None
    ) -> tuple[Install, OneUseSecret]:
        secret = OneUseSecret(new_install_id(self.entropy), new_secret(self.entropy))
        now = self.clock.now()
        install = Install(
            install_id=secret.install_id,
            status=InstallStatus.OFFERED,
            grant=grant.name,
            scopes=grant.scopes,
            subdomain=subdomain,
            created_at=now,
            expires_at=now + OFFER_LIFE,
            return_to=return_to,
            user_reference=user_reference,
            invitation_fingerprint=secret.fingerprint,
        )
        return install, secret


def check_user_reference(unverified_text: str) -> str:
    """Return the reference. Raises MalformedRequestError where it is empty, over 256 characters or unprintable."""
    if not 0 < len(unverified_text) <= LONGEST_USER_REFERENCE or not unverified_text.isprintable():
        raise MalformedRequestError("a user reference has 1 to 256 printable characters")
    return unverified_text
