"""What the services need from outside. A port's docstring is its contract: what it returns, raises, and when None.

Times are aware datetimes; deadlines are instants of `Clock.monotonic`, in seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from zendesk_oauth.models.connection import Establishment
from zendesk_oauth.models.install import Install, InstallStatus
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import OneUseSecret, Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import AuthorizedUser, IssuedTokens, SealContext, SealedPair, SealedToken


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that only rise, for deadlines."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a callback's browser can show: the state's secret and its own cookie, as fingerprints.

    `issuer` is the account named by an `iss` parameter (RFC 9207), or None where there was none.
    """

    install_id: str
    state_fingerprint: str
    browser_fingerprint: str
    issuer: Subdomain | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a callback makes of a pending install; `attempt_id` recognises our own retried write."""

    attempt_id: str
    status: InstallStatus
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OfferedStart:
    """An invitation that was pressed: what the offered row needs to become pending."""

    invitation: OneUseSecret
    subdomain: Subdomain | None
    state_fingerprint: str
    browser_fingerprint: str


@dataclass(frozen=True, slots=True)
class Change:
    """The end of a conditional write: whether it was made, and the row as it is now (None: there is none)."""

    made: bool
    install: Install | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A connection that waits for confirmation, with the install it waits in."""

    install: Install
    establishment: Establishment | None


@dataclass(frozen=True, slots=True)
class DueRevocation:
    """A token that must not live on, leased to the caller for a while.

    `access_expires_at` ends the matter: after it there is nothing to ask Zendesk with.
    """

    install: Install
    context: SealContext
    commit_id: str
    access_token: SealedToken
    access_expires_at: datetime


class InstallStore(Protocol):
    """The installs, each a row under its id.

    Every method raises StoreUnavailableError where the store does not answer; a write that was made all the
    same is recognised when it is tried again.
    """

    def put_if_absent(self, install: Install) -> None:
        """Write a new install. Raise VersionConflictError where the id is taken."""

    def find(self, install_id: str) -> Install | None:
        """Read one strongly; None: there is none."""

    def start_offered(self, start: OfferedStart, now: datetime) -> Change:
        """Make the offered row pending, once, while its invitation lives and a subdomain is known."""

    def consume(self, proof: Proof, verdict: Verdict, now: datetime) -> Change:
        """Make the pending row what the verdict says, once, if the proof fits and its time is not over."""

    def fail(self, install_id: str, reason: str, unrevoked: Establishment | None, now: datetime) -> Change:
        """End an exchange as failed; an unrevoked pair is kept sealed, due for revocation."""

    def keep_candidate(
        self, install_id: str, establishment: Establishment, handle_fingerprint: str, now: datetime
    ) -> None:
        """Turn an exchange into a candidate, which is due for revocation when its time is over.

        Raise VersionConflictError where the install is not `exchanging`.
        """

    def find_candidate(self, install_id: str) -> Candidate | None:
        """Read one strongly, with its sealed pair if it still has it; None: there is no such install."""

    def due_for_revocation(self, now: datetime) -> Iterable[str]:
        """Name installs that hold a token which must not live on."""

    def lease_revocation(self, install_id: str, now: datetime) -> DueRevocation | None:
        """Take one for a while, abandoning a candidate; None: confirmed, leased or revoked meanwhile."""

    def close_revocation(self, install_id: str, outcome: str) -> None:
        """Erase the sealed tokens and note how it ended."""


class ConnectionStore(Protocol):
    """The connections, each a row under `grant#subdomain`. Raises StoreUnavailableError as above."""

    def establish(self, establishment: Establishment, install_id: str, now: datetime) -> None:
        """Write the connection and the install's outcome together, with a new epoch.

        Raise VersionConflictError where the install is not `exchanging`.
        """

    def confirm(self, candidate: Candidate, now: datetime) -> None:
        """Write the candidate as the connection and the install's outcome together, with a new epoch.

        Raise VersionConflictError where the install is no longer this user's living candidate.
        """


class KeysInHand(Protocol):
    """Data keys fetched before they are needed: from here on sealing cannot fail."""

    def seal(self, access_token: Secret, refresh_token: Secret, commit_id: str) -> SealedPair:
        """Seal both tokens, each under its own key, bound to the commit id."""


class Sealer(Protocol):
    """Seals and opens tokens. Raises KeyUnavailableError where the key service does not give."""

    def prepare(self, context: SealContext) -> KeysInHand:
        """Fetch the two data keys of a pair."""


class Opener(Protocol):
    """Opens access tokens."""

    def open_access_token(self, sealed: SealedToken, context: SealContext, commit_id: str) -> Secret:
        """Return the token. Raise SealBrokenError where it is not the one that was sealed there."""


@dataclass(frozen=True, slots=True)
class CodeExchange:
    """An authorization code and what proves that it is ours (RFC 6749 section 4.1.3, RFC 7636).

    `scopes` are those that were asked for: Zendesk wants them again.
    """

    subdomain: Subdomain
    code: Secret
    code_verifier: Secret
    scopes: Scopes


class TokenEndpoint(Protocol):
    """Zendesk's token endpoint. Every method raises a ProviderError."""

    def exchange(self, exchange: CodeExchange, deadline: float) -> IssuedTokens:
        """Post the code once and return the whole, checked answer.

        Raise UnusableTokensError, with the access token to revoke, where nothing else of it can be used.
        """


class ZendeskApi(Protocol):
    """The few API calls that judge a token. Every method raises a ProviderError."""

    def who_authorized(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> AuthorizedUser:
        """Return whose token this is (`users/me`). Raise WrongRoleError for an anonymous one."""

    def find_token_id(self, subdomain: Subdomain, access_token: Secret, deadline: float) -> int | None:
        """Return the id of the living token (`oauth/tokens/current`); None: it is not alive (401)."""

    def delete_token(
        self, subdomain: Subdomain, token_id: int, access_token: Secret, deadline: float
    ) -> None:
        """Delete by id. Raise TokenRefusedError where the grant may not."""


class ClientSecret(Protocol):
    """The client secret, cached for a while."""

    def __call__(self) -> Secret:
        """Return it. Raise ConfigurationError where there is none, SecretUnavailableError where it may come back."""

    def previous(self) -> Secret | None:
        """Return the one before it, which may be the valid one while they change; None where none can be had.

        Raise SecretUnavailableError where it may come back.
        """

    def forget(self) -> None:
        """Drop what is cached: Zendesk did not accept it, so the next call reads it anew."""
