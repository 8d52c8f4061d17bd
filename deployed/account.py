"""The account that is looked at: clients for an identity, in one Region."""

import os
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError, NoRegionError
from botocore.session import Session

CONNECT_SECONDS = 5
READ_SECONDS = 30
ATTEMPTS = 3
"""By default: a call and two repeats, which hide a throttle or a connection that broke."""


class RegionMissingError(NoRegionError):
    """Nothing says in which Region to look."""

    fmt = "no Region is set; AWS_REGION names one"


class NoAddressError(RegionMissingError):
    """Where an emulator's address should be there is something else."""

    fmt = "AWS_ENDPOINT_URL is no address; unset it, or name an emulator by http://127.0.0.1:PORT"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: a name for the report, and credentials; None is whoever runs this, by the usual settings."""

    name: str
    credentials: Credentials | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """One Region of one account; `endpoint_url` is for an emulator."""

    region: str
    session: Session = field(default_factory=Session)
    endpoint_url: str | None = None

    @classmethod
    def here(cls) -> Self:
        """Return the account of the usual AWS settings. Raises RegionMissingError, and NoAddressError."""
        session = Session()
        region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
        if not region:
            raise RegionMissingError
        endpoint_url = os.environ.get("AWS_ENDPOINT_URL") or None
        if endpoint_url and not urlsplit(endpoint_url).hostname:
            raise NoAddressError
        return cls(region, session, endpoint_url)

    def client(
        self,
        service: str,
        identity: Identity | None = None,
        *,
        read_seconds: int = READ_SECONDS,
        attempts: int = ATTEMPTS,
    ) -> Any:  # noqa: ANN401 - every service there is
        """Return a client with the identity's credentials, or with those of whoever runs this."""
        given: dict[str, Any] = {}
        if identity and identity.credentials:
            own = identity.credentials
            given = {
                "aws_access_key_id": own.access_key,
                "aws_secret_access_key": own.secret_key,
                "aws_session_token": own.token,
            }
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"total_max_attempts": attempts},
        )
        return self.session.create_client(
            service, region_name=self.region, endpoint_url=self.endpoint_url, config=config, **given
        )

    def whoever_runs_this(self) -> Identity:
        """Return the identity of the usual settings. Raises NoCredentialsError, and what a profile's own sources do."""
        credentials = self.session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return Identity("whoever runs this", credentials)
