from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.doubles.samples import ACME, GLOBEX
from zendesk_oauth.adapters import kms_data_keys
from zendesk_oauth.adapters.kms_data_keys import (
    ACCESS_TOKEN,
    MAX_KEY_AGE,
    REFRESH_TOKEN,
    DataKey,
    encryption_context,
)
from zendesk_oauth.adapters.kms_keyring import KmsKeyring
from zendesk_oauth.errors import KeyUnavailableError, SealBrokenError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.subdomain import Subdomain
from zendesk_oauth.models.tokens import SealContext, SealedPair, SealedToken
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

SETTINGS = SealSettings("zendesk-oauth", "dev", "arn:aws:kms:us-east-1:123456789012:key/1")
CONTEXT = SealContext("default", ACME)
BEGAN = 1_800_000_000.0
FIELDS = (ACCESS_TOKEN, REFRESH_TOKEN)


def plaintext(name: str) -> bytes:
    """Return the data key of that name."""
    return name.encode().ljust(32, b"k")


def key(field: str, name: str = "first", context: SealContext = CONTEXT) -> DataKey:
    """Return a data key for a field, which KMS wraps as its name."""
    wrapped = f"{name} {field}"
    return DataKey(plaintext(wrapped), wrapped.encode(), encryption_context(SETTINGS, context, field))


def pair(name: str = "first", context: SealContext = CONTEXT, commit_id: str = "commit-1") -> SealedPair:
    """Return a pair sealed under keys of that name."""
    return SealedPair(
        commit_id,
        key(ACCESS_TOKEN, name, context).seal(Secret("canary-access"), commit_id),
        key(REFRESH_TOKEN, name, context).seal(Secret("canary-refresh"), commit_id),
    )


def unwraps(stub: Stubber, name: str = "first", context: SealContext = CONTEXT) -> None:
    """Let KMS unwrap both keys of that name, for exactly this context."""
    for field in FIELDS:
        wrapped = f"{name} {field}"
        stub.add_response(
            "decrypt",
            {"Plaintext": plaintext(wrapped), "KeyId": SETTINGS.token_key_arn},
            {
                "KeyId": SETTINGS.token_key_arn,
                "CiphertextBlob": wrapped.encode(),
                "EncryptionContext": encryption_context(SETTINGS, context, field),
            },
        )


def generates(stub: Stubber, name: str) -> None:
    """Let KMS give two data keys of that name, for exactly these contexts."""
    for field in FIELDS:
        wrapped = f"{name} {field}"
        stub.add_response(
            "generate_data_key",
            {"Plaintext": plaintext(wrapped), "CiphertextBlob": wrapped.encode()},
            {
                "KeyId": SETTINGS.token_key_arn,
                "KeySpec": "AES_256",
                "EncryptionContext": encryption_context(SETTINGS, CONTEXT, field),
            },
        )


@pytest.fixture
def keyring(kms_client: "KMSClient", kms_stub: Stubber) -> Iterator[KmsKeyring]:
    """Give a keyring at a KMS that answers what the test has added, no call more and none less."""
    yield KmsKeyring(kms_client, SETTINGS)
    kms_stub.assert_no_pending_responses()


def test_a_pair_costs_two_calls_and_its_successors_none(keyring: KmsKeyring, kms_stub: Stubber) -> None:
    """The successor lies under the same wrapped keys, so whoever has them warm asks nobody."""
    unwraps(kms_stub)
    opened = keyring.unlock(CONTEXT, pair())
    assert (opened.access_token, opened.refresh_token) == (Secret("canary-access"), Secret("canary-refresh"))
    kms_stub.assert_no_pending_responses()
    sealed = pair()
    for number in range(2, 5):
        after = keyring.unlock(CONTEXT, sealed).seal(Secret(f"a{number}"), Secret(f"r{number}"), f"c{number}")
        assert after.access_token.wrapped_key == sealed.access_token.wrapped_key == b"first access_token"
        assert after.refresh_token.wrapped_key == sealed.refresh_token.wrapped_key == b"first refresh_token"
        sealed = after
        again = keyring.unlock(CONTEXT, sealed)
        assert (again.access_token, again.refresh_token) == (Secret(f"a{number}"), Secret(f"r{number}"))


