"""Keys that are always in hand: a sealed token is its text, under a key that has a name and lies beside it.

It opens only under that key and under the commit id that sealed it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from tests.simulation.world import Call, World
from zendesk_oauth.errors import KeyUnavailableError, SealBrokenError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import SealContext, SealedPair, SealedToken

OLD_KEY = b"old key"
"""What every install seals under, and every refresh of its pair, until fresh keys are asked for."""


def seal(access: str, refresh: str, commit_id: str, key: bytes = OLD_KEY) -> SealedPair:
    """Seal a pair of the model."""
    return SealedPair(commit_id, *(_sealed(text, commit_id, key) for text in (access, refresh)))


def _sealed(text: str, commit_id: str, key: bytes) -> SealedToken:
    return SealedToken(f"{key.decode()}|{commit_id}|{text}".encode(), key)


def opened(sealed: SealedToken, commit_id: str) -> str:
    """Open a sealed token of the model."""
    key, commit, text = sealed.ciphertext.decode().split("|")
    if (key.encode(), commit) != (sealed.wrapped_key, commit_id):
        raise SealBrokenError("not of this pair, or not under this key")
    return text


def number_of(sealed: SealedPair) -> int:
    """Return which of Zendesk's pairs lies sealed here, by its refresh token."""
    return int(opened(sealed.refresh_token, sealed.commit_id)[1:])


@dataclass(frozen=True, slots=True)
class SimulatedPair:
    """The port `UnlockedPair`, with the key in hand that its successor is sealed under."""

    access_token: Secret
    refresh_token: Secret
    key: bytes = OLD_KEY

    def seal(self, access_token: Secret, refresh_token: Secret, commit_id: str) -> SealedPair:
        return seal(access_token.reveal(), refresh_token.reveal(), commit_id, self.key)


@dataclass(slots=True)
class SimulatedKeyring:
    """The port `Keyring`: one call to the key service."""

    world: World
    _fresh: Iterator[int] = field(default_factory=lambda: count(1))

    def unlock(self, context: SealContext, sealed: SealedPair, *, fresh_keys: bool = False) -> SimulatedPair:
        return self.world.call(
            Call("the key service", lambda: KeyUnavailableError("throttled")),
            lambda: self._unlocked(sealed, fresh_keys=fresh_keys),
        )

    def _unlocked(self, sealed: SealedPair, *, fresh_keys: bool) -> SimulatedPair:
        return SimulatedPair(
            Secret(opened(sealed.access_token, sealed.commit_id)),
            Secret(opened(sealed.refresh_token, sealed.commit_id)),
            f"key {next(self._fresh)}".encode() if fresh_keys else sealed.access_token.wrapped_key,
        )
