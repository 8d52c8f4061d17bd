"""Complete an install: what Zendesk's redirect says becomes the install's outcome, once.

Nothing is read first: one conditional write consumes the pending install and says what it became. Whoever
loses that write gets the row back, and sees of it only what its own state and cookie entitle it to.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from zendesk_oauth.errors import StateRejectedError
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.models.secret import Entropy, OneUseSecret, Secret, base64url, fingerprint, same
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.ports import Clock, InstallStore, Proof, Verdict
from zendesk_oauth.services.authorization_request import BrowserBinding
from zendesk_oauth.services.exchange_code import ExchangeCode

ACCESS_DENIED = "access_denied"
_ATTEMPT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Allowed:
    """The person pressed Allow: the authorization code."""

    code: Secret


@dataclass(frozen=True, slots=True)
class Refused:
    """Zendesk says no: `access_denied` is the person's answer, anything else a fault (RFC 6749 section 4.1.2.1)."""

    error: str
    server_error: str | None = None
    """The code as Zendesk sent it, where it is none that we know: for the log alone."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A redirect from Zendesk, parsed strictly, with the cookie of the browser that follows it."""

    state: OneUseSecret
    browser: Secret
    answer: Allowed | Refused
    issuer: Subdomain | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What the browser is to see: the install as it stands, and the handle where the backend has to confirm."""

    install: Install
    replayed: bool = False
    handle: OneUseSecret | None = None


@dataclass(frozen=True, slots=True)
class CompleteInstall:
    """Consumes the pending install, then exchanges the code where there is one."""

    installs: InstallStore
    exchange_code: ExchangeCode
    clock: Clock
    entropy: Entropy

    def __call__(self, callback: Callback) -> Completion:
        """Return the outcome, the same for every opening of the same callback.

        Raises StateRejectedError, having changed nothing, where state and cookie are not this install's,
        and StoreUnavailableError where the install could not be consumed.
        """
        binding = BrowserBinding(callback.state, callback.browser)
        now = self.clock.now()
        change = self.installs.consume(_proof(callback), self._verdict(callback.answer), now)
        if change.install is None or not (change.made or _belongs(change.install, callback)):
            raise StateRejectedError("no such install of this browser")
        if not change.made:
            return _completion(as_seen(change.install, now), binding, replayed=True)
        if isinstance(callback.answer, Allowed):
            return _completion(self.exchange_code(change.install, callback.answer.code, binding), binding)
        return _completion(change.install, binding)

    def _verdict(self, answer: Allowed | Refused) -> Verdict:
        attempt_id = base64url(self.entropy(_ATTEMPT_BYTES))
        if isinstance(answer, Allowed):
            return Verdict(attempt_id, InstallStatus.EXCHANGING)
        if answer.error == ACCESS_DENIED:
            return Verdict(attempt_id, InstallStatus.DENIED, ACCESS_DENIED)
        return Verdict(attempt_id, InstallStatus.FAILED, answer.error)


def as_seen(install: Install, now: datetime) -> Install:
    """Return the install with the status that its age gives it: time limits are checked here, not by the store."""
    if not install.is_over(now):
        return install
    if install.status is InstallStatus.EXCHANGING:
        return replace(install, status=InstallStatus.FAILED, reason="interrupted")
    if install.status in {InstallStatus.PENDING, InstallStatus.CANDIDATE}:
        return replace(install, status=InstallStatus.ABANDONED, reason="over")
    return install


def _proof(callback: Callback) -> Proof:
    return Proof(
        callback.state.install_id, callback.state.fingerprint, fingerprint(callback.browser), callback.issuer
    )


def _belongs(install: Install, callback: Callback) -> bool:
    """Compare both secrets in constant time, and the issuer where one was named."""
    state_fits = same(install.state_fingerprint, callback.state.fingerprint)
    browser_fits = same(install.browser_fingerprint, fingerprint(callback.browser))
    issuer_fits = callback.issuer in {None, install.subdomain}
    return state_fits and browser_fits and issuer_fits


def _completion(install: Install, binding: BrowserBinding, *, replayed: bool = False) -> Completion:
    confirmable = install.status in {InstallStatus.CANDIDATE, InstallStatus.CONNECTED}
    handle = binding.handle if install.awaits_confirmation and confirmable else None
    return Completion(install, replayed, handle)
