"""What becomes of a worker whose KMS key is disabled while it is warm."""

from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from tests.worker.doubles import START, World, row
from zendesk_oauth.adapters.kms_data_keys import ACCESS_TOKEN, MAX_KEY_AGE, DataKey, encryption_context
from zendesk_oauth.adapters.kms_token_opener import KmsTokenOpener
from zendesk_oauth.errors import KeyUnavailableError
from zendesk_oauth.models.secret import Secret
from zendesk_oauth.models.token import StoredToken
from zendesk_oauth.models.tokens import SealContext
from zendesk_oauth.services.read_token import ReadToken
from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

SETTINGS = SealSettings("zendesk-oauth", "prod", "arn:aws:kms:us-east-1:123456789012:key/1")
CONTEXT = SealContext("default", row().subdomain)
PLAINTEXT = b"k" * 32
LIVES = 3 * MAX_KEY_AGE


def sealed_row(generation: int, lives: float) -> StoredToken:
    """Return an active row whose token is sealed under the one data key."""
    key = DataKey(PLAINTEXT, b"wrapped", encryption_context(SETTINGS, CONTEXT, ACCESS_TOKEN))
    stored = row(generation, lives)
    sealed = key.seal(Secret(f"token-{generation}"), stored.commit_id)
    return stored._replace(ciphertext=sealed.ciphertext, wrapped_key=sealed.wrapped_key)


def test_r46_a_disabled_key_stops_a_warm_worker_within_an_hour() -> None:
    """The kept token is given without a call until it is due; the next one opens within the hour, and not after it."""
    client: KMSClient = boto3.client("kms", region_name="us-east-1")
    world = World(sealed_row(1, LIVES))
    opener = KmsTokenOpener(client, SETTINGS, world.time.epoch)
    world.read_token = ReadToken(world.rows, opener, world.refresh, world.time, START)
    connections = world.connections()
    with Stubber(client) as kms:
        kms.add_response("decrypt", {"Plaintext": PLAINTEXT, "KeyId": SETTINGS.token_key_arn})
        assert connections.token("acme").value.reveal() == "token-1"
        kms.assert_no_pending_responses()
        world.time.seconds = MAX_KEY_AGE - 1
        world.become(sealed_row(2, LIVES))
        assert connections.token("acme", newer_than=1).value.reveal() == "token-2"
        world.time.seconds = MAX_KEY_AGE + 1
        assert connections.token("acme").value.reveal() == "token-2"
        world.become(sealed_row(3, LIVES))
        kms.add_client_error("decrypt", "DisabledException", http_status_code=400)
        with pytest.raises(KeyUnavailableError, match="DisabledException"):
            connections.token("acme", newer_than=2)
        kms.assert_no_pending_responses()
    assert world.refresh.asked == []
