import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber

from tests.doubles.samples import ACME
from zendesk_oauth.adapters.kms_data_keys import KmsDataKeys, additional_data
from zendesk_oauth.adapters.kms_sealer import KmsOpener, KmsSealer
from zendesk_oauth.errors import KeyUnavailableError, SealBrokenError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.tokens import SealContext, SealedToken
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

SETTINGS = SealSettings("zendesk-oauth", "dev", "arn:aws:kms:us-east-1:123456789012:key/1")
CONTEXT = SealContext("default", ACME)
PLAINTEXT = b"k" * 32
SEALED = SealedToken(b"\x01" + b"n" * 12 + b"c" * 20, b"wrapped")


def bound_to(field: str) -> dict[str, str]:
    """Return the encryption context of a field."""
    return {
        "application": "zendesk-oauth",
        "stage": "dev",
        "grant": "default",
        "subdomain": "acme",
        "field": field,
    }


def give_keys(stub: Stubber) -> None:
    """Let KMS give two data keys, for exactly these contexts."""
    for field in ("access_token", "refresh_token"):
        stub.add_response(
            "generate_data_key",
            {"Plaintext": PLAINTEXT, "CiphertextBlob": f"wrapped {field}".encode()},
            {"KeyId": SETTINGS.token_key_arn, "KeySpec": "AES_256", "EncryptionContext": bound_to(field)},
        )


def test_a_pair_costs_two_calls_each_for_its_field(kms_client: "KMSClient", kms_stub: Stubber) -> None:
    """A key of its own for each token, bound to where it belongs."""
    give_keys(kms_stub)
    pair = KmsSealer(kms_client, SETTINGS).prepare(CONTEXT).seal(Secret("a"), Secret("r"), "commit-1")
    assert pair.commit_id == "commit-1"
    assert pair.access_token.wrapped_key == b"wrapped access_token"
    assert pair.refresh_token.wrapped_key == b"wrapped refresh_token"


def test_sealing_makes_no_call_and_never_repeats_a_nonce(kms_client: "KMSClient", kms_stub: Stubber) -> None:
    """From the keys on nothing can fail; the same token sealed again is another ciphertext."""
    give_keys(kms_stub)
    keys = KmsSealer(kms_client, SETTINGS).prepare(CONTEXT)
    pairs = [keys.seal(Secret("same"), Secret("same"), "commit-1") for _ in range(50)]
    ciphertexts = [token.ciphertext for pair in pairs for token in (pair.access_token, pair.refresh_token)]
    assert {ciphertext[:1] for ciphertext in ciphertexts} == {b"\x01"}
    assert len({ciphertext[1:13] for ciphertext in ciphertexts}) == 100
    assert {len(ciphertext) for ciphertext in ciphertexts} == {1 + 12 + 4 + 16}


def test_keys_do_not_print(kms_client: "KMSClient", kms_stub: Stubber) -> None:
    """Neither the plaintext key nor what holds it."""
    give_keys(kms_stub)
    shown = repr(KmsSealer(kms_client, SETTINGS).prepare(CONTEXT))
    assert "kkkk" not in shown
    assert "AESGCM" not in shown


@pytest.mark.parametrize(
    "code",
    [
        "ThrottlingException",
        "AccessDeniedException",
        "DisabledException",
        "KMSInvalidStateException",
        "KeyUnavailableException",
        "NotFoundException",
        "KMSInternalException",
        "",
    ],
)
def test_a_key_that_cannot_be_had_is_no_broken_seal(
    kms_client: "KMSClient", kms_stub: Stubber, code: str
) -> None:
    """Before an exchange nothing was spent; afterwards the token is still there."""
    kms_stub.add_client_error("generate_data_key", code, http_status_code=400)
    with pytest.raises(KeyUnavailableError) as sealing:
        KmsSealer(kms_client, SETTINGS).prepare(CONTEXT)
    kms_stub.add_client_error("decrypt", code, http_status_code=400)
    with pytest.raises(KeyUnavailableError):
        KmsOpener(kms_client, SETTINGS).open_access_token(SEALED, CONTEXT, "commit-1")
    assert sealing.value.retryable


@pytest.mark.parametrize("code", ["InvalidCiphertextException", "IncorrectKeyException"])
def test_a_wrapped_key_that_is_not_ours_is_a_broken_seal(
    kms_client: "KMSClient", kms_stub: Stubber, code: str
) -> None:
    """Trying again would not mend it."""
    kms_stub.add_client_error("decrypt", code, http_status_code=400)
    with pytest.raises(SealBrokenError):
        KmsOpener(kms_client, SETTINGS).open_access_token(SEALED, CONTEXT, "commit-1")


def test_an_unreachable_key_service_is_an_outage(
    kms_client: "KMSClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network breaks no seal."""

    def lose(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://kms.example")

    monkeypatch.setattr(kms_client, "generate_data_key", lose)
    with pytest.raises(KeyUnavailableError):
        KmsSealer(kms_client, SETTINGS).prepare(CONTEXT)


@pytest.mark.parametrize("ciphertext", [b"", b"\x01", b"\x01" + b"x" * 27, b"\x02" + b"x" * 60, b"x" * 60])
def test_what_is_no_ciphertext_of_ours_costs_no_call(
    kms_client: "KMSClient", ciphertext: bytes, request: pytest.FixtureRequest
) -> None:
    """Too short, or of a version that this code does not know."""
    request.getfixturevalue("kms_stub")
    with pytest.raises(SealBrokenError):
        KmsOpener(kms_client, SETTINGS).open_access_token(
            SealedToken(ciphertext, b"wrapped"), CONTEXT, "commit-1"
        )


def test_additional_data_are_unambiguous() -> None:
    """Values that run into each other when written side by side stay apart, and the order is always the same."""
    joined = additional_data({"a": "1|b=2", "b": ""}, "x")
    assert joined != additional_data({"a": "1", "b": "2"}, "x")
    assert additional_data({"b": "2", "a": "1"}, "x") == additional_data({"a": "1", "b": "2"}, "x")
    assert json.loads(joined) == {"a": "1|b=2", "b": "", "commit_id": "x"}


def test_a_key_is_tried_by_making_and_opening_one(kms_client: "KMSClient", kms_stub: Stubber) -> None:
    """Two calls, of which nothing is kept; what KMS refuses is told as anywhere."""
    made = {"Plaintext": PLAINTEXT, "CiphertextBlob": b"wrapped"}
    asked = {"KeyId": SETTINGS.token_key_arn, "EncryptionContext": bound_to("access_token")}
    kms_stub.add_response("generate_data_key", made, asked | {"KeySpec": "AES_256"})
    kms_stub.add_response(
        "decrypt",
        {"Plaintext": PLAINTEXT, "KeyId": SETTINGS.token_key_arn},
        asked | {"CiphertextBlob": b"wrapped"},
    )
    KmsDataKeys(kms_client, SETTINGS).try_key(CONTEXT)
    kms_stub.assert_no_pending_responses()
    kms_stub.add_client_error("generate_data_key", "AccessDeniedException")
    with pytest.raises(KeyUnavailableError):
        KmsDataKeys(kms_client, SETTINGS).try_key(CONTEXT)