def test_a_nonce_is_never_used_twice_under_a_key_that_stays(keyring: KmsKeyring, kms_stub: Stubber) -> None:
    """A hundred generations under one key, the same token each time: a hundred different ciphertexts."""
    unwraps(kms_stub)
    opened = keyring.unlock(CONTEXT, pair())
    sealed = [opened.seal(Secret("same"), Secret("same"), "commit-1") for _ in range(100)]
    tokens = [token for one in sealed for token in (one.access_token, one.refresh_token)]
    assert len({token.ciphertext[1:13] for token in tokens}) == 200


def test_fresh_keys_cost_two_calls_more_and_are_warm_then(keyring: KmsKeyring, kms_stub: Stubber) -> None:
    """The old pair opens under its own keys, the successor lies under new ones, and those cost nothing again."""
    unwraps(kms_stub)
    generates(kms_stub, "second")
    opened = keyring.unlock(CONTEXT, pair(), fresh_keys=True)
    kms_stub.assert_no_pending_responses()
    assert opened.refresh_token == Secret("canary-refresh")
    after = opened.seal(Secret("a2"), Secret("r2"), "c2")
    assert after.access_token.wrapped_key == b"second access_token"
    assert after.refresh_token.wrapped_key == b"second refresh_token"
    assert keyring.unlock(CONTEXT, after).refresh_token == Secret("r2")


def test_r46_a_key_that_stays_in_use_is_asked_for_again_after_an_hour(
    kms_client: "KMSClient", kms_stub: Stubber
) -> None:
    """Its age counts from when KMS gave it: to use it does not make it younger, and a clock set back neither."""
    clock = [BEGAN]
    keyring = KmsKeyring(kms_client, SETTINGS, lambda: clock[0])
    for asks_at in (0.0, MAX_KEY_AGE, 2.5 * MAX_KEY_AGE, 2.0 * MAX_KEY_AGE):
        unwraps(kms_stub)
        clock[0] = BEGAN + asks_at
        keyring.unlock(CONTEXT, pair())
        kms_stub.assert_no_pending_responses()
        for later in (0.0, MAX_KEY_AGE / 2, MAX_KEY_AGE - 0.1):
            clock[0] = BEGAN + asks_at + later
            keyring.unlock(CONTEXT, pair())


def test_r46_a_key_that_was_generated_ages_too(kms_client: "KMSClient", kms_stub: Stubber) -> None:
    """And when KMS no longer gives it, nothing opens: an expired key is not used in its place."""
    clock = [BEGAN]
    keyring = KmsKeyring(kms_client, SETTINGS, lambda: clock[0])
    unwraps(kms_stub)
    generates(kms_stub, "second")
    after = keyring.unlock(CONTEXT, pair(), fresh_keys=True).seal(Secret("a2"), Secret("r2"), "c2")
    clock[0] = BEGAN + MAX_KEY_AGE - 0.1
    assert keyring.unlock(CONTEXT, after).refresh_token == Secret("r2")
    clock[0] = BEGAN + MAX_KEY_AGE
    for _ in range(2):
        kms_stub.add_client_error("decrypt", "DisabledException", http_status_code=400)
        with pytest.raises(KeyUnavailableError, match="DisabledException"):
            keyring.unlock(CONTEXT, after)


def test_warm_keys_are_kept_for_their_place_alone(keyring: KmsKeyring, kms_stub: Stubber) -> None:
    """A wrapped key that stands in another connection's row is put to KMS again, which refuses it there."""
    unwraps(kms_stub)
    keyring.unlock(CONTEXT, pair())
    kms_stub.add_client_error("decrypt", "InvalidCiphertextException", http_status_code=400)
    with pytest.raises(SealBrokenError):
        keyring.unlock(SealContext("default", GLOBEX), pair())


def test_the_two_fields_cannot_be_exchanged(keyring: KmsKeyring, kms_stub: Stubber) -> None:
    """Ciphertexts that changed places under keys that stayed do not open, warm or cold."""
    unwraps(kms_stub)
    sealed = pair()
    swapped = SealedPair(
        sealed.commit_id,
        replace(sealed.access_token, ciphertext=sealed.refresh_token.ciphertext),
        replace(sealed.refresh_token, ciphertext=sealed.access_token.ciphertext),
    )
    for _ in range(2):
        with pytest.raises(SealBrokenError):
            keyring.unlock(CONTEXT, swapped)


