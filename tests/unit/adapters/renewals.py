"""A renewal to send, as a refresh leaves it."""

from datetime import timedelta

from tests.doubles.samples import ACME
from tests.doubles.scripted import NOON
from zendesk_oauth.models.connection import TokenTimes
from zendesk_oauth.models.refresh import Renewal, Version
from zendesk_oauth.models.tokens import SealedPair, SealedToken

RENEWAL = Renewal(
    grant="default",
    subdomain=ACME,
    replaces=Version(2, 7),
    scopes=("users:read", "tickets:read"),
    issued_at=NOON + timedelta(microseconds=123_456),
    times=TokenTimes(
        expires_at=NOON + timedelta(hours=48),
        refresh_at=NOON + timedelta(hours=47, minutes=50),
        refresh_expires_at=NOON + timedelta(days=90),
        keep_alive_at=NOON + timedelta(days=50.123),
    ),
    sealed=SealedPair(
        "commit-8",
        SealedToken(b"\x01\x00\xff access", b"access key"),
        SealedToken(b"\x01\x00\xff refresh", b"refresh key"),
    ),
)
