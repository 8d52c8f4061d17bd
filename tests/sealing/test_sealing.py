"""Sealed tokens on moto's KMS: each opens in its own place, and nowhere else."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zendesk_oauth.adapters.kms_sealer import KmsOpener, KmsSealer
from zendesk_oauth.errors import SealBrokenError, SealError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealContext, SealedPair, SealedToken
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

SHARED_KEY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
CONTEXT = SealContext("default", Subdomain("acme"))
COMMIT = "commit-1"


@pytest.fixture
def pair(kms: "KMSClient", seal_settings: SealSettings) -> SealedPair:
    """Return a sealed pair."""
    return KmsSealer(kms, seal_settings).prepare(CONTEXT).seal(Secret("access"), Secret("refresh"), COMMIT)


@pytest.mark.parametrize("token", ["access", "x" * 16_384, "eyJhbGciOi.J9.sig"])
def test_an_access_token_opens_in_its_own_place(
    kms: "KMSClient", seal_settings: SealSettings, token: str
) -> None:
    """What was sealed comes back, whatever its length."""
    pair = KmsSealer(kms, seal_settings).prepare(CONTEXT).seal(Secret(token), Secret("refresh"), COMMIT)
    opened = KmsOpener(kms, seal_settings).open_access_token(pair.access_token, CONTEXT, COMMIT)
    assert opened == Secret(token)
    assert token.encode() not in pair.access_token.ciphertext + pair.access_token.wrapped_key


PLACES = st.tuples(
    st.sampled_from(["zendesk-oauth", "other"]),
    st.sampled_from(["dev", "prod"]),
    st.sampled_from(["default", "reporting"]),
    st.sampled_from(["acme", "globex"]),
    st.sampled_from([COMMIT, "commit-2"]),
    st.sampled_from(["access_token", "refresh_token"]),
)
OWN_PLACE = ("zendesk-oauth", "dev", "default", "acme", COMMIT, "access_token")


@SHARED_KEY
@given(place=PLACES)
def test_a_token_opens_nowhere_else(
    kms: "KMSClient", seal_settings: SealSettings, pair: SealedPair, place: tuple[str, ...]
) -> None:
    """Another application, stage, grant, account, commit or field, in any mixture: the seal is broken."""
    application, stage, grant, subdomain, commit_id, field = place
    opener = KmsOpener(kms, replace(seal_settings, application=application, stage=stage))
    sealed: SealedToken = getattr(pair, field)
    context = SealContext(grant, Subdomain(subdomain))
    if place == OWN_PLACE:
        assert opener.open_access_token(sealed, context, commit_id) == Secret("access")
        return
    with pytest.raises(SealBrokenError):
        opener.open_access_token(sealed, context, commit_id)


@pytest.mark.parametrize("difference", range(len(OWN_PLACE)))
def test_each_part_of_the_place_counts_by_itself(
    kms: "KMSClient", seal_settings: SealSettings, pair: SealedPair, difference: int
) -> None:
    """One difference is enough, each of the six."""
    others = ("other", "prod", "reporting", "globex", "commit-2", "refresh_token")
    place = [*OWN_PLACE]
    place[difference] = others[difference]
    application, stage, grant, subdomain, commit_id, field = place
    opener = KmsOpener(kms, replace(seal_settings, application=application, stage=stage))
    with pytest.raises(SealBrokenError):
        opener.open_access_token(getattr(pair, field), SealContext(grant, Subdomain(subdomain)), commit_id)


def test_ciphertext_and_key_of_different_pairs_do_not_fit(
    kms: "KMSClient", seal_settings: SealSettings, pair: SealedPair
) -> None:
    """Both are genuine and of the same place, but not of each other."""
    other = KmsSealer(kms, seal_settings).prepare(CONTEXT).seal(Secret("access"), Secret("refresh"), COMMIT)
    mixed = SealedToken(pair.access_token.ciphertext, other.access_token.wrapped_key)
    with pytest.raises(SealBrokenError):
        KmsOpener(kms, seal_settings).open_access_token(mixed, CONTEXT, COMMIT)


def test_another_master_key_opens_nothing(
    kms: "KMSClient", seal_settings: SealSettings, pair: SealedPair
) -> None:
    """The wrapped key names the key that wrapped it, and only ours is asked for.

    KMS calls that IncorrectKeyException and moto AccessDeniedException: either way it does not open.
    """
    other = replace(seal_settings, token_key_arn=kms.create_key()["KeyMetadata"]["Arn"])
    with pytest.raises(SealError):
        KmsOpener(kms, other).open_access_token(pair.access_token, CONTEXT, COMMIT)


@SHARED_KEY
@given(bit=st.integers(min_value=0))
def test_no_bit_of_a_ciphertext_can_be_flipped(
    kms: "KMSClient", seal_settings: SealSettings, pair: SealedPair, bit: int
) -> None:
    """Version, nonce, text or tag: whichever bit it is, the seal is broken."""
    ciphertext = bytearray(pair.access_token.ciphertext)
    position = bit % (len(ciphertext) * 8)
    ciphertext[position // 8] ^= 1 << position % 8
    flipped = replace(pair.access_token, ciphertext=bytes(ciphertext))
    with pytest.raises(SealBrokenError):
        KmsOpener(kms, seal_settings).open_access_token(flipped, CONTEXT, COMMIT)
