"""Pairs on moto's KMS: each is unlocked in its own place, whoever has which keys warm, and nowhere else."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zendesk_oauth.adapters.kms_keyring import KmsKeyring
from zendesk_oauth.adapters.kms_sealer import KmsOpener, KmsSealer
from zendesk_oauth.errors import SealBrokenError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealContext, SealedPair
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

SHARED_KEY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
CONTEXT = SealContext("default", Subdomain("acme"))
OWN_PLACE = ("zendesk-oauth", "dev", "default", "acme", "commit-1")
OTHERS = ("other", "prod", "reporting", "globex", "commit-2")
PLACES = st.tuples(*(st.sampled_from(pair) for pair in zip(OWN_PLACE, OTHERS, strict=True)))


@pytest.fixture
def pair(kms: "KMSClient", seal_settings: SealSettings) -> SealedPair:
    """Return a pair as an install leaves it."""
    keys = KmsSealer(kms, seal_settings).prepare(CONTEXT)
    return keys.seal(Secret("access-1"), Secret("refresh-1"), "commit-1")


@pytest.fixture
def warm(kms: "KMSClient", seal_settings: SealSettings, pair: SealedPair) -> KmsKeyring:
    """Return a keyring that has the pair's keys already."""
    keyring = KmsKeyring(kms, seal_settings)
    keyring.unlock(CONTEXT, pair)
    return keyring


@pytest.mark.parametrize("fresh_keys", [False, True])
@pytest.mark.parametrize("length", [1, 5_000, 16_384])
def test_a_whole_life_of_pairs(
    kms: "KMSClient", seal_settings: SealSettings, pair: SealedPair, length: int, *, fresh_keys: bool
) -> None:
    """Each pair is sealed by the one before, and opens in another process and for a worker, whatever its length."""
    keyring = KmsKeyring(kms, seal_settings)
    for number in range(2, 6):
        access, refresh = Secret(str(number) * length), Secret("r" * length)
        opened = keyring.unlock(CONTEXT, pair, fresh_keys=fresh_keys)
        pair = opened.seal(access, refresh, f"commit-{number}")
        elsewhere = KmsKeyring(kms, seal_settings).unlock(CONTEXT, pair)
        assert (elsewhere.access_token, elsewhere.refresh_token) == (access, refresh)
        worker = KmsOpener(kms, seal_settings)
        assert worker.open_access_token(pair.access_token, CONTEXT, pair.commit_id) == access


@SHARED_KEY
@given(place=PLACES, is_warm=st.booleans())
def test_a_pair_is_unlocked_nowhere_else(
    kms: "KMSClient",
    seal_settings: SealSettings,
    pair: SealedPair,
    warm: KmsKeyring,
    place: tuple[str, ...],
    *,
    is_warm: bool,
) -> None:
    """Another application, stage, grant, account or commit, in any mixture: the seal is broken, warm or cold."""
    application, stage, grant, subdomain, commit_id = place
    keyring = KmsKeyring(kms, replace(seal_settings, application=application, stage=stage))
    if is_warm and (application, stage) == OWN_PLACE[:2]:
        keyring = warm
    context = SealContext(grant, Subdomain(subdomain))
    moved = replace(pair, commit_id=commit_id)
    if place == OWN_PLACE:
        assert keyring.unlock(context, moved).refresh_token == Secret("refresh-1")
        return
    with pytest.raises(SealBrokenError):
        keyring.unlock(context, moved)


@pytest.mark.parametrize("is_warm", [False, True])
def test_whole_fields_cannot_be_exchanged(
    kms: "KMSClient", seal_settings: SealSettings, pair: SealedPair, warm: KmsKeyring, *, is_warm: bool
) -> None:
    """Ciphertext and wrapped key together, each in the other's place: KMS itself refuses the context."""
    keyring = warm if is_warm else KmsKeyring(kms, seal_settings)
    swapped = SealedPair(pair.commit_id, pair.refresh_token, pair.access_token)
    with pytest.raises(SealBrokenError):
        keyring.unlock(CONTEXT, swapped)


@SHARED_KEY
@given(bit=st.integers(min_value=0), field=st.sampled_from(["access_token", "refresh_token"]))
def test_no_bit_of_either_ciphertext_can_be_flipped(
    pair: SealedPair, warm: KmsKeyring, bit: int, field: str
) -> None:
    """Version, nonce, text or tag of either token: the pair is not unlocked at all."""
    sealed = getattr(pair, field)
    ciphertext = bytearray(sealed.ciphertext)
    position = bit % (len(ciphertext) * 8)
    ciphertext[position // 8] ^= 1 << position % 8
    with pytest.raises(SealBrokenError):
        warm.unlock(CONTEXT, replace(pair, **{field: replace(sealed, ciphertext=bytes(ciphertext))}))