def test_an_old_token_does_not_open_in_a_new_pair(keyring: KmsKeyring, kms_stub: Stubber) -> None:
    """Under the same key still, the commit id tells the generations apart: a pair cannot be mixed."""
    unwraps(kms_stub)
    old = pair()
    new = keyring.unlock(CONTEXT, old).seal(Secret("a2"), Secret("r2"), "commit-2")
    for mixed in (
        replace(new, refresh_token=old.refresh_token),
        replace(new, access_token=old.access_token),
        replace(new, commit_id=old.commit_id),
    ):
        with pytest.raises(SealBrokenError):
            keyring.unlock(CONTEXT, mixed)
    assert keyring.unlock(CONTEXT, new).refresh_token == Secret("r2")


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_no_ciphertext_of_ours_costs_no_call(keyring: KmsKeyring, field: str) -> None:
    """Either of the two, before KMS is asked for anything."""
    tokens = {ACCESS_TOKEN: pair().access_token, REFRESH_TOKEN: pair().refresh_token}
    tokens[field] = SealedToken(b"\x02" + b"x" * 60, b"wrapped")
    with pytest.raises(SealBrokenError):
        keyring.unlock(CONTEXT, SealedPair("commit-1", **tokens))


@pytest.mark.parametrize(
    "code",
    ["ThrottlingException", "AccessDeniedException", "DisabledException", "KMSInvalidStateException"],
)
def test_r18_a_key_that_cannot_be_had_is_an_outage(keyring: KmsKeyring, kms_stub: Stubber, code: str) -> None:
    """Throttled, denied or disabled, at the first key, the second, or a fresh one: it is told before the POST."""
    kms_stub.add_client_error("decrypt", code, http_status_code=400)
    with pytest.raises(KeyUnavailableError) as raised:
        keyring.unlock(CONTEXT, pair())
    assert raised.value.retryable
    unwraps(kms_stub)
    kms_stub.add_client_error("generate_data_key", code, http_status_code=400)
    with pytest.raises(KeyUnavailableError):
        keyring.unlock(CONTEXT, pair(), fresh_keys=True)


def test_r18_warm_keys_outlive_an_outage(keyring: KmsKeyring, kms_stub: Stubber) -> None:
    """With both keys in hand the answer can be sealed, so a refresh may go on though KMS is down."""
    unwraps(kms_stub)
    keyring.unlock(CONTEXT, pair())
    kms_stub.add_client_error("decrypt", "KMSInvalidStateException", http_status_code=400)
    assert keyring.unlock(CONTEXT, pair()).seal(Secret("a"), Secret("r"), "c").commit_id == "c"
    with pytest.raises(KeyUnavailableError):
        keyring.unlock(CONTEXT, pair("unknown"))


def test_the_last_used_keys_stay_warm(
    keyring: KmsKeyring, kms_stub: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for two pairs: of three, the one that was not used for longest costs two calls again."""
    monkeypatch.setattr(kms_data_keys, "WARM_KEYS", 4)
    contexts = [SealContext("default", Subdomain(name)) for name in ("one", "two", "three")]
    one, two, three = [(context, pair(context.subdomain, context)) for context in contexts]
    for context, _ in (one, two):
        unwraps(kms_stub, context.subdomain, context)
    for sealed in (one, two, one):
        keyring.unlock(*sealed)
    kms_stub.assert_no_pending_responses()
    unwraps(kms_stub, "three", contexts[2])
    keyring.unlock(*three)
    keyring.unlock(*one)
    kms_stub.assert_no_pending_responses()
    unwraps(kms_stub, "two", contexts[1])
    keyring.unlock(*two)
    assert len(keyring._data_keys._warm) == 4


def test_threads_share_what_is_warm(keyring: KmsKeyring, kms_stub: Stubber) -> None:
    """Eight at a time, a thousand times: every one opens the same pair without a call."""
    unwraps(kms_stub)
    sealed = pair()
    keyring.unlock(CONTEXT, sealed)
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda _: keyring.unlock(CONTEXT, sealed).access_token, range(1000)))
    assert set(opened) == {Secret("canary-access")}


def test_nothing_of_it_prints(keyring: KmsKeyring, kms_stub: Stubber) -> None:
    """Neither tokens nor keys, of the pair, of a key or of the keyring."""
    unwraps(kms_stub)
    opened = keyring.unlock(CONTEXT, pair())
    shown = repr(opened) + str(opened) + repr(opened.keys.access) + repr(keyring) + repr(vars(keyring))
    assert "canary" not in shown
    assert "kkkk" not in shown
    assert AESGCM.__name__ not in shown
