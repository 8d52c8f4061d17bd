"""A KMS that checks the encryption context: moto's."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from zendesk_oauth.settings import SealSettings

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient


@pytest.fixture
def kms() -> Iterator["KMSClient"]:
    """Give a KMS that checks the encryption context."""
    with mock_aws():
        yield boto3.client("kms", region_name="us-east-1")


@pytest.fixture
def seal_settings(kms: "KMSClient") -> SealSettings:
    """Return settings with a key of this KMS."""
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    return SealSettings("zendesk-oauth", "dev", arn)
