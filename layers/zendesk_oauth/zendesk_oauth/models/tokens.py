"""Tokens: as Zendesk issues them, and as they lie sealed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from zendesk_oauth.errors import UnintelligibleAnswerError
from zendesk_oauth.models.scopes import Scopes
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain

FALLBACK_ACCESS_LIFETIME = timedelta(seconds=1800)
"""What Zendesk gives where nothing else was said: the most to believe when an answer has no `expires_in`."""

LONGEST_ACCESS_LIFETIME = timedelta(days=2)
LONGEST_REFRESH_LIFETIME = timedelta(days=90)
"""The most that Zendesk gives to tokens that expire."""


@dataclass(frozen=True, slots=True)
class TokenLifetimes:
    """What is asked for with every token request: Zendesk answers `expires_in` only then."""

    access: timedelta
    refresh: timedelta


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """A whole, checked answer of the token endpoint: both tokens, what they may, and for how long.

    `kept_refresh_token` says that the answer to a refresh had none, so that the one that was spent is kept.
    `cut_scopes` says that the answer named more scopes than are kept.
    An `access_lifetime` of zero says that its access token may not be used: the pair is kept for its refresh token.
    """

    access_token: Secret
    refresh_token: Secret
    scopes: Scopes
    access_lifetime: timedelta
    refresh_lifetime: timedelta
    kept_refresh_token: bool = False
    cut_scopes: bool = False


class UnusableTokensError(UnintelligibleAnswerError):
    """An answer that is not one to keep, with a readable access token, which is to be revoked.

    `refresh_token` is the one beside it, and `access_lifetime` what the answer says of the access token, each None
    where that cannot be read. It stands here and not with the other errors, because it is the only one that carries
    secrets, as a `Secret` each.
    """

    code = "unusable_tokens"

    def __init__(
        self,
        message: str,
        access_token: Secret,
        refresh_token: Secret | None = None,
        access_lifetime: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.access_token = access_token
        self.refresh_token = refresh_token
        self.access_lifetime = access_lifetime

    def to_revoke(self, scopes: Scopes) -> IssuedTokens:
        """Return the tokens as they are kept until they are revoked; a life that is not known is the longest there is.

        The access token stands in the place of a refresh token that cannot be read.
        """
        return IssuedTokens(
            self.access_token,
            self.refresh_token or self.access_token,
            scopes,
            self.access_lifetime or LONGEST_ACCESS_LIFETIME,
            LONGEST_REFRESH_LIFETIME,
        )


@dataclass(frozen=True, slots=True)
class AuthorizedUser:
    """Who pressed Allow: the id and the role at Zendesk."""

    user_id: int
    role: str


@dataclass(frozen=True, slots=True)
class LivingToken:
    """What Zendesk itself says of a token that lives; what it does not say is None."""

    token_id: int
    scopes: Scopes | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class SealContext:
    """Where a pair belongs: part of every encryption context and of the additional data."""

    grant: str
    subdomain: Subdomain


@dataclass(frozen=True, slots=True)
class SealedToken:
    """One token under a data key of its own: nonce and ciphertext, and the wrapped key."""

    ciphertext: bytes
    wrapped_key: bytes


@dataclass(frozen=True, slots=True)
class SealedPair:
    """Both tokens of one answer; the random commit id binds them to each other and to their row."""

    commit_id: str
    access_token: SealedToken
    refresh_token: SealedToken
