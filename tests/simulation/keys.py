"""Keys that are always in hand: a sealed token is its text, and opens only under the commit id that sealed it."""

from dataclasses import dataclass

from tests.simulation.world import Call, World
from zendesk_oauth.errors import KeyUnavailableError, SealBrokenError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import SealContext, SealedPair, SealedToken


def seal(access: str, refresh: str, commit_id: str) -> SealedPair:
    """Seal a pair of the model."""
    return SealedPair(
        commit_id,
        SealedToken(f"{commit_id}|{access}".encode(), b""),
        SealedToken(f"{commit_id}|{refresh}".encode(), b""),
    )


def opened(sealed: SealedToken, commit_id: str) -> str:
    """Open a sealed token of the model."""
    commit, _, text = sealed.ciphertext.decode().partition("|")
    if commit != commit_id:
        raise SealBrokenError("not of this pair")
    return text


@dataclass(frozen=True, slots=True)
class SimulatedPair:
    """The port `UnlockedPair`."""

    access_token: Secret
    refresh_token: Secret

    def seal(self, access_token: Secret, refresh_token: Secret, commit_id: str) -> SealedPair:
        return seal(access_token.reveal(), refresh_token.reveal(), commit_id)


@dataclass(frozen=True, slots=True)
class SimulatedKeyring:
    """The port `Keyring`: one call to the key service."""

    world: World

    def unlock(self, context: SealContext, sealed: SealedPair, *, fresh_keys: bool = False) -> SimulatedPair:
        return self.world.call(
            Call("the key service", lambda: KeyUnavailableError("throttled")),
            lambda: SimulatedPair(
                Secret(opened(sealed.access_token, sealed.commit_id)),
                Secret(opened(sealed.refresh_token, sealed.commit_id)),
            ),
        )
